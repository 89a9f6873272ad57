// Which runs of a schedule have not ended, and whether its pipeline has room for another.

import type { PipelineDefinition } from "../../model/definition.ts";
import { isRunOver, type RunRecord } from "../../model/run.ts";
import type { TickRecord } from "../../model/schedule/schedule-state.ts";
import type { Store } from "../../storage/store.ts";
import { tickRunKey } from "./tick-run.ts";

/** Those of these runs that have not ended, in their order. One that was deleted has. */
export async function listLiveRuns(
  store: Store,
  ids: readonly string[],
): Promise<readonly RunRecord[]> {
  const found = await Promise.all(ids.map((id) => store.findRun(id)));
  return found.filter((run) => run !== undefined).filter(({ state }) => !isRunOver(state));
}

/** Which tick. */
export interface TickOfSchedule {
  readonly name: string;
  readonly pipeline: string;
  readonly atMs: number;
  /** Undefined: nothing is remembered of it, which proves nothing: its run may be kept longer. */
  readonly known: TickRecord | undefined;
}

/** The run of a tick, if it has not ended. */
export async function findLiveTickRun(
  store: Store,
  { name, pipeline, atMs, known }: TickOfSchedule,
): Promise<RunRecord | undefined> {
  const run =
    known?.run === undefined
      ? await store.findRunByKey(pipeline, tickRunKey(name, atMs))
      : await store.findRun(known.run);
  return run === undefined || isRunOver(run.state) ? undefined : run;
}

/** True where as many runs of the pipeline are running as may be, whoever started them. */
export async function isPipelineFull(
  store: Store,
  { name, maxActiveRuns }: PipelineDefinition,
): Promise<boolean> {
  if (maxActiveRuns === null) return false;
  const counts = await store.countRuns();
  return (counts.get(name)?.running ?? 0) >= maxActiveRuns;
}
