// How long a run under way still takes, judged by earlier runs of its pipeline and by the pace of its maps. Loaded
// once a run has lasted a while: a start that is over in a moment never pays for it.

import type { PipelineDefinition, StageDefinition } from "../../../model/definition.ts";
import {
  estimateRun,
  estimateStage,
  judgeConfidence,
  NO_TIME,
  type Estimate,
  type StageAhead,
} from "../../../policy/forecast.ts";
import { scalesWithItems, type RunHistory } from "../../../service/plan/plan-forecast.ts";
import type { Forecast, Progress, TimeLeft } from "./progress.ts";
import { countEnded, remainingMs, type StageProgress } from "./stage-progress.ts";

/** How long a forecast is used again: it is asked for with every redraw, ms. */
const FRESH_MS = 500;

/** Share of its items that a map must have behind it before its pace is believed rather than its past. */
const PACE_SHARE_MIN = 0.1;

/** What a stage will take from now on, and whether it has taken longer than ever. */
interface StageLeft {
  readonly estimate: Estimate;
  readonly isOverdue: boolean;
}

/** Foresees the end of a run. Reads the picture whenever it is asked, and changes nothing. */
export function makeForecast(
  progress: Progress,
  definition: PipelineDefinition,
  history: RunHistory,
): Forecast {
  const { runs } = history;
  const leftOf = (stage: StageDefinition, nowMs: number): StageLeft | undefined => {
    const seen = progress.stages.get(stage.name);
    return seen === undefined ? undefined : stageLeft({ seen, stage, history }, nowMs);
  };
  const remember: { atMs: number; left: TimeLeft | undefined } = {
    atMs: -Infinity,
    left: undefined,
  };
  return {
    runs,
    run(nowMs) {
      if (Math.abs(nowMs - remember.atMs) < FRESH_MS) return remember.left;
      remember.atMs = nowMs;
      const all = definition.stages.map((stage) => leftOf(stage, nowMs));
      remember.left = runLeft(definition, all, { slots: progress.plan.slots, runs });
      return remember.left;
    },
    stage(name, nowMs) {
      const stage = definition.stages[definition.positions.get(name) ?? -1];
      const left = stage === undefined ? undefined : leftOf(stage, nowMs);
      return left === undefined ? undefined : toTimeLeft(left.estimate, left.isOverdue, runs);
    },
  };
}

/** Undefined where a stage that is left has no past: a sum without it would mislead. */
function runLeft(
  { graph }: PipelineDefinition,
  all: readonly (StageLeft | undefined)[],
  { slots, runs }: { readonly slots: number; readonly runs: number },
): TimeLeft | undefined {
  const stages: StageAhead[] = [];
  for (const [position, left] of all.entries()) {
    if (left === undefined) return undefined;
    stages.push({ needs: graph.needs[position] ?? [], estimate: left.estimate });
  }
  const isOverdue = all.some((left) => left?.isOverdue === true);
  return toTimeLeft(estimateRun(stages, slots), isOverdue, runs);
}

function toTimeLeft(estimate: Estimate, isOverdue: boolean, runs: number): TimeLeft {
  const { lowMs, midMs, highMs } = estimate;
  const confidence = isOverdue ? "low" : judgeConfidence(estimate);
  return { lowMs, midMs, highMs, confidence, isOverdue, runs };
}

interface StageView {
  readonly seen: StageProgress;
  readonly stage: StageDefinition;
  readonly history: RunHistory;
}

function stageLeft({ seen, stage, history }: StageView, nowMs: number): StageLeft | undefined {
  const samples = history.samples.get(stage.name) ?? [];
  const idle = history.idle.get(stage.name) ?? 0;
  switch (seen.state) {
    case "pending": {
      const nothing = Array.from({ length: idle }, () => ({ durationMs: 0, items: null }));
      return onTime(estimateStage([...samples, ...nothing]));
    }
    case "running":
    case "waiting": {
      const pace = paceLeft(seen, nowMs, samples.length > 0);
      if (pace !== undefined) return onTime(pace);
      if (samples.length + idle === 0) return undefined;
      const total = seen.items?.total ?? 0;
      const left = estimateStage(samples, {
        elapsedMs: Math.max(0, nowMs - (seen.startedAtMs ?? nowMs)),
        ...(total > 0 && scalesWithItems(stage) ? { items: total } : {}),
      });
      return onTime(left) ?? { estimate: NO_TIME, isOverdue: true };
    }
    case "succeeded":
    case "failed":
    case "skipped":
    case "cancelled":
    case "upstream_failed":
      return onTime(NO_TIME);
  }
}

function onTime(estimate: Estimate | undefined): StageLeft | undefined {
  return estimate === undefined ? undefined : { estimate, isOverdue: false };
}

/** What is left at the present pace; undefined: there is none yet, or too little of it where there is a past. */
function paceLeft(seen: StageProgress, nowMs: number, hasPast: boolean): Estimate | undefined {
  const ms = remainingMs(seen, nowMs);
  if (ms === undefined || seen.items === undefined) return undefined;
  if (hasPast && countEnded(seen.items) < seen.items.total * PACE_SHARE_MIN) return undefined;
  return { lowMs: ms, midMs: ms, highMs: ms, samples: Infinity };
}
