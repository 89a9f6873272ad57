// How long a run may take, from how long its stages took in earlier runs. A stage without history has no
// prediction, and then neither has the run: a number that leaves work out would mislead.

import type { PipelineDefinition } from "../../model/definition.ts";
import { listWaves } from "../../model/graph.ts";

/** What earlier runs took. */
export interface PlanHistory {
  /** How many runs were read. */
  readonly runs: number;
  /** Durations of each stage that really ran, ms, in any order. */
  readonly durationsMs: ReadonlyMap<string, readonly number[]>;
}

/** Low and high, ms. */
export type Forecast = readonly [low: number, high: number];

/** The middle four fifths of what the stage took; nothing for a stage that would not run. */
export function predictStage(
  stage: string,
  will: string,
  history: PlanHistory | undefined,
): Forecast | undefined {
  if (will === "skip" || will === "checkpoint" || will === "cache") return [0, 0];
  const known = history?.durationsMs.get(stage)?.toSorted((left, right) => left - right) ?? [];
  if (known.length === 0) return undefined;
  const [low, high] = [quantile(known, 0.1), quantile(known, 0.9)];
  return will === "depends" ? [0, high] : [low, high];
}

function quantile(sorted: readonly number[], share: number): number {
  return Math.round(sorted[Math.round((sorted.length - 1) * share)] ?? 0);
}

/** The longest path through the graph; undefined if any stage on it is unknown. */
export function predictRun(
  definition: PipelineDefinition,
  stages: readonly { readonly stage: string; readonly predictedMs?: Forecast }[],
): Forecast | undefined {
  const byName = new Map(stages.map((stage) => [stage.stage, stage.predictedMs]));
  const ends = new Map<number, Forecast>();
  for (const position of listWaves(definition.graph).flat()) {
    const own = byName.get(definition.stages[position]?.name ?? "");
    if (own === undefined) return undefined;
    const before = (definition.graph.needs[position] ?? []).map((need) => ends.get(need) ?? [0, 0]);
    ends.set(position, [
      own[0] + Math.max(0, ...before.map(([low = 0]) => low)),
      own[1] + Math.max(0, ...before.map(([, high = 0]) => high)),
    ]);
  }
  const all = [...ends.values()];
  if (all.length === 0) return undefined;
  return [Math.max(...all.map(([low]) => low)), Math.max(...all.map(([, high]) => high))];
}
