// The lists of the memory store: filters, order and bounds of what is asked.

import type { ItemRecord, RunSums } from "../../model/checkpoint.ts";
import { type MillraceEvent, selectEventTypes } from "../../model/event.ts";
import type { RunRecord } from "../../model/run.ts";
import type { EventQuery, ItemQuery, RunQuery } from "../store.ts";
import type { MemoryRun } from "./memory-run.ts";

/** Runs that answer the query, newest first. `runs` are in order of number. */
export function selectRuns(runs: readonly (MemoryRun | undefined)[], query: RunQuery): RunRecord[] {
  const found: RunRecord[] = [];
  const { afterNumber = 0, beforeNumber = Infinity, limit } = query;
  const isUpwards = query.afterNumber !== undefined;
  const first = Math.max(0, afterNumber);
  const end = Math.min(runs.length, beforeNumber - 1);
  for (let count = 0; count < end - first && found.length < limit; count++) {
    const record = runs[isUpwards ? first + count : end - 1 - count]?.record;
    if (record !== undefined && answersRunQuery(record, query)) found.push(record);
  }
  return isUpwards ? found.reverse() : found;
}

function answersRunQuery(run: RunRecord, query: RunQuery): boolean {
  const { states, pipeline, parent, sinceMs, tag, inputVersion } = query;
  return (
    (states === undefined || states.includes(run.state)) &&
    (pipeline === undefined || run.pipeline === pipeline) &&
    (parent === undefined || run.parent === parent) &&
    (sinceMs === undefined || run.queuedAtMs >= sinceMs) &&
    (tag === undefined || run.tags[tag[0]] === tag[1]) &&
    (inputVersion === undefined || (run.foreground && run.inputVersion === inputVersion))
  );
}

/** What is said of those of these runs of which there is something to say. `runs` are in order of number. */
export function selectSums(
  runs: readonly (MemoryRun | undefined)[],
  numbers: readonly number[],
): ReadonlyMap<number, RunSums> {
  const found = new Map<number, RunSums>();
  for (const number of numbers) {
    const run = runs[number - 1];
    if (run === undefined) continue;
    const stages = [...run.stages.values()]
      .filter(({ waitedMs, itemCount }) => itemCount !== null || Object.keys(waitedMs).length > 0)
      .map(({ stage, waitedMs, itemCount }) => ({ stage, waitedMs, itemCount }))
      .sort(byText(({ stage }) => stage));
    const itemCounts = run.counts();
    if (stages.length > 0 || itemCounts.size > 0) found.set(number, { stages, itemCounts });
  }
  return found;
}

/** Items that answer the query, in order of their places, then of their keys. */
export function selectItems(items: Iterable<ItemRecord>, query: ItemQuery): ItemRecord[] {
  const { states, afterIndex, afterKey, beforeIndex, beforeKey, limit } = query;
  const isInPage = (item: ItemRecord): boolean => {
    if (beforeIndex !== undefined)
      return item.index < beforeIndex || sideOf(item, beforeIndex, beforeKey) < 0;
    if (afterIndex === undefined) return true;
    return item.index > afterIndex || sideOf(item, afterIndex, afterKey) > 0;
  };
  const found = [...items]
    .filter((item) => (states === undefined || states.includes(item.state)) && isInPage(item))
    .sort((left, right) => left.index - right.index || compareText(left.key, right.key));
  return beforeIndex === undefined ? found.slice(0, limit) : found.slice(-limit);
}

/** On which side of a key at this place the item stands; 0 at any other place, and without a key. */
function sideOf(item: ItemRecord, index: number, key: string | undefined): number {
  return key === undefined || item.index !== index ? 0 : compareText(item.key, key);
}

/** Events that answer the query. `events` are in order of number. */
export function selectEvents(
  events: readonly MillraceEvent[],
  { after, before = Infinity, newestFirst = false, types, sinceMs, limit }: EventQuery,
): MillraceEvent[] {
  const low = findFirst(events, ({ seq, atMs }) => seq > after && atMs >= (sinceMs ?? -Infinity));
  const high = findFirst(events, ({ seq }) => seq >= before);
  const wanted = types === undefined ? null : selectEventTypes(types);
  const found: MillraceEvent[] = [];
  for (let count = 0; count < high - low && found.length < limit; count++) {
    const event = events[newestFirst ? high - 1 - count : low + count];
    if (event !== undefined && (wanted === null || wanted.has(event.type))) found.push(event);
  }
  return found;
}

/** Where the first event stands for which this holds, as it then does for all that follow. */
function findFirst(
  events: readonly MillraceEvent[],
  holds: (event: MillraceEvent) => boolean,
): number {
  let low = 0;
  let high = events.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    const event = events[middle];
    if (event === undefined || holds(event)) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** Sorts by a text as databases do: by the bytes of UTF-8, not by JavaScript's UTF-16 units. */
export function byText<T>(textOf: (row: T) => string): (left: T, right: T) => number {
  return (left, right) => compareText(textOf(left), textOf(right));
}

/** Order of texts by their UTF-8 bytes, as SQLite has it. */
export function compareText(left: string, right: string): number {
  return Buffer.compare(Buffer.from(left), Buffer.from(right));
}
