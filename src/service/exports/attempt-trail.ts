// What an export tells of the attempts of one stage or item: every attempt with how it ended, and every wait
// with its cause. Pure: from a row and its retry history.

import type { ItemRecord, RetryRecord, StageRecord } from "../../model/checkpoint.ts";
import type { StageState } from "../../model/outcome.ts";
import { arrangeAttempts, type AttemptView } from "../queries/list-attempts.ts";
import { toIso, toWholeMs } from "../views/time-view.ts";

/** A row of either kind. */
export type TrailSource = StageRecord | ItemRecord;

/** One attempt and how it ended. */
export interface TrailAttempt extends AttemptView {
  readonly state: StageState;
}

/** One wait, or all of one cause together where their times are not kept. */
export interface TrailWait {
  readonly cause: string;
  /** The attempt it came after; absent: of the whole stage or item. */
  readonly attempt?: number;
  readonly startedAt?: string;
  readonly endedAt?: string;
  readonly durationMs: number;
}

/** Attempts, oldest first. Those that the history no longer keeps are missing. */
export function listTrailAttempts(
  source: TrailSource,
  history: readonly RetryRecord[],
): readonly TrailAttempt[] {
  const attempts = arrangeAttempts(history, source);
  const last = source.state === "waiting" || source.attempts === 0 ? undefined : attempts.at(-1);
  return attempts.map((attempt) => ({
    ...attempt,
    // One that a wait followed has failed, whatever ended the waiting.
    state: attempt === last && attempt.delayMs === undefined ? source.state : "failed",
  }));
}

/** Waits: each one before a retry with its times, and what else was waited for as one sum by cause. */
export function listTrailWaits(
  source: TrailSource,
  history: readonly RetryRecord[],
): readonly TrailWait[] {
  const retries = history.flatMap(toRetryWait);
  const known = retries.reduce((sum, wait) => sum + wait.durationMs, 0);
  const sums = Object.entries(source.waitedMs).map(([cause, ms]): TrailWait => {
    const listedMs = cause === RETRY ? known : 0;
    return { cause, durationMs: Math.max(0, toWholeMs(ms) - listedMs) };
  });
  return [...retries, ...sums.filter((wait) => wait.durationMs > 0)];
}

/** The cause under which rows keep the waits before retries. */
const RETRY = "retry";

function toRetryWait(record: RetryRecord): readonly TrailWait[] {
  const { attempt, delayMs, endedAtMs } = record;
  if (delayMs === null || delayMs <= 0) return [];
  return [
    {
      cause: RETRY,
      attempt,
      startedAt: toIso(endedAtMs),
      endedAt: toIso(endedAtMs + delayMs),
      durationMs: toWholeMs(delayMs),
    },
  ];
}
