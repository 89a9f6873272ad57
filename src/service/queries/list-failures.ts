// The failures of a run by kind: stages, and the items of its map stages, equal ones counted once. Reads a
// bounded number of items, so that a run with a million failures still answers at once.

import { PAGE_ROWS_MAX } from "../../model/limits.ts";
import type { Store } from "../../storage/store.ts";
import { groupFailures, toFailureView, type FailureView } from "../views/failure-view.ts";
import type { RunFacts } from "./run-facts.ts";

/** Failed items that are read of a run; what is beyond is counted without being told apart. */
const FAILED_ITEMS_READ_MAX = 5_000;

/** What failed in a run. */
export interface RunFailures {
  /** Most frequent first. */
  readonly failures: readonly FailureView[];
  /** Failed items that were not read: they count, but their kinds are not known. */
  readonly unread: number;
}

/** Reads the failures of a run, of at most `itemsMax` items. */
export async function listFailures(
  store: Store,
  facts: RunFacts,
  itemsMax: number = FAILED_ITEMS_READ_MAX,
): Promise<RunFailures> {
  const found: FailureView[] = [];
  let left = itemsMax;
  let unread = 0;
  for (const { name } of facts.stages) {
    const failed = facts.itemCounts.get(name)?.failed ?? 0;
    if (failed > 0) {
      const items = await readFailedItems(store, { runId: facts.run.id, stage: name, max: left });
      found.push(...items);
      left -= items.length;
      unread += Math.max(0, failed - items.length);
      continue;
    }
    const record = facts.records.get(name);
    if (record?.state !== "failed" || record.failure === null) continue;
    found.push(toFailureView(record.failure, { stage: name }));
  }
  return { failures: groupFailures(found), unread };
}

async function readFailedItems(
  store: Store,
  { runId, stage, max }: { readonly runId: string; readonly stage: string; readonly max: number },
): Promise<readonly FailureView[]> {
  const found: FailureView[] = [];
  let after: { afterIndex?: number; afterKey?: string } = {};
  let hasMore = true;
  while (hasMore && found.length < max) {
    const limit = Math.min(PAGE_ROWS_MAX, max - found.length);
    const page = await store.listItems({ runId, stage, states: ["failed"], limit, ...after });
    for (const item of page) {
      if (item.failure !== null) found.push(toFailureView(item.failure, { stage, item: item.key }));
    }
    const last = page.at(-1);
    hasMore = page.length === limit;
    if (last !== undefined) after = { afterIndex: last.index, afterKey: last.key };
  }
  return found;
}
