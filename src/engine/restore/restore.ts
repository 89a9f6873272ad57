// Brings back what an earlier epoch, or another run, has done: kept stages are finished before driving begins,
// rechecked ones wait to be compared with what they would be made from now, items are handed to their maps.

import type { ItemRecord, RunCheckpoints, StageRecord } from "../../model/checkpoint.ts";
import type { ResetPlan } from "../../policy/reuse.ts";
import { ItemKeys } from "../map/item-keys.ts";
import { MapItems } from "../map/map-items.ts";
import type { RunCore } from "../run-core.ts";
import type { StageRun } from "../stage-run.ts";

/** What was brought back. */
export interface Restored {
  readonly keptStages: number;
  readonly keptItems: number;
  readonly redo: readonly { readonly stage: string; readonly reason: string }[];
}

/** Stands for the `inputVersion` of an item whose output cannot be read any more: it fits nothing, so that the item
 *  is done again. */
export const DAMAGED_VERSION = "damaged";

/** What `restoreRun` will bring back, before anything is claimed. */
export function foreseeRestored(checkpoints: RunCheckpoints, plan: ResetPlan): Restored {
  const records = new Map(checkpoints.stages.map((record) => [record.stage, record]));
  let keptStages = 0;
  let keptItems = 0;
  const redo: { stage: string; reason: string }[] = [];
  for (const { stage, action, reason } of plan.stages) {
    const record = records.get(stage);
    if (action === "keep" && record?.state === "succeeded") keptStages += 1;
    if (action !== "keep" && reason !== null) redo.push({ stage, reason });
    if (action === "drop") continue;
    const items = checkpoints.items.get(stage) ?? [];
    keptItems += items.filter(isKept).length;
  }
  return { keptStages, keptItems, redo };
}

function isKept({ state, inputVersion }: ItemRecord): boolean {
  return state === "succeeded" && inputVersion !== DAMAGED_VERSION;
}

/** Stages that have items which did not succeed, for `decideReset`. */
export function listUnfinished(checkpoints: RunCheckpoints): ReadonlySet<string> {
  const found = new Set<string>();
  for (const [stage, items] of checkpoints.items) {
    if (items.some(({ state }) => state !== "succeeded" && state !== "skipped")) found.add(stage);
  }
  return found;
}

/** How far restoring goes. */
export interface RestoreOptions {
  /** True: failures and cancellations too, to read a run that has ended, or to go on with one unasked. Default
   *  false: what succeeded or was skipped. */
  readonly everyEnding?: boolean;
}

/** What there is to bring back, and what is to become of it. */
export interface Kept {
  readonly checkpoints: RunCheckpoints;
  readonly plan: ResetPlan;
}

/** Applies checkpoints to a core before it is driven. */
export function restoreRun(core: RunCore, kept: Kept, options: RestoreOptions = {}): Restored {
  const { checkpoints, plan } = kept;
  core.keepsFailures = options.everyEnding === true;
  const records = new Map(checkpoints.stages.map((record) => [record.stage, record]));
  for (const { position, stage, action } of plan.stages) {
    const stageRun = core.stageAt(position);
    const record = records.get(stage);
    const items = checkpoints.items.get(stage) ?? [];
    if (action === "drop") continue;
    if (record !== undefined && action === "keep" && (options.everyEnding || isFinal(record))) {
      restoreStage(core, stageRun, { record, items });
      continue;
    }
    stageRun.candidate = record ?? null;
    // Also without a row of the stage: a list that is read bit by bit is not stored before its end.
    if (stageRun.definition.map !== null) core.keepItemCheckpoints(stage, items);
  }
  restoreState(core, checkpoints, plan);
  return foreseeRestored(checkpoints, plan);
}

function isFinal(record: StageRecord): boolean {
  return record.state === "succeeded" || record.state === "skipped";
}

function restoreStage(
  core: RunCore,
  stageRun: StageRun,
  found: { readonly record: StageRecord; readonly items: readonly ItemRecord[] },
): void {
  const { record } = found;
  takeRecord(stageRun, record);
  stageRun.state = record.state;
  stageRun.settled = true;
  stageRun.via = record.state === "succeeded" ? "checkpoint" : null;
  stageRun.reason = record.reason;
  stageRun.failure = record.failure;
  // Without a count its list was never known: it was skipped, or failed before.
  if (record.itemCount !== null) {
    stageRun.map = restoreItems(stageRun, found.items, record.itemCount);
    for (const [index, failure] of stageRun.map.failures)
      core.noteError(stageRun, { failure, index });
  }
  const { state, failure } = stageRun;
  if (state === "failed" && failure !== null) core.noteError(stageRun, { failure, index: null });
  for (const reader of core.definition.graph.readers[stageRun.index] ?? []) {
    const below = core.stageAt(reader);
    below.left -= 1;
    if (record.state !== "succeeded") below.unmet += 1;
  }
}

/** What a stage gave and took, as its row has it. */
export function takeRecord(stageRun: StageRun, record: StageRecord): void {
  stageRun.attempts = record.attempts;
  stageRun.stored = record.output;
  stageRun.text = record.output?.kind === "inline" ? record.output.text : null;
  stageRun.outputVersion = record.outputVersion;
  stageRun.inputVersion = record.inputVersion;
  stageRun.cpuMs = record.cpuMs;
  stageRun.peakBytes = record.peakBytes;
  stageRun.keptDurationMs = record.durationMs;
  const metrics = Object.entries(record.metrics);
  if (metrics.length > 0) stageRun.metrics = new Map(metrics);
}

function restoreItems(
  stageRun: StageRun,
  records: readonly ItemRecord[],
  itemCount: number,
): MapItems {
  const map = new MapItems(new ItemKeys(stageRun.definition.name, null), true);
  // What was cancelled before it began has no row, and its place is empty.
  const addMissing = (end: number): void => {
    while (map.size < end) map.move(map.add(undefined, ""), "cancelled");
  };
  for (const record of records.toSorted((a, b) => a.index - b.index)) {
    addMissing(record.index);
    map.takeOver(map.add(undefined, record.key), record);
  }
  addMissing(itemCount);
  map.closed = true;
  map.next = map.size;
  return map;
}

/** Entries of stages that are done again from nothing are not seen by anybody. */
function restoreState(core: RunCore, checkpoints: RunCheckpoints, plan: ResetPlan): void {
  const dropped = new Set(
    plan.stages.filter((one) => one.action === "drop").map((one) => one.stage),
  );
  core.restoreState(checkpoints.state.filter((entry) => !dropped.has(entry.stage)));
}
