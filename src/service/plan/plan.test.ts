import { expect, test } from "vitest";
import type { StageRecord } from "../../model/checkpoint.ts";
import { planPipeline, type Plan } from "./plan.ts";
import type { RunHistory } from "./plan-forecast.ts";
import type { PlanRecords } from "./plan-selection.ts";
import { definePipeline, type PipelineByIdOptions, type StageById } from "../pipeline.ts";

function make(stages: readonly StageById[], options: Partial<PipelineByIdOptions> = {}) {
  return definePipeline({ name: "planned", stages, ...options }).definition;
}

const run = (): number => 1;
const DIAMOND = make([
  { id: "a", run },
  { id: "b", needs: ["a"], run },
  { id: "c", needs: ["a"], run },
  { id: "d", needs: ["b", "c"], run },
]);

/** `a run, b skip` in the order of the plan. */
function wills(plan: Plan): string {
  return plan.stages.map(({ stage, will }) => `${stage} ${will}`).join(", ");
}

function reasonOf(plan: Plan, stage: string): string | undefined {
  return plan.stages.find((each) => each.stage === stage)?.reason;
}

/** A row as an earlier run left it. */
function record(
  definition: typeof DIAMOND,
  stage: string,
  change: Partial<StageRecord> = {},
): StageRecord {
  const position = definition.positions.get(stage) ?? -1;
  return {
    stage,
    state: "succeeded",
    via: "run",
    attempts: 1,
    output: { kind: "blob", blob: "0".repeat(64), bytes: 1 },
    outputVersion: "o",
    inputVersion: "i",
    stageVersion: definition.stages[position]?.stageVersion ?? "",
    reason: null,
    failure: null,
    metrics: {},
    waitedMs: {},
    dueAtMs: null,
    blocker: null,
    startedAtMs: 1,
    endedAtMs: 2,
    durationMs: 1,
    cpuMs: null,
    peakBytes: null,
    itemCount: null,
    ...change,
  };
}

function earlier(durationsMs: Readonly<Record<string, readonly number[]>>): RunHistory {
  const samples = Object.entries(durationsMs).map(
    ([stage, all]) => [stage, all.map((durationMs) => ({ durationMs, items: null }))] as const,
  );
  const runs = Math.max(...samples.map(([, all]) => all.length));
  return { runs, samples: new Map(samples), idle: new Map() };
}

function after(stages: readonly StageRecord[]): PlanRecords {
  return { run: "7f3k", stages };
}

test("waves show entry stages first, then each stage after its needs", () => {
  const plan = planPipeline(DIAMOND);

  expect(plan.waves).toEqual([["a"], ["b", "c"], ["d"]]);
  expect(wills(plan)).toBe("a run, b run, c run, d run");
  expect(reasonOf(plan, "a")).toBe("needs only the input");
  expect(reasonOf(plan, "d")).toBe("follows b, c");
  expect(plan).toMatchObject({
    pipeline: "planned",
    work: true,
    basis: "no history",
    warnings: [],
  });
});

test("a stage that is skipped takes those with it that need its value, and spares the others", () => {
  const definition = make([
    { id: "a", run },
    { id: "soft", run, critical: false },
    { id: "reader", needs: ["soft"], run },
    { id: "hard", needs: ["a"], run },
    { id: "after", needs: ["hard"], run },
  ]);

  const plan = planPipeline(definition, { skip: ["a", "soft"] });

  expect(wills(plan)).toBe("a skip, soft skip, reader run, hard skip, after skip");
  expect(reasonOf(plan, "a")).toBe("asked by --skip");
  expect(reasonOf(plan, "after")).toBe('needs "hard", which is skipped');
});

test("until plans a stage and all it needs, and leaves the rest out", () => {
  const plan = planPipeline(DIAMOND, { until: "b" });

  expect(wills(plan)).toBe("a run, b run, c skip, d skip");
  expect(reasonOf(plan, "d")).toBe("left out by --until");
});

