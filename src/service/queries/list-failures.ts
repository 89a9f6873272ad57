// The failures of a run by kind: stages, and the items of its map stages, equal ones counted once. Reads a
// bounded number of items, so that a run with a million failures still answers at once.

import { PAGE_ROWS_MAX } from "../../model/limits.ts";
import type { Store } from "../../storage/store.ts";
import { groupFailures, toFailureView, type FailureView } from "../views/failure-view.ts";
import type { RunFacts } from "./run-facts.ts";

/** Failed items that are read per stage; what is beyond is counted without being told apart. */
const FAILED_ITEMS_READ_MAX = 5_000;

/** What failed in a run. */
export interface RunFailures {
  /** Most frequent first. */
  readonly failures: readonly FailureView[];
  /** Failed items that were not read: they count, but their kinds are not known. */
  readonly unread: number;
}

/** Reads the failures of a run. */
export async function listFailures(store: Store, facts: RunFacts): Promise<RunFailures> {
  const found: FailureView[] = [];
  let unread = 0;
  for (const { name } of facts.stages) {
    const failed = facts.itemCounts.get(name)?.failed ?? 0;
    if (failed > 0) {
      const items = await readFailedItems(store, facts.run.id, name);
      found.push(...items);
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
  runId: string,
  stage: string,
): Promise<readonly FailureView[]> {
  const found: FailureView[] = [];
  let after: { afterIndex?: number; afterKey?: string } = {};
  let hasMore = true;
  while (hasMore && found.length < FAILED_ITEMS_READ_MAX) {
    const page = await store.listItems({
      runId,
      stage,
      states: ["failed"],
      limit: PAGE_ROWS_MAX,
      ...after,
    });
    for (const item of page) {
      if (item.failure !== null) found.push(toFailureView(item.failure, { stage, item: item.key }));
    }
    const last = page.at(-1);
    hasMore = last !== undefined && page.length === PAGE_ROWS_MAX;
    if (last !== undefined) after = { afterIndex: last.index, afterKey: last.key };
  }
  return found;
}
