// A page of the items of a map stage, both ways: what follows it, what stands before it, or what stands around one item.

import type { ItemRecord } from "../../../model/checkpoint.ts";
import type { StageState } from "../../../model/outcome.ts";
import type { ItemQuery, Store } from "../../../storage/store.ts";
import { itemUnknown } from "../get-item.ts";
import { cursorInvalid, cutAround, placeInvalid, type PageCursors } from "../page-limit.ts";
import type { RunFacts } from "../run-facts.ts";

/** One page, in item order. */
export interface ItemRecordPage {
  readonly records: readonly ItemRecord[];
  readonly cursors: PageCursors;
}

/** Which page of which items. */
export interface ItemPageQuery {
  readonly stage: string;
  readonly states?: readonly StageState[];
  readonly limit: number;
  readonly cursor?: string;
  /** Key of an item. */
  readonly around?: string;
}

/** Reads a page. ITEM_UNKNOWN for an unknown item in its midst, OPTION_INVALID for a bad cursor. */
export async function readItemPage(
  store: Store,
  facts: RunFacts,
  query: ItemPageQuery,
): Promise<ItemRecordPage> {
  const { stage, limit, states, cursor, around } = query;
  const list = { runId: facts.run.id, stage, limit, ...(states === undefined ? {} : { states }) };
  if (around !== undefined) {
    if (cursor !== undefined) throw placeInvalid();
    const item = await store.findItem(facts.run.id, stage, around);
    if (item === undefined) throw await itemUnknown(store, facts, { stage, key: around });
    return await readAround(store, list, item);
  }
  const place = cursor === undefined ? null : parseCursor(cursor);
  const records = await store.listItems({ ...list, ...toPlaceQuery(place) });
  const isFull = records.length === limit;
  if (place?.isBackwards === true) {
    // Nothing stands before it, so that the list begins there.
    const last = records.at(-1) ?? { index: place.index, key: "" };
    const first = isFull ? records[0] : undefined;
    return { records, cursors: toCursors(last, first) };
  }
  const first = place === null ? undefined : (records[0] ?? { index: place.index + 1, key: "" });
  return { records, cursors: toCursors(isFull ? records.at(-1) : undefined, first) };
}

async function readAround(
  store: Store,
  query: ItemQuery,
  item: ItemRecord,
): Promise<ItemRecordPage> {
  const place = { index: item.index, key: item.key };
  const above = await store.listItems({
    ...query,
    ...toPlaceQuery({ ...place, isBackwards: true }),
  });
  const after = await store.listItems({
    ...query,
    ...toPlaceQuery({ ...place, isBackwards: false }),
  });
  const isAsked = query.states === undefined || query.states.includes(item.state);
  const below = isAsked ? [item, ...after] : after;
  const { rows: records, hasAbove, hasBelow } = cutAround(above, below, query.limit);
  const next = hasBelow ? records.at(-1) : undefined;
  return { records, cursors: toCursors(next, hasAbove ? records[0] : undefined) };
}

/** A place between items. */
interface ItemPlace {
  readonly index: number;
  readonly key: string;
  readonly isBackwards: boolean;
}

type Place = Pick<ItemPlace, "index" | "key">;

function toPlaceQuery(place: ItemPlace | null): Partial<ItemQuery> {
  if (place === null) return {};
  const { index, key, isBackwards } = place;
  return isBackwards
    ? { beforeIndex: index, beforeKey: key }
    : { afterIndex: index, afterKey: key };
}

function toCursors(next: Place | undefined, previous: Place | undefined): PageCursors {
  return {
    ...(next === undefined ? {} : { nextCursor: toCursor([next.index, next.key]) }),
    ...(previous === undefined
      ? {}
      : { previousCursor: toCursor([previous.index, previous.key, BACKWARDS]) }),
  };
}

const BACKWARDS = "before";

function toCursor(parts: readonly (string | number)[]): string {
  return Buffer.from(JSON.stringify(parts)).toString("base64url");
}

function parseCursor(cursor: string): ItemPlace {
  const parts = parseJson(Buffer.from(cursor, "base64url").toString("utf8"));
  const [index, key, way] = Array.isArray(parts) ? parts : [];
  const isKnown = way === undefined || way === BACKWARDS;
  if (
    isKnown &&
    typeof index === "number" &&
    Number.isSafeInteger(index) &&
    typeof key === "string"
  )
    return { index, key, isBackwards: way === BACKWARDS };
  throw cursorInvalid(cursor);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