test("only and from read earlier results, and name those that nobody left", () => {
  const records = after([record(DIAMOND, "a"), record(DIAMOND, "b"), record(DIAMOND, "c")]);

  const only = planPipeline(DIAMOND, { only: ["b"], records });
  const from = planPipeline(DIAMOND, { from: "d", records });

  expect(wills(only)).toBe("a checkpoint, b run, c skip, d skip");
  expect(wills(from)).toBe("a checkpoint, b checkpoint, c checkpoint, d run");
  expect(reasonOf(from, "b")).toBe("its result of run 7f3k is read");
  expect(() =>
    planPipeline(DIAMOND, { only: ["d"], records: after([record(DIAMOND, "b")]) }),
  ).toThrow(expect.objectContaining({ code: "CHECKPOINT_MISSING", details: { missing: ["c"] } }));
});

test("a result of another version of the stage does not count", () => {
  const records = after([record(DIAMOND, "a", { stageVersion: "older" })]);

  expect(() => planPipeline(DIAMOND, { only: ["b"], records })).toThrow(
    expect.objectContaining({ code: "CHECKPOINT_MISSING" }),
  );
});

test("unknown stages are refused with the nearest name", () => {
  for (const options of [{ skip: ["x"] }, { only: ["x"] }, { until: "x" }, { from: "x" }]) {
    expect(() => planPipeline(DIAMOND, options)).toThrow(
      expect.objectContaining({
        code: "STAGE_UNKNOWN",
        details: expect.objectContaining({ given: "x", known: ["a", "b", "c", "d"] }),
      }),
    );
  }
});

test("what only the run can tell is said to depend on it, with the author's own predicate", () => {
  const definition = make([
    { id: "a", run },
    { id: "maybe", needs: ["a"], run, when: (value: unknown) => value === 2 },
    { id: "mend", needs: ["a"], run, trigger: "one_failed" },
  ]);

  const plan = planPipeline(definition);

  expect(wills(plan)).toBe("a run, maybe depends, mend depends");
  expect(reasonOf(plan, "maybe")).toMatch(/^when: \(value\s*\) => value === 2$/);
  expect(reasonOf(plan, "mend")).toBe("trigger one_failed: runs only after a failure");
});

test("a plan calls nothing of the author's", () => {
  const called = (): never => {
    throw new Error("called");
  };
  const definition = make([
    { id: "a", run: called, when: called, verify: called, classify: called },
    { id: "m", over: called, key: called, run: called },
  ]);

  expect(wills(planPipeline(definition, { input: 1 }))).toBe("a depends, m run");
});

test("items are counted where the list is known already", () => {
  const definition = make([
    { id: "list", run },
    { id: "given", over: "input", run },
    { id: "made", over: "list", run },
    { id: "fixed", over: [1, 2, 3], run },
  ]);

  const plan = planPipeline(definition, { input: ["x", "y"] });
  const items = Object.fromEntries(plan.stages.map((stage) => [stage.stage, stage.items]));

  expect(items).toEqual({ list: undefined, given: 2, made: undefined, fixed: 3 });
  expect(reasonOf(plan, "made")).toBe("follows list; count known after list");
});

test("a resume keeps what succeeded, redoes what failed, and judges again what comes after", () => {
  const failure = { class: "server" as const, message: "HTTP 502", attempts: 1, fingerprint: "f" };
  const records = after([
    record(DIAMOND, "a"),
    record(DIAMOND, "b", { state: "failed", via: null, failure }),
    record(DIAMOND, "c"),
    record(DIAMOND, "d", { state: "upstream_failed", via: null }),
  ]);

  const plan = planPipeline(DIAMOND, { verb: "resume", records });

  expect(wills(plan)).toBe("a checkpoint, b run, c checkpoint, d run");
  expect(reasonOf(plan, "a")).toBe("succeeded in 7f3k");
  expect(reasonOf(plan, "b")).toBe("failed in 7f3k: HTTP 502");
  expect(reasonOf(plan, "d")).toBe("a stage it needs failed in 7f3k");
});

test("a resume from a stage drops it and all after it; a rerun takes nothing over", () => {
  const records = after(["a", "b", "c", "d"].map((stage) => record(DIAMOND, stage)));

  const resumed = planPipeline(DIAMOND, { verb: "resume", from: "b", records });
  const rerun = planPipeline(DIAMOND, { verb: "rerun", records });
  const failed = planPipeline(DIAMOND, { verb: "rerun-failed", records });

  expect(wills(resumed)).toBe("a checkpoint, b run, c checkpoint, d run");
  expect(reasonOf(resumed, "b")).toBe("asked by --from");
  expect(wills(rerun)).toBe("a run, b run, c run, d run");
  expect(failed.work).toBe(false);
});

