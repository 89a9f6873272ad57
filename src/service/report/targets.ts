// Targets of reports: a name and what is wanted of it, and what was got. A rate is wanted at least, a time or a count at
// most. What cannot be measured (no run, no item) is missed: a target that nobody looks at would always be met.

import { MillraceError } from "../../model/errors.ts";
import { findNearest } from "../../std/nearest.ts";
import { parseDuration } from "../../std/duration.ts";
import type { RunReport } from "../queries/run-report.ts";
import type { PeriodReport } from "./period-report.ts";

/** What is wanted of a measure: a share at least, a time in ms at most, a count at most. */
const KINDS = {
  "success-rate": "share",
  duration: "time",
  p50: "time",
  p95: "time",
  p99: "time",
  max: "time",
  failed: "count",
  retries: "count",
  warnings: "count",
} as const;

/** Name of a target. */
export type TargetName = keyof typeof KINDS;

/** Every name. */
export const TARGET_NAMES: readonly TargetName[] = [
  "success-rate",
  "duration",
  "p50",
  "p95",
  "p99",
  "max",
  "failed",
  "retries",
  "warnings",
];

/** A target. */
export interface Target {
  readonly name: TargetName;
  /** A share from 0 to 1, ms, or a count. */
  readonly want: number;
}

/** A target and what became of it. */
export interface JudgedTarget extends Target {
  /** In the unit of `want`; null: there was nothing to measure. */
  readonly got: number | null;
  readonly met: boolean;
}

/** What a report has measured; absent: there was nothing to measure. */
export type Measures = Readonly<Partial<Record<TargetName, number>>>;

/** Kind of a target: what its numbers mean. */
export function targetKind(name: TargetName): (typeof KINDS)[TargetName] {
  return KINDS[name];
}

/** Reads `p95=2m`, `success-rate=0.98` or `success-rate=98%`. TARGET_INVALID. */
export function parseTarget(text: string): Target {
  const cut = text.indexOf("=");
  const given = cut < 0 ? text : text.slice(0, cut);
  const name = TARGET_NAMES.find((known) => known === given);
  if (name === undefined) {
    const near = findNearest(given, TARGET_NAMES);
    throw targetInvalid(text, `there is no target "${given}"`, {
      hint: near === undefined ? `known: ${TARGET_NAMES.join(", ")}` : `did you mean "${near}"?`,
    });
  }
  if (cut < 0) throw targetInvalid(text, `"${name}" has no value`, { hint: EXAMPLE });
  return { name, want: parseWant(text, name, text.slice(cut + 1)) };
}

const EXAMPLE = "write --target success-rate=0.98 or --target p95=2m";

function parseWant(text: string, name: TargetName, value: string): number {
  const kind = KINDS[name];
  if (kind === "time") {
    const parsed = parseDuration(value);
    if (parsed.ok) return parsed.value;
    throw targetInvalid(text, parsed.error, { hint: EXAMPLE });
  }
  const isNumber = /^\d+(\.\d+)?%?$/.test(value);
  const number = isNumber ? Number.parseFloat(value) / (value.endsWith("%") ? 100 : 1) : Number.NaN;
  if (kind === "share" && number >= 0 && number <= 1) return number;
  if (kind === "count" && Number.isSafeInteger(number) && !value.endsWith("%")) return number;
  const expected = kind === "share" ? "a share from 0 to 1, or 0% to 100%" : "a whole number";
  throw targetInvalid(text, `expected ${expected}; got "${value}"`, { hint: EXAMPLE });
}

function targetInvalid(
  text: string,
  why: string,
  { hint }: { readonly hint: string },
): MillraceError {
  return new MillraceError("TARGET_INVALID", `Target "${text}": ${why}.`, {
    hint,
    next: "npx millrace report --help",
    details: { given: text, known: [...TARGET_NAMES] },
  });
}

/** Judges targets by what was measured, in their order. */
export function judgeTargets(
  targets: readonly Target[],
  measures: Measures,
): readonly JudgedTarget[] {
  return targets.map((target) => {
    const got = measures[target.name] ?? null;
    const isAtLeast = KINDS[target.name] === "share";
    const met = got !== null && (isAtLeast ? got >= target.want : got <= target.want);
    return { ...target, got, met };
  });
}

/** What the report of a run measures: its items where it has any, each percentile that of its worst map stage; else the
 *  run as a whole. */
export function measureRun({ run, percentiles }: RunReport): Measures {
  const { succeeded, failed } = run.items;
  const judged = succeeded + failed;
  const worst = (name: "p50Ms" | "p95Ms" | "p99Ms" | "maxMs"): number | undefined =>
    percentiles.length === 0
      ? run.durationMs
      : Math.max(...percentiles.map((times) => times[name]));
  return definedOnly({
    "success-rate": judged === 0 ? (run.state === "succeeded" ? 1 : 0) : succeeded / judged,
    duration: run.durationMs,
    p50: worst("p50Ms"),
    p95: worst("p95Ms"),
    p99: worst("p99Ms"),
    max: worst("maxMs"),
    failed: judged === 0 ? (run.state === "failed" ? 1 : 0) : failed,
    retries: run.retries,
    warnings: run.warnings,
  });
}

/** What the report of a period measures: runs; `duration` is that of the longest. */
export function measurePeriod({ period }: PeriodReport): Measures {
  const { durations } = period;
  return definedOnly({
    "success-rate": period.successRate,
    duration: durations?.maxMs,
    p50: durations?.p50Ms,
    p95: durations?.p95Ms,
    p99: durations?.p99Ms,
    max: durations?.maxMs,
    failed: period.failed,
    retries: period.retries,
    warnings: period.warnings,
  });
}

function definedOnly(measures: Readonly<Record<TargetName, number | undefined>>): Measures {
  const found: Partial<Record<TargetName, number>> = {};
  for (const name of TARGET_NAMES) {
    const measured = measures[name];
    if (measured !== undefined) found[name] = measured;
  }
  return found;
}
