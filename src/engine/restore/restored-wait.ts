// A stage that waited for its next attempt when its process died, or stopped: what it had tried counts, and it waits
// for what is left of its wait.

import type { AttemptHistory } from "../attempt/attempt-history.ts";
import type { RunCore } from "../run-core.ts";
import type { StageRun } from "../stage-run.ts";

/** What a wait of an earlier epoch leaves. */
export interface RestoredWait {
  readonly history: AttemptHistory;
  /** Until the next attempt, ms; 0 where its time has come. */
  readonly leftMs: number;
}

/** Takes up the wait of an earlier epoch. Null where there is none, where somebody asked for fresh attempts, or where
 *  the stage would be given something else now. */
export function takeUpWait(core: RunCore, stageRun: StageRun): RestoredWait | null {
  const record = stageRun.candidate;
  if (!core.keepsFailures || record === null || record.state !== "waiting") return null;
  if (record.attempts < 1 || stageRun.definition.map !== null) return null;
  if (record.inputVersion !== stageRun.inputVersion) return null;
  const message = record.failure?.message ?? "";
  stageRun.state = "waiting";
  stageRun.attempts = record.attempts;
  stageRun.dueAtMs = record.dueAtMs;
  const history: AttemptHistory = {
    attempts: record.attempts,
    firstMessage: message,
    lastMessage: message,
    distinct: 1,
    previousDelayMs: 0,
    deferrals: 0,
    deferredMs: 0,
    onceUsed: false,
    readySince: stageRun.readyMs,
  };
  const leftMs = (record.dueAtMs ?? 0) - core.world.clock.wallMs();
  return { history, leftMs: Math.max(0, leftMs) };
}
