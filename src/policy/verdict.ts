// A run's end and its warnings, from how its stages ended. Stages that nobody reads decide nothing: a green
// clean-up hides no failure.

import type { StageEndState } from "../model/outcome.ts";

/** How one stage ended, as far as the verdict asks. */
export interface StageVerdictInput {
  readonly state: StageEndState;
  readonly critical: boolean;
  /** Failed items that the stage bears (`onItemFailure: "continue"`). */
  readonly toleratedItems: number;
  /** Of an `upstream_failed` stage: whether the failure it stands behind is of a critical stage. Default: true
   *  if any critical stage failed. */
  readonly behindCritical?: boolean;
}

/** What the verdict depends on. */
export interface VerdictInput {
  /** The cancel was committed before the last end. */
  readonly cancelled: boolean;
  readonly deadlineHit: boolean;
  readonly crashLimit: boolean;
  readonly stages: readonly StageVerdictInput[];
}

/** How the run ended. */
export interface Verdict {
  readonly state: "succeeded" | "failed" | "skipped" | "cancelled";
  /** Failed stages that are not critical, what stands behind them, and tolerated items. */
  readonly warnings: number;
}

/** Judges a run whose stages have all ended. */
export function decideVerdict(input: VerdictInput): Verdict {
  return { state: decideState(input), warnings: countWarnings(input.stages) };
}

function decideState({
  cancelled,
  deadlineHit,
  crashLimit,
  stages,
}: VerdictInput): Verdict["state"] {
  if (cancelled) return "cancelled";
  if (deadlineHit || crashLimit || stages.some(isCriticalFailure)) return "failed";
  const has = (state: StageEndState): boolean => stages.some((stage) => stage.state === state);
  return !has("succeeded") && has("skipped") ? "skipped" : "succeeded";
}

function isCriticalFailure(stage: StageVerdictInput): boolean {
  return stage.critical && stage.state === "failed";
}

function countWarnings(stages: readonly StageVerdictInput[]): number {
  const anyCritical = stages.some(isCriticalFailure);
  let warnings = 0;
  for (const { state, critical, toleratedItems, behindCritical = anyCritical } of stages) {
    warnings += toleratedItems;
    if (state === "failed" && !critical) warnings += 1;
    if (state === "upstream_failed" && !behindCritical) warnings += 1;
  }
  return warnings;
}
