// The end of a run: its verdict from how its stages ended, its first failure, its metrics.

import type { Failure, StageEndState } from "../model/outcome.ts";
import { decideVerdict } from "../policy/verdict.ts";
import type { RunEnd } from "./ledger/journal.ts";
import type { ParkedWait } from "./run-rest.ts";
import type { RunCore } from "./run-core.ts";
import type { StageRun } from "./stage-run.ts";

/** How driving ended. */
export type DriveEnd =
  | {
      readonly kind: "over";
      readonly cancelled: boolean;
      readonly deadlineHit: boolean;
      /** A rule of a stage ended the run. */
      readonly aborted: boolean;
      readonly reason: string;
    }
  | {
      readonly kind: "parked";
      /** Null: it was interrupted. */
      readonly wait: ParkedWait | null;
    };

/** How a run that is over ended. */
export function decideEnd(core: RunCore, end: Extract<DriveEnd, { kind: "over" }>): RunEnd {
  const verdict = isFlawless(core, end)
    ? FLAWLESS
    : decideVerdict({
        cancelled: end.cancelled,
        deadlineHit: end.deadlineHit,
        crashLimit: false,
        stages: core.stages.map((stageRun) => toVerdictInput(core, stageRun)),
      });
  // A rule of a stage may end the run: what failed then is the reason, whatever was critical.
  const state = end.aborted && verdict.state !== "cancelled" ? "failed" : verdict.state;
  return {
    to: state,
    reason: reasonOf(core, end, state),
    durationMs: core.world.clock.monotonicMs() - core.startedMs,
    warnings: verdict.warnings + countFaults(core),
    failure: state === "failed" ? findFailure(core, end) : null,
    metrics: sumMetrics(core.stages),
  };
}

/** What went wrong beside the stages, and spoiled none. */
function countFaults({ cacheFaults, damagedCheckpoints, recordFaults }: RunCore): number {
  return cacheFaults + damagedCheckpoints + (recordFaults?.size ?? 0);
}

const FLAWLESS: ReturnType<typeof decideVerdict> = { state: "succeeded", warnings: 0 };

/** Nothing to judge: every stage and item succeeded. Saves an object per stage in the usual case. */
function isFlawless(core: RunCore, end: Extract<DriveEnd, { kind: "over" }>): boolean {
  if (end.cancelled || end.deadlineHit || core.errors.length > 0) return false;
  return core.stages.every(({ state }) => state === "succeeded");
}

function toVerdictInput(
  core: RunCore,
  stageRun: StageRun,
): { state: StageEndState; critical: boolean; toleratedItems: number; behindCritical: boolean } {
  const { critical, map } = stageRun.definition;
  const tolerates = map?.onItemFailure === "continue" && stageRun.state === "succeeded";
  const origin = core.definition.positions.get(stageRun.failure?.stage ?? "") ?? -1;
  return {
    // Every stage of a run that is over has ended.
    state: stageRun.state as StageEndState,
    critical,
    toleratedItems: tolerates ? (stageRun.map?.counts.failed ?? 0) : 0,
    behindCritical: core.stages[origin]?.definition.critical ?? true,
  };
}

function reasonOf(
  core: RunCore,
  end: Extract<DriveEnd, { kind: "over" }>,
  state: RunEnd["to"],
): string | null {
  if (end.deadlineHit && state === "failed") return "deadline";
  if (end.aborted && state === "failed") return end.reason;
  if (state === "cancelled") return end.reason;
  if (state === "skipped")
    return core.stages.find((one) => one.state === "skipped")?.reason ?? null;
  return null;
}

/** The failure that failed the run: the first of a critical stage. */
function findFailure(core: RunCore, end: Extract<DriveEnd, { kind: "over" }>): Failure | null {
  if (end.deadlineHit) {
    return { class: "deadline", message: end.reason, attempts: 0, fingerprint: "deadline" };
  }
  // Where an item ended the run its stage is only cancelled.
  const first = core.firstFailure ?? (end.aborted ? (core.errors.at(-1) ?? null) : null);
  if (first === null) return null;
  return { ...first.failure, stage: first.stageRun.definition.name };
}

/** Sums over all stages, whatever the outcome. */
function sumMetrics(stages: readonly StageRun[]): Readonly<Record<string, number>> {
  let sums: Map<string, number> | null = null;
  for (const stageRun of stages) {
    if (stageRun.metrics === null) continue;
    sums ??= new Map();
    for (const [name, value] of stageRun.metrics) sums.set(name, (sums.get(name) ?? 0) + value);
  }
  return sums === null ? {} : Object.fromEntries(sums);
}
