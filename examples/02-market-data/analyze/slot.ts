// The ranges that are looked at, in the exchange's time. Each begins with its session and ends at its slot.
import type { LocalBar } from "./local-bar.ts";

/** A session's start, and the end of one range. */
export interface Slot {
  readonly session: "S1" | "S2";
  /** "02:00" */
  readonly start: string;
  /** "07:30": the first minute that is no part of the range. */
  readonly end: string;
}

/** Seven a day. */
export const SLOTS: readonly Slot[] = [
  ...["07:30", "08:00", "09:00"].map((end) => ({ session: "S1", start: "02:00", end }) as const),
  ...["09:30", "10:00", "10:30", "11:00"].map(
    (end) => ({ session: "S2", start: "08:00", end }) as const,
  ),
];

/** What a slot's range was. Prices in ticks. */
export interface Range {
  /** Local time of its first bar: the session's start, or the first minute after it where the clocks leap over it. */
  readonly start: string;
  readonly high: number;
  readonly low: number;
  readonly close: number;
  /** Place of the first bar after it. */
  readonly next: number;
}

/** The range of a slot; undefined when there is no bar in it. Bars in order. */
export function findRange(bars: readonly LocalBar[], slot: Slot): Range | undefined {
  const from = bars.findIndex(({ time }) => time >= slot.start);
  const end = bars.findIndex(({ time }) => time >= slot.end);
  const next = end === -1 ? bars.length : end;
  const inside = from === -1 ? [] : bars.slice(from, next);
  const [first] = inside;
  const last = inside.at(-1);
  if (first === undefined || last === undefined) return undefined;
  return {
    start: first.stamp,
    high: inside.reduce((most, { high }) => Math.max(most, high), first.high),
    low: inside.reduce((least, { low }) => Math.min(least, low), first.low),
    close: last.close,
    next,
  };
}
