// The one table of legal moves, and the functions that make them. A move that is not listed is refused with
// both states in the message; stores repeat the from-state and the epoch in their predicates.

import type { StageState } from "./outcome.ts";
import type { RunState } from "./run.ts";
import { MillraceError } from "./errors.ts";

const RUN_MOVES: Readonly<Record<RunState, readonly RunState[]>> = {
  queued: ["running", "waiting", "failed", "skipped", "cancelled"],
  running: ["queued", "waiting", "succeeded", "failed", "skipped", "cancelled"],
  waiting: ["queued", "running", "failed", "skipped", "cancelled"],
  succeeded: [],
  failed: ["queued", "running"], // by resume alone, under the next epoch
  skipped: [],
  cancelled: ["queued", "running"], // by resume alone, under the next epoch
};

const STAGE_MOVES: Readonly<Record<StageState, readonly StageState[]>> = {
  pending: ["running", "waiting", "succeeded", "skipped", "upstream_failed", "failed", "cancelled"],
  // `upstream_failed`: only a map that follows another one item by item is running when that one fails.
  running: ["waiting", "pending", "succeeded", "failed", "cancelled", "skipped", "upstream_failed"],
  waiting: ["running", "failed", "cancelled", "skipped"],
  succeeded: ["pending"], // downstream of something redone
  skipped: ["pending"],
  failed: ["pending"], // by resume alone
  cancelled: ["pending"],
  upstream_failed: ["pending"],
};

/** True if a run may move so. */
export function canMoveRun(from: RunState, to: RunState): boolean {
  return RUN_MOVES[from].includes(to);
}

/** True if a stage or item may move so. */
export function canMoveStage(from: StageState, to: StageState): boolean {
  return STAGE_MOVES[from].includes(to);
}

/** The move of a run; RUN_MOVE_ILLEGAL naming both states where it is not in the table. */
export function moveRun(from: RunState, to: RunState): RunState {
  if (!canMoveRun(from, to)) {
    throw new MillraceError("RUN_MOVE_ILLEGAL", `A run cannot move from "${from}" to "${to}".`, {
      hint: legalMoves(RUN_MOVES[from]),
      details: { from, to },
    });
  }
  return to;
}

/** The move of a stage or item; RUN_MOVE_ILLEGAL naming both states where it is not in the table. */
export function moveStage(from: StageState, to: StageState): StageState {
  if (!canMoveStage(from, to)) {
    throw new MillraceError("RUN_MOVE_ILLEGAL", `A stage cannot move from "${from}" to "${to}".`, {
      hint: legalMoves(STAGE_MOVES[from]),
      details: { from, to },
    });
  }
  return to;
}

/** Every legal move of runs, for documents and tests. */
export function listRunMoves(): Readonly<Record<RunState, readonly RunState[]>> {
  return RUN_MOVES;
}

/** Every legal move of stages and items, for documents and tests. */
export function listStageMoves(): Readonly<Record<StageState, readonly StageState[]>> {
  return STAGE_MOVES;
}

function legalMoves(states: readonly string[]): string {
  return states.length === 0
    ? "This state is final; `rerun` makes a new run."
    : `From here it may become ${states.map((state) => `"${state}"`).join(", ")}.`;
}
