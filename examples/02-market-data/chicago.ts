// Local time of the exchange, by what the platform knows of its zone: instants to local time and back, over both clock
// changes.

/** The zone of both instruments. */
export const ZONE = "America/Chicago";

const PARTS = new Intl.DateTimeFormat("en-US", {
  timeZone: ZONE,
  hourCycle: "h23",
  year: "numeric",
  month: "2-digit",
  day: "2-digit",
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
});

/** An instant as a clock in Chicago shows it. */
export interface LocalTime {
  /** "2019-11-03" */
  readonly day: string;
  /** "2019-11-03T01:30:00-05:00": tells the two half past ones of that day apart. */
  readonly stamp: string;
}

/** Local time of an instant, UTC ms. */
export function toLocal(utcMs: number): LocalTime {
  const offsetMinutes = toOffsetMinutes(utcMs);
  const shown = new Date(utcMs + offsetMinutes * 60_000).toISOString();
  const hours = String(Math.floor(Math.abs(offsetMinutes) / 60)).padStart(2, "0");
  const minutes = String(Math.abs(offsetMinutes) % 60).padStart(2, "0");
  const offset = `${offsetMinutes < 0 ? "-" : "+"}${hours}:${minutes}`;
  return { day: shown.slice(0, 10), stamp: `${shown.slice(0, 19)}${offset}` };
}

/** Instant of a local time such as "16:00" that exists once on its day, UTC ms. */
export function toUtcMs(day: string, time: string): number {
  const shownMs = Date.parse(`${day}T${time}:00Z`);
  const nearMs = shownMs - toOffsetMinutes(shownMs) * 60_000;
  // Once more with the offset there: the first one may lie on the other side of a clock change.
  return shownMs - toOffsetMinutes(nearMs) * 60_000;
}

function toOffsetMinutes(utcMs: number): number {
  const part = new Map(PARTS.formatToParts(utcMs).map(({ type, value }) => [type, value]));
  const get = (type: Intl.DateTimeFormatPartTypes): string => part.get(type) ?? "";
  const day = `${get("year")}-${get("month")}-${get("day")}`;
  const shown = `${day}T${get("hour")}:${get("minute")}:${get("second")}Z`;
  return Math.round((Date.parse(shown) - Math.floor(utcMs / 1_000) * 1_000) / 60_000);
}
