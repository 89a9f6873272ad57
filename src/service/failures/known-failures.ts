// Which kinds of failures were ever seen, and when first and last: one record, brought up to date by whoever watches the
// store, apart from what fails. Of 1,000 kinds the ones that were seen last are remembered.

import { isPlainRecord } from "../../model/compile/option-reader.ts";
import type { MillraceEvent } from "../../model/event.ts";
import {
  EVENT_SCAN_MAX,
  FAILURE_EVENTS_MAX,
  FAILURE_SPAN_MAX,
  PAGE_ROWS_MAX,
} from "../../model/limits.ts";
import type { Store, EventQuery } from "../../storage/store.ts";
import type { StoreRecord } from "../../storage/records/record-write.ts";
import type { MillContext } from "../mill-context.ts";
import { FAILED_TYPES, fingerprintOf } from "./failed-event.ts";

/** When a kind was seen, UTC ms. */
export interface KnownFailure {
  readonly firstAtMs: number;
  readonly lastAtMs: number;
}

/** Kinds by fingerprint, seen last at the end, and the number up to which events were looked at. */
interface Memory {
  readonly seq: number;
  readonly kinds: Map<string, KnownFailure>;
}

/** In the collection "failures". */
const KEY = "known";
/** Kinds that are remembered. */
const KINDS_MAX = 1_000;
/** Numbers that are passed over without a failure before that is written down. */
const UNTOLD_MAX = 10_000;

/** Kinds that are remembered; empty where nobody watches the store. */
export async function readKnownFailures(
  store: Pick<Store, "findRecord">,
): Promise<ReadonlyMap<string, KnownFailure>> {
  return parseMemory(await store.findRecord("failures", KEY))?.kinds ?? new Map();
}

/** Remembers what failed since it was called last, whoever called. May be repeated. */
export async function rememberFailures({
  store,
  committer,
}: {
  readonly store: Store;
  readonly committer: Pick<MillContext["committer"], "write">;
}): Promise<void> {
  const [newest] = await store.listEvents({ after: 0, newestFirst: true, limit: 1 });
  if (newest === undefined) return;
  const record = await store.findRecord("failures", KEY);
  const memory = parseMemory(record) ?? { seq: 0, kinds: new Map<string, KnownFailure>() };
  // A service that was away for long begins where a list of failures does.
  const after = Math.max(memory.seq, newest.seq - FAILURE_SPAN_MAX);
  const found = await readPiece(store, after, newest.seq + 1);
  for (const event of found.events) note(memory.kinds, event);
  if (found.events.length === 0 && found.seq - memory.seq < UNTOLD_MAX) return;
  await committer.write({
    kind: "put-records",
    // Where somebody was faster, they have written the same.
    puts: [
      {
        collection: "failures",
        key: KEY,
        expected: record?.revision ?? 0,
        value: { seq: found.seq, kinds: toRows(memory.kinds) },
      },
    ],
    events: [],
  });
}

/** The next failures in order, in bounds, and how far they reach: where many fail at once, the rest is for the next time. */
async function readPiece(
  store: Pick<Store, "listEvents">,
  after: number,
  end: number,
): Promise<{ readonly events: readonly MillraceEvent[]; readonly seq: number }> {
  const events: MillraceEvent[] = [];
  let seq = after;
  while (seq < end - 1 && events.length < FAILURE_EVENTS_MAX) {
    const before = Math.min(end, seq + 1 + EVENT_SCAN_MAX);
    const page: EventQuery = { after: seq, before, types: FAILED_TYPES, limit: PAGE_ROWS_MAX };
    const found = await store.listEvents(page);
    events.push(...found);
    const isFull = found.length === PAGE_ROWS_MAX;
    seq = (isFull ? found.at(-1)?.seq : undefined) ?? before - 1;
  }
  return { events, seq };
}

function note(kinds: Map<string, KnownFailure>, event: MillraceEvent): void {
  const fingerprint = fingerprintOf(event);
  if (fingerprint === undefined) return;
  const firstAtMs = kinds.get(fingerprint)?.firstAtMs ?? event.atMs;
  kinds.delete(fingerprint);
  kinds.set(fingerprint, { firstAtMs, lastAtMs: event.atMs });
}

function toRows(kinds: ReadonlyMap<string, KnownFailure>): [string, number, number][] {
  return [...kinds]
    .slice(-KINDS_MAX)
    .map(([fingerprint, { firstAtMs, lastAtMs }]) => [fingerprint, firstAtMs, lastAtMs]);
}

/** Undefined: there is none, or none that can be read; then all is remembered anew. */
function parseMemory(record: StoreRecord | undefined): Memory | undefined {
  const value = record?.value;
  if (!isPlainRecord(value)) return undefined;
  const { seq, kinds } = value;
  if (typeof seq !== "number" || !Array.isArray(kinds)) return undefined;
  return { seq, kinds: new Map(kinds.flatMap(toKind)) };
}

function toKind(row: unknown): readonly (readonly [string, KnownFailure])[] {
  const [fingerprint, firstAtMs, lastAtMs] = Array.isArray(row) ? row : [];
  if (typeof fingerprint !== "string") return [];
  if (typeof firstAtMs !== "number" || typeof lastAtMs !== "number") return [];
  return [[fingerprint, { firstAtMs, lastAtMs }]];
}
