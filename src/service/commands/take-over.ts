// Checkpoints that a new run gets from an earlier one: which, and in which form. What the store then really
// gave is read from the new run itself.

import type { StageRecord } from "../../model/checkpoint.ts";
import type { PipelineDefinition } from "../../model/definition.ts";
import type { Restored } from "../../engine/restore/restore.ts";
import { decideReset, type ResetPlan } from "../../policy/reuse.ts";
import type { ResetStage, TakenStage } from "../../storage/write.ts";
import type { MillContext } from "../mill-context.ts";
import { choose } from "../plan/plan-selection.ts";
import { findRun, runName } from "../queries/find-run.ts";
import { findSourceRun } from "../queries/run/find-source-run.ts";
import { checkCheckpoints, type CheckedCheckpoints } from "./check-checkpoints.ts";

/** Checkpoints of an earlier run. */
export interface TakeOver {
  /** Id of that run. */
  readonly from: string;
  readonly stages: readonly TakenStage[];
  readonly redo: Restored["redo"];
}

/** What a plan keeps of another run: whole stages, those to be compared first, and items. */
export function listTaken(definition: PipelineDefinition, plan: ResetPlan): readonly TakenStage[] {
  return plan.stages.flatMap(({ position, stage, action }): readonly TakenStage[] => {
    switch (action) {
      case "keep":
        return [{ stage, mode: "whole" }];
      case "recheck":
        // The items of a map are compared one by one.
        return [{ stage, mode: isMap(definition, position) ? "items" : "recheck" }];
      case "open":
        return [{ stage, mode: "items" }];
      case "drop":
        return [];
    }
  });
}

/** True if the stage at this position runs once per item. */
export function isMap(definition: PipelineDefinition, position: number): boolean {
  return (definition.stages[position]?.map ?? null) !== null;
}

/** Reasons of a plan, for people. */
export function listRedo(plan: ResetPlan): Restored["redo"] {
  return plan.stages.flatMap(({ stage, action, reason }) =>
    action === "keep" || reason === null ? [] : [{ stage, reason }],
  );
}

/** What a start with `from` or `only` is about. */
export interface Selection {
  readonly takeOver: TakeOver;
  /** Stages that run or are read; the others end `skipped` (`operator`). */
  readonly only: readonly string[];
}

/** What may be chosen. */
export interface SelectRequest {
  readonly definition: PipelineDefinition;
  readonly inputVersion: string;
  readonly options: {
    readonly from?: string;
    readonly only?: readonly string[];
    readonly skip?: readonly string[];
  };
}

/** Looks for what `from` and `only` need in the newest run with the same input; null where neither is asked. */
export async function selectTakeOver(
  mill: MillContext,
  { definition, options, inputVersion }: SelectRequest,
): Promise<Selection | null> {
  const { from, only, skip } = options;
  if (from === undefined && only === undefined) return null;
  const source = await findSourceRun(mill.store, definition.name, inputVersion);
  const records = source === undefined ? [] : await mill.store.listStages(source.id);
  const readable =
    only === undefined ? records : records.filter((one) => isReadable(definition, one));
  const { work, read } = choose(definition, {
    ...(from === undefined ? {} : { from }),
    ...(only === undefined ? {} : { only }),
    ...(skip === undefined ? {} : { skip }),
    records: { run: source === undefined ? "" : runName(source), stages: readable },
  });
  const id = source?.id ?? "";
  if (only !== undefined) {
    const stages = [...read].map((stage): TakenStage => ({ stage, mode: "whole" }));
    return { takeOver: { from: id, stages, redo: [] }, only };
  }
  const positions = definition.stages.flatMap(({ name }, index) => (work.has(name) ? [index] : []));
  const plan = decideReset(definition, records, { verb: "rerun", from: positions });
  const stages = listTaken(definition, plan).filter(({ stage }) => read.has(stage));
  const redo = listRedo(plan).filter(({ stage }) => work.has(stage) || read.has(stage));
  return { takeOver: { from: id, stages, redo }, only: [...work, ...read] };
}

/** Just the chosen stages run: an output that was not stored cannot be had. */
function isReadable(definition: PipelineDefinition, record: StageRecord): boolean {
  const stage = definition.stages[definition.positions.get(record.stage) ?? -1];
  return stage?.persist !== false || record.state === "skipped";
}

/** What the new run has got, to be brought back; what of it is damaged is set back in its store first. */
export async function readTakenOver(
  mill: MillContext,
  id: string,
  definition: PipelineDefinition,
): Promise<CheckedCheckpoints> {
  const run = await findRun(mill.store, id);
  const checkpoints = await mill.store.loadCheckpoints(id);
  const { only } = run.settings;
  const sound = await checkCheckpoints(mill, { run, definition, checkpoints }, (damaged) =>
    decideReset(definition, checkpoints.stages, {
      verb: "resume",
      damaged,
      ...(only === undefined ? {} : { only }),
    }),
  );
  if (sound.damaged > 0) {
    const stages = listDamaged(definition, sound);
    const { epoch } = run;
    await mill.committer.write({ kind: "reset-stages", runId: id, epoch, stages, events: [] });
  }
  return sound;
}

/** How stages are set back that were taken over as they were. */
function listDamaged(
  definition: PipelineDefinition,
  { checkpoints, plan }: CheckedCheckpoints,
): readonly ResetStage[] {
  const over = new Set(
    checkpoints.stages.flatMap(({ stage, state }) => (state === "succeeded" ? [stage] : [])),
  );
  return plan.stages.flatMap(({ stage, position, action }): readonly ResetStage[] => {
    const ofItems = isMap(definition, position);
    if (action === "drop") return [{ stage, mode: "drop" }];
    if (action === "recheck") return [{ stage, mode: ofItems ? "open" : "keep" }];
    return action === "open" && ofItems && over.has(stage) ? [{ stage, mode: "open" }] : [];
  });
}
