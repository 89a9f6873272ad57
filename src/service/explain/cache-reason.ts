// Why the cache did not spare a stage or item its work: the reason stands in the entry that was made instead.

import { CACHE_METRICS } from "../../model/cache.ts";
import type { StageRecord } from "../../model/checkpoint.ts";
import type { Store } from "../../storage/store.ts";
import type { RunFacts } from "../queries/run-facts.ts";
import { sayCount } from "./words.ts";

/** What follows the sentence that something succeeded; empty where the cache had no part in it. */
export async function sayMadeAnew(
  store: Store,
  facts: RunFacts,
  at: { readonly stage: string; readonly item: string | null },
): Promise<string> {
  const { pipeline, number: run } = facts.run;
  const entry = await store.findLatestCache({ pipeline, ...at, run });
  if (entry === undefined) return "";
  return entry.reason === null
    ? "; the cache had nothing of it yet"
    : `; not taken from the cache: ${entry.reason}`;
}

/** What the cache did for the items of a map, in one line; none where it was not asked. */
export function sayCachedItems(record: StageRecord | undefined): readonly string[] {
  if (record === undefined || record.itemCount === null) return [];
  const count = (name: keyof typeof CACHE_METRICS): number =>
    record.metrics[CACHE_METRICS[name]] ?? 0;
  if (count("hit") + count("miss") + count("error") === 0) return [];
  const counts = `${count("hit")} unchanged, ${count("changed")} changed, ${count("added")} added`;
  const errors = count("error");
  return [
    `cache: ${counts}${errors === 0 ? "" : `; ${sayCount(errors, "item")} could not be looked up`}`,
  ];
}
