// Crashes of a run by who may have caused them: how a lost process is counted, who is poison, and what of the run
// is worked on apart from its worker from then on. Pure: stores keep the counts, the engine does the rest.

import type { CrashRecord, ItemRecord, StageRecord } from "../model/checkpoint.ts";
import type { PipelineDefinition, StageDefinition, NeedShape } from "../model/definition.ts";
import { CRASHES_MAX, ISOLATE_CRASHES_MIN } from "../model/limits.ts";
import type { Failure, StageState } from "../model/outcome.ts";
import { fingerprintOf } from "./failure.ts";

/** What may have taken its process along. */
export interface Suspect {
  readonly stage: string;
  /** Null: the stage itself. */
  readonly item: string | null;
  /** True: it ran alone, so that nothing else can have done it. */
  readonly isolated: boolean;
}

/** A process that was lost. */
export interface CrashFacts {
  /** Empty: nobody knows what was running. */
  readonly suspects: readonly Suspect[];
  /** Why, for people: `its process is gone`. */
  readonly reason: string;
  /** Claims lost in a row before this one. */
  readonly lostBefore: number;
}

/**
 * The counts of a run after a crash. A crash that names nobody is kept apart, and counts against who dies alone next,
 * while the run has made no progress since: it was most likely the same.
 */
export function countCrash(
  known: readonly CrashRecord[],
  { suspects, reason, lostBefore }: CrashFacts,
): readonly CrashRecord[] {
  if (suspects.length === 0) return addCrash(known, null, { crashes: 1, isolated: 0, reason });
  const unnamed = Math.min(findCrash(known, null)?.crashes ?? 0, lostBefore);
  const hasCulprit = suspects.some(({ isolated }) => isolated);
  let next = hasCulprit ? known.filter(({ stage }) => stage !== null) : known;
  for (const suspect of suspects) {
    const crashes = 1 + (suspect.isolated ? unnamed : 0);
    next = addCrash(next, suspect, { crashes, isolated: suspect.isolated ? 1 : 0, reason });
  }
  return next;
}

type Subject = Pick<Suspect, "stage" | "item">;

function addCrash(
  known: readonly CrashRecord[],
  subject: Subject | null,
  added: Pick<CrashRecord, "crashes" | "isolated" | "reason">,
): readonly CrashRecord[] {
  const found = findCrash(known, subject);
  const { crashes, isolated, reason } = added;
  const record: CrashRecord = {
    stage: subject?.stage ?? null,
    item: subject?.item ?? null,
    crashes: (found?.crashes ?? 0) + crashes,
    isolated: (found?.isolated ?? 0) + isolated,
    reason,
  };
  return [...known.filter((one) => one !== found), record];
}

/** The count of a stage or item; null: of crashes that named nobody. */
export function findCrash(
  known: readonly CrashRecord[],
  subject: Subject | null,
): CrashRecord | undefined {
  return known.find(
    ({ stage, item }) => stage === (subject?.stage ?? null) && item === (subject?.item ?? null),
  );
}

/** True for what crashed so often that it is not started again; once at least it did so alone. */
export function isPoison(record: CrashRecord | undefined): record is CrashRecord {
  return record !== undefined && record.crashes >= CRASHES_MAX && record.isolated > 0;
}

/** The failure of what is poison. */
export function poisonFailure({ stage, item, crashes, reason }: CrashRecord): Failure {
  const what = item === null ? `"${stage ?? ""}"` : `item "${item}" of "${stage ?? ""}"`;
  const message = `${what} is not started again after ${crashes} crashes: ${reason}`;
  return {
    class: "poison",
    message,
    attempts: crashes,
    fingerprint: fingerprintOf("poison", undefined, message),
  };
}

/** What of a run is isolated. `suspects`: these, before the run goes on as usual. `everything`: all that is left. */
export type IsolationPlan =
  | { readonly kind: "suspects"; readonly suspects: readonly CrashRecord[] }
  | { readonly kind: "everything" };

/** How a run's stages and items stand, as far as it is asked. */
export interface KnownEnds {
  readonly stages: readonly Pick<StageRecord, "stage" | "state">[];
  readonly items: ReadonlyMap<string, readonly Pick<ItemRecord, "key" | "state">[]>;
}

/** Decides what is isolated; null: nothing. */
export function decideIsolation(
  run: { readonly crashes: number },
  checkpoints: KnownEnds & { readonly crashes: readonly CrashRecord[] },
): IsolationPlan | null {
  if (run.crashes < ISOLATE_CRASHES_MIN) return null;
  const suspects = checkpoints.crashes.filter((one) => isOpen(checkpoints, one));
  if (suspects.length > 0) return { kind: "suspects", suspects };
  const isUnnamed = findCrash(checkpoints.crashes, null) !== undefined;
  return isUnnamed ? { kind: "everything" } : null;
}

/** True for a stage or item whose end is not stored. */
export function isOpen(
  checkpoints: KnownEnds,
  subject: Pick<CrashRecord, "stage" | "item">,
): boolean {
  const { stage, item } = subject;
  if (stage === null) return false;
  const row = checkpoints.stages.find((one) => one.stage === stage);
  if (row !== undefined && isOver(row.state)) return false;
  if (item === null) return true;
  const known = checkpoints.items.get(stage)?.find(({ key }) => key === item);
  return known === undefined || !isOver(known.state);
}

function isOver(state: StageState): boolean {
  return state !== "pending" && state !== "running" && state !== "waiting";
}

/** What is asked of a pipeline. */
export interface ModuleStages extends Pick<PipelineDefinition, "module"> {
  readonly stages: readonly Pick<StageDefinition, "persist">[];
}

/**
 * True for a stage whose function can be called in another process: its module is known, and all that goes in and
 * out can be stored. A command has a process of its own.
 */
export function canLeaveProcess(
  definition: ModuleStages,
  stage: Pick<StageDefinition, "command" | "persist" | "needs">,
): boolean {
  if (definition.module === null || stage.command !== null || !stage.persist) return false;
  return stage.needs.every(({ shape }) => isStorable(definition, shape));
}

function isStorable(definition: ModuleStages, shape: NeedShape): boolean {
  switch (shape.kind) {
    case "provided":
      return false;
    case "input":
      return true;
    case "stage":
      return definition.stages[shape.stage]?.persist === true;
    case "list":
      return shape.parts.every((part) => isStorable(definition, part));
  }
}
