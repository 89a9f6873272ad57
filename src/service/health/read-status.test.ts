import { expect, test } from "vitest";
import type { RunRecord } from "../../model/run.ts";
import { decideStatus } from "./read-status.ts";

type Open = Pick<RunRecord, "state" | "reason" | "number" | "startedAtMs">;

function openRun(parts: Partial<Open>): Open {
  return { state: "waiting", reason: null, number: 2, startedAtMs: 1, ...parts };
}

test("R190: without open runs the last one decides", () => {
  expect(decideStatus([], null)).toBe("idle");
  const ends = (["succeeded", "skipped", "cancelled", "failed"] as const).map((state) =>
    decideStatus([], { state, number: 1 }),
  );
  expect(ends).toEqual(["idle", "idle", "stopped", "error"]);
});

test("R190: what is worked on, or waits for what clears by itself, is running", () => {
  const failed = { state: "failed", number: 9 } as const;

  expect(decideStatus([openRun({ state: "running" })], failed)).toBe("running");
  expect(decideStatus([openRun({ reason: "retry" })], failed)).toBe("running");
  expect(decideStatus([openRun({ reason: "due", startedAtMs: null })], failed)).toBe("error");
});

test("a run that was interrupted stops its pipeline until a later one has ended", () => {
  const interrupted = openRun({ reason: "interrupted", number: 5 });

  expect(decideStatus([interrupted], null)).toBe("stopped");
  expect(decideStatus([interrupted], { state: "succeeded", number: 4 })).toBe("stopped");
  expect(decideStatus([interrupted], { state: "succeeded", number: 6 })).toBe("idle");
});
