// Which instants a schedule means. A fixed local time in the gap of a clock change comes once, at the first valid
// instant after it, and one that is repeated comes once, at its first; an hour of "*" follows the clock as it passes.
//
// Every search is bounded: 8 years ahead, 5,000 moments. What it does not find is "never" (null).

import { TICK_SEARCH_MS_MAX, TICK_SEARCH_STEPS_MAX } from "../../model/limits.ts";
import type { ScheduleTimes, ScheduleWhen } from "../../model/schedule/schedule.ts";
import { err, ok, type Result } from "../../std/result.ts";
import { parseCron } from "./cron.ts";
import { findChange, findGapEnd, isZone, toInstants, toLocalMs } from "../../std/zone.ts";

const DAY_MS = 86_400_000;
/** Longest time by which a clock is set back, with room: within it one local time may come twice. */
const SET_BACK_MS_MAX = 25 * 3_600_000;

/** The instants of a schedule. */
export interface Ticks {
  /** The first instant after this one, UTC ms; null: none within 8 years. */
  next(afterMs: number): number | null;
}

/** A list of local times, without a zone. */
interface Calendar {
  next(afterLocalMs: number): number | null;
  readonly followsClock: boolean;
}

/** The instants of a schedule; the error is a sentence that begins with the key that is wrong. */
export function makeTicks({ when, zone }: ScheduleTimes): Result<Ticks, string> {
  if (!isZone(zone)) {
    return err(
      `timezone: expected an IANA name such as "Europe/Berlin"; got ${JSON.stringify(zone)}`,
    );
  }
  if (when.kind === "every" && when.ms < DAY_MS) return ok(makeElapsed(when.ms, zone));
  const calendar = toCalendar(when);
  if (!calendar.ok) return err(`cron: ${calendar.error}`);
  return ok({ next: (afterMs) => nextInCalendar(calendar.value, zone, afterMs) });
}

/** Multiples of a time under a day, counted as it passes from 1970-01-01 00:00 in the zone. */
function makeElapsed(everyMs: number, zone: string): Ticks {
  const startMs = toInstants(zone, 0)[0] ?? findGapEnd(zone, 0);
  return {
    next: (afterMs) => startMs + (Math.floor((afterMs - startMs) / everyMs) + 1) * everyMs,
  };
}

function toCalendar(when: ScheduleWhen): Result<Calendar, string> {
  if (when.kind === "cron") return parseCron(when.expression);
  const everyMs = when.kind === "every" ? when.ms : DAY_MS;
  const shiftMs = when.kind === "every" ? 0 : when.minute * 60_000;
  return ok({
    next: (afterMs) => (Math.floor((afterMs - shiftMs) / everyMs) + 1) * everyMs + shiftMs,
    followsClock: false,
  });
}

function nextInCalendar(calendar: Calendar, zone: string, afterMs: number): number | null {
  const untilMs = afterMs + TICK_SEARCH_MS_MAX;
  if (!calendar.followsClock) {
    // In the order of local times fixed ones never go back, so that the first that comes later is the next.
    const start = toLocalMs(zone, afterMs);
    return search(calendar, start, (localMs) => {
      const atMs = toInstants(zone, localMs)[0] ?? findGapEnd(zone, localMs);
      return atMs > afterMs ? { atMs, isOver: atMs > untilMs } : null;
    });
  }
  return nextAsClockPasses(calendar, zone, { afterMs, untilMs });
}

interface Span {
  readonly afterMs: number;
  readonly untilMs: number;
}

function nextAsClockPasses(
  calendar: Calendar,
  zone: string,
  { afterMs, untilMs }: Span,
): number | null {
  const changeMs = findChange(zone, afterMs, afterMs + SET_BACK_MS_MAX);
  const firstLocal = calendar.next(toLocalMs(zone, afterMs));
  if (changeMs !== null && firstLocal !== null) {
    const atMs = afterMs + (firstLocal - toLocalMs(zone, afterMs));
    if (atMs < changeMs) return atMs;
  }
  // From the change on the clock shows times that it may have shown before.
  const floorMs = changeMs ?? afterMs + 1;
  return search(calendar, toLocalMs(zone, floorMs) - 1, (localMs) => {
    const atMs = toInstants(zone, localMs).find((instant) => instant >= floorMs);
    return atMs === undefined ? null : { atMs, isOver: atMs > untilMs };
  });
}

function search(
  calendar: Calendar,
  afterLocalMs: number,
  judge: (localMs: number) => { readonly atMs: number; readonly isOver: boolean } | null,
): number | null {
  let localMs: number | null = afterLocalMs;
  for (let step = 0; step < TICK_SEARCH_STEPS_MAX; step++) {
    localMs = calendar.next(localMs);
    if (localMs === null) return null;
    const found = judge(localMs);
    if (found !== null) return found.isOver ? null : found.atMs;
  }
  return null;
}

/** The last instant at or before this one that is not before `fromMs`; null: there is none. */
export function findLatest(ticks: Ticks, fromMs: number, untilMs: number): number | null {
  // A span that doubles finds few instants, however many there are.
  for (let spanMs = 60_000; ; spanMs *= 2) {
    const startMs = Math.max(fromMs, untilMs - spanMs);
    let found: number | null = null;
    let next = ticks.next(startMs - 1);
    while (next !== null && next <= untilMs) {
      found = next;
      next = ticks.next(next);
    }
    if (found !== null || startMs === fromMs) return found;
  }
}

/** The instant before this one, at most 8 years back; null: there is none. */
export function findPrevious(ticks: Ticks, beforeMs: number): number | null {
  return findLatest(ticks, beforeMs - TICK_SEARCH_MS_MAX, beforeMs - 1);
}

/** The next instants, at most `count`. */
export function listNext(ticks: Ticks, afterMs: number, count: number): readonly number[] {
  return listTicks(ticks, { fromMs: afterMs + 1, untilMs: Infinity }, count);
}

/** Instants of a span, both ends included, at most `max`. None behind its end is searched but the first. */
export function listTicks(
  ticks: Ticks,
  { fromMs, untilMs }: { readonly fromMs: number; readonly untilMs: number },
  max: number,
): readonly number[] {
  const found: number[] = [];
  for (let lastMs = fromMs - 1; found.length < max;) {
    const next = ticks.next(lastMs);
    if (next === null || next > untilMs) break;
    found.push(next);
    lastMs = next;
  }
  return found;
}
