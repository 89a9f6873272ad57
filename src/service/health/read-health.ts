// How pipelines are doing, read from a store: the verdict of the policy over their last runs, with what somebody has
// acknowledged. Costs three short reads a pipeline, however many runs it had.

import { isBuiltIn } from "../pipelines/built-in.ts";
import { KeptAnswers } from "../queries/kept-answer.ts";
import { judgeHealth, type HealthJudgement } from "../../policy/health/health.ts";
import { parseAcknowledgement, type Acknowledgement } from "./acknowledgement.ts";
import { listFinished, toHealthRuns, type FinishedRun, type HealthStore } from "./finished-runs.ts";

/** How one pipeline is doing. */
export interface PipelineHealth extends HealthJudgement {
  readonly pipeline: string;
  /** Holds for the run that ended last; null: nobody said anything of that one. */
  readonly acknowledgement: Acknowledgement | null;
  /** The one that ended last; null: none has. */
  readonly last: FinishedRun | null;
}

const kept = new KeptAnswers<PipelineHealth>();

/** Judges one pipeline; one that never ran is healthy. The verdict is kept while nothing changes, for a second at most. */
export async function readHealth(store: HealthStore, pipeline: string): Promise<PipelineHealth> {
  return await kept.get(store, pipeline, () => judge(store, pipeline));
}

async function judge(store: HealthStore, pipeline: string): Promise<PipelineHealth> {
  const runs = await listFinished(store, pipeline);
  const said = parseAcknowledgement(await store.findRecord("acknowledgements", pipeline));
  const judged = judgeHealth(await toHealthRuns(store, runs), said?.run ?? null);
  const last = runs[0] ?? null;
  return { ...judged, pipeline, last, acknowledgement: said?.run === last?.id ? said : null };
}

/** Names of the pipelines that a store has runs of, and of those that are known besides, in order. Our own are none
 *  of the user's. */
export async function listHealthNames(
  store: Pick<HealthStore, "countRuns">,
  known: Iterable<string>,
): Promise<readonly string[]> {
  const counts = await store.countRuns();
  const names = new Set([...counts.keys(), ...known]);
  return [...names].filter((name) => !isBuiltIn(name)).toSorted();
}
