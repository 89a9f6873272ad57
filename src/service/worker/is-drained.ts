// Whether the queues of some pipelines are drained: nothing is queued, and nothing is running that may come back.

import { PAGE_ROWS_MAX } from "../../model/limits.ts";
import type { Store } from "../../storage/store.ts";

/** True if nothing of these queues is left to be worked on. What waits for a later time does not count. */
export async function isDrained(
  store: Pick<Store, "countRuns" | "listRuns">,
  pipelines: readonly string[],
): Promise<boolean> {
  const counts = await store.countRuns();
  for (const pipeline of pipelines) {
    const { queued = 0, running = 0 } = counts.get(pipeline) ?? {};
    if (queued > 0) return false;
    if (running === 0) continue;
    const page = await store.listRuns({ states: ["running"], pipeline, limit: PAGE_ROWS_MAX });
    // What runs in the foreground of a process never comes to a queue.
    if (page.length === PAGE_ROWS_MAX || page.some((run) => !run.foreground)) return false;
  }
  return true;
}
