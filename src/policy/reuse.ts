// Which checkpoints of a run still hold when it is resumed, or taken over into a rerun, and why not. Decides
// per stage; whether a rechecked stage was really made from the same inputs is known only once its needs have
// ended, so the engine compares `inputVersion` then.

import type { StageRecord } from "../model/checkpoint.ts";
import type { PipelineDefinition, StageDefinition } from "../model/definition.ts";
import { listDownstream, type Graph } from "../model/graph.ts";
import { assert } from "../std/error/assert.ts";

/**
 * What becomes of a stage. `keep`: its ending stands. `open`: to be done; what its items achieved stays.
 * `recheck`: judged again, and its checkpoint is used if its inputs turn out unchanged. `drop`: done again,
 * nothing of it is used.
 */
export type ResetAction = "keep" | "open" | "recheck" | "drop";

/** What is asked for. */
export interface ResetRequest {
  /** `rerun` without `from` takes nothing over; `continue` keeps every ending, because nobody asked for another;
   *  everything else keeps what succeeded. */
  readonly verb: "resume" | "rerun" | "rerun-failed" | "continue";
  /** Positions of the stages to do again with all that reads them. */
  readonly from?: readonly number[];
  /** Map stages that have items which did not succeed, whatever became of the stage. Default: none. */
  readonly unfinished?: ReadonlySet<string>;
  /** Stages that the run was started for: of the others nothing is judged again. Default: all. */
  readonly only?: readonly string[];
  /** Positions of stages that read the input, where that is another one after its schema. Default: none. */
  readonly stale?: readonly number[];
  /** Stages whose checkpoint, or that of an item, cannot be read any more: what becomes of them. Default: none. */
  readonly damaged?: ReadonlyMap<string, DamagedStage>;
}

/** What becomes of a damaged stage: `open` where only items of it are. */
export interface DamagedStage {
  readonly action: "open" | "drop";
  readonly reason: string;
}

/** The decision for one stage. */
export interface StageReset {
  readonly position: number;
  readonly stage: string;
  readonly action: ResetAction;
  /** Why, in words for people; null: nothing to say (kept, or simply not done yet). */
  readonly reason: string | null;
}

/** The decision for a run. */
export interface ResetPlan {
  /** In the order of the definition. */
  readonly stages: readonly StageReset[];
  /** Stages that have a record and are no longer in the definition: their records are dropped. */
  readonly vanished: readonly string[];
}

/** The part of a definition that the decision reads. */
export interface ResetDefinition extends Pick<PipelineDefinition, "graph" | "positions"> {
  readonly stages: readonly Pick<StageDefinition, "name" | "persist" | "stageVersion">[];
}

/** The part of a stage's record that the decision reads. */
export type ResetRecord = Pick<
  StageRecord,
  "stage" | "state" | "reason" | "output" | "stageVersion"
>;

/** Decides what a resume or rerun does with every stage. */
export function decideReset(
  definition: ResetDefinition,
  records: readonly ResetRecord[],
  request: ResetRequest,
): ResetPlan {
  const byStage = new Map(records.map((record) => [record.stage, record]));
  const only = request.only === undefined ? null : new Set(request.only);
  const cells = definition.stages.map((stage, position): Cell => {
    const record = byStage.get(stage.name);
    const isLeftOut = only?.has(stage.name) === false;
    // It ends skipped, and what was taken from below it was made without this run.
    const choice =
      isLeftOut && record === undefined
        ? { action: "keep" as const, reason: null }
        : chooseAlone(stage.stageVersion, record, request);
    return { position, name: stage.name, persist: stage.persist, record, isLeftOut, choice };
  });
  for (const position of request.stale ?? []) doubt(at(cells, position));
  for (const start of request.from ?? []) dropFrom(definition.graph, cells, start);
  spread(definition.graph, cells);
  return {
    stages: cells.map(({ position, name, choice }) => ({ position, stage: name, ...choice })),
    vanished: records.flatMap(({ stage }) => (definition.positions.has(stage) ? [] : [stage])),
  };
}

