// Where a queued run stands: how many are claimed before it, and who works queues now. A busy worker says what it runs
// and not which pipelines it knows, so that what it holds is all that tells; one that is idle names its queues.

import { PAGE_ROWS_MAX, QUEUE_AHEAD_MAX, WORKER_ALIVE_MS_MAX } from "../../../model/limits.ts";
import type { RunRecord } from "../../../model/run.ts";
import { systemMachine, type Machine } from "../../../std/machine.ts";
import type { Store } from "../../../storage/store.ts";
import { isQueueMark, toQueueMark } from "./queue-mark.ts";

/** What is known of the queue in front of a run. */
export interface QueuePosition {
  /** Runs of its pipeline that are claimed before it; QUEUE_AHEAD_MAX stands for so many or more. */
  readonly ahead: number;
  /** Workers alive that hold runs of its pipeline's queue, or are idle and work it. */
  readonly workersHere: number;
  /** Workers alive that are idle, or hold runs of any queue, among the newest 500 runs that are running. */
  readonly workers: number;
}

/**
 * Looks at the queue in front of a run.
 * @param machine Tells whether a process on this machine is gone. Default: the machine we run on.
 */
export async function readQueuePosition(
  store: Pick<Store, "countAhead" | "listRuns" | "listWorkers" | "nowMs">,
  run: RunRecord,
  machine: Pick<Machine, "isGone"> = systemMachine,
): Promise<QueuePosition> {
  const running = { states: ["running"], limit: PAGE_ROWS_MAX } as const;
  const [ahead, workers, here, all] = await Promise.all([
    store.countAhead(run, QUEUE_AHEAD_MAX),
    store.listWorkers(),
    store.listRuns({ ...running, pipeline: run.pipeline }),
    store.listRuns(running),
  ]);
  const sinceMs = store.nowMs() - WORKER_ALIVE_MS_MAX;
  const alive = workers.filter(
    ({ owner, beatAtMs }) => beatAtMs >= sinceMs && machine.isGone(owner) !== true,
  );
  // An idle one speaks once, and is there as long as its process is.
  const idle = workers.filter(({ owner }) => machine.isGone(owner) === false);
  const count = (runs: readonly RunRecord[], isQueue: (mark: string) => boolean): number => {
    // What runs in the foreground of a process says nothing of queues.
    const owners = runs.flatMap(({ foreground, lease }) =>
      foreground || lease === null ? [] : [lease.owner.worker],
    );
    const found = new Set<string>();
    for (const { owner } of alive) if (owners.includes(owner.worker)) found.add(owner.worker);
    for (const { owner, running: marks } of idle) if (marks.some(isQueue)) found.add(owner.worker);
    return found.size;
  };
  const own = toQueueMark(run.pipeline);
  return {
    ahead,
    workersHere: count(here, (mark) => mark === own),
    workers: count(all, isQueueMark),
  };
}
