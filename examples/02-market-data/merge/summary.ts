// What became of every day: `summary.json`, the same bytes for the same files however often they were worked.
import type { MonthTable } from "./month-table.ts";

/** A day that gave no rows, and why. */
export interface DayLeftOut {
  /** "ES/2020-03-16" */
  readonly day: string;
  readonly stage: "translate" | "analyze";
  readonly reason: string;
}

/** Counts of days; `written`, `skipped` and `failed` are all of `days`. */
export interface Summary {
  readonly days: number;
  /** Whose rows are in the tables. */
  readonly written: number;
  /** Without bars. */
  readonly skipped: number;
  readonly failed: number;
  readonly bars: number;
  readonly rows: number;
  readonly tables: readonly MonthTable[];
  readonly leftOut: readonly DayLeftOut[];
}

/** One day of the run: its bars and rows, or why it has none. */
export type DayResult =
  | { readonly state: "written"; readonly bars: number; readonly rows: number }
  | { readonly state: "skipped" | "failed"; readonly leftOut: DayLeftOut };

/** Counts them. */
export function summarize(results: readonly DayResult[], tables: readonly MonthTable[]): Summary {
  const written = results.filter((result) => result.state === "written");
  const count = (state: DayResult["state"]): number =>
    results.filter((result) => result.state === state).length;
  return {
    days: results.length,
    written: written.length,
    skipped: count("skipped"),
    failed: count("failed"),
    bars: written.reduce((sum, { bars }) => sum + bars, 0),
    rows: written.reduce((sum, { rows }) => sum + rows, 0),
    tables,
    leftOut: results.flatMap((result) => (result.state === "written" ? [] : [result.leftOut])),
  };
}