test("of a map that is resumed only the items that are left are counted", () => {
  const definition = make([{ id: "m", over: [1, 2, 3, 4], run }]);
  const records = {
    run: "7f3k",
    stages: [record(definition, "m", { state: "failed", via: null, itemCount: 4 })],
    itemCounts: new Map([["m", { succeeded: 3, failed: 1 }]]),
  };

  const plan = planPipeline(definition, { verb: "resume", records });

  expect(plan.stages[0]).toMatchObject({ will: "run", items: 1 });
});

test("R252: predictions come from earlier runs, along the longest path; without history there is none", () => {
  const history = earlier({ a: [100, 100], b: [10, 20], c: [50, 60], d: [1, 1] });

  const plan = planPipeline(DIAMOND, { history });
  const partly = planPipeline(DIAMOND, { history: earlier({ a: [5] }) });
  const inTurn = planPipeline(DIAMOND, { history, slots: 1 });

  expect(plan.basis).toBe("2 earlier runs");
  expect(plan).toMatchObject({ predictedMs: [151, 161], confidence: "medium" });
  expect(inTurn.predictedMs).toEqual([161, 181]);
  expect(plan.stages[1]).toMatchObject({
    stage: "b",
    predictedMs: [10, 20],
    confidence: "medium",
  });
  expect(partly.predictedMs).toBeUndefined();
  expect(partly.stages[0]).toMatchObject({ predictedMs: [5, 5], confidence: "low" });
});

test("R252: earlier times of a map are scaled to its items, unless the cache may have had most of them", () => {
  const samples = new Map([["m", [{ durationMs: 1_000, items: 4 }]]]);
  const history = { runs: 1, samples, idle: new Map() };
  const plain = make([{ id: "m", over: [1, 2], run }]);
  const cached = make([{ id: "m", over: [1, 2], run, cache: true }]);

  expect(planPipeline(plain, { history }).predictedMs).toEqual([500, 500]);
  expect(planPipeline(cached, { history }).predictedMs).toEqual([1_000, 1_000]);
});

test("what depends may take no time, and what is skipped takes none and says so without history", () => {
  const definition = make([
    { id: "a", run },
    { id: "maybe", needs: ["a"], run, when: () => true },
  ]);
  const history = earlier({ maybe: [40] });

  const { stages, predictedMs } = planPipeline(definition, { skip: ["a"], history });
  const open = planPipeline(make([{ id: "maybe", run, when: () => true }]), { history });

  expect(stages[0]).toEqual({
    stage: "a",
    will: "skip",
    reason: "asked by --skip",
    predictedMs: [0, 0],
  });
  expect(predictedMs).toEqual([0, 0]);
  expect(open.predictedMs).toEqual([0, 40]);
});

test("a run deadline below a stage's timeout is a warning", () => {
  const stages = [{ id: "slow", run, timeout: "10s" }];

  expect(planPipeline(make(stages, { deadline: "5s" })).warnings).toEqual([
    'the run\'s deadline of 5s is below the timeout of "slow", 10s: that timeout can never be reached',
  ]);
  expect(planPipeline(make(stages, { deadline: "20s" })).warnings).toEqual([]);
  expect(planPipeline(make(stages), { deadlineMs: 1_000 }).warnings).toHaveLength(1);
});

test("a stage deadline that leaves no time for another attempt, and a success count no list can reach", () => {
  const { warnings } = planPipeline(
    make([
      { id: "call", run, timeout: "5s", deadline: "5s", retry: 3 },
      { id: "each", over: [1, 2], run, onItemFailure: "continue", minSuccess: 3 },
    ]),
  );

  expect(warnings).toEqual([
    'the deadline of "call", 5s, leaves no time for more than one attempt of up to 5s',
    '"each" needs 3 successes, and its list has 2 items',
  ]);
});

test("stages without a timeout are a note, unless the run has a deadline", () => {
  expect(planPipeline(DIAMOND).notes).toEqual([
    "no timeout: a, b, c, d; an attempt that hangs hangs for ever",
  ]);
  expect(planPipeline(make([{ id: "a", run }], { deadline: "1m" })).notes).toEqual([]);
});
