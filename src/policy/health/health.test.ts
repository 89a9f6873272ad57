import fc from "fast-check";
import { expect, test } from "vitest";
import { ERROR_CLASSES } from "../../model/outcome.ts";
import { HEALTH_VERDICTS, judgeHealth, mayStartAt, needsStages, type HealthRun } from "./health.ts";
import { sayInfrastructure } from "./infrastructure.ts";

let made = 0;

function runOf(state: HealthRun["state"], parts: Partial<HealthRun> = {}): HealthRun {
  made += 1;
  const defaults = { class: state === "failed" ? "server" : null, isForced: false } as const;
  return { id: `id-${made}`, name: `n${made}`, state, failedStages: [], ...defaults, ...parts };
}

const good = (): HealthRun => runOf("succeeded");
const bad = (...failedStages: readonly string[]): HealthRun => runOf("failed", { failedStages });

function verdictOf(...runs: readonly HealthRun[]): string {
  return judgeHealth(runs, null).verdict;
}

test("R244 R245: no history is healthy, and so are successes and skips", () => {
  expect(judgeHealth([], null)).toEqual({ verdict: "healthy", reasons: [], blockedBy: null });
  expect(verdictOf(good(), runOf("skipped"), good())).toBe("healthy");
});

test("R244: the last run alone blocks: what it stands on broke, or it was taken by force", () => {
  const crashed = runOf("failed", { class: "crash" });
  const forced = runOf("cancelled", { isForced: true });

  expect(judgeHealth([crashed, good()], null)).toEqual({
    verdict: "blocked",
    reasons: [{ text: `its process died during ${crashed.name} (crash)`, runs: [crashed.name] }],
    blockedBy: crashed.id,
  });
  expect(judgeHealth([forced], null)).toMatchObject({
    verdict: "blocked",
    reasons: [{ text: `${forced.name} was taken from its process by force` }],
  });
  expect(verdictOf(good(), crashed)).toBe("healthy");
  expect(verdictOf(good(), forced)).toBe("healthy");
});

test("R246: classes decide what blocks, and these alone do", () => {
  const blocking = ERROR_CLASSES.filter(
    (name) => verdictOf(runOf("failed", { class: name })) === "blocked",
  );

  expect(blocking).toEqual([
    "data-loss",
    "db-away",
    "db-full",
    "local-resource",
    "crash",
    "poison",
  ]);
  expect(ERROR_CLASSES.filter((name) => sayInfrastructure(name) !== null)).toEqual(blocking);
});

test("R244: three of the last five that failed are unstable, wherever they stand", () => {
  expect(verdictOf(good(), bad(), bad(), good(), bad())).toBe("unstable");
  expect(verdictOf(good(), bad(), bad(), good(), good(), bad())).toBe("healthy");
  expect(verdictOf(bad(), good(), bad(), bad())).toBe("unstable");
  const judged = judgeHealth([bad("a"), good(), bad("b"), bad("c")], null);
  expect(judged.reasons[0]?.text).toBe("3 of the last 4 runs failed");
  expect(judged.reasons[0]?.runs).toHaveLength(3);
});

test("R244: the last two are degraded where they failed at a stage they share", () => {
  const [last, before] = [bad("score", "save"), bad("fetch", "score")];
  expect(judgeHealth([last, before, good()], null)).toEqual({
    verdict: "degraded",
    reasons: [{ text: "score failed in the last 2 runs", runs: [last.name, before.name] }],
    blockedBy: null,
  });
  expect(verdictOf(bad("a"), bad("b"))).toBe("healthy");
  expect(verdictOf(good(), bad("a"), bad("a"))).toBe("healthy");
  expect(
    judgeHealth([bad("a", "b", "c", "d"), bad("a", "b", "c", "d")], null).reasons[0]?.text,
  ).toBe("a, b, c and 1 more failed in the last 2 runs");
});

test("R245: cancelled runs take their places and are no failures", () => {
  expect(verdictOf(runOf("cancelled"), bad("a"), bad("a"))).toBe("healthy");
  expect(verdictOf(bad("a"), runOf("cancelled"), bad("a"))).toBe("healthy");
  expect(verdictOf(bad(), bad(), runOf("cancelled"), runOf("cancelled"), good(), bad())).toBe(
    "healthy",
  );
});

test("R248: a run that was acknowledged blocks no more, and what else is wrong still counts", () => {
  const crashed = runOf("failed", { class: "crash", failedStages: ["a"] });
  const other = runOf("failed", { class: "crash" });

  expect(judgeHealth([crashed], crashed.id)).toMatchObject({ verdict: "healthy", blockedBy: null });
  expect(judgeHealth([crashed, bad("a")], crashed.id).verdict).toBe("degraded");
  expect(judgeHealth([other, crashed], crashed.id).verdict).toBe("blocked");
});

test("the first match gives the verdict, and the others stay as further reasons", () => {
  const crashed = runOf("failed", { class: "crash", failedStages: ["a"] });
  const judged = judgeHealth([crashed, bad("a"), bad("b")], null);

  expect(judged.verdict).toBe("blocked");
  expect(judged.reasons).toHaveLength(3);
});

test("R247 R248: who may start what", () => {
  const table = HEALTH_VERDICTS.map((verdict) => [
    verdict,
    mayStartAt(verdict, "scheduled", false),
    mayStartAt(verdict, "scheduled", true),
    mayStartAt(verdict, "manual", false),
    mayStartAt(verdict, "manual", true),
  ]);

  expect(table).toEqual([
    ["healthy", true, true, true, true],
    ["degraded", false, false, false, true],
    ["unstable", false, false, false, true],
    ["blocked", false, false, false, false],
  ]);
});

const anyRun = fc
  .record({
    state: fc.constantFrom<HealthRun["state"][]>("succeeded", "failed", "skipped", "cancelled"),
    isForced: fc.boolean(),
    class: fc.constantFrom(...ERROR_CLASSES),
    failedStages: fc.subarray(["a", "b", "c"]),
  })
  .map(({ state, ...parts }) =>
    runOf(state, { ...parts, class: state === "failed" ? parts.class : null }),
  );

test("a verdict says why exactly where it is not healthy, and rests on the last ten alone", () => {
  fc.assert(
    fc.property(fc.array(anyRun, { maxLength: 14 }), (runs) => {
      const judged = judgeHealth(runs, null);
      expect(judged.reasons.length > 0).toBe(judged.verdict !== "healthy");
      expect(judged.blockedBy !== null).toBe(judged.verdict === "blocked");
      expect(judgeHealth(runs.slice(0, 10), null)).toEqual(judged);
      if (judged.verdict === "degraded") expect(needsStages(runs)).toBe(true);
      if (!runs.some(({ state, isForced }) => state === "failed" || isForced))
        expect(judged.verdict).toBe("healthy");
    }),
  );
});
