// A stage or item that waited for its next attempt when its run was parked, or its process died or stopped: what it
// had tried counts, and it waits for what is left of its wait.

import type { ItemRecord, StageRecord } from "../../model/checkpoint.ts";
import { parseGateBlocker, waitCause } from "../../model/resource/gate-wait.ts";
import type { AttemptHistory } from "../attempt/attempt-history.ts";
import type { RunCore } from "../run-core.ts";
import type { StageRun } from "../stage-run.ts";
import type { WaitTally } from "../ledger/wait-tally.ts";

/** What a wait of an earlier epoch leaves. */
export interface RestoredWait {
  readonly history: AttemptHistory;
  /** Until the next attempt, ms; 0 where its time has come. */
  readonly leftMs: number;
  /** How long it was to take, ms. */
  readonly delayMs: number;
}

/** Takes up the wait of an earlier epoch. Null where there is none, where somebody asked for fresh attempts, or where
 *  the stage would be given something else now. */
export function takeUpWait(core: RunCore, stageRun: StageRun): RestoredWait | null {
  const record = stageRun.candidate;
  if (!core.keepsFailures || record?.inputVersion !== stageRun.inputVersion) return null;
  if (stageRun.definition.map !== null) {
    // With its list it has its answer to whether it is to run.
    if (record.itemCount !== null) stageRun.conditionMet = true;
    return null;
  }
  if (record.state !== "waiting") return null;
  takeUpTally(core, stageRun.makeTally(), record);
  if (!hasAttempts(record)) return null;
  const wait = restoreWait(core, record, stageRun.readyMs);
  stageRun.state = "waiting";
  stageRun.attempts = record.attempts;
  stageRun.dueAtMs = record.dueAtMs;
  stageRun.readyMs = wait.history.readySince;
  stageRun.cpuMs = record.cpuMs;
  stageRun.peakBytes = record.peakBytes;
  const metrics = Object.entries(record.metrics);
  if (metrics.length > 0) stageRun.metrics = new Map(metrics);
  return wait;
}

/** False for what waited before its first attempt, for a resource: it begins anew. */
export function hasAttempts({ attempts, history }: StageRecord | ItemRecord): boolean {
  return attempts > 0 || history !== undefined;
}

/** What a stage or item has waited so far counts, for a resource until now. That wait is told by its cause. */
export function takeUpTally(
  core: RunCore,
  tally: WaitTally,
  record: StageRecord | ItemRecord,
): { readonly cause: string; readonly ms: number } | null {
  const gate = parseGateBlocker(record.blocker);
  const nowMs = Math.round(core.journal?.nowMs() ?? core.world.clock.wallMs());
  const ms = tally.takeUp(record, gate === null ? null : { gate, nowMs });
  return gate === null ? null : { cause: waitCause(gate), ms };
}

/** What the row of a waiting stage or item says of its wait.
 *  @param readyMs Monotonic ms from which its deadline counts where the row does not say. */
export function restoreWait(
  core: RunCore,
  record: StageRecord | ItemRecord,
  readyMs: number,
): RestoredWait {
  const { failure, history } = record;
  const nowMs = core.journal?.nowMs() ?? core.world.clock.wallMs();
  const message = failure?.message ?? "";
  // What waited for a resource comes to the gate at once, and waits there.
  const isHeld = parseGateBlocker(record.blocker) !== null;
  const dueMs = isHeld ? 0 : Math.max(0, (record.dueAtMs ?? 0) - nowMs);
  const readyForMs = history === undefined ? null : nowMs - history.readyAtMs;
  return {
    history: {
      attempts: record.attempts,
      failure,
      firstMessage: failure?.firstMessage ?? message,
      lastMessage: message,
      distinct: failure?.distinct ?? 1,
      previousDelayMs: history?.delayMs ?? 0,
      deferrals: history?.deferrals ?? 0,
      deferredMs: history?.deferredMs ?? 0,
      onceUsed: history?.onceUsed ?? false,
      readySince: readyForMs === null ? readyMs : core.world.clock.monotonicMs() - readyForMs,
    },
    // However clocks differ, a wait never begins again.
    leftMs: Math.min(dueMs, history?.delayMs ?? dueMs),
    delayMs: isHeld ? 0 : (history?.delayMs ?? dueMs),
  };
}

/** Goes on with a wait of an earlier epoch. */
export function waitOn(
  driver: {
    after(delayMs: number, callback: () => void): void;
    ready(stageRun: StageRun, history: AttemptHistory): void;
  },
  stageRun: StageRun,
  { leftMs, delayMs, history }: RestoredWait,
): void {
  const goOn = (): void => {
    if (delayMs > 0) stageRun.addWait("retry", delayMs);
    driver.ready(stageRun, history);
  };
  if (leftMs > 0) driver.after(leftMs, goOn);
  else goOn();
}
