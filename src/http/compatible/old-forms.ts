// Bodies and answers of an older system's API, as its clients send and read them: names with underscores, null for what
// is not there. They stay as they are; whoever begins anew takes `/api/v1`.

import * as z from "zod";
import type { CompatibleEvent } from "../../service/events/compatible-event.ts";
import { PIPELINE_STATUSES, type PipelineStatus } from "../../service/views/status-view.ts";
import { idText, nameText, wholeText } from "../contract/reading.ts";

const text = z.string().nullable();
const record = z.record(z.string(), z.unknown());

/** What a start is told. */
export interface OldStart {
  /** False: as if a schedule asked, so that only a healthy pipeline starts. Default true. */
  readonly manual?: boolean;
  /** Starts although health is degraded or unstable. Default false. */
  readonly manual_override?: boolean;
}

/** What a start is told. */
export const oldStart: z.ZodType<OldStart> = z.strictObject({
  manual: z.boolean().exactOptional(),
  manual_override: z.boolean().exactOptional(),
});

/** What start, stop and stage answer. */
export interface OldOutcome {
  /** Null: there was nothing to do. */
  readonly run_id: string | null;
  /** `idle`, `scheduled`, `starting`, `running_STAGE`, `retrying`, `success`, `failed` or `stopped`. */
  readonly state: string;
  readonly message: string;
}

/** What start, stop and stage answer. */
export const oldOutcome: z.ZodType<OldOutcome> = z.object({
  run_id: text,
  state: z.string(),
  message: z.string(),
});

/** The run that the older system would show. */
export interface OldStatus {
  readonly state: string;
  /** One of four words for the pipeline, as `/api/v1` says it. */
  readonly status: PipelineStatus;
  readonly run_id: string | null;
  readonly current_stage: string | null;
  readonly started_at: string | null;
  readonly updated_at: string | null;
  readonly error: string | null;
  readonly retry_count: number;
  readonly metadata: Readonly<Record<string, unknown>>;
}

/** The run that the older system would show. */
export const oldStatus: z.ZodType<OldStatus> = z.object({
  state: z.string(),
  status: z.enum(PIPELINE_STATUSES),
  run_id: text,
  current_stage: text,
  started_at: text,
  updated_at: text,
  error: text,
  retry_count: z.number(),
  metadata: record,
});

const oldEvent: z.ZodType<CompatibleEvent> = z.looseObject({
  run_id: z.string(),
  stage: z.string(),
  event: z.string(),
  timestamp: z.string(),
  msg: z.string().exactOptional(),
  data: z.record(z.string(), z.json()),
});

/** Who has the pipeline at the moment. */
export interface OldLock {
  readonly run_id: string;
  readonly acquired_at: string | null;
  /** Process and host. */
  readonly holder: string;
  readonly expires_at: string;
}

/** When the schedule fires next. */
export interface OldNext {
  /** ISO 8601, UTC; null: not while it is switched off. */
  readonly next_run_time: string | null;
  readonly enabled: boolean;
  readonly timezone: string;
}

/** When the schedule fires next. */
export const oldNext: z.ZodType<OldNext> = z.object({
  next_run_time: text,
  enabled: z.boolean(),
  timezone: z.string(),
});

/** All that its dashboard begins with. */
export interface OldSnapshot {
  readonly status: OldStatus;
  /** Of all, the last 100, oldest first. */
  readonly recent_events: readonly CompatibleEvent[];
  /** Of the run shown, the last 1000, oldest first. */
  readonly run_events: readonly CompatibleEvent[];
  readonly lock_info: OldLock | null;
  /** Null: there is no schedule. */
  readonly next_scheduled_run: OldNext | null;
}

/** All that its dashboard begins with. */
export const oldSnapshot: z.ZodType<OldSnapshot> = z.object({
  status: oldStatus,
  recent_events: z.array(oldEvent),
  run_events: z.array(oldEvent),
  lock_info: z
    .object({ run_id: z.string(), acquired_at: text, holder: z.string(), expires_at: z.string() })
    .nullable(),
  next_scheduled_run: oldNext.nullable(),
});

/** How a run can have ended, in its words. */
export const OLD_RESULTS = ["success", "failed", "stopped"] as const;

/** How a run ended, in its words. */
export type OldResult = (typeof OLD_RESULTS)[number];

/** Which finished runs. */
export interface OldRunsQuery {
  /** 1 to 500. Default 100. */
  readonly limit?: number;
  readonly result?: OldResult;
}

