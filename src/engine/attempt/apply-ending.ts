// What an ending and its attempt change of a stage: how it ended, what it counted and used.

import type { Ending } from "../../model/outcome.ts";
import type { Attempt } from "./attempt.ts";
import type { StageRun } from "../stage-run.ts";

/** Puts down how a stage ended. */
export function applyEnding(stageRun: StageRun, ending: Ending): void {
  switch (ending.state) {
    case "succeeded":
      stageRun.via = ending.via;
      stageRun.failure = null;
      return;
    case "skipped":
      stageRun.reason = ending.reason;
      return;
    case "cancelled":
      stageRun.reason = ending.reason;
      stageRun.failure = ending.failure ?? null;
      return;
    case "failed":
    case "upstream_failed":
      stageRun.failure = ending.failure;
  }
}

/** Puts down what an attempt of a stage, or of one of its items, counted and used. */
export function takeUsage(stageRun: StageRun, attempt: Attempt): void {
  // The last attempt counts, as it does where a resume tries again; time and memory were used by all of them.
  if (attempt.index < 0) stageRun.metrics = null;
  if (attempt.metricsSet !== null) stageRun.addMetrics(attempt.metricsSet);
  const { usage } = attempt;
  if (usage === null) return;
  if (usage.cpuMs !== null) stageRun.cpuMs = (stageRun.cpuMs ?? 0) + usage.cpuMs;
  if (usage.peakBytes !== null)
    stageRun.peakBytes = Math.max(stageRun.peakBytes ?? 0, usage.peakBytes);
}