/** A stage while its decision is still being made. */
interface Cell {
  readonly position: number;
  readonly name: string;
  readonly persist: boolean;
  readonly record: ResetRecord | undefined;
  /** The run was started without it: what there is of it stands. */
  readonly isLeftOut: boolean;
  choice: Pick<StageReset, "action" | "reason">;
}

/** What a stage's own record says, its neighbours aside. */
function chooseAlone(
  stageVersion: string,
  record: ResetRecord | undefined,
  { verb, from, unfinished, damaged }: ResetRequest,
): Cell["choice"] {
  if (verb === "rerun" && from === undefined) {
    return { action: "drop", reason: "a rerun takes nothing over" };
  }
  if (record === undefined) return { action: "open", reason: null };
  if (isOperatorSkip(record)) return { action: "keep", reason: null };
  if (record.stageVersion !== stageVersion) {
    return { action: "drop", reason: "its version, needs or options changed" };
  }
  const damage = damaged?.get(record.stage);
  if (damage !== undefined) return damage;
  if (verb === "continue") {
    const isEnded = record.state === "succeeded" || OPEN_REASONS.has(record.state);
    return { action: isEnded || record.state === "skipped" ? "keep" : "open", reason: null };
  }
  const isSettled = record.state === "succeeded" || record.state === "skipped";
  if (isSettled && verb !== "rerun" && unfinished?.has(record.stage) === true)
    return { action: "open", reason: "some of its items failed" };
  if (isSettled) return { action: "keep", reason: null };
  return { action: "open", reason: OPEN_REASONS.get(record.state) ?? null };
}

const OPEN_REASONS: ReadonlyMap<string, string> = new Map([
  ["failed", "it failed"],
  ["cancelled", "it was cancelled"],
  ["upstream_failed", "a stage it needs failed"],
]);

/** People decided this one; no rule of ours takes that back. */
function isOperatorSkip(record: ResetRecord | undefined): boolean {
  return record?.state === "skipped" && record.reason === "operator";
}

/** Its checkpoint is compared with the input as it is now. */
function doubt(cell: Cell): void {
  if (cell.choice.action !== "keep" || isOperatorSkip(cell.record)) return;
  cell.choice = { action: "recheck", reason: "its input is another one after the schema" };
}

function dropFrom(graph: Graph, cells: readonly Cell[], start: number): void {
  const asked = at(cells, start);
  for (const position of listDownstream(graph, [start])) {
    const cell = at(cells, position);
    if (cell === asked) cell.choice = { action: "drop", reason: ASKED };
    else if (!isOperatorSkip(cell.record) && cell.choice.reason !== ASKED) {
      cell.choice = { action: "drop", reason: `it comes after "${asked.name}"` };
    }
  }
}

const ASKED = "asked by --from";

/** Carries every reset on: down to who read the old ending, up to what must be made again to be read. */
function spread(graph: Graph, cells: readonly Cell[]): void {
  const reset = cells.filter((cell) => cell.choice.action !== "keep");
  // Grows while it is walked: each stage enters once, when it stops being kept.
  for (const cell of reset) {
    for (const reader of at(graph.readers, cell.position).map((position) => at(cells, position))) {
      if (reader.choice.action !== "keep" || reader.isLeftOut) continue;
      if (isOperatorSkip(reader.record)) continue;
      reader.choice = {
        action: "recheck",
        reason: `it needs "${cell.name}", which is judged again`,
      };
      reset.push(reader);
    }
    for (const need of at(graph.needs, cell.position).map((position) => at(cells, position))) {
      if (!isUnstored(need)) continue;
      if (need.choice.action === "keep") reset.push(need);
      need.choice = {
        action: "drop",
        reason: `"${cell.name}" needs its output, which was not stored`,
      };
    }
  }
}

/** Not to be had although it succeeded, and not to be made again yet. */
function isUnstored({ persist, record, choice }: Cell): boolean {
  const isThere = persist || record?.state !== "succeeded" || record.output !== null;
  return !isThere && (choice.action === "keep" || choice.action === "recheck");
}

function at<T>(list: readonly T[], position: number): T {
  const found = list[position];
  assert(found !== undefined, `No stage has the position ${position}.`);
  return found;
}
