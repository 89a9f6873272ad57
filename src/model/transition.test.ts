import assert from "node:assert/strict";
import { test } from "vitest";
import { isMillraceError } from "./errors.ts";
import { STAGE_STATES } from "./outcome.ts";
import { RUN_STATES } from "./run.ts";
import { canMoveRun, canMoveStage, moveRun, moveStage } from "./transition.ts";

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
