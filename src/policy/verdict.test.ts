import fc from "fast-check";
import { expect, test } from "vitest";
import { decideVerdict, type StageVerdictInput, type VerdictInput } from "./verdict.ts";

function stageOf(
  state: StageVerdictInput["state"],
  parts: Partial<StageVerdictInput> = {},
): StageVerdictInput {
  return { state, critical: true, toleratedItems: 0, ...parts };
}

function verdictOf(
  stages: readonly StageVerdictInput[],
  parts: Partial<VerdictInput> = {},
): ReturnType<typeof decideVerdict> {
  return decideVerdict({
    cancelled: false,
    deadlineHit: false,
    crashLimit: false,
    stages,
    ...parts,
  });
}

const mild = { critical: false };

test("a critical stage that failed fails the run, however green the rest", () => {
  expect(verdictOf([stageOf("succeeded"), stageOf("failed"), stageOf("succeeded")])).toEqual({
    state: "failed",
    warnings: 0,
  });
});

test("a stage that is not critical only warns", () => {
  expect(verdictOf([stageOf("succeeded"), stageOf("failed", mild)])).toEqual({
    state: "succeeded",
    warnings: 1,
  });
});

test("deadline and crash limit fail the run; a cancel comes before both", () => {
  const stages = [stageOf("succeeded"), stageOf("failed")];
  expect(verdictOf([stageOf("succeeded")], { deadlineHit: true }).state).toBe("failed");
  expect(verdictOf([stageOf("succeeded")], { crashLimit: true }).state).toBe("failed");
  const all = { cancelled: true, deadlineHit: true, crashLimit: true };
  expect(verdictOf(stages, all).state).toBe("cancelled");
});

test("a run in which nothing succeeded and something was skipped is skipped", () => {
  expect(verdictOf([stageOf("skipped")]).state).toBe("skipped");
  expect(verdictOf([stageOf("skipped"), stageOf("failed", mild)])).toEqual({
    state: "skipped",
    warnings: 1,
  });
  expect(verdictOf([stageOf("skipped"), stageOf("succeeded")]).state).toBe("succeeded");
  expect(verdictOf([]).state).toBe("succeeded");
  expect(verdictOf([stageOf("failed", mild)]).state).toBe("succeeded");
});

test("what stands behind a mild failure warns too, critical or not, and decides nothing", () => {
  const stages = [stageOf("succeeded"), stageOf("failed", mild), stageOf("upstream_failed")];
  expect(verdictOf(stages)).toEqual({ state: "succeeded", warnings: 2 });
});

test("what stands behind a critical failure is no warning; where both are, the caller says which", () => {
  const stages = [stageOf("failed"), stageOf("upstream_failed")];
  expect(verdictOf(stages)).toEqual({ state: "failed", warnings: 0 });
  const told = [
    ...stages,
    stageOf("failed", mild),
    stageOf("upstream_failed", { behindCritical: false }),
  ];
  expect(verdictOf(told).warnings).toBe(2);
});

test("tolerated items are warnings one by one", () => {
  expect(verdictOf([stageOf("succeeded", { toleratedItems: 3 })])).toEqual({
    state: "succeeded",
    warnings: 3,
  });
});

test("the order of stages does not matter, and stages that succeeded or were cancelled never warn", () => {
  const stage = fc.record({
    state: fc.constantFrom("succeeded", "failed", "skipped", "cancelled", "upstream_failed"),
    critical: fc.boolean(),
    toleratedItems: fc.nat(5),
  });
  fc.assert(
    fc.property(fc.array(stage, { maxLength: 6 }), (stages) => {
      expect(verdictOf(stages.toReversed())).toEqual(verdictOf(stages));
      const quiet = [stageOf("succeeded"), stageOf("cancelled")];
      expect(verdictOf([...stages, ...quiet]).warnings).toBe(verdictOf(stages).warnings);
    }),
  );
});
