// Folds what was added into one record: pure, and the same in whatever pieces it is done.

import type { Json } from "../../std/json.ts";
import { foldDurations } from "./duration-window.ts";
import { foldBlock, type BucketChange } from "./roll-up-block.ts";
import type { RollUpEntry } from "./roll-up-entry.ts";

/** The value of a record with these entries in it, all of its key and in the order of their events; undefined: there was
 *  none. */
export function foldEntries(value: Json | undefined, entries: readonly RollUpEntry[]): Json {
  const buckets: BucketChange[] = [];
  const durationsMs: number[] = [];
  for (const { change } of entries) {
    if (change.kind === "bucket") buckets.push(change);
    else durationsMs.push(change.ms);
  }
  return durationsMs.length > 0
    ? { ...foldDurations(value, durationsMs) }
    : foldBlock(value, buckets);
}
