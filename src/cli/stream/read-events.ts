// Stored events as a command prints them: from a number, a time or the last few, and on request those that follow, until
// the run they are of has ended. Nothing is missing between what is there and what comes: the newest number is taken
// first, and what follows it is followed.

import type { MillraceEvent } from "../../model/event.ts";
import { EVENT_SCAN_MAX, PAGE_ROWS_MAX } from "../../model/limits.ts";
import { isRunOver, type RunRecord } from "../../model/run.ts";
import type { BusEntry } from "../../service/feed/event-bus.ts";
import { StoreBus } from "../../service/feed/store-bus.ts";
import type { StoreReader } from "../../service/queries/open-reader.ts";
import type { Clock } from "../../std/clock.ts";

/** What is read. */
export interface EventStream {
  /** Only of this run. Default: of all, and of none. */
  readonly run?: RunRecord;
  /** Only after this number. */
  readonly after?: number;
  /** Only from this time on, UTC ms. */
  readonly sinceMs?: number;
  /** Only the last so many of those that `isWanted`, before what follows. */
  readonly tail?: number;
  readonly types?: readonly string[];
  /** Default: all are. */
  readonly isWanted?: (event: MillraceEvent) => boolean;
  /** Go on with what comes. */
  readonly follow: boolean;
  /** Ends it. */
  readonly signal: AbortSignal;
  readonly clock: Clock;
  readonly warn: (message: string) => void;
}

/** How a run ends. */
const ENDINGS = ["run.succeeded", "run.failed", "run.skipped", "run.cancelled"];

/** Reads it. */
export async function* readEvents(
  store: StoreReader,
  stream: EventStream,
): AsyncGenerator<BusEntry, void> {
  const [newest] = await store.listEvents({ after: 0, newestFirst: true, limit: 1 });
  const endSeq = newest?.seq ?? 0;
  const { isWanted = () => true, signal } = stream;
  const past =
    stream.tail === undefined ? readOn(store, stream, endSeq) : readTail(store, stream, endSeq);
  for await (const event of past) {
    if (signal.aborted) return;
    if (isWanted(event)) yield { kind: "event", event };
  }
  if (stream.follow && !(await isOver(store, stream.run))) yield* follow(store, stream, endSeq);
}

async function isOver(store: StoreReader, run: RunRecord | undefined): Promise<boolean> {
  if (run === undefined) return false;
  // It may have ended since it was looked up; one that was over then is over.
  const now = isRunOver(run.state) ? await store.findRun(run.id) : run;
  return now === undefined || isRunOver(now.state);
}

/** Pages up to a number. Rare types are looked for in stretches. */
async function* readOn(
  store: StoreReader,
  { run, types, after = 0, sinceMs }: EventStream,
  endSeq: number,
): AsyncGenerator<MillraceEvent, void> {
  let place =
    sinceMs === undefined ? after : Math.max(after, await findBefore(store, sinceMs, endSeq));
  while (place < endSeq) {
    const top = types === undefined ? endSeq : Math.min(endSeq, place + EVENT_SCAN_MAX);
    const page = await store.listEvents({
      after: place,
      before: top + 1,
      limit: PAGE_ROWS_MAX,
      ...(run === undefined ? {} : { runId: run.id }),
      ...(types === undefined ? {} : { types }),
    });
    yield* page;
    place = page.length < PAGE_ROWS_MAX ? top : (page.at(-1)?.seq ?? top);
  }
}

/** The number before the first event of a time. */
async function findBefore(store: StoreReader, sinceMs: number, endSeq: number): Promise<number> {
  const [first] = await store.listEvents({ after: 0, sinceMs, limit: 1 });
  return first === undefined ? endSeq : first.seq - 1;
}

/** The last that are wanted, found from the end. */
async function* readTail(
  store: StoreReader,
  stream: EventStream,
  endSeq: number,
): AsyncGenerator<MillraceEvent, void> {
  const { run, types, after = 0, sinceMs, tail = 0, isWanted = () => true, signal } = stream;
  const found: MillraceEvent[] = [];
  const lowest =
    sinceMs === undefined ? after : Math.max(after, await findBefore(store, sinceMs, endSeq));
  let before = endSeq + 1;
  while (found.length < tail && before > lowest + 1 && !signal.aborted) {
    const bottom = types === undefined ? lowest : Math.max(lowest, before - 1 - EVENT_SCAN_MAX);
    const page = await store.listEvents({
      after: bottom,
      before,
      newestFirst: true,
      limit: PAGE_ROWS_MAX,
      ...(run === undefined ? {} : { runId: run.id }),
      ...(types === undefined ? {} : { types }),
    });
    found.push(...page.filter(isWanted));
    before = page.length < PAGE_ROWS_MAX ? bottom + 1 : (page.at(-1)?.seq ?? bottom + 1);
  }
  yield* found.slice(0, tail).toReversed();
}

async function* follow(
  store: StoreReader,
  stream: EventStream,
  endSeq: number,
): AsyncGenerator<BusEntry, void> {
  const { run, types, isWanted = () => true, signal, clock, warn } = stream;
  const bus = new StoreBus({ store, clock, warn });
  const asked = types === undefined || run === undefined ? types : [...types, ...ENDINGS];
  const entries = bus.subscribe({
    after: endSeq,
    signal,
    ...(run === undefined ? {} : { run: run.id }),
    ...(asked === undefined ? {} : { types: asked }),
  });
  const shows = makeShows(types);
  try {
    for await (const entry of entries) {
      if (entry.kind === "gap" || (shows(entry.event) && isWanted(entry.event))) yield entry;
      if (run !== undefined && (await isLast(store, run, entry))) return;
    }
  } finally {
    await bus.close();
  }
}

/** Endings are listened to, and shown only where they were asked for. */
function makeShows(types: readonly string[] | undefined): (event: MillraceEvent) => boolean {
  if (types === undefined) return () => true;
  return ({ type }) => !ENDINGS.includes(type) || types.includes(type) || types.includes("run.*");
}

/** A run that ended and was resumed goes on; one whose events were lost to a gap is looked up. */
async function isLast(store: StoreReader, run: RunRecord, entry: BusEntry): Promise<boolean> {
  if (entry.kind === "event" && !ENDINGS.includes(entry.event.type)) return false;
  const now = await store.findRun(run.id);
  if (now === undefined) return true;
  if (entry.kind === "gap" || !isRunOver(now.state)) return false;
  const query = { runId: run.id, after: entry.event.seq, types: ENDINGS, limit: 1 };
  return (await store.listEvents(query)).length === 0;
}
