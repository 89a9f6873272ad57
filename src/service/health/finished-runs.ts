// The runs of a pipeline that ended last, as health reads them: at most ten rows, and their stages only where both of
// the last two failed.

import { isForced, type RunRecord } from "../../model/run.ts";
import { HEALTH_RUNS_MAX, needsStages, type HealthRun } from "../../policy/health/health.ts";
import type { RunEnd, Store } from "../../storage/store.ts";
import { runName } from "../queries/find-run.ts";

/** What health reads from a store. */
export type HealthStore = Pick<
  Store,
  | "listRunEnds"
  | "findRunByNumber"
  | "listStageEnds"
  | "findRecord"
  | "countRuns"
  | "nowMs"
  | "changeMark"
>;

/** Runs of one kind of end that are looked at: among those with the highest numbers are the ones that ended last,
 *  unless more than this were under way at once. */
const LOOKED_AT = 2 * HEALTH_RUNS_MAX;
/** Pages of cancelled runs that are looked at for those that had begun: queues are emptied by thousands. */
const CANCELLED_PAGES_MAX = 10;
const CANCELLED_PAGE_ROWS = 100;

/** A run that is over. */
export type FinishedRun = RunRecord & { readonly state: HealthRun["state"] };

/** The last ten finished runs, the one that ended last first. Cancelled ones that never began are passed over. */
export async function listFinished(
  store: HealthStore,
  pipeline: string,
): Promise<readonly FinishedRun[]> {
  const ended: RunEnd[] = [];
  for (const state of ["succeeded", "failed", "skipped"] as const) {
    ended.push(...(await store.listRunEnds({ pipeline, state, limit: LOOKED_AT })));
  }
  const newest = ended.toSorted((one, other) => other.number - one.number).slice(0, LOOKED_AT);
  const last = [...newest, ...(await listCancelled(store, pipeline))]
    .toSorted((one, other) => other.endedAtMs - one.endedAtMs || other.number - one.number)
    .slice(0, HEALTH_RUNS_MAX);
  const runs: FinishedRun[] = [];
  for (const { number } of last) {
    const run = await store.findRunByNumber(number);
    // Deleted or resumed meanwhile, it is none of them any more.
    if (run !== undefined && isFinished(run)) runs.push(run);
  }
  return runs;
}

async function listCancelled(store: HealthStore, pipeline: string): Promise<readonly RunEnd[]> {
  const found: RunEnd[] = [];
  let beforeNumber: number | undefined;
  for (let page = 0; page < CANCELLED_PAGES_MAX && found.length < LOOKED_AT; page += 1) {
    const rows = await store.listRunEnds({
      pipeline,
      state: "cancelled",
      limit: CANCELLED_PAGE_ROWS,
      ...(beforeNumber === undefined ? {} : { beforeNumber }),
    });
    found.push(...rows.filter(({ startedAtMs }) => startedAtMs !== null));
    beforeNumber = rows.at(-1)?.number;
    if (rows.length < CANCELLED_PAGE_ROWS) break;
  }
  return found;
}

function isFinished(run: RunRecord): run is FinishedRun {
  return run.endedAtMs !== null;
}

/** As the policy asks them. */
export async function toHealthRuns(
  store: HealthStore,
  runs: readonly FinishedRun[],
): Promise<readonly HealthRun[]> {
  const asksStages = needsStages(runs);
  const found: HealthRun[] = [];
  for (const [place, run] of runs.entries()) {
    const asks = asksStages && place < 2;
    found.push({
      id: run.id,
      name: runName(run),
      state: run.state,
      class: run.failure?.class ?? null,
      isForced: isForced(run),
      failedStages: asks ? await listFailedStages(store, run) : [],
    });
  }
  return found;
}

async function listFailedStages(store: HealthStore, run: RunRecord): Promise<readonly string[]> {
  const stages = await store.listStageEnds(run.id);
  return stages.flatMap(({ stage, state }) => (state === "failed" ? [stage] : []));
}
