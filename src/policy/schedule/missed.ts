// What becomes of the ticks whose time has come: usually one, on time; after a pause as many as nobody was there for.

import { TICK_AGE_MS_MAX, TICK_LATE_MS_MAX, TICKS_CAUGHT_UP_MAX } from "../../model/limits.ts";
import type { MissedRule } from "../../model/schedule/schedule.ts";
import { findLatest, listTicks, type Ticks } from "./next-tick.ts";

/** Ticks that do not run, from the first to the last. */
export interface MissedTicks {
  readonly fromMs: number;
  readonly untilMs: number;
  readonly reason: string;
}

/** What is done now: ticks that are given up, and then one that is judged. Either may be absent, not both. */
export interface DueDecision {
  readonly missed: MissedTicks | null;
  /** Null: none is judged now. */
  readonly atMs: number | null;
}

/** What is due of a schedule. */
export interface Due {
  readonly rule: MissedRule;
  readonly ticks: Ticks;
  /** The first tick that nothing was decided about. */
  readonly firstMs: number;
  /** Ticks up to here are due; at or after `firstMs`. */
  readonly nowMs: number;
}

/** Judges what is due. Under `run-all` one tick at a time, the oldest first. */
export function decideDue(due: Due): DueDecision {
  const { rule, ticks, firstMs, nowMs } = due;
  if (rule === "run-all") return decideAll(due);
  const latestMs = findLatest(ticks, firstMs, nowMs) ?? firstMs;
  const ageMsMax = rule === "skip" ? TICK_LATE_MS_MAX : TICK_AGE_MS_MAX;
  if (nowMs - latestMs > ageMsMax) {
    const reason = rule === "skip" ? "late" : "older than 24 h";
    return { missed: { fromMs: firstMs, untilMs: latestMs, reason }, atMs: null };
  }
  if (latestMs === firstMs) return { missed: null, atMs: firstMs };
  const beforeMs = findLatest(ticks, firstMs, latestMs - 1) ?? firstMs;
  return {
    missed: { fromMs: firstMs, untilMs: beforeMs, reason: "a later tick runs" },
    atMs: latestMs,
  };
}

function decideAll({ ticks, firstMs, nowMs }: Due): DueDecision {
  const first = listTicks(ticks, { fromMs: firstMs, untilMs: nowMs }, TICKS_CAUGHT_UP_MAX + 1);
  if (first.length <= TICKS_CAUGHT_UP_MAX) return { missed: null, atMs: firstMs };
  const kept: number[] = [];
  // From the newest back: how many there are before them nobody need know.
  for (let untilMs = nowMs; kept.length < TICKS_CAUGHT_UP_MAX;) {
    const latestMs = findLatest(ticks, firstMs, untilMs);
    if (latestMs === null) break;
    kept.push(latestMs);
    untilMs = latestMs - 1;
  }
  const oldestMs = kept.at(-1) ?? firstMs;
  if (oldestMs <= firstMs) return { missed: null, atMs: firstMs };
  const untilMs = findLatest(ticks, firstMs, oldestMs - 1) ?? firstMs;
  const reason = `more than ${TICKS_CAUGHT_UP_MAX} were missed`;
  return { missed: { fromMs: firstMs, untilMs, reason }, atMs: null };
}
