// What every write does to a run's record, as pure functions that all stores share: which write is refused,
// in which words, and what the record becomes. Stores add durability and numbers, never another rule.

import { PRIORITY_STEP_MS } from "../model/limits.ts";
import type { CrashFacts } from "../policy/crashes.ts";
import { canMoveRun } from "../model/transition.ts";
import { FORCED_CODE, isRunOver, type RunRecord, type RunState } from "../model/run.ts";
import type { Lease } from "../model/lease.ts";
import type { EventDraft } from "../model/event.ts";
import type {
  ClaimedPipeline,
  ClaimRunWrite,
  ClaimTerms,
  CreateRunWrite,
  InterruptRunWrite,
  MoveRunWrite,
  PutCrashWrite,
  ReclaimRunWrite,
  RequestCancelWrite,
} from "./write.ts";

/** The record of a run at its birth. */
export function makeRun(write: CreateRunWrite, number: number, nowMs: number): RunRecord {
  const { run, claim } = write;
  const dueAtMs = nowMs + (claim === null ? (run.delayMs ?? 0) : 0);
  const isDue = dueAtMs <= nowMs;
  const waitsFor = !isDue ? "due" : claim === null && run.waitsForPlace === true ? "busy" : null;
  return {
    id: run.id,
    number,
    pipeline: run.pipeline,
    definitionHash: run.definitionHash,
    key: run.key,
    input: run.input,
    inputVersion: run.inputVersion,
    state: claim !== null ? "running" : waitsFor === null ? "queued" : "waiting",
    reason: waitsFor,
    foreground: run.foreground,
    priority: run.priority ?? 0,
    dueAtMs,
    wakeAtMs: isDue ? null : dueAtMs,
    attempts: 0,
    batch: run.batch ?? null,
    epoch: claim === null ? 0 : 1,
    lease: claim === null ? null : { owner: claim.owner, expiresAtMs: nowMs + claim.leaseMs },
    crashes: 0,
    resumes: 0,
    retries: 0,
    parent: run.parent,
    source: run.source,
    tags: run.tags,
    settings: run.settings,
    cancelRequestedAtMs: null,
    cancelReason: null,
    queuedAtMs: nowMs,
    startedAtMs: claim === null ? null : nowMs,
    endedAtMs: null,
    updatedAtMs: nowMs,
    durationMs: null,
    warnings: 0,
    failure: null,
    metrics: {},
  };
}

/** True where a claim finds no place: so many runs of its pipeline are running as may be. */
export function isFull(
  { claim, maxActiveRuns = null }: Pick<CreateRunWrite, "claim" | "maxActiveRuns">,
  running: number,
): boolean {
  return claim !== null && maxActiveRuns !== null && running >= maxActiveRuns;
}

/** True where a run that nobody works on yet finds no room: so many of its pipeline are queued or waiting. */
export function isOverfull(
  { claim, maxQueued = null }: Pick<CreateRunWrite, "claim" | "maxQueued">,
  queued: number,
): boolean {
  return claim === null && maxQueued !== null && queued >= maxQueued;
}

/** Why this claim is refused, in a sentence; undefined when it is not. */
export function refuseClaim(run: RunRecord, write: ClaimRunWrite): string | undefined {
  if (run.epoch !== write.expectedEpoch) return staleEpoch(run, write.expectedEpoch);
  if (!write.from.includes(run.state)) {
    const wanted = write.from.map((state) => `"${state}"`).join(" or ");
    return `The run is "${run.state}"; it was to be taken from ${wanted}.`;
  }
  if (isRunOver(run.state) && !write.reopen) return `Only a resume takes a "${run.state}" run.`;
  // A running run passes from one owner to the next: by the table it is queued in between.
  if (run.state === "running") return undefined;
  return refuseRunMove(run.state, write.claim === null ? "queued" : "running");
}

/** The record after a claim. */
export function takeRun(run: RunRecord, write: ClaimRunWrite, nowMs: number): RunRecord {
  const { claim, delayMs = 0 } = write;
  const waits = claim === null && delayMs > 0;
  const dueAtMs = nowMs + delayMs;
  const taken: RunRecord = {
    ...run,
    definitionHash: write.definitionHash,
    settings: write.settings,
    state: waits ? "waiting" : claim === null ? "queued" : "running",
    reason: waits ? "due" : null,
    foreground: write.foreground,
    dueAtMs: waits ? dueAtMs : run.dueAtMs,
    wakeAtMs: waits ? dueAtMs : null,
    epoch: run.epoch + 1,
    lease: claim === null ? null : { owner: claim.owner, expiresAtMs: nowMs + claim.leaseMs },
    crashes: run.crashes + (write.crashed ? 1 : 0),
    startedAtMs: run.startedAtMs ?? (claim === null ? null : nowMs),
    updatedAtMs: nowMs,
  };
  if (!write.reopen) return taken;
  return {
    ...taken,
    attempts: 0,
    crashes: forgetsCrashes(run, write) ? 0 : taken.crashes,
    resumes: run.resumes + 1,
    cancelRequestedAtMs: null,
    cancelReason: null,
    endedAtMs: null,
    durationMs: null,
    warnings: 0,
    failure: null,
    metrics: {},
  };
}

