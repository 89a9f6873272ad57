// Schedules: what is in force, their next and past ticks, and what is done to them.

import * as z from "zod";
import {
  MISSED_RULES,
  OVERLAPS,
  type MissedRule,
  type Overlap,
} from "../../model/schedule/schedule.ts";
import { TICK_DECISIONS, type TickDecision } from "../../model/schedule/schedule-state.ts";
import { RUN_STATES, type RunState } from "../../model/run.ts";
import { schemaField, type Document } from "./document.ts";
import {
  durationValue,
  reasonText,
  sinceText,
  tagsValue,
  wholeText,
  type DurationValue,
} from "./reading.ts";
import { timeValue, wholeValue } from "./run.ts";

/** Who did something, and when. */
export interface Change {
  readonly actor: string;
  readonly at: string;
  readonly reason?: string;
}

const changeFields = {
  actor: z.string(),
  at: timeValue,
  reason: z.string().exactOptional(),
};

/** What became of a tick. */
export interface Tick {
  readonly at: string;
  readonly decision: TickDecision;
  readonly reason?: string;
  readonly count?: number;
  readonly from?: string;
  readonly run?: { readonly id: string; readonly name: string; readonly state: RunState };
}

const tick: z.ZodType<Tick> = z
  .object({
    at: timeValue,
    decision: z.enum(TICK_DECISIONS),
    reason: z.string().exactOptional(),
    count: wholeValue.exactOptional(),
    from: timeValue.exactOptional(),
    run: z.object({ id: z.string(), name: z.string(), state: z.enum(RUN_STATES) }).exactOptional(),
  })
  .meta({ id: "Tick", description: "What became of a tick of a schedule." });

/** A schedule. */
export interface Schedule {
  readonly name: string;
  readonly pipeline: string;
  readonly when: string;
  readonly zone: string;
  readonly overlap: Overlap;
  readonly missed: MissedRule;
  readonly jitterMs: number;
  readonly priority: number;
  readonly tags: Readonly<Record<string, string>>;
  readonly input: unknown;
  readonly deadlineMs?: number;
  readonly description?: string;
  readonly enabled: boolean;
  readonly changedBy?: Change;
  readonly override?: Change & { readonly fields: readonly string[] };
  readonly removed?: true;
  readonly last?: Tick;
  readonly nextAt?: string;
  readonly waiting: number;
  readonly backfill?: Change & {
    readonly total: number;
    readonly left: number;
    readonly limit: number;
  };
}

const schedule: z.ZodType<Schedule> = z
  .object({
    name: z.string(),
    pipeline: z.string(),
    when: z.string().meta({ description: "In words." }),
    zone: z.string().meta({ description: "IANA name." }),
    overlap: z.enum(OVERLAPS),
    missed: z.enum(MISSED_RULES),
    jitterMs: wholeValue,
    priority: z.number().int(),
    tags: z.record(z.string(), z.string()),
    input: z.unknown(),
    deadlineMs: wholeValue.exactOptional(),
    description: z.string().exactOptional(),
    enabled: z.boolean(),
    changedBy: z.object(changeFields).exactOptional(),
    override: z.object({ ...changeFields, fields: z.array(z.string()) }).exactOptional(),
    removed: z.literal(true).exactOptional(),
    last: tick.exactOptional(),
    nextAt: timeValue.exactOptional(),
    waiting: wholeValue.meta({ description: "Ticks that wait for a run to end." }),
    backfill: z
      .object({ ...changeFields, total: wholeValue, left: wholeValue, limit: wholeValue })
      .exactOptional(),
  })
  .meta({ id: "Schedule" });

/** A page of schedules. */
export interface SchedulesAnswer extends Document<"schedules"> {
  readonly schedules: readonly Schedule[];
  readonly nextCursor?: string;
}

/** A page of schedules. */
export const schedulesAnswer: z.ZodType<SchedulesAnswer> = z
  .object({
    ...schemaField("schedules"),
    schedules: z.array(schedule),
    nextCursor: z.string().exactOptional(),
  })
  .meta({ id: "Schedules" });

/** One schedule. */
export interface ScheduleAnswer extends Document<"schedule"> {
  readonly schedule: Schedule;
}

/** One schedule. */
export const scheduleAnswer: z.ZodType<ScheduleAnswer> = z
  .object({ ...schemaField("schedule"), schedule })
  .meta({ id: "OneSchedule" });

/** How many ticks. */
export interface NextQuery {
  readonly count?: number;
}

/** How many ticks. */
export const nextQuery: z.ZodType<NextQuery> = z.strictObject({
  count: wholeText(1, 1_000).exactOptional().meta({ description: "1 to 1,000. Default 5." }),
});

