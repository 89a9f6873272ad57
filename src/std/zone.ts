// Local times of a zone and their instants, by the tables of the runtime alone: the zone of this machine plays no part.
//
// A local time is written as UTC ms of the same figures. Around a clock change one local time has no instant, or two.

/** Longest distance of a local time from UTC, with room: 16 h in ms. */
const OFFSET_MS_MAX = 16 * 3_600_000;
/** Formatters that are held: making one costs 100 times what using it does. */
const FORMATS_MAX = 64;

const formats: Map<string, Intl.DateTimeFormat> = new Map();

/** True for a name that the runtime knows. Offsets ("+02:00") are none: they know no clock changes. */
export function isZone(name: string): boolean {
  if (!/^[A-Za-z]/.test(name) || name.length > 100) return false;
  try {
    getFormat(name);
    return true;
  } catch {
    return false;
  }
}

function getFormat(zone: string): Intl.DateTimeFormat {
  const known = formats.get(zone);
  if (known !== undefined) return known;
  const made = new Intl.DateTimeFormat("en-US", {
    timeZone: zone,
    hourCycle: "h23",
    year: "numeric",
    month: "2-digit",
    day: "2-digit",
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
  });
  const [oldest] = formats.keys();
  if (formats.size >= FORMATS_MAX && oldest !== undefined) formats.delete(oldest);
  formats.set(zone, made);
  return made;
}

/** The local time of an instant, whole seconds kept to the ms. */
export function toLocalMs(zone: string, atMs: number): number {
  if (zone === "UTC") return atMs;
  const parts: Record<string, number> = {};
  for (const { type, value } of getFormat(zone).formatToParts(atMs)) parts[type] = Number(value);
  const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = parts;
  const ms = ((atMs % 1_000) + 1_000) % 1_000;
  return Date.UTC(year, month - 1, day, hour, minute, second) + ms;
}

/** How much the local time is ahead of UTC, ms. */
export function offsetMsAt(zone: string, atMs: number): number {
  return toLocalMs(zone, atMs) - atMs;
}

/** The instants of a local time, in order: one; none in a gap; two where clocks were set back. */
export function toInstants(zone: string, localMs: number): readonly number[] {
  if (zone === "UTC") return [localMs];
  const before = localMs - offsetMsAt(zone, localMs - OFFSET_MS_MAX);
  const after = localMs - offsetMsAt(zone, localMs + OFFSET_MS_MAX);
  const found =
    before === after ? [before] : [before, after].toSorted((left, right) => left - right);
  return found.filter((atMs) => toLocalMs(zone, atMs) === localMs);
}

/** The instant at which the clock change lies that a local time fell into: the first valid one after it. */
export function findGapEnd(zone: string, localMs: number): number {
  return findChange(zone, localMs - OFFSET_MS_MAX, localMs + OFFSET_MS_MAX) ?? localMs;
}

/** The first instant of the last clock change in a span; null where its ends have the same offset. */
export function findChange(zone: string, fromMs: number, untilMs: number): number | null {
  const offset = offsetMsAt(zone, fromMs);
  if (offsetMsAt(zone, untilMs) === offset) return null;
  let before = fromMs;
  let after = untilMs;
  while (after - before > 1) {
    const middle = Math.floor((before + after) / 2);
    if (offsetMsAt(zone, middle) === offset) before = middle;
    else after = middle;
  }
  return after;
}
