// How long earlier runs of a pipeline took, stage by stage: what predictions rest on. Bounded, so that a pipeline
// with many stages and a long past costs no more than a small one.

import type { StageRecord } from "../../model/checkpoint.ts";
import type { DurationSample } from "../../policy/forecast.ts";
import type { Store } from "../../storage/store.ts";
import type { RunHistory } from "../plan/plan-forecast.ts";

/** Earlier runs that are read. */
const HISTORY_RUNS_MAX = 20;
/** Rows of stages after which no further run is read: each may hold an output of 64 KiB. */
const HISTORY_STAGES_MAX = 2_000;

/** Times of the stages that really ran, from the newest runs that succeeded. */
export async function readRunHistory(
  store: Pick<Store, "listRuns" | "listStages">,
  pipeline: string,
): Promise<RunHistory> {
  const found = await store.listRuns({ pipeline, states: ["succeeded"], limit: HISTORY_RUNS_MAX });
  const samples = new Map<string, DurationSample[]>();
  const idle = new Map<string, number>();
  let runs = 0;
  let rows = 0;
  for (const { id } of found) {
    const stages = await store.listStages(id);
    for (const stage of stages) noteStage(stage, samples, idle);
    runs += 1;
    rows += stages.length;
    if (rows >= HISTORY_STAGES_MAX) break;
  }
  return { runs, samples, idle };
}

function noteStage(
  { stage, via, state, durationMs, itemCount }: StageRecord,
  samples: Map<string, DurationSample[]>,
  idle: Map<string, number>,
): void {
  if (state === "skipped" || via === "cache") idle.set(stage, (idle.get(stage) ?? 0) + 1);
  if (via !== "run" || state !== "succeeded" || durationMs === null) return;
  const known = samples.get(stage) ?? [];
  known.push({ durationMs, items: itemCount });
  samples.set(stage, known);
}
