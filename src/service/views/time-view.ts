// Time as it leaves the house: moments in ISO 8601 with milliseconds and Z, durations in whole milliseconds.

const DAY_MS = 86_400_000;

/** The day that was written last: most moments of a document lie within one, and its date costs most of the text. */
const lastDay = { number: Number.NaN, text: "" };

const TWO_DIGITS: readonly string[] = Array.from({ length: 60 }, (_, each) =>
  `${each}`.padStart(2, "0"),
);

/** UTC ms as `2026-07-14T09:04:11.200Z`. */
export function toIso(atMs: number): string {
  const wholeMs = Math.trunc(atMs);
  const day = Math.floor(wholeMs / DAY_MS);
  if (day !== lastDay.number) {
    lastDay.text = new Date(day * DAY_MS).toISOString().slice(0, -"00:00:00.000Z".length);
    lastDay.number = day;
  }
  const inDayMs = wholeMs - day * DAY_MS;
  const seconds = Math.floor(inDayMs / 1_000);
  const minutes = Math.floor(seconds / 60);
  const ms = `${inDayMs - seconds * 1_000}`.padStart(3, "0");
  return `${lastDay.text}${two(Math.floor(minutes / 60))}:${two(minutes % 60)}:${two(seconds % 60)}.${ms}Z`;
}

function two(number: number): string {
  return TWO_DIGITS[number] ?? `${number}`;
}

/** A duration in whole ms; what took less than half a millisecond took 0. */
export function toWholeMs(ms: number): number {
  return Math.round(ms);
}

/** Durations by cause, each in whole ms. */
export function toWholeWaits(
  waitedMs: Readonly<Record<string, number>>,
): Readonly<Record<string, number>> {
  return Object.fromEntries(Object.entries(waitedMs).map(([cause, ms]) => [cause, toWholeMs(ms)]));
}
