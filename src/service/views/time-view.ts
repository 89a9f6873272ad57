// Moments as they leave the house: ISO 8601 with milliseconds and Z.

/** UTC ms as `2026-07-14T09:04:11.200Z`. */
export function toIso(atMs: number): string {
  return new Date(atMs).toISOString();
}
