// Time as it leaves the house: moments in ISO 8601 with milliseconds and Z, durations in whole milliseconds.

/** UTC ms as `2026-07-14T09:04:11.200Z`. */
export function toIso(atMs: number): string {
  return new Date(atMs).toISOString();
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
