// Figures as people read them: counts with separators, durations with a unit, rates and shares. Into lines
// meant for `grep` go other forms (no separators, no blanks); `std/duration.ts` has those of durations.

import { formatDuration } from "../duration.ts";

/** `10,000`. Fractions are rounded. Without `Intl`, whose first use costs a start of the command 20 ms. */
export function showCount(count: number): string {
  return String(Math.round(count)).replace(/\B(?=(?:\d{3}){1,7}$)/g, ",");
}

/** `1 item`, `10,000 items`; `more` is the word for several, by default the word with an s. */
export function showCountOf(count: number, one: string, more: string = `${one}s`): string {
  return `${showCount(count)} ${count === 1 ? one : more}`;
}

/** `<1 ms`, `250 ms`, `1.2 s`, `47m 20s`, `1h 3m`, `2d 4h`: a blank before a unit that stands alone below a minute. */
export function showDuration(ms: number): string {
  if (ms >= 0 && ms < 0.5) return "<1 ms";
  return formatDuration(ms).replace(/^(-?[\d.]+)(ms|s)$/, "$1 $2");
}

/** Time that goes by while one looks: whole seconds, so that the text does not flicker. */
export function showElapsed(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  return seconds === 0 ? "0 s" : showDuration(seconds * 1000);
}

/** Time still to go, rounded coarsely, since it is a guess: `8s`, `45s`, `3m`, `2h 10m`. */
export function showRemaining(ms: number): string {
  if (ms < 60_000) return `${Math.max(1, Math.ceil(ms / 1000))}s`;
  if (ms < 3_600_000) return `${Math.round(ms / 60_000)}m`;
  return formatDuration(Math.round(ms / 60_000) * 60_000);
}

/** `3.3/s`, `120/s`; below one a second per minute (`12/min`), below one a minute per hour. */
export function showRate(perSecond: number): string {
  if (perSecond >= 1) return `${showTwoDigits(perSecond)}/s`;
  if (perSecond * 60 >= 1) return `${showTwoDigits(perSecond * 60)}/min`;
  return `${showTwoDigits(perSecond * 3600)}/h`;
}

function showTwoDigits(value: number): string {
  return value < 10 ? String(Math.round(value * 10) / 10) : showCount(value);
}

/** `31%`; a share that is not nothing is never shown as 0 %, one that is not all never as 100 %. */
export function showShare(part: number, whole: number): string {
  if (whole <= 0 || part <= 0) return "0%";
  if (part >= whole) return "100%";
  const percent = Math.round((part / whole) * 100);
  if (percent === 0) return "<1%";
  return percent === 100 ? ">99%" : `${percent}%`;
}

/** `00:47:20`: hours may exceed two digits. */
export function showStopwatch(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const parts = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  return parts.map((part) => String(part).padStart(2, "0")).join(":");
}

const BYTE_UNITS = ["B", "KB", "MB", "GB", "TB"] as const;

/** `212 MB`, in steps of a thousand. */
export function showBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < BYTE_UNITS.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${unit === 0 ? showCount(value) : showTwoDigits(value)} ${BYTE_UNITS[unit] ?? "B"}`;
}
