// Counts by state, as every document shows them: the total, and one number for each state of the thing that
// is counted.

import type { StageRecord, StateCounts } from "../../model/checkpoint.ts";
import { STAGE_STATES, type StageState } from "../../model/outcome.ts";

/** How many items are in each state; `total` is their sum. */
export type CountsView = { readonly total: number } & Readonly<Record<StageState, number>>;

/** Nothing counted. */
const NO_COUNTS: CountsView = toCounts({}, 0);

/**
 * Counts of a stage's items. Items that were not begun have no row, so the rest of `itemCount` is pending.
 * @param itemCount Length of the list; null while it is not known.
 */
export function toCounts(stored: StateCounts, itemCount: number | null): CountsView {
  const known = STAGE_STATES.reduce((sum, state) => sum + (stored[state] ?? 0), 0);
  const total = Math.max(known, itemCount ?? 0);
  const count = (state: StageState): number => stored[state] ?? 0;
  return {
    total,
    pending: count("pending") + (total - known),
    running: count("running"),
    waiting: count("waiting"),
    succeeded: count("succeeded"),
    failed: count("failed"),
    skipped: count("skipped"),
    cancelled: count("cancelled"),
    upstream_failed: count("upstream_failed"),
  };
}

/** Counts over all map stages of a run. */
export function sumItemCounts(
  stages: readonly Pick<StageRecord, "stage" | "itemCount">[],
  stored: ReadonlyMap<string, StateCounts>,
): CountsView {
  if (stages.length === 0 && stored.size === 0) return NO_COUNTS;
  const lengths = new Map(stages.map((stage) => [stage.stage, stage.itemCount]));
  const names = new Set([
    ...stored.keys(),
    ...stages.flatMap(({ stage, itemCount }) => (itemCount === null ? [] : [stage])),
  ]);
  return [...names].reduce<CountsView>(
    (sum, name) => addCounts(sum, toCounts(stored.get(name) ?? {}, lengths.get(name) ?? null)),
    NO_COUNTS,
  );
}

function addCounts(left: CountsView, right: CountsView): CountsView {
  const sum = { ...left, total: left.total + right.total };
  for (const state of STAGE_STATES) sum[state] = left[state] + right[state];
  return sum;
}