interface NextTick {
  readonly at: string;
  readonly local: string;
  readonly note?: string;
}

const nextTickFields = {
  at: timeValue,
  local: z.string(),
  note: z.string().exactOptional().meta({ description: "Of a clock change." }),
};

/** The next ticks. */
export interface NextAnswer extends Document<"schedule-next"> {
  readonly schedule: string;
  readonly zone: string;
  readonly enabled: boolean;
  readonly jitterMs: number;
  readonly ticks: readonly NextTick[];
}

/** The next ticks. */
export const nextAnswer: z.ZodType<NextAnswer> = z
  .object({
    ...schemaField("schedule-next"),
    schedule: z.string(),
    zone: z.string(),
    enabled: z.boolean(),
    jitterMs: wholeValue,
    ticks: z.array(z.object(nextTickFields)),
  })
  .meta({ id: "NextTicks" });

/** Past ticks. */
export interface TicksAnswer extends Document<"schedule-ticks"> {
  readonly ticks: readonly Tick[];
  readonly nextCursor?: string;
}

/** Past ticks, the newest first. */
export const ticksAnswer: z.ZodType<TicksAnswer> = z
  .object({
    ...schemaField("schedule-ticks"),
    ticks: z.array(tick),
    nextCursor: z.string().exactOptional(),
  })
  .meta({ id: "Ticks" });

/** What is set; what is absent stays. */
export interface ScheduleBody {
  readonly cron?: string;
  readonly every?: DurationValue;
  readonly dailyAt?: string;
  readonly timezone?: string;
  readonly input?: unknown;
  readonly overlap?: Overlap;
  readonly missed?: MissedRule;
  readonly jitter?: DurationValue;
  readonly priority?: number;
  readonly tags?: Readonly<Record<string, string>>;
  readonly deadline?: DurationValue;
  readonly description?: string;
  readonly reason?: string;
}

/** What is set; what is absent stays. */
export const scheduleBody: z.ZodType<ScheduleBody> = z.strictObject({
  cron: z.string().max(256).exactOptional(),
  every: durationValue.exactOptional(),
  dailyAt: z.string().max(5).exactOptional().meta({ description: "HH:MM" }),
  timezone: z.string().max(100).exactOptional(),
  input: z.unknown().optional(),
  overlap: z.enum(OVERLAPS).exactOptional(),
  missed: z.enum(MISSED_RULES).exactOptional(),
  jitter: durationValue.exactOptional(),
  priority: z.number().int().min(-1_000).max(1_000).exactOptional(),
  tags: tagsValue.exactOptional(),
  deadline: durationValue.exactOptional(),
  description: z.string().max(500).exactOptional(),
  reason: reasonText.exactOptional(),
});

/** Why. */
export interface ReasonBody {
  readonly reason?: string;
}

/** Why. */
export const reasonBody: z.ZodType<ReasonBody> = z.strictObject({
  reason: reasonText.exactOptional(),
});

/** A run by hand. */
export interface TriggerBody extends ReasonBody {
  readonly input?: unknown;
  readonly override?: boolean;
}

/** A run by hand. */
export const triggerBody: z.ZodType<TriggerBody> = z.strictObject({
  input: z.unknown().optional(),
  override: z.boolean().exactOptional(),
  reason: reasonText.exactOptional(),
});

/** Which past ticks. */
export interface BackfillBody extends ReasonBody {
  readonly from: string;
  readonly until: string;
  readonly limit?: number;
  readonly preview?: boolean;
}

/** Which past ticks. */
export const backfillBody: z.ZodType<BackfillBody> = z.strictObject({
  from: sinceText,
  until: sinceText,
  limit: z.number().int().min(1).max(10_000).exactOptional().meta({
    description: "Runs at once. Default 1.",
  }),
  preview: z.boolean().exactOptional().meta({ description: "Only the list. Default false." }),
  reason: reasonText.exactOptional(),
});

/** What would run, or will. */
export interface BackfillAnswer extends Document<"schedule-backfill"> {
  readonly schedule: string;
  readonly started: boolean;
  readonly limit: number;
  readonly ticks: readonly (NextTick & { readonly runs: boolean; readonly reason?: string })[];
}

/** What would run, or will. */
export const backfillAnswer: z.ZodType<BackfillAnswer> = z
  .object({
    ...schemaField("schedule-backfill"),
    schedule: z.string(),
    started: z.boolean(),
    limit: wholeValue,
    ticks: z.array(
      z.object({ ...nextTickFields, runs: z.boolean(), reason: z.string().exactOptional() }),
    ),
  })
  .meta({ id: "Backfill" });
