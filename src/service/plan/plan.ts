// The dry run: what each stage of a run would do, and why. Decided from the definition, the choices and what
// earlier runs left; nothing is called, nothing is written, no condition of the author's is asked.

import type { Blocker } from "../../model/blocker.ts";
import type { PipelineDefinition } from "../../model/definition.ts";
import { listWaves } from "../../model/graph.ts";
import {
  predictRun,
  predictStages,
  toPrediction,
  type Prediction,
  type RunHistory,
} from "./plan-forecast.ts";
import { decideStages, type DecidedStage } from "./plan-stages.ts";
import type { PlanOptions } from "./plan-selection.ts";
import { listNotes, listWarnings } from "./plan-warnings.ts";
import { toSettings } from "../prepare-run.ts";

/** One stage of a plan. */
export interface PlannedStage extends DecidedStage, Prediction {}

/** What a run would do; its prediction is that of the whole run. */
export interface Plan extends Prediction {
  readonly pipeline: string;
  /** Hash. */
  readonly definition: string;
  /** Names by depth: a view for people, nothing ever waits for a wave. */
  readonly waves: readonly (readonly string[])[];
  /** Wave by wave. */
  readonly stages: readonly PlannedStage[];
  /** What predictions rest on: `14 earlier runs`, `no history`. */
  readonly basis: string;
  /** Why it would not start now. */
  readonly refusal?: Blocker;
  /** True if anything would run. */
  readonly work: boolean;
  /** Allowed, and rarely meant. */
  readonly warnings: readonly string[];
  /** Worth knowing. */
  readonly notes: readonly string[];
}

/**
 * Plans a run. STAGE_UNKNOWN lists the names; CHECKPOINT_MISSING names the stages whose results `only` or
 * `from` would need and no earlier run left.
 */
export function planPipeline(definition: PipelineDefinition, options: PlanOptions = {}): Plan {
  const { skip, only, until, refusal } = options;
  toSettings(definition, {
    ...(skip === undefined ? {} : { skip }),
    ...(only === undefined ? {} : { only }),
    ...(until === undefined ? {} : { until }),
  });
  const decided = decideStages(definition, options);
  const waves = listWaves(definition.graph).map((wave) =>
    wave.flatMap((position) => definition.stages[position]?.name ?? []),
  );
  const estimates = predictStages(definition, decided, options.history);
  const estimateOf = new Map(decided.map(({ stage }, index) => [stage, estimates[index]]));
  const byName = new Map(decided.map((stage) => [stage.stage, stage]));
  return {
    pipeline: definition.name,
    definition: definition.hash,
    waves,
    stages: waves.flat().flatMap((name) => {
      const stage = byName.get(name);
      return stage === undefined ? [] : [{ ...stage, ...toPrediction(estimateOf.get(name)) }];
    }),
    ...toPrediction(predictRun(definition, estimateOf, options.slots)),
    basis: describeBasis(options.history),
    ...(refusal === undefined ? {} : { refusal }),
    work: decided.some(({ will }) => will === "run" || will === "depends"),
    warnings: listWarnings(definition, options.deadlineMs),
    notes: listNotes(definition),
  };
}

function describeBasis(history: RunHistory | undefined): string {
  if (history === undefined || history.runs === 0) return "no history";
  return history.runs === 1 ? "1 earlier run" : `${history.runs} earlier runs`;
}
