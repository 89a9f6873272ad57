import assert from "node:assert/strict";
import { test } from "vitest";
import { isMillraceError } from "./errors.ts";
import { STAGE_STATES, type StageState } from "./outcome.ts";
import { RUN_STATES, type RunState } from "./run.ts";
import { canMoveRun, canMoveStage, moveRun, moveStage } from "./transition.ts";

// Written down a second time on purpose: from the documents, not from the code.
const RUN_MOVES: readonly `${RunState} ${RunState}`[] = [
  "queued running",
  "queued waiting",
  "queued failed",
  "queued skipped",
  "queued cancelled",
  "running waiting",
  "running queued",
  "running succeeded",
  "running failed",
  "running skipped",
  "running cancelled",
  "waiting queued",
  "waiting running",
  "waiting failed",
  "waiting skipped",
  "waiting cancelled",
  "failed queued",
  "failed running",
  "cancelled queued",
  "cancelled running",
];

const STAGE_MOVES: readonly `${StageState} ${StageState}`[] = [
  "pending running",
  "pending waiting",
  "pending succeeded",
  "pending skipped",
  "pending upstream_failed",
  "pending failed",
  "pending cancelled",
  "running waiting",
  "running pending",
  "running succeeded",
  "running failed",
  "running cancelled",
  "running skipped",
  // A map that follows another one item by item.
  "running upstream_failed",
  "waiting running",
  "waiting failed",
  "waiting cancelled",
  "waiting skipped",
  "failed pending",
  "cancelled pending",
  "upstream_failed pending",
  "succeeded pending",
  "skipped pending",
];

test("the moves are those of the documents, and no others", () => {
  const moves = <S extends string>(states: readonly S[], can: (from: S, to: S) => boolean) =>
    states.flatMap((from) => states.flatMap((to) => (can(from, to) ? [`${from} ${to}`] : [])));
  assert.deepEqual(moves(RUN_STATES, canMoveRun).toSorted(), RUN_MOVES.toSorted());
  assert.deepEqual(moves(STAGE_STATES, canMoveStage).toSorted(), STAGE_MOVES.toSorted());
});

test("R187: an illegal move of a run is refused and names both states", () => {
  for (const from of RUN_STATES) {
    for (const to of RUN_STATES) {
      if (canMoveRun(from, to)) assert.equal(moveRun(from, to), to);
      else assert.throws(() => moveRun(from, to), namesBoth(from, to));
    }
  }
  assert.equal(canMoveRun("succeeded", "running"), false);
  assert.equal(canMoveRun("skipped", "queued"), false);
  assert.equal(canMoveRun("failed", "queued"), true);
});

test("R187: an illegal move of a stage or item is refused and names both states", () => {
  for (const from of STAGE_STATES) {
    for (const to of STAGE_STATES) {
      if (canMoveStage(from, to)) assert.equal(moveStage(from, to), to);
      else assert.throws(() => moveStage(from, to), namesBoth(from, to));
    }
  }
  assert.equal(canMoveStage("failed", "succeeded"), false);
  assert.equal(canMoveStage("upstream_failed", "pending"), true);
});

test("no state of a run moves to itself, and only failed and cancelled runs are opened again", () => {
  for (const state of RUN_STATES) assert.equal(canMoveRun(state, state), false);
  const reopened = RUN_STATES.filter((state) => canMoveRun(state, "running"));
  assert.deepEqual(reopened, ["queued", "waiting", "failed", "cancelled"]);
});

function namesBoth(from: string, to: string): (error: unknown) => boolean {
  return (error) =>
    isMillraceError(error) &&
    error.code === "RUN_MOVE_ILLEGAL" &&
    error.message.includes(`"${from}"`) &&
    error.message.includes(`"${to}"`);
}
