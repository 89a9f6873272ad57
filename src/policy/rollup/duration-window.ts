// The last durations of one stage, or of the runs of one pipeline, exactly as they were: what is said of them (half of
// them, 95 %) is true of the last DURATIONS_KEPT_MAX and of nothing older.

import { DURATIONS_KEPT_MAX } from "../../model/limits.ts";
import { isRecord } from "../../std/record.ts";

/** The last durations. */
export interface DurationWindow {
  /** How many there have been in all. */
  readonly total: number;
  /** The last ones, the oldest first, ms; at most DURATIONS_KEPT_MAX. */
  readonly recentMs: readonly number[];
}

/** The window with these durations after those it has; undefined: there was none. */
export function foldDurations(value: unknown, durationsMs: readonly number[]): DurationWindow {
  const { total, recentMs } = parseDurations(value);
  return {
    total: total + durationsMs.length,
    recentMs: [...recentMs, ...durationsMs].slice(-DURATIONS_KEPT_MAX),
  };
}

/** Reads a window from what was stored; a damaged one begins anew. */
export function parseDurations(value: unknown): DurationWindow {
  if (!isRecord(value)) return NONE;
  const { total, recentMs } = value;
  const isWindow = typeof total === "number" && Array.isArray(recentMs) && recentMs.every(isMs);
  return isWindow ? { total, recentMs } : NONE;
}

const NONE: DurationWindow = { total: 0, recentMs: [] };

function isMs(value: unknown): value is number {
  return typeof value === "number" && value >= 0;
}