/** True for a claim that begins the counts of crashes anew: somebody wants a run tried again that had ended. */
export function forgetsCrashes(run: RunRecord, { reopen }: ClaimRunWrite): boolean {
  return reopen && isRunOver(run.state);
}

/** What a lost owner, or a process of its own, means for the counts of crashes. */
export function toCrashFacts(
  write: ReclaimRunWrite | PutCrashWrite,
  { attempts }: Pick<RunRecord, "attempts">,
): CrashFacts {
  if (write.kind === "put-crash") {
    const { stage, item, reason } = write;
    return { suspects: [{ stage, item, isolated: true }], reason, lostBefore: attempts };
  }
  const { suspects = [], reason = write.failure.message } = write;
  return { suspects, reason, lostBefore: attempts };
}

/** Why this move of an owned run is refused, in a sentence that names both states; undefined when it is not. */
export function refuseOwnerMove(
  run: Pick<RunRecord, "state" | "foreground">,
  { to, wakeAtMs }: Pick<MoveRunWrite, "to" | "wakeAtMs">,
): string | undefined {
  if (wakeAtMs !== undefined && run.foreground) {
    return "A foreground run cannot wake by time: that would queue it, and it waits for its resume.";
  }
  if (to === "queued" && run.foreground) {
    return `A foreground run cannot move from "${run.state}" to "queued": it waits for its resume.`;
  }
  return run.state === to ? undefined : refuseRunMove(run.state, to);
}

/** When a run wakes whose owner parks it while its end was asked for: at once, so that whoever works ends it. */
export function toWakeOfCancelled(wakeAtMs: number | undefined, nowMs: number): number | null {
  return wakeAtMs === undefined ? null : Math.min(wakeAtMs, nowMs);
}

/** The record after a move by its owner. */
export function moveOwnedRun(run: RunRecord, write: MoveRunWrite, nowMs: number): RunRecord {
  const moved: RunRecord = {
    ...run,
    state: write.to,
    reason: write.reason,
    wakeAtMs:
      run.cancelRequestedAtMs === null
        ? (write.wakeAtMs ?? null)
        : toWakeOfCancelled(write.wakeAtMs, nowMs),
    lease: write.to === "running" ? run.lease : null,
    endedAtMs: isRunOver(write.to) ? nowMs : null,
    updatedAtMs: nowMs,
  };
  if (write.end === undefined) return moved;
  const { durationMs, warnings, failure, metrics } = write.end;
  return { ...moved, durationMs, warnings, failure, metrics };
}

/** Why this interruption is refused, in a sentence; undefined when it is not. */
export function refuseInterrupt(run: RunRecord, write: InterruptRunWrite): string | undefined {
  if (run.epoch !== write.expectedEpoch) return staleEpoch(run, write.expectedEpoch);
  if (run.state !== "running")
    return `The run is "${run.state}"; only a running one is interrupted.`;
  return run.foreground
    ? undefined
    : "The run is not in the foreground; it goes back to its queue.";
}

/** The record of a foreground run whose owner is gone. */
export function interruptRun(run: RunRecord, nowMs: number): RunRecord {
  return {
    ...run,
    state: "waiting",
    reason: "interrupted",
    epoch: run.epoch + 1,
    lease: null,
    crashes: run.crashes + 1,
    updatedAtMs: nowMs,
  };
}

/** Where a run stands in the order of its queue: lower is claimed first. */
export function claimOrder(run: Pick<RunRecord, "dueAtMs" | "priority">): number {
  return run.dueAtMs - PRIORITY_STEP_MS * run.priority;
}

/** Whether a queued run is claimed after one that stands here. */
export function isBehind(
  run: Pick<RunRecord, "dueAtMs" | "priority" | "number">,
  place: { readonly order: number; readonly number: number },
): boolean {
  const order = claimOrder(run);
  return order > place.order || (order === place.order && run.number > place.number);
}

/** The record of a queued run that a worker has claimed. */
export function claimQueued(
  run: RunRecord,
  terms: { readonly claim: ClaimTerms; readonly pipeline: ClaimedPipeline },
  nowMs: number,
): RunRecord {
  const { owner, leaseMs } = terms.claim;
  return {
    ...run,
    definitionHash: terms.pipeline.definitionHash,
    state: "running",
    reason: null,
    epoch: run.epoch + 1,
    lease: { owner, expiresAtMs: nowMs + leaseMs },
    startedAtMs: run.startedAtMs ?? nowMs,
    updatedAtMs: nowMs,
  };
}

/** The record of a waiting run whose time has come. */
export function wakeRun(run: RunRecord, nowMs: number): RunRecord {
  return { ...run, state: "queued", reason: null, wakeAtMs: null, updatedAtMs: nowMs };
}

