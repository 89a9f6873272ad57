// How a map stage ends, from the counts of its items, and when it stops early because failures pile up.
// Judged on final counts; which items start, and in which order, is the engine's.

import type { MapShape } from "../model/definition.ts";
import type { StopAfter } from "../model/stage/stage-options.ts";

/** Items by ending. */
export interface ItemCounts {
  readonly total: number;
  readonly succeeded: number;
  readonly failed: number;
  readonly skipped: number;
  readonly cancelled: number;
  /** Items whose item of the map before failed. */
  readonly upstreamFailed: number;
}

/** How the map stage ended. */
export type MapEnd =
  | { readonly kind: "succeeded" }
  | { readonly kind: "failed"; readonly message: string }
  | { readonly kind: "skipped"; readonly reason: "empty" };

/** The part of a map that the decision reads. */
export type ToleranceRule = Pick<MapShape, "onItemFailure" | "tolerate" | "minSuccess" | "onEmpty">;

/**
 * Judges a map stage whose items have all ended. Under "continue" only failures of its own items count: those
 * of the map before were judged there. Under "fail" a missing result fails it too, since readers get the
 * whole list or none.
 */
export function decideMapEnd(rule: ToleranceRule, counts: ItemCounts): MapEnd {
  if (counts.total === 0) return EMPTY_ENDS[rule.onEmpty];
  const message = rule.onItemFailure === "fail" ? findLoss(counts) : findExcess(rule, counts);
  return message === undefined ? { kind: "succeeded" } : { kind: "failed", message };
}

const EMPTY_ENDS: Readonly<Record<MapShape["onEmpty"], MapEnd>> = {
  succeed: { kind: "succeeded" },
  skip: { kind: "skipped", reason: "empty" },
  fail: { kind: "failed", message: 'The list is empty, and "onEmpty" is "fail".' },
};

function findLoss({ total, failed, cancelled, upstreamFailed }: ItemCounts): string | undefined {
  if (failed > 0) return `${ofItems(failed, total)} failed.`;
  if (upstreamFailed > 0) return `${ofItems(upstreamFailed, total)} had no item to work on.`;
  return cancelled > 0 ? `${ofItems(cancelled, total)} were cancelled.` : undefined;
}

function findExcess(
  { tolerate, minSuccess }: ToleranceRule,
  counts: ItemCounts,
): string | undefined {
  const { total, failed, succeeded } = counts;
  if (tolerate !== null && failed > toleratedCount(tolerate, total)) {
    return `${ofItems(failed, total)} failed; tolerated are ${describeTolerance(tolerate, total)}.`;
  }
  return succeeded < minSuccess
    ? `${ofItems(succeeded, total)} succeeded; at least ${minSuccess} must.`
    : undefined;
}

type Tolerance = NonNullable<MapShape["tolerate"]>;

function toleratedCount(tolerate: Tolerance, total: number): number {
  // In floating point 0.29 of 100 is a little less than 29, which must not fail the 29th.
  return "count" in tolerate ? tolerate.count : Math.floor(tolerate.share * total + 1e-9);
}

function describeTolerance(tolerate: Tolerance, total: number): string {
  const count = toleratedCount(tolerate, total);
  if ("count" in tolerate) return `${count}`;
  return `${Number((tolerate.share * 100).toFixed(6))}% (${count})`;
}

function ofItems(count: number, total: number): string {
  return `${count} of ${total} item${total === 1 ? "" : "s"}`;
}

/** Watches final endings of items for a `stopAfter` rule. */
export interface StopWatch {
  /** Why the map stops, as `10 items failed in a row`; null: it does not. Once there, it stays. */
  readonly reason: string | null;
  /** Notes one more item that ended for good. */
  note(failed: boolean): void;
}

/**
 * Makes the watch. `inARow`: so many failures without a success between them. `share` of the last `of`:
 * judged once so many items have ended.
 */
export function makeStopAfter(rule: StopAfter): StopWatch {
  const judge = "inARow" in rule ? makeRow(rule.inARow) : makeWindow(rule.share, rule.of);
  let reason: string | null = null;
  return {
    get reason() {
      return reason;
    },
    note(failed) {
      const piled = judge(failed);
      reason ??= piled;
    },
  };
}

type Judge = (failed: boolean) => string | null;

function makeRow(length: number): Judge {
  let inARow = 0;
  return (failed) => {
    inARow = failed ? inARow + 1 : 0;
    if (inARow < length) return null;
    return length === 1 ? "an item failed" : `${length} items failed in a row`;
  };
}

function makeWindow(share: number, size: number): Judge {
  const ring: boolean[] = [];
  let next = 0;
  let failures = 0;
  return (failed) => {
    if (ring[next] === true) failures -= 1;
    if (failed) failures += 1;
    ring[next] = failed;
    next = (next + 1) % size;
    const isPiled = ring.length === size && failures >= share * size - 1e-9;
    return isPiled ? `${failures} of the last ${size} items failed` : null;
  };
}
