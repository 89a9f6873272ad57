// Which checkpoints of a run still hold when it is resumed, or taken over into a rerun, and why not. Decides
// per stage; whether a rechecked stage was really made from the same inputs is known only once its needs have
// ended, so the engine compares `inputVersion` then.

import type { StageRecord } from "../model/checkpoint.ts";
import type { PipelineDefinition } from "../model/definition.ts";
import { listDownstream } from "../model/graph.ts";

/**
 * What becomes of a stage. `keep`: its ending stands. `open`: to be done; what its items achieved stays.
 * `recheck`: judged again, and its checkpoint is used if its inputs turn out unchanged. `drop`: done again,
 * nothing of it is used.
 */
export type ResetAction = "keep" | "open" | "recheck" | "drop";

/** What is asked for. */
export interface ResetRequest {
  /** `rerun` without `from` takes nothing over; everything else keeps what succeeded. */
  readonly verb: "resume" | "rerun" | "rerun-failed";
  /** Positions of the stages to do again with all that reads them. */
  readonly from?: readonly number[];
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
export type ResetDefinition = Pick<PipelineDefinition, "stages" | "graph" | "positions">;

interface Choice {
  readonly action: ResetAction;
  readonly reason: string | null;
}

/** Decides what a resume or rerun does with every stage. */
export function decideReset(
  definition: ResetDefinition,
  records: readonly StageRecord[],
  request: ResetRequest,
): ResetPlan {
  const byStage = new Map(records.map((record) => [record.stage, record]));
  const recordAt = definition.stages.map((stage) => byStage.get(stage.name));
  const choices = definition.stages.map((stage, position) =>
    chooseAlone(stage.stageVersion, recordAt[position], request),
  );
  dropFrom(definition, choices, { recordAt, from: request.from ?? [] });
  spread(definition, choices, recordAt);
  return {
    stages: definition.stages.map((stage, position) => ({
      position,
      stage: stage.name,
      ...(choices[position] ?? KEEP),
    })),
    vanished: records.flatMap(({ stage }) => (definition.positions.has(stage) ? [] : [stage])),
  };
}

const KEEP: Choice = { action: "keep", reason: null };

/** What a stage's own record says, its neighbours aside. */
function chooseAlone(
  stageVersion: string,
  record: StageRecord | undefined,
  { verb, from }: ResetRequest,
): Choice {
  if (verb === "rerun" && from === undefined) {
    return { action: "drop", reason: "a rerun takes nothing over" };
  }
  if (record === undefined) return { action: "open", reason: null };
  if (isOperatorSkip(record)) return KEEP;
  if (record.stageVersion !== stageVersion) {
    return { action: "drop", reason: "its version, needs or options changed" };
  }
  if (isSettled(record)) return KEEP;
  return { action: "open", reason: REASONS.get(record.state) ?? null };
}

const REASONS: ReadonlyMap<string, string> = new Map([
  ["failed", "it failed"],
  ["cancelled", "it was cancelled"],
  ["upstream_failed", "a stage it needs failed"],
]);

/** People decided this one; no rule of ours takes that back. */
function isOperatorSkip(record: StageRecord): boolean {
  return record.state === "skipped" && record.reason === "operator";
}

function isSettled(record: StageRecord): boolean {
  return record.state === "succeeded" || record.state === "skipped";
}

function dropFrom(
  { graph, stages }: ResetDefinition,
  choices: Choice[],
  { recordAt, from }: { recordAt: RecordAt; from: readonly number[] },
): void {
  for (const start of from) {
    for (const position of listDownstream(graph, [start])) {
      const record = recordAt[position];
      const isAsked = from.includes(position);
      if (!isAsked && record !== undefined && isOperatorSkip(record)) continue;
      const reason = isAsked ? "asked by --from" : `it comes after "${stages[start]?.name ?? ""}"`;
      choices[position] = { action: "drop", reason };
    }
  }
}

type RecordAt = readonly (StageRecord | undefined)[];

/** Carries every reset on: down to who read the old ending, up to what must be made again to be read. */
function spread(definition: ResetDefinition, choices: Choice[], recordAt: RecordAt): void {
  const { graph, stages } = definition;
  const isReset = (choice: Choice, position: number): readonly number[] =>
    choice.action === "keep" ? [] : [position];
  const reset = choices.flatMap(isReset);
  // Grows while it is walked: each stage enters once, when it stops being kept.
  for (const position of reset) {
    const name = stages[position]?.name ?? "";
    for (const reader of graph.readers[position] ?? []) {
      if (!isKept(choices[reader], recordAt[reader])) continue;
      choices[reader] = { action: "recheck", reason: `it needs "${name}", which is judged again` };
      reset.push(reader);
    }
    for (const need of graph.needs[position] ?? []) {
      if (!isUnstored(stages[need]?.persist, recordAt[need])) continue;
      const before = choices[need]?.action;
      if (before !== "keep" && before !== "recheck") continue;
      choices[need] = {
        action: "drop",
        reason: `"${name}" needs its output, which was not stored`,
      };
      if (before === "keep") reset.push(need);
    }
  }
}

function isKept(choice: Choice | undefined, record: StageRecord | undefined): boolean {
  return choice?.action === "keep" && record !== undefined && !isOperatorSkip(record);
}

function isUnstored(persist: boolean | undefined, record: StageRecord | undefined): boolean {
  return persist === false && record?.state === "succeeded" && record.output === null;
}
