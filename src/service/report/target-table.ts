// Targets of a report as lines of text: what was wanted, what was got.

import { targetKind, type JudgedTarget } from "./targets.ts";
import { showCount, showDuration } from "../../std/shown/figures.ts";
import type { ReportTable } from "./report-tables.ts";

/** A line for each target; no rows where there are none. */
export function listTargets(targets: readonly JudgedTarget[]): ReportTable {
  return {
    title: "Targets",
    columns: ["Target", "Wanted", "Got", "Met"],
    rows: targets.map((target) => [
      target.name,
      showWanted(target),
      showGot(target),
      target.met ? "yes" : "no",
    ]),
  };
}

/** `p95 is 3m 2s, at most 2m was wanted`. */
export function sayMissed(target: JudgedTarget): string {
  return `${target.name} is ${showGot(target)}, ${showWanted(target)} was wanted`;
}

function showWanted({ name, want }: JudgedTarget): string {
  return `${targetKind(name) === "share" ? "at least" : "at most"} ${showMeasure(name, want)}`;
}

function showGot({ name, got }: JudgedTarget): string {
  return got === null ? "nothing to measure" : showMeasure(name, got);
}

function showMeasure(name: JudgedTarget["name"], value: number): string {
  const kind = targetKind(name);
  if (kind === "time") return showDuration(value);
  return kind === "share" ? showPercent(value) : showCount(value);
}

/** `98%`, `99.95%`: a share with two digits where they tell something. */
export function showPercent(share: number): string {
  // Rounded down, so that what misses a target never looks as if it had met it.
  return `${Math.floor(share * 10_000 + 1e-9) / 100}%`;
}