/** Why this reclaim is refused, in a sentence; undefined when it is not. */
export function refuseReclaim(run: RunRecord, write: ReclaimRunWrite): string | undefined {
  if (run.epoch !== write.expectedEpoch) return staleEpoch(run, write.expectedEpoch);
  if (run.state !== "running") return `The run is "${run.state}"; only a running one is reclaimed.`;
  return run.foreground ? "The run is in the foreground; it waits for its resume." : undefined;
}

/** The record of a queue's run whose owner is gone, and what is told of it besides. */
export function reclaimRun(
  run: RunRecord,
  write: ReclaimRunWrite,
  nowMs: number,
): { readonly run: RunRecord; readonly event: EventDraft | null } {
  const attempts = run.attempts + 1;
  const free: RunRecord = {
    ...run,
    state: "queued",
    reason: null,
    epoch: run.epoch + 1,
    lease: null,
    attempts,
    crashes: run.crashes + 1,
    updatedAtMs: nowMs,
  };
  const durationMs = run.durationMs ?? 0;
  if (run.cancelRequestedAtMs !== null) {
    const reason = run.cancelReason ?? "cancelled";
    const event: EventDraft = { type: "run.cancelled", data: { durationMs, warnings: 0, reason } };
    return { run: { ...free, state: "cancelled", reason, endedAtMs: nowMs, durationMs }, event };
  }
  if (attempts < write.attemptsMax) return { run: free, event: null };
  const { failure } = write;
  const { class: errorClass, message, fingerprint } = failure;
  const data = { durationMs, warnings: 0, class: errorClass, message, fingerprint };
  return {
    run: {
      ...free,
      state: "failed",
      reason: failure.message,
      failure,
      endedAtMs: nowMs,
      durationMs,
    },
    event: { type: "run.failed", data },
  };
}

/** True for a run that may be deleted: one in such a state, and never a running one. */
export function isDeletable(state: RunState, states: readonly RunState[]): boolean {
  return state !== "running" && states.includes(state);
}

/** What asking for a run's end does to it. */
export type CancelAnswer =
  | { readonly kind: "changed"; readonly run: RunRecord; readonly event: EventDraft }
  | { readonly kind: "unchanged" }
  | { readonly kind: "refused"; readonly reason: string };

/** Cancels a run that nobody works on, and asks the owner of a running one, or takes it from the owner; repeating it
 *  changes nothing. */
export function cancelRun(
  run: RunRecord,
  { reason, forceEpoch }: Pick<RequestCancelWrite, "reason" | "forceEpoch">,
  nowMs: number,
): CancelAnswer {
  if (run.state === "cancelled") return { kind: "unchanged" };
  if (isRunOver(run.state)) {
    return { kind: "refused", reason: `A run cannot move from "${run.state}" to "cancelled".` };
  }
  if (run.state !== "running") {
    const cancelled: RunRecord = {
      ...run,
      state: "cancelled",
      reason,
      wakeAtMs: null,
      endedAtMs: nowMs,
      updatedAtMs: nowMs,
    };
    return { kind: "changed", run: cancelled, event: { type: "run.cancelled", data: { reason } } };
  }
  if (forceEpoch !== undefined) {
    return run.epoch === forceEpoch
      ? takeFromOwner(run, reason, nowMs)
      : { kind: "refused", reason: staleEpoch(run, forceEpoch) };
  }
  if (run.cancelRequestedAtMs !== null) return { kind: "unchanged" };
  const asked: RunRecord = {
    ...run,
    cancelRequestedAtMs: nowMs,
    cancelReason: reason,
    updatedAtMs: nowMs,
  };
  return { kind: "changed", run: asked, event: { type: "run.cancel_requested", data: { reason } } };
}

function takeFromOwner(run: RunRecord, reason: string, nowMs: number): CancelAnswer {
  const { host = "", pid = 0 } = run.lease?.owner ?? {};
  const cancelled: RunRecord = {
    ...run,
    state: "cancelled",
    reason,
    epoch: run.epoch + 1,
    lease: null,
    cancelRequestedAtMs: run.cancelRequestedAtMs ?? nowMs,
    cancelReason: run.cancelReason ?? reason,
    // Health tells this end by it from one that the process agreed to.
    failure: {
      class: "cancelled",
      code: FORCED_CODE,
      message: reason,
      attempts: 0,
      fingerprint: "forced",
    },
    endedAtMs: nowMs,
    updatedAtMs: nowMs,
  };
  const data = { reason, forced: true, host, pid };
  return { kind: "changed", run: cancelled, event: { type: "run.cancelled", data } };
}

function refuseRunMove(from: RunState, to: RunState): string | undefined {
  return canMoveRun(from, to) ? undefined : `A run cannot move from "${from}" to "${to}".`;
}

function staleEpoch(run: RunRecord, expected: number): string {
  return `The run was taken meanwhile: its epoch is ${run.epoch}, ${expected} was expected.`;
}

/** Why no lease is put back. */
export const HAS_LEASE: string = "The run has a lease.";

/** The lease that a claim gives now. */
export function toLease({ owner, leaseMs }: ClaimTerms, nowMs: number): Lease {
  return { owner, expiresAtMs: nowMs + leaseMs };
}
