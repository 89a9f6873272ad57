// Whether a queue grows old, failures pile up, or schedules are late.

import {
  FAILURES_PER_MINUTE_MAX,
  QUEUE_AGE_MS_MAX,
  SCHEDULER_LATE_MS_MAX,
} from "../../model/limits.ts";
import { formatDuration } from "../../std/duration.ts";
import type { Sighting } from "./finding.ts";

/** The queue of one pipeline. */
export interface WatchedQueue {
  readonly pipeline: string;
  readonly queued: number;
  /** Of them those that have been due for longer than QUEUE_AGE_MS_MAX, counted up to `overdueMax`. */
  readonly overdue: number;
  readonly overdueMax: number;
}

/** More than a twentieth of the queue is old: the 95th percentile of its age is above the limit. */
export function judgeQueueAge(queue: WatchedQueue): Sighting | undefined {
  const { pipeline, queued, overdue, overdueMax } = queue;
  const isOld = overdue > 0 && overdue > Math.min(queued * 0.05, overdueMax - 1);
  if (!isOld) return undefined;
  const count = overdue >= overdueMax ? `at least ${overdue}` : String(overdue);
  return {
    rule: "queue-old",
    subject: pipeline,
    message: `${count} of ${queued} queued runs of "${pipeline}" have been due for more than ${formatDuration(QUEUE_AGE_MS_MAX)}.`,
    next: "npx millrace queue stats",
  };
}

/** Counts of failed runs at two looks. */
export interface FailureGrowth {
  readonly pipeline: string;
  readonly before: number;
  readonly now: number;
  readonly passedMs: number;
}

/** More runs fail per minute than is right. */
export function judgeFailures(growth: FailureGrowth): Sighting | undefined {
  const { pipeline, before, now, passedMs } = growth;
  if (passedMs <= 0) return undefined;
  const perMinute = ((now - before) / passedMs) * 60_000;
  // A few that fail together between two looks that are close are no rate.
  if (perMinute <= FAILURES_PER_MINUTE_MAX || now - before < FAILURES_PER_MINUTE_MAX / 2)
    return undefined;
  return {
    rule: "failures-growing",
    subject: pipeline,
    message: `${now - before} runs of "${pipeline}" failed within ${formatDuration(Math.round(passedMs / 1_000) * 1_000)}.`,
    next: `npx millrace runs --state failed --pipeline ${pipeline}`,
  };
}

/** A tick is late by more than schedules may be. */
export function judgeScheduler(lateMs: number): Sighting | undefined {
  if (lateMs <= SCHEDULER_LATE_MS_MAX) return undefined;
  return {
    rule: "scheduler-late",
    subject: "scheduler",
    level: "red",
    message: `A schedule is ${formatDuration(Math.round(lateMs / 1_000) * 1_000)} late; at most ${formatDuration(SCHEDULER_LATE_MS_MAX)} is right.`,
    next: "npx millrace schedule list",
  };
}
