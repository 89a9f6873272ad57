// Times as other programs write them: ISO 8601 with or without a zone. What has none is UTC, so that the same text
// means the same moment on every machine. Days and hours that no calendar has are refused, not rolled over.

import { err, ok, type Result } from "../../std/result.ts";

const FORM =
  /^(\d{4})-(\d{2})-(\d{2})(?:[Tt ](\d{2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?\s?([Zz]|[+-]\d{2}(?::?\d{2})?)?)?$/;

/** UTC ms of a date or a time; the error says what was expected. */
export function parseIsoTime(text: string): Result<number, string> {
  const parts = text.length <= 64 ? FORM.exec(text) : null;
  if (parts === null) return err(expected(text));
  const [, year, month, day, hour = "0", minute = "0", second = "0", fraction = "", zone] = parts;
  const [y, mo, d, h, mi, s] = [year, month, day, hour, minute, second].map(Number);
  const offsetMs = toOffsetMs(zone);
  const dayMs = Date.UTC(y ?? 0, (mo ?? 0) - 1, d ?? 0);
  const isDay = new Date(dayMs).toISOString().startsWith(`${year}-${month}-${day}`);
  const isTime = (h ?? 99) <= 23 && (mi ?? 99) <= 59 && (s ?? 99) <= 59;
  if (!isDay || !isTime || offsetMs === undefined) return err(expected(text));
  const ms = Number(`${fraction}000`.slice(0, 3));
  return ok(dayMs + (h ?? 0) * 3_600_000 + (mi ?? 0) * 60_000 + (s ?? 0) * 1_000 + ms - offsetMs);
}

function toOffsetMs(zone: string | undefined): number | undefined {
  if (zone === undefined || zone === "Z" || zone === "z") return 0;
  const hours = Number(zone.slice(1, 3));
  const minutes = Number(zone.slice(3).replace(":", "") || "0");
  if (hours > 23 || minutes > 59) return undefined;
  return (zone.startsWith("-") ? -1 : 1) * (hours * 60 + minutes) * 60_000;
}

function expected(text: string): string {
  const shown = text.length > 64 ? `${text.slice(0, 64)}…` : text;
  return `expected a time such as 2026-07-14T09:04:11Z; got ${JSON.stringify(shown)}`;
}
