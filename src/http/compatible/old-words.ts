// Runs and schedules in the words of an older system. It knew one run at a time and moved one state from word to word;
// here every word is derived from what is stored of the run, so that none can be wrong for long.

import type { RunRecord } from "../../model/run.ts";
import type { RunView } from "../../service/views/run-view.ts";
import type { ScheduleView } from "../../service/views/schedule-view.ts";
import type { PipelineStatus } from "../../service/views/status-view.ts";
import type { RunSummaryView } from "../../service/views/summary-view.ts";
import { toIso } from "../../service/views/time-view.ts";
import type {
  OldLock,
  OldNext,
  OldResult,
  OldSchedule,
  OldScheduler,
  OldStatus,
  OldSummary,
} from "./old-forms.ts";

/** A run as it is now. */
export interface ShownRun {
  readonly record: RunRecord;
  readonly view: RunView;
  /** Of the store's clock. */
  readonly nowMs: number;
}

/** Its word for where a run is; null: there is none. */
export function toOldState(shown: ShownRun | null): string {
  if (shown === null) return "idle";
  const { record, view: run, nowMs } = shown;
  switch (run.state) {
    case "queued":
      return record.dueAtMs > nowMs ? "scheduled" : "starting";
    case "running":
      return toRunningState(run);
    case "waiting":
      return run.reason === "interrupted" ? "stopped" : "retrying";
    case "succeeded":
    case "skipped":
      return "success";
    case "failed":
      return "failed";
    case "cancelled":
      return "stopped";
  }
}

function toRunningState({ running, blocker }: RunView): string {
  const [stage] = running;
  if (stage !== undefined) return `running_${stage}`;
  // Nothing of it runs: it has not begun, its process is gone, or it waits and goes on by itself.
  if (blocker === undefined) return "starting";
  return blocker.kind === "interrupted" ? "stopped" : "retrying";
}

/** States of ours that a result of its means. */
export const STATES_BY_RESULT: Readonly<Record<OldResult, readonly RunSummaryView["state"][]>> = {
  success: ["succeeded", "skipped"],
  failed: ["failed"],
  stopped: ["cancelled"],
};

function toOldResult(state: RunView["state"]): OldResult | null {
  if (state === "succeeded" || state === "skipped") return "success";
  if (state === "failed") return "failed";
  return state === "cancelled" ? "stopped" : null;
}

/** The run that is shown, and the pipeline's word. */
export function toOldStatus(shown: ShownRun | null, status: PipelineStatus): OldStatus {
  const run = shown?.view ?? null;
  return {
    state: toOldState(shown),
    status,
    run_id: run?.id ?? null,
    current_stage: run?.running[0] ?? null,
    started_at: run?.startedAt ?? null,
    updated_at: run?.updatedAt ?? null,
    error: run?.error?.message ?? null,
    retry_count: run?.retries ?? 0,
    metadata: run === null ? {} : toMetadata(run),
  };
}

/** What both views of a run say. */
type SharedView = Pick<
  RunView,
  "id" | "name" | "state" | "reason" | "error" | "source" | "tags" | "retries" | "warnings"
> & { readonly startedAt?: string; readonly endedAt?: string };

/** A run with the names of its stages that were worked on, and of those that failed. */
export function toOldSummary(
  run: SharedView,
  stages: { readonly ran: readonly string[]; readonly failed: readonly string[] },
): OldSummary {
  return {
    run_id: run.id,
    started_at: run.startedAt ?? null,
    ended_at: run.endedAt ?? null,
    result: toOldResult(run.state),
    failure_reason: run.error?.message ?? run.reason ?? null,
    stages_executed: stages.ran,
    stages_failed: stages.failed,
    retry_count: run.retries,
    metadata: toMetadata(run),
  };
}

function toMetadata(run: SharedView): Readonly<Record<string, unknown>> {
  const { name, state, reason, source, tags, warnings } = run;
  return { name, state, ...(reason === undefined ? {} : { reason }), source, tags, warnings };
}

/** When it fires next. */
export function toOldNext({ nextAt, enabled, zone }: ScheduleView): OldNext {
  return { next_run_time: nextAt ?? null, enabled, timezone: zone };
}

/** Whether it is on, and who said so. */
export function toOldScheduler(schedule: ScheduleView): OldScheduler {
  const { changedBy } = schedule;
  return {
    ...toOldNext(schedule),
    last_changed_by: changedBy?.actor ?? null,
    last_changed_at: changedBy?.at ?? null,
  };
}

/** The schedule with its time of day, where it has one. */
export function toOldSchedule({ when, zone, enabled, nextAt }: ScheduleView): OldSchedule {
  const [, time = null] = /^daily (\d{2}:\d{2})$/.exec(when) ?? [];
  return { schedule_time: time, when, timezone: zone, enabled, next_run_time: nextAt ?? null };
}

/** Who has the run; null: nobody. */
export function toOldLock(shown: ShownRun | null): OldLock | null {
  const lease = shown?.record.lease ?? null;
  if (shown === null || lease === null || shown.record.state !== "running") return null;
  const { pid, host } = lease.owner;
  return {
    run_id: shown.record.id,
    acquired_at: shown.view.startedAt ?? null,
    holder: `process ${pid} on ${host}`,
    expires_at: toIso(lease.expiresAtMs),
  };
}
