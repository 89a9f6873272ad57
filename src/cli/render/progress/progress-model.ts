// What a run looks like while it works, kept up to date event by event: the one source of every form of
// stderr and of the closing block. Reads no clock and no store; the same events always make the same picture.
// Each event costs constant time, however many stages and items there are.

import type { EventType, MillraceEvent } from "../../../model/event.ts";
import { isRunOver, type RunState } from "../../../model/run.ts";
import { applyItemEvent } from "./apply-item.ts";
import { applyStageEvent } from "./apply-stage.ts";
import { textField } from "./event-fields.ts";
import { FailureGroups } from "./failure-groups.ts";
import { LogTails } from "./log-tails.ts";
import { moveStage } from "./open-work.ts";
import type { Applied, PlannedRun, Progress } from "./progress.ts";
import { makeItemCounts, makeStageProgress } from "./stage-progress.ts";

/** A run of which nothing happened yet. */
export function makeProgress(plan: PlannedRun): Progress {
  const stages = new Map(plan.stages.map((stage) => [stage.name, makeStageProgress(stage)]));
  const { total: _total, ...stageCounts } = makeItemCounts(stages.size);
  const progress: Progress = {
    plan,
    state: "running",
    reason: undefined,
    stages,
    stageCounts,
    items: makeItemCounts(0),
    running: 0,
    failures: new FailureGroups(),
    logs: new LogTails(),
    workMs: 0,
    retries: 0,
    retried: 0,
    endedAtMs: undefined,
    forecast: undefined,
  };
  for (const name of plan.keptStages ?? []) keepStage(progress, name);
  return progress;
}

function keepStage(progress: Progress, name: string): void {
  const stage = progress.stages.get(name);
  if (stage === undefined) return;
  moveStage(progress, stage, "succeeded");
  stage.via = "checkpoint";
}

/** Takes one event into the picture. Events of unknown stages and types change nothing. */
export function applyEvent(progress: Progress, event: MillraceEvent): Applied {
  if (event.stage === undefined) {
    applyRunEvent(progress, event);
    return { event, isFailure: false, tail: [] };
  }
  const stage = progress.stages.get(event.stage);
  if (stage === undefined) return { event, isFailure: false, tail: [] };
  if (event.type.startsWith("item.")) return applyItemEvent(progress, stage, event);
  return applyStageEvent(progress, stage, event);
}

function applyRunEvent(progress: Progress, event: MillraceEvent): void {
  const state = RUN_STATES_TOLD[event.type];
  if (state === undefined) return;
  progress.state = state;
  progress.reason = textField(event, "reason");
  if (isRunOver(state)) progress.endedAtMs = event.atMs;
}

const RUN_STATES_TOLD: Readonly<Partial<Record<EventType, RunState>>> = {
  "run.started": "running",
  "run.resumed": "running",
  "run.interrupted": "waiting",
  "run.returned": "queued",
  "run.parked": "waiting",
  "run.reclaimed": "queued",
  "run.succeeded": "succeeded",
  "run.failed": "failed",
  "run.skipped": "skipped",
  "run.cancelled": "cancelled",
};
