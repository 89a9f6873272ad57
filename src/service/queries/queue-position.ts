// Where a queued run stands: how many are claimed before it, and who works queues now. A worker says what it runs
// and not which pipelines it knows, so that what it holds is all that tells; one that is idle takes what is due
// within a second and need not be looked for.

import { PAGE_ROWS_MAX, QUEUE_AHEAD_MAX, WORKER_ALIVE_MS_MAX } from "../../model/limits.ts";
import type { RunRecord } from "../../model/run.ts";
import { systemMachine, type Machine } from "../../std/machine.ts";
import type { Store } from "../../storage/store.ts";

/** What is known of the queue in front of a run. */
export interface QueuePosition {
  /** Runs of its pipeline that are claimed before it; QUEUE_AHEAD_MAX stands for so many or more. */
  readonly ahead: number;
  /** Workers alive that hold runs of its pipeline's queue. */
  readonly workersHere: number;
  /** Workers alive that hold runs of any queue, among the newest 500 runs that are running. */
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
  const count = (runs: readonly RunRecord[]): number => {
    // What runs in the foreground of a process says nothing of queues.
    const owners = runs.flatMap(({ foreground, lease }) =>
      foreground || lease === null ? [] : [lease.owner.worker],
    );
    return alive.filter(({ owner }) => owners.includes(owner.worker)).length;
  };
  return { ahead, workersHere: count(here), workers: count(all) };
}
