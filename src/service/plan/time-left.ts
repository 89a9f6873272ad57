// How long a run under way still takes, judged by earlier runs of its pipeline and by the pace of its maps. What is
// seen of the run is an argument, and so is the time.

import type { PipelineDefinition, StageDefinition } from "../../model/definition.ts";
import type { StageState } from "../../model/outcome.ts";
import {
  estimateRun,
  estimateStage,
  judgeConfidence,
  NO_TIME,
  type Confidence,
  type Estimate,
  type StageAhead,
} from "../../policy/forecast.ts";
import { scalesWithItems, type RunHistory } from "./plan-forecast.ts";

/** A stage as it is now. */
export interface SeenStage {
  readonly state: StageState;
  /** When it was first worked on, UTC ms; undefined: it was not yet. */
  readonly startedAtMs: number | undefined;
  /** Of a map whose list is known. */
  readonly items: { readonly total: number; readonly ended: number } | undefined;
  /** ms that its items still take at their present pace; undefined: there is none. */
  readonly paceMs: number | undefined;
}

/** What is left of a run or stage. */
export interface TimeLeft {
  readonly lowMs: number;
  readonly midMs: number;
  readonly highMs: number;
  readonly confidence: Confidence;
  /** True: it takes longer than it ever did, and what is told is the least that is left. */
  readonly isOverdue: boolean;
  /** Earlier runs that it rests on. */
  readonly runs: number;
}

/** A run under way and its past. */
export interface RunUnderWay {
  readonly definition: PipelineDefinition;
  readonly history: RunHistory;
  /** Attempts at once. */
  readonly slots: number;
  /** Undefined for a stage that is not watched. */
  see(stage: string): SeenStage | undefined;
}

/** Share of its items that a map must have behind it before its pace is believed rather than its past. */
const PACE_SHARE_MIN = 0.1;

/** What is left of the run; undefined where a stage that is left has no past: a sum without it would mislead. */
export function foreseeRun(run: RunUnderWay, nowMs: number): TimeLeft | undefined {
  const { definition, history, slots } = run;
  const ahead: StageAhead[] = [];
  let isOverdue = false;
  for (const [position, stage] of definition.stages.entries()) {
    const left = stageLeft(run, stage, nowMs);
    if (left === undefined) return undefined;
    ahead.push({ needs: definition.graph.needs[position] ?? [], estimate: left.estimate });
    isOverdue ||= left.isOverdue;
  }
  return toTimeLeft({ estimate: estimateRun(ahead, slots), isOverdue }, history);
}

/** What is left of one stage; undefined where its past does not tell. */
export function foreseeStage(run: RunUnderWay, name: string, nowMs: number): TimeLeft | undefined {
  const stage = run.definition.stages[run.definition.positions.get(name) ?? -1];
  const left = stage === undefined ? undefined : stageLeft(run, stage, nowMs);
  return left === undefined ? undefined : toTimeLeft(left, run.history);
}

function toTimeLeft({ estimate, isOverdue }: StageLeft, { runs }: RunHistory): TimeLeft {
  const { lowMs, midMs, highMs } = estimate;
  const confidence = isOverdue ? "low" : judgeConfidence(estimate);
  return { lowMs, midMs, highMs, confidence, isOverdue, runs };
}

/** What a stage will take from now on, and whether it has taken longer than ever. */
interface StageLeft {
  readonly estimate: Estimate;
  readonly isOverdue: boolean;
}

function stageLeft(
  { history, see }: Pick<RunUnderWay, "history" | "see">,
  stage: StageDefinition,
  nowMs: number,
): StageLeft | undefined {
  const seen = see(stage.name);
  if (seen === undefined) return undefined;
  const samples = history.samples.get(stage.name) ?? [];
  const idle = history.idle.get(stage.name) ?? 0;
  if (seen.state === "pending") {
    const nothing = Array.from({ length: idle }, () => ({ durationMs: 0, items: null }));
    return onTime(estimateStage([...samples, ...nothing]));
  }
  if (seen.state !== "running" && seen.state !== "waiting") return onTime(NO_TIME);
  const pace = paceLeft(seen, samples.length > 0);
  if (pace !== undefined) return onTime(pace);
  if (samples.length + idle === 0) return undefined;
  const total = seen.items?.total ?? 0;
  const left = estimateStage(samples, {
    elapsedMs: Math.max(0, nowMs - (seen.startedAtMs ?? nowMs)),
    ...(total > 0 && scalesWithItems(stage) ? { items: total } : {}),
  });
  return onTime(left) ?? { estimate: NO_TIME, isOverdue: true };
}

function onTime(estimate: Estimate | undefined): StageLeft | undefined {
  return estimate === undefined ? undefined : { estimate, isOverdue: false };
}

/** What is left at the present pace; undefined: there is none yet, or too little of it where there is a past. */
function paceLeft({ paceMs, items }: SeenStage, hasPast: boolean): Estimate | undefined {
  if (paceMs === undefined || items === undefined) return undefined;
  if (hasPast && items.ended < items.total * PACE_SHARE_MIN) return undefined;
  return { lowMs: paceMs, midMs: paceMs, highMs: paceMs, samples: Infinity };
}
