// Durations as people write them ("1.5s", "47m 20s" when shown) and as programs count them: whole
// milliseconds. Bounds of a particular setting belong to whoever owns the setting.

import { err, ok, type Result } from "./result.ts";

/** Whole milliseconds, or a number with a unit: `250`, `"250ms"`, `"1.5s"`, `"5m"`, `"2h"`, `"1d"`. */
export type Duration = number | `${number}${"ms" | "s" | "m" | "h" | "d"}`;

const UNIT_MS: ReadonlyMap<string, bigint> = new Map([
  ["ms", 1n],
  ["s", 1_000n],
  ["m", 60_000n],
  ["h", 3_600_000n],
  ["d", 86_400_000n],
]);

const DURATION = /^(\d{1,16})(?:\.(\d{1,16}))?(ms|s|m|h|d)$/;

/**
 * Reads a duration into whole milliseconds, zero or more. Refuses text without a unit, and whatever is no
 * whole number of milliseconds; the error is a sentence that says what was expected and what was given.
 */
export function parseDuration(input: unknown): Result<number, string> {
  const ms = typeof input === "string" ? parseText(input) : input;
  if (typeof ms === "number" && Number.isSafeInteger(ms) && ms >= 0) return ok(ms + 0);
  return err(`expected ${EXPECTED}; got ${describe(input)}`);
}

const EXPECTED =
  'whole milliseconds or a number with a unit, such as 250, "250ms", "1.5s", "5m", "2h" or "1d"';

function parseText(text: string): number | undefined {
  const [, whole, fraction = "", unit] = DURATION.exec(text) ?? [];
  const unitMs = UNIT_MS.get(unit ?? "");
  if (whole === undefined || unitMs === undefined) return undefined;
  // In whole numbers: 1.005 s is 1004.9999999999999 ms in floating point.
  const scale = 10n ** BigInt(fraction.length);
  const scaledMs = BigInt(whole + fraction) * unitMs;
  return scaledMs % scale === 0n ? Number(scaledMs / scale) : undefined;
}

function describe(input: unknown): string {
  if (typeof input === "number") return `${input}`;
  if (typeof input !== "string") return input === null ? "null" : `a value of type ${typeof input}`;
  const shown = JSON.stringify(input.length > 40 ? `${input.slice(0, 40)}…` : input);
  return /^\d+$/.test(input)
    ? `${shown}, which has no unit: write "${input}ms" or "${input}s"`
    : shown;
}

/** Shows a duration with at most two units: `250ms`, `1.2s`, `47m 20s`, `1h 3m`, `2d 4h`. */
export function formatDuration(ms: number): string {
  if (!Number.isFinite(ms)) return String(ms);
  if (ms < 0) return `-${formatDuration(-ms)}`;
  // Each size is rounded before it is chosen, so that 59.96 s is 1m and never 60s.
  const wholeMs = Math.round(ms);
  if (wholeMs < 1000) return `${wholeMs}ms`;
  const tenths = Math.round(ms / 100);
  if (tenths < 600) return `${tenths / 10}s`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 3600) return joinUnits(seconds, 60, ["m", "s"]);
  const minutes = Math.round(ms / 60_000);
  if (minutes < 1440) return joinUnits(minutes, 60, ["h", "m"]);
  return joinUnits(Math.round(ms / 3_600_000), 24, ["d", "h"]);
}

function joinUnits(count: number, per: number, units: readonly [string, string]): string {
  const rest = count % per;
  const large = `${Math.floor(count / per)}${units[0]}`;
  return rest === 0 ? large : `${large} ${rest}${units[1]}`;
}
