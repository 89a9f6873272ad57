// After a critical failure: whatever has not started ends now. Readers of the failed stage are
// `upstream_failed` and name it; the rest is `cancelled`. Stages under a rule that bears failures stay, with
// what depends only on them.

import type { TriggerRule } from "../model/stage/trigger.ts";
import { findFailedNeed, upstreamFailed } from "./judge.ts";
import type { RunCore } from "./run-core.ts";
import type { StageLedger } from "./ledger/stage-ledger.ts";
import { isEnded, type StageRun } from "./stage-run.ts";

const TOLERANT: readonly TriggerRule[] = ["all_done", "all_failed", "one_failed"];

/** True where a critical stage has failed for good. */
export function hasLost(core: RunCore): boolean {
  return core.stages.some(
    ({ state, settled, definition }) => settled && state === "failed" && definition.critical,
  );
}

/** What can be told about and done to map stages that are under way. */
export interface MapHalter {
  /** Running items finish, the others are cancelled; false if no items are under way. */
  halt(stageRun: StageRun, reason: string): boolean;
}

/** Ends every stage that has not started and does not tolerate failures. */
export function cancelPending(core: RunCore, ledger: StageLedger, maps: MapHalter): void {
  const { graph } = core.definition;
  const order = core.stages.toSorted(
    (a, b) => (graph.depths[a.index] ?? 0) - (graph.depths[b.index] ?? 0),
  );
  const stays = new Set<number>();
  for (const stageRun of order) {
    const needs = graph.needs[stageRun.index] ?? [];
    const afterTolerant = needs.length > 0 && needs.every((need) => stays.has(need));
    if (TOLERANT.includes(stageRun.definition.trigger) || afterTolerant) {
      stays.add(stageRun.index);
      stageRun.isSpared = true;
      continue;
    }
    endIfOpen(core, stageRun, { ledger, maps });
  }
}

function endIfOpen(
  core: RunCore,
  stageRun: StageRun,
  hands: { readonly ledger: StageLedger; readonly maps: MapHalter },
): void {
  if (isEnded(stageRun) || stageRun.state === "running") {
    if (!isEnded(stageRun)) hands.maps.halt(stageRun, "fail_fast");
    return;
  }
  const failed = findFailedNeed(core, stageRun);
  if (failed !== undefined) hands.ledger.endStage(stageRun, upstreamFailed(core, failed));
  else hands.ledger.endStage(stageRun, { state: "cancelled", reason: "fail_fast" });
}
