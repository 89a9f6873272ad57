// What a drained queue leaves: runs that wait for a time of their own.

import { PAGE_ROWS_MAX } from "../../model/limits.ts";
import { toIso } from "../../service/views/time-view.ts";
import type { Store } from "../../storage/store.ts";

/** How many runs of these pipelines wait until a time, and when the first one goes on; undefined: none. */
export async function sayWaits(
  store: Pick<Store, "listRuns">,
  pipelines: readonly string[],
): Promise<string | undefined> {
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
  if (count === 0) return undefined;
  const runs = `${isMore ? "at least " : ""}${count} ${count === 1 ? "run waits" : "runs wait"}`;
  const goesOn = count === 1 ? "it goes on" : "the first goes on";
  return `${runs} for a later time; ${goesOn} at ${toIso(firstMs)}`;
}
