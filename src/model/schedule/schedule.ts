// The schedule: when runs of a pipeline start by themselves. What its author writes, and what is kept of it once it
// was read. Which instants it means is decided in policy/schedule; what became of each is a tick.

import type { Duration } from "../../std/duration.ts";
import type { Json } from "../../std/json.ts";

/** What becomes of a tick that meets a run which has not ended. */
export const OVERLAPS = ["skip", "queue", "latest", "replace", "allow"] as const;

/** `skip`: it does not run. `queue`: it waits, at most 100 do. `latest`: one waits, a newer one takes its place.
 *  `replace`: the run is cancelled, then it runs. `allow`: it runs beside it. */
export type Overlap = (typeof OVERLAPS)[number];

/** What becomes of ticks that nobody was there for. */
export const MISSED_RULES = ["run-once", "skip", "run-all"] as const;

/** `run-once`: one run for the latest of the last 24 h. `skip`: none. `run-all`: one each, at most 100. */
export type MissedRule = (typeof MISSED_RULES)[number];

/** A schedule as its author writes it: exactly one of `cron`, `every` and `dailyAt`. */
export interface ScheduleOptions {
  /** Name of the pipeline. */
  readonly pipeline: string;
  /** Five fields, or six with seconds first; at most 256 characters. A fixed hour is local time; an hour of "*" or
   *  "*\/n" follows the clock as it passes. */
  readonly cron?: string;
  /** Under 24 h (at least 1 s), or whole days: multiples since 1970-01-01 00:00 in the zone. */
  readonly every?: Duration;
  /** "HH:MM", every day. */
  readonly dailyAt?: string;
  /** IANA name. Default "UTC". */
  readonly timezone?: string;
  /** Input of each run. Default none. */
  readonly input?: Json;
  /** Default "skip". */
  readonly overlap?: Overlap;
  /** Default "run-once". */
  readonly missed?: MissedRule;
  /** Each tick comes later by a fixed part of this, found from the schedule's name. At most 1 h. Default 0. */
  readonly jitter?: Duration;
  /** Of each run, -1,000 to 1,000. Default 0. */
  readonly priority?: number;
  /** Of each run; `schedule` is added, its name. Default none. */
  readonly tags?: Readonly<Record<string, string>>;
  /** Longest active time of each run. Default none. */
  readonly deadline?: Duration;
  /** Until somebody says otherwise. Default true. */
  readonly enabled?: boolean;
  /** For people, at most 500 characters. */
  readonly description?: string;
}

/** When a schedule ticks. */
export type ScheduleWhen =
  | { readonly kind: "cron"; readonly expression: string }
  | { readonly kind: "every"; readonly ms: number }
  | { readonly kind: "daily"; readonly minute: number };

/** What decides which instants a schedule means. */
export interface ScheduleTimes {
  readonly when: ScheduleWhen;
  /** IANA name. */
  readonly zone: string;
}

/** What may be set while a schedule is in use. */
export interface ScheduleFields extends ScheduleTimes {
  readonly overlap: Overlap;
  readonly missed: MissedRule;
  readonly jitterMs: number;
  /** Null: none. */
  readonly input: Json;
  readonly priority: number;
  readonly tags: Readonly<Record<string, string>>;
  /** Null: none. */
  readonly deadlineMs: number | null;
  readonly description: string | null;
}

/** Name of what may be set. */
export type ScheduleField = keyof ScheduleFields;

/** A schedule that was read. */
export interface ScheduleSpec extends ScheduleFields {
  readonly pipeline: string;
  readonly enabled: boolean;
}

/** Of which tick a run is: its instant, and the time since the tick before. UTC ms. */
export interface ScheduledFor {
  readonly schedule: string;
  readonly atMs: number;
  readonly fromMs: number;
}

/** When a schedule ticks, in words: `daily 02:30`, `every 15m`, `cron 0 * * * *`. */
export function describeWhen(when: ScheduleWhen, showDuration: (ms: number) => string): string {
  if (when.kind === "cron") return `cron ${when.expression}`;
  if (when.kind === "every") return `every ${showDuration(when.ms)}`;
  return `daily ${describeMinute(when.minute)}`;
}

/** A minute of the day as "HH:MM". */
function describeMinute(minute: number): string {
  const two = (count: number): string => String(count).padStart(2, "0");
  return `${two(Math.floor(minute / 60))}:${two(minute % 60)}`;
}
