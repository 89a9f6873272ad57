// Runs that a drained queue leaves, since they wait for a time of their own.

import { PAGE_ROWS_MAX } from "../../model/limits.ts";
import type { Store } from "../../storage/store.ts";

/** Runs that wait until a time. */
export interface LeftWaits {
  readonly count: number;
  /** True: there are more, which were not looked at. */
  readonly isMore: boolean;
  /** When the first one goes on, UTC ms. */
  readonly firstMs: number;
}

/** Counts the runs of these pipelines that wait until a time; null: there are none. */
export async function countWaits(
  store: Pick<Store, "listRuns">,
  pipelines: readonly string[],
): Promise<LeftWaits | null> {
  let count = 0;
  let isMore = false;
  let firstMs = Infinity;
  for (const pipeline of pipelines) {
    const page = await store.listRuns({ pipeline, states: ["waiting"], limit: PAGE_ROWS_MAX });
    isMore ||= page.length === PAGE_ROWS_MAX;
    for (const { wakeAtMs } of page) {
      if (wakeAtMs === null) continue;
      count += 1;
      firstMs = Math.min(firstMs, wakeAtMs);
    }
  }
  return count === 0 ? null : { count, isMore, firstMs };
}
