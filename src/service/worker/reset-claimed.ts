// Sets back in the store what a claimed run does again, before anything of it is written anew, and answers its
// checkpoints as they stand then. Failed endings stand, those of items too, where nothing above them is in doubt.

import type { ItemRecord, RunCheckpoints } from "../../model/checkpoint.ts";
import type { PipelineDefinition } from "../../model/definition.ts";
import type { RunRecord } from "../../model/run.ts";
import type { ResetPlan } from "../../policy/reuse.ts";
import type { ResetStage } from "../../storage/write.ts";
import type { MillContext } from "../mill-context.ts";

/** What was found of the run, and what is to become of it. */
export interface ClaimedRemains {
  readonly definition: PipelineDefinition;
  readonly checkpoints: RunCheckpoints;
  readonly plan: ResetPlan;
}

/** Sets stages and items back. What was lost to another owner meanwhile stays as it is. */
export async function resetClaimed(
  mill: MillContext,
  run: Pick<RunRecord, "id" | "epoch">,
  remains: ClaimedRemains,
): Promise<RunCheckpoints> {
  const of = { runId: run.id, epoch: run.epoch, events: [] };
  const stages = listResets(remains);
  const orphans = listOrphans(remains, stages);
  const writes = [...orphans].map(([stage, keys]) =>
    mill.committer.write({ kind: "drop-items", ...of, stage, keys }),
  );
  if (stages.length > 0) writes.push(mill.committer.write({ kind: "reset-stages", ...of, stages }));
  if (writes.length === 0) return remains.checkpoints;
  await Promise.all(writes);
  return toReset(remains.checkpoints, stages, orphans);
}

/** Items that ended with others, and not by themselves, in maps whose endings stand: they end with them again. */
function listOrphans(
  { checkpoints, plan }: ClaimedRemains,
  stages: readonly ResetStage[],
): ReadonlyMap<string, readonly string[]> {
  const isReset = new Set(stages.map(({ stage }) => stage));
  const found = new Map<string, readonly string[]>();
  for (const { stage, action } of plan.stages) {
    if (action !== "open" || isReset.has(stage)) continue;
    const items = checkpoints.items.get(stage) ?? [];
    const keys = items.flatMap(({ key, state }) =>
      state === "upstream_failed" || state === "cancelled" ? [key] : [],
    );
    if (keys.length > 0) found.set(stage, keys);
  }
  return found;
}

/** The checkpoints after these writes. */
function toReset(
  checkpoints: RunCheckpoints,
  stages: readonly ResetStage[],
  orphans: ReadonlyMap<string, readonly string[]>,
): RunCheckpoints {
  const items = new Map(checkpoints.items);
  for (const { stage, mode } of stages) {
    const found = items.get(stage);
    if (mode === "open" && found !== undefined) items.set(stage, found.map(toOpen));
  }
  for (const [stage, keys] of orphans) {
    const dropped = new Set(keys);
    items.set(
      stage,
      (items.get(stage) ?? []).filter(({ key }) => !dropped.has(key)),
    );
  }
  return { ...checkpoints, items };
}

function toOpen(item: ItemRecord): ItemRecord {
  const isOpened =
    item.state === "failed" ||
    item.state === "cancelled" ||
    item.state === "upstream_failed" ||
    item.state === "waiting";
  return isOpened ? { ...item, state: "pending" } : item;
}

/** What has to be set back in the store before anything of these stages is written again. */
function listResets({ definition, checkpoints, plan }: ClaimedRemains): readonly ResetStage[] {
  const resets: ResetStage[] = plan.vanished.map((stage) => ({ stage, mode: "drop" }));
  for (const { stage, position, action } of plan.stages) {
    const map = definition.stages[position]?.map ?? null;
    if (action === "drop") resets.push({ stage, mode: "drop" });
    else if (action === "recheck") resets.push({ stage, mode: map === null ? "keep" : "open" });
    else if (action === "open" && map !== null && isOver(checkpoints, stage))
      // An item of it was damaged.
      resets.push({ stage, mode: "open" });
    else if (action === "open" && map?.onItemFailure === "fail" && hasFailed(checkpoints, stage))
      // Its end was cut short: siblings that were to be cancelled may have run meanwhile.
      resets.push({ stage, mode: "open" });
  }
  return resets;
}

function isOver(checkpoints: RunCheckpoints, stage: string): boolean {
  return checkpoints.stages.some((row) => row.stage === stage && row.state === "succeeded");
}

function hasFailed(checkpoints: RunCheckpoints, stage: string): boolean {
  const items = checkpoints.items.get(stage) ?? [];
  return items.some(
    ({ state }) => state !== "succeeded" && state !== "skipped" && state !== "waiting",
  );
}
