// The states of a map's items packed: one byte each, in the order of the list, over a window of it. The low four bits
// are the mark of `dashboard`: 0 pending, 1 waiting, 2 retry, 3 running, 4 succeeded, 5 skipped, 6 failed,
// 7 upstream failed, 8 cancelled; the high four are the attempts, at most 15. An item that was not begun is 0.

import { deflateRawSync } from "node:zlib";
import type { ItemEnd } from "../../../model/checkpoint.ts";
import { ITEM_ENDS_MAX, ITEM_STATES_MAX } from "../../../model/limits.ts";
import type { StageState } from "../../../model/outcome.ts";
import type { Store } from "../../../storage/store.ts";
import { findRun } from "../find-run.ts";
import { getStage, listRunningItems, listWork, readRunFacts, type RunFacts } from "../run-facts.ts";

/** Which items. */
export interface ItemStatesQuery {
  readonly run: string;
  /** Default: all map stages. */
  readonly stage?: string;
  /** Place of the first, from 0. Default 0. */
  readonly from?: number;
  /** Default and most: ITEM_STATES_MAX. */
  readonly count?: number;
  /** True: also the keys. Default false. */
  readonly keys?: boolean;
}

/** One map stage. */
export interface PackedStageView {
  readonly stage: string;
  /** Length of its list; null: not known yet. */
  readonly total: number | null;
  readonly from: number;
  /** How many places the bytes are of. */
  readonly count: number;
  /** One byte per place: raw deflate, then base64. */
  readonly states: string;
  /** By place; null where the item was not begun. */
  readonly keys?: readonly (string | null)[];
}

/** The packed states of a run. */
export interface ItemStatesView {
  readonly run: string;
  /** Number of the newest event of the run when it was read: the states are at least so new. */
  readonly seq: number;
  readonly stages: readonly PackedStageView[];
}

/** Reads them. RUN_NOT_FOUND, STAGE_UNKNOWN. */
export async function readItemStates(
  store: Store,
  query: ItemStatesQuery,
): Promise<ItemStatesView> {
  const record = await findRun(store, query.run);
  const [newest] = await store.listEvents({
    runId: record.id,
    after: 0,
    newestFirst: true,
    limit: 1,
  });
  const facts = await readRunFacts(store, record);
  const names = query.stage === undefined ? listMaps(facts) : [getStage(facts, query.stage).name];
  const stages: PackedStageView[] = [];
  for (const stage of names) stages.push(await packStage(store, { facts, stage, query }));
  return { run: record.id, seq: newest?.seq ?? 0, stages };
}

async function packStage(store: Store, packing: Packing): Promise<PackedStageView> {
  return toPackedStage(await readStageBytes(store, packing), packing.query.keys === true);
}

/** The states of one map stage, not packed yet. */
export interface StageBytes {
  readonly stage: string;
  /** Length of its list; null: not known yet. */
  readonly total: number | null;
  readonly from: number;
  /** By place, counted from `from`. */
  readonly bytes: Uint8Array;
  /** By place; null where the item was not begun. */
  readonly keys: readonly (string | null)[];
}

/** Packs them. */
export function toPackedStage(
  { stage, total, from, bytes, keys }: StageBytes,
  hasKeys: boolean,
): PackedStageView {
  const count = bytes.length;
  const states = deflateRawSync(bytes).toString("base64");
  return { stage, total, from, count, states, ...(hasKeys ? { keys } : {}) };
}

/** Names of the map stages of a run. */
export function listMaps({ stages }: RunFacts): readonly string[] {
  return stages.filter(({ kind }) => kind === "map").map(({ name }) => name);
}

/** Which window of which stage. */
export interface Packing {
  readonly facts: RunFacts;
  readonly stage: string;
  readonly query: Pick<ItemStatesQuery, "from" | "count" | "keys">;
}

/** The states of a window of a map stage, what runs now laid over. Told of each item that has a row. */
export async function readStageBytes(
  store: Store,
  packing: Packing,
  onItem?: (item: ItemEnd) => void,
): Promise<StageBytes> {
  const { facts, stage, query } = packing;
  const { from = 0, count = ITEM_STATES_MAX } = query;
  const total = facts.records.get(stage)?.itemCount ?? null;
  const size = Math.max(0, Math.min(count, ITEM_STATES_MAX, (total ?? Infinity) - from));
  const isRunning = findRunning(facts, stage);
  const bytes = new Uint8Array(size);
  const keys: (string | null)[] =
    query.keys === true ? Array.from({ length: size }, () => null) : [];
  let filled = 0;
  for await (const item of listWindow(store, packing, from + size)) {
    const place = item.index - from;
    bytes[place] = toItemByte(isRunning(item) ? { ...item, state: "running" } : item);
    onItem?.(item);
    if (query.keys === true) keys[place] = item.key;
    filled = Math.max(filled, place + 1);
  }
  for (const { item, index, attempt } of listWork(facts, stage)) {
    const place = (index ?? -1) - from;
    if (item === undefined || place < 0 || place >= size || (bytes[place] ?? 0) !== 0) continue;
    // Its first attempt: it has no row yet.
    bytes[place] = toItemByte({ state: "running", blocker: null, attempts: attempt });
    if (query.keys === true) keys[place] = item;
    filled = Math.max(filled, place + 1);
  }
  // While the length is not known, the window ends with what is there.
  const end = total === null ? filled : size;
  return { stage, total, from, bytes: bytes.subarray(0, end), keys: keys.slice(0, end) };
}

/** What a beat says is up to a second old: an item that has ended since then runs no more. */
function findRunning(
  facts: RunFacts,
  stage: string,
): (item: Pick<ItemEnd, "key" | "endedAtMs">) => boolean {
  const names = new Set(listRunningItems(facts, stage));
  const work = new Map(listWork(facts, stage).map((entry) => [entry.item, entry]));
  return ({ key, endedAtMs }) => {
    if (endedAtMs === null) return names.has(key);
    const startedAtMs = work.get(key)?.startedAtMs;
    return startedAtMs !== undefined && startedAtMs !== null && startedAtMs > endedAtMs;
  };
}

async function* listWindow(
  store: Store,
  { facts, stage, query: { from = 0 } }: Packing,
  end: number,
): AsyncGenerator<ItemEnd> {
  let after: { afterIndex: number; afterKey?: string } = { afterIndex: from - 1 };
  for (;;) {
    const runId = facts.run.id;
    const page = await store.listItemEnds({ runId, stage, limit: ITEM_ENDS_MAX, ...after });
    for (const item of page) {
      if (item.index >= end) return;
      if (item.index >= from) yield item;
    }
    const last = page.at(-1);
    if (last === undefined || page.length < ITEM_ENDS_MAX) return;
    after = { afterIndex: last.index, afterKey: last.key };
  }
}

const MARKS: Readonly<Record<StageState, number>> = {
  pending: 0,
  waiting: 1,
  running: 3,
  succeeded: 4,
  skipped: 5,
  failed: 6,
  upstream_failed: 7,
  cancelled: 8,
};
const RETRY_MARK = 2;

/** The byte of an item. */
export function toItemByte({
  state,
  blocker,
  attempts,
}: Pick<ItemEnd, "state" | "blocker" | "attempts">): number {
  // What waits for its next attempt has failed before; what waits for a resource has not.
  const isRetry = state === "waiting" && (blocker === null || blocker === "retry");
  const mark = isRetry ? RETRY_MARK : MARKS[state];
  return (Math.min(attempts, 15) << 4) | mark;
}
