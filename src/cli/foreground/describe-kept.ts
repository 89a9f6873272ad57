// What a resumed run, or one that took results over, keeps and does again: said before the work begins. That
// what failed is done again goes without saying; that something is which had succeeded does not.

import type { StageState } from "../../model/outcome.ts";
import type { RunHandle } from "../../service/run-handle.ts";
import type { RunDetail } from "../../service/queries/show-run.ts";
import { showCountOf } from "../../std/shown/figures.ts";
import { oneLine } from "../../std/text.ts";

/**
 * `resuming crawl 7f3k: 3 stages and 9,961 items kept; 39 items and 1 stage to do`, after the stages that are
 * redone because they changed. Empty where nothing was brought back.
 * @param doing `resuming crawl 7f3k`.
 * @param before The run that the results come from, as it was before.
 */
export function describeKept(
  doing: string,
  handle: RunHandle,
  before: Pick<RunDetail, "run" | "stages">,
): readonly string[] {
  const { resumed, definition } = handle;
  if (resumed === undefined) return [];
  const kept = joinCounts(resumed.keptStages, resumed.keptItems);
  const openMaps = before.stages.filter(
    ({ items, state }) => items !== undefined && state !== "succeeded",
  ).length;
  const items = Math.max(0, before.run.items.total - resumed.keptItems);
  const stages = Math.max(
    0,
    definition.stages.length - resumed.keptStages - (items > 0 ? openMaps : 0),
  );
  const over = new Set(
    before.stages.filter(({ state }) => isGood(state)).map(({ stage }) => stage),
  );
  const redone = resumed.redo.filter(({ stage }) => over.has(stage));
  const redo = redone.map(({ stage, reason }) => `redo ${stage}: ${oneLine(reason)}`);
  const left = joinCounts(stages, items);
  return [
    ...redo,
    `${doing}: ${kept === "" ? "nothing" : kept} kept; ${left === "" ? "nothing" : left} to do`,
  ];
}

function isGood(state: StageState): boolean {
  return state === "succeeded" || state === "skipped";
}

function joinCounts(stages: number, items: number): string {
  return [
    ...(stages === 0 ? [] : [showCountOf(stages, "stage")]),
    ...(items === 0 ? [] : [showCountOf(items, "item")]),
  ].join(" and ");
}
