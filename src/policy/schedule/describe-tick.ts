// A tick for people: its local time with the offset, and a note where the clocks are changed near it.

import { findChange, offsetMsAt, toInstants, toLocalMs } from "../../std/zone.ts";

/** Within so much before a tick a clock change is worth a note: it explains a gap or a repeated hour. 3 h in ms. */
const NOTE_MS = 3 * 3_600_000;

/** One tick. */
export interface DescribedTick {
  /** UTC, ISO 8601. */
  readonly at: string;
  /** In the zone, with its offset: `2026-03-29 03:00:00+02:00`. */
  readonly local: string;
  /** Of a clock change, if one is near. */
  readonly note?: string;
}

/** Describes a tick in its zone. */
export function describeTick(zone: string, atMs: number): DescribedTick {
  const note = toNote(zone, atMs);
  return {
    at: new Date(atMs).toISOString(),
    local: describeLocal(zone, atMs),
    ...(note === undefined ? {} : { note }),
  };
}

/** An instant as the clocks of a zone show it, with the offset. */
function describeLocal(zone: string, atMs: number): string {
  const text = new Date(toLocalMs(zone, atMs)).toISOString().slice(0, 19).replace("T", " ");
  return `${text}${describeOffset(offsetMsAt(zone, atMs))}`;
}

function describeOffset(offsetMs: number): string {
  const minutes = Math.round(Math.abs(offsetMs) / 60_000);
  const two = (count: number): string => String(count).padStart(2, "0");
  return `${offsetMs < 0 ? "-" : "+"}${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`;
}

function toNote(zone: string, atMs: number): string | undefined {
  const changeMs = findChange(zone, atMs - NOTE_MS, atMs);
  const hhmm = (localMs: number): string => new Date(localMs).toISOString().slice(11, 16);
  if (changeMs !== null) {
    const was = toLocalMs(zone, changeMs - 1) + 1;
    const is = toLocalMs(zone, changeMs);
    const repeats = is < was && toInstants(zone, toLocalMs(zone, atMs)).length > 1;
    const which = repeats ? "; the second of this local time" : "";
    return `clocks went from ${hhmm(was)} to ${hhmm(is)} before${which}`;
  }
  const isFirst = toInstants(zone, toLocalMs(zone, atMs)).length > 1;
  return isFirst ? "clocks go back after; the first of this local time" : undefined;
}
