// What may happen to the rows of a run's stages and items, as pure functions that all stores share: legal
// moves, what a reset leaves, what another run's checkpoints become.

import { canMoveStage } from "../model/transition.ts";
import type { ItemRecord, StageRecord } from "../model/checkpoint.ts";
import type { StageState } from "../model/outcome.ts";
import type { ResetStage } from "./write.ts";

/** The states in which nothing more happens unless a claim resets them. */
export const STAGE_END_STATES: readonly StageState[] = [
  "succeeded",
  "failed",
  "skipped",
  "cancelled",
  "upstream_failed",
];

/** The states of items that a stage's `open` reset sets back: a wait is not spent when somebody asks to try again. */
export const REOPENED_ITEM_STATES: readonly StageState[] = [
  "waiting",
  "failed",
  "cancelled",
  "upstream_failed",
];

/** The states of items that are brought back with a run: those that ended, that wait, or whose start is recorded. */
export const KNOWN_ITEM_STATES: readonly StageState[] = [...STAGE_END_STATES, "waiting", "running"];

/** True for the states that end a stage or item. */
export function isStageOver(state: StageState): boolean {
  return STAGE_END_STATES.includes(state);
}

/**
 * Why a row cannot become `to`, in a sentence that names both states; undefined when it can. No row counts as
 * pending, and the start of an attempt may be implied, since it is seldom stored.
 */
export function refuseStageMove(
  subject: string,
  from: StageState | undefined,
  to: StageState,
): string | undefined {
  const known = from ?? "pending";
  // Nearly every write of a run is this one.
  if (known === "pending" && to === "succeeded") return undefined;
  if (!isStageOver(known)) {
    if (known === to || canMoveStage(known, to)) return undefined;
    if (canMoveStage(known, "running") && canMoveStage("running", to)) return undefined;
  }
  return `${subject} cannot move from "${known}" to "${to}".`;
}

/** A stage's row after `open` or `keep`. */
export function reopenStage(record: StageRecord, mode: ResetStage["mode"]): StageRecord {
  if (mode === "keep") return { ...record, state: "pending" };
  return {
    ...withoutWait(record),
    ...REOPENED,
    cpuMs: null,
    peakBytes: null,
  };
}

/** An item's row after the `open` reset of its stage. */
export function reopenItem(record: ItemRecord): ItemRecord {
  return REOPENED_ITEM_STATES.includes(record.state)
    ? { ...withoutWait(record), ...REOPENED }
    : record;
}

function withoutWait<T extends StageRecord | ItemRecord>(record: T): Omit<T, "history" | "trail"> {
  const { history, trail, ...others } = record;
  return history === undefined && trail === undefined ? record : others;
}

const REOPENED = {
  state: "pending",
  via: null,
  attempts: 0,
  reason: null,
  failure: null,
  metrics: {},
  waitedMs: {},
  dueAtMs: null,
  blocker: null,
  startedAtMs: null,
  endedAtMs: null,
  durationMs: null,
} as const;

/** True if another run may take this stage over whole. */
export function isTakeable(state: StageState): boolean {
  return state === "succeeded" || state === "skipped";
}

/** The same row in the run that takes it over. */
export function takenOver<T extends StageRecord | ItemRecord>(record: T): T {
  return record.state === "succeeded" ? { ...record, via: "checkpoint" } : record;
}
