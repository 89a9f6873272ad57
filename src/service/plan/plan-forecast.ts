// How long a run may take, from how long its stages took in earlier runs. A stage without history has no
// prediction, and then neither has the run: a number that leaves work out would mislead.

import { CONCURRENCY_DEFAULT } from "../../model/defaults.ts";
import type { PipelineDefinition, StageDefinition } from "../../model/definition.ts";
import {
  estimateRun,
  estimateStage,
  judgeConfidence,
  NO_TIME,
  type Confidence,
  type DurationSample,
  type Estimate,
} from "../../policy/forecast.ts";

/** What earlier runs took. */
export interface RunHistory {
  /** How many runs were read. */
  readonly runs: number;
  /** Times of each stage that really ran, in any order. */
  readonly samples: ReadonlyMap<string, readonly DurationSample[]>;
  /** How often a stage ended without having been worked on: it was skipped, or the cache had it. */
  readonly idle: ReadonlyMap<string, number>;
}

/** Low and high, ms. */
export type Range = readonly [low: number, high: number];

/** What of a plan a prediction rests on. */
export interface Foreseen {
  readonly stage: string;
  readonly will: "run" | "cache" | "checkpoint" | "skip" | "depends";
  readonly items?: number;
}

/** A stage or run as a plan tells it; nothing where it cannot be told. */
export interface Prediction {
  /** Low and high; absent without history. */
  readonly predictedMs?: Range;
  /** How far it may be trusted; absent without history, and where nothing is left to guess. */
  readonly confidence?: Confidence;
}

/** The middle four fifths of what each stage took, in the order given; nothing for a stage without history. */
export function predictStages(
  definition: PipelineDefinition,
  stages: readonly Foreseen[],
  history: RunHistory | undefined,
): readonly (Estimate | undefined)[] {
  return stages.map(({ stage, will, items }) => {
    if (will === "skip" || will === "checkpoint" || will === "cache") return NO_TIME;
    const known = definition.stages[definition.positions.get(stage) ?? -1];
    const samples = history?.samples.get(stage) ?? [];
    const estimate = estimateStage(
      samples,
      items === undefined || !scalesWithItems(known) ? {} : { items },
    );
    return will === "depends" && estimate !== undefined ? { ...estimate, lowMs: 0 } : estimate;
  });
}

/** False where an earlier time may have been short because the cache had most of the list, and without a list. */
export function scalesWithItems(stage: StageDefinition | undefined): boolean {
  return stage !== undefined && stage.map !== null && stage.cache === null;
}

/** The run in `slots` places at once; undefined if any of its stages is unknown. */
export function predictRun(
  definition: PipelineDefinition,
  estimates: ReadonlyMap<string, Estimate | undefined>,
  slots: number = CONCURRENCY_DEFAULT,
): Estimate | undefined {
  const stages = definition.stages.map(({ name }, position) => ({
    estimate: estimates.get(name),
    needs: definition.graph.needs[position] ?? [],
  }));
  const known = stages.flatMap(({ estimate, needs }) =>
    estimate === undefined ? [] : [{ estimate, needs }],
  );
  return known.length < stages.length ? undefined : estimateRun(known, slots);
}

/** An estimate as a plan tells it. */
export function toPrediction(estimate: Estimate | undefined): Prediction {
  if (estimate === undefined) return {};
  const predictedMs: Range = [estimate.lowMs, estimate.highMs];
  // Of what does not run at all nothing was guessed.
  if (estimate.samples === Infinity) return { predictedMs };
  return { predictedMs, confidence: judgeConfidence(estimate) };
}