/** Which finished runs. */
export const oldRunsQuery: z.ZodType<OldRunsQuery> = z.strictObject({
  limit: wholeText(1, 500).exactOptional(),
  result: z.enum(OLD_RESULTS).exactOptional(),
});

/** What became of one run. */
export interface OldSummary {
  readonly run_id: string;
  readonly started_at: string | null;
  /** Null: it has not ended. */
  readonly ended_at: string | null;
  readonly result: OldResult | null;
  readonly failure_reason: string | null;
  readonly stages_executed: readonly string[];
  readonly stages_failed: readonly string[];
  readonly retry_count: number;
  readonly metadata: Readonly<Record<string, unknown>>;
}

/** What became of one run. */
export const oldSummary: z.ZodType<OldSummary> = z.object({
  run_id: z.string(),
  started_at: text,
  ended_at: text,
  result: z.enum(OLD_RESULTS).nullable(),
  failure_reason: text,
  stages_executed: z.array(z.string()),
  stages_failed: z.array(z.string()),
  retry_count: z.number(),
  metadata: record,
});

/** Newest first. */
export interface OldRuns {
  readonly runs: readonly OldSummary[];
}

/** Newest first. */
export const oldRuns: z.ZodType<OldRuns> = z.object({ runs: z.array(oldSummary) });

/** A run that something outside started. */
export interface OldReport {
  readonly run_id: string;
  readonly timestamp?: string;
  readonly message?: string;
}

/** A run that something outside started. */
export const oldReport: z.ZodType<OldReport> = z.strictObject({
  run_id: idText,
  timestamp: z.string().max(64).exactOptional(),
  message: z.string().max(500).exactOptional(),
});

/** An event from outside. */
export interface OldPublished {
  readonly run_id?: string | null;
  readonly stage: string;
  readonly event: string;
  readonly timestamp?: string;
  readonly msg?: string | null;
  readonly data?: Readonly<Record<string, unknown>> | null;
}

/** An event from outside. */
export const oldPublished: z.ZodType<OldPublished> = z.strictObject({
  run_id: z
    .union([z.literal("__system__"), idText])
    .nullable()
    .exactOptional(),
  stage: nameText,
  event: nameText,
  timestamp: z.string().max(64).exactOptional(),
  msg: z.string().max(500).nullable().exactOptional(),
  data: record.nullable().exactOptional(),
});

/** What became of a report. */
export interface OldTold {
  readonly run_id: string;
  /** False: known before, or not taken. */
  readonly event_published: boolean;
  /** Why it was not taken. */
  readonly message?: string;
}

/** What became of a report. */
export const oldTold: z.ZodType<OldTold> = z.object({
  run_id: z.string(),
  event_published: z.boolean(),
  message: z.string().exactOptional(),
});

/** The schedule. */
export interface OldSchedule {
  /** "HH:MM"; null: it does not fire once a day. */
  readonly schedule_time: string | null;
  /** In words: `daily 07:30`, `cron *\/15 * * * *`. */
  readonly when: string;
  readonly timezone: string;
  readonly enabled: boolean;
  readonly next_run_time: string | null;
}

/** The schedule. */
export const oldSchedule: z.ZodType<OldSchedule> = z.object({
  schedule_time: text,
  when: z.string(),
  timezone: z.string(),
  enabled: z.boolean(),
  next_run_time: text,
});

/** Another time: the schedule fires once a day from then on. */
export interface OldScheduleChange {
  /** "HH:MM". */
  readonly schedule_time: string;
}

/** Another time. */
export const oldScheduleChange: z.ZodType<OldScheduleChange> = z.strictObject({
  schedule_time: z.string().regex(/^\d{2}:\d{2}$/, 'expected "HH:MM"'),
});

/** Whether the schedule is on, who said so, and when. */
export interface OldScheduler extends OldNext {
  /** Null: it is as the configuration has it. */
  readonly last_changed_by: string | null;
  readonly last_changed_at: string | null;
}

/** Whether the schedule is on. */
export const oldScheduler: z.ZodType<OldScheduler> = z.object({
  next_run_time: text,
  enabled: z.boolean(),
  timezone: z.string(),
  last_changed_by: text,
  last_changed_at: text,
});

/** What a run counted. */
export interface OldFigures {
  readonly run_id: string | null;
  /** Of all its stages. */
  readonly metrics: Readonly<Record<string, number>>;
  /** Items of its map stages by state, files for those that work on files. */
  readonly stages: Readonly<Record<string, unknown>>;
}

/** What a run counted. */
export const oldFigures: z.ZodType<OldFigures> = z.object({
  run_id: text,
  metrics: z.record(z.string(), z.number()),
  stages: record,
});
