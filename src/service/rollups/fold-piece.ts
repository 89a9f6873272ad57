// Folds the next piece of what was told into the roll-ups. Pieces are small, so that the process that does it hardly
// notices; whoever comes next goes on from the cursor, however long nobody did.

import { RECORD_PUTS_MAX } from "../../model/limits.ts";
import type { MillraceEvent } from "../../model/event.ts";
import { listEntries, ROLLED_UP_TYPES } from "../../policy/rollup/roll-up-entry.ts";
import type { Store } from "../../storage/store.ts";
import { EntryGroups, readCursor, writeEntries, type RolledMill } from "./roll-up-records.ts";

/** Events that one piece reads: some 5 ms of work. */
const EVENTS_MAX = 500;
/** Numbers of events that one piece passes over at most: those of items are many, and are not rolled up. */
const SPAN_MAX = 10_000;
/** Runs whose pipeline is remembered between two pieces. */
const RUNS_MAX = 10_000;
/** Time after which it is written anew that nothing was told, ms. */
const IDLE_MS = 60_000;

/** What a piece came to. */
export interface Piece {
  /** True: there is nothing after it now, or somebody else is at it. */
  readonly isLast: boolean;
}

/** Folds one piece. */
export async function foldPiece(mill: RolledMill, pipelines: RunPipelines): Promise<Piece> {
  const { store } = mill;
  const cursor = await readCursor(store);
  const nowMs = store.nowMs();
  const span = await readSpan(store, cursor.seq);
  if (span === null) {
    // That nothing happened is known too; it is written rarely.
    if (nowMs - cursor.untilMs >= IDLE_MS)
      await writeEntries(mill, new EntryGroups(0), { ...cursor, untilMs: nowMs });
    return { isLast: true };
  }
  const groups = new EntryGroups(RECORD_PUTS_MAX - 1);
  let { seq } = span;
  let untilMs = cursor.untilMs;
  for (const event of span.events) {
    const pipeline = await pipelines.find(event);
    const entries = pipeline === undefined ? [] : listEntries(event, pipeline, nowMs);
    if (!groups.take(entries)) {
      seq = event.seq - 1;
      break;
    }
    untilMs = event.atMs;
  }
  const isEnd = seq === span.newestSeq;
  if (isEnd) untilMs = nowMs;
  const isWritten = await writeEntries(mill, groups, { ...cursor, seq, untilMs });
  return { isLast: isEnd || !isWritten };
}

/** Events that are rolled up, and how far they reach. */
interface Span {
  readonly events: readonly MillraceEvent[];
  /** With them everything up to this number is read. */
  readonly seq: number;
  readonly newestSeq: number;
}

/** Null: there is nothing new. */
async function readSpan(store: Pick<Store, "listEvents">, afterSeq: number): Promise<Span | null> {
  const [newest] = await store.listEvents({ after: afterSeq, newestFirst: true, limit: 1 });
  if (newest === undefined) return null;
  // Where the next ones were thrown away meanwhile, it begins behind them.
  const [first = newest] = await store.listEvents({ after: afterSeq, limit: 1 });
  const end = Math.min(newest.seq, first.seq - 1 + SPAN_MAX);
  const events = await store.listEvents({
    after: first.seq - 1,
    before: end + 1,
    types: ROLLED_UP_TYPES,
    limit: EVENTS_MAX,
  });
  const last = events.length < EVENTS_MAX ? undefined : events.at(-1);
  return { events, seq: last?.seq ?? end, newestSeq: newest.seq };
}

/** Which pipeline a run is of. Its first event says so: most are still known from there. */
export class RunPipelines {
  readonly #store: Pick<Store, "listEvents" | "findRun">;
  readonly #known: Map<string, string> = new Map();

  constructor(store: Pick<Store, "listEvents" | "findRun">) {
    this.#store = store;
  }

  /** Undefined: of none, or the run was thrown away. */
  async find(event: MillraceEvent): Promise<string | undefined> {
    const { run, type } = event;
    if (run === "") return undefined;
    const pipeline = readPipeline(event) ?? this.#known.get(run) ?? (await this.#look(run));
    if (pipeline === undefined || type === "run.succeeded") this.#known.delete(run);
    else this.#remember(run, pipeline);
    return pipeline;
  }

  async #look(runId: string): Promise<string | undefined> {
    const types = ["run.created"];
    const [created] = await this.#store.listEvents({ runId, after: 0, types, limit: 1 });
    // The run's own row is wide: it is read where its first event was thrown away.
    const told = created === undefined ? undefined : readPipeline(created);
    return told ?? (await this.#store.findRun(runId))?.pipeline;
  }

  #remember(run: string, pipeline: string): void {
    if (this.#known.has(run)) return;
    if (this.#known.size >= RUNS_MAX) {
      for (const oldest of this.#known.keys()) {
        this.#known.delete(oldest);
        break;
      }
    }
    this.#known.set(run, pipeline);
  }
}

function readPipeline({ type, data }: MillraceEvent): string | undefined {
  const pipeline = type === "run.created" ? data?.["pipeline"] : undefined;
  return typeof pipeline === "string" ? pipeline : undefined;
}
