// What a run in memory gives back: its fields for every ending, the errors of all stages and items, several runs
// at once, and that values and listeners are the caller's own.

import { expect, test } from "vitest";
import {
  input,
  isMillraceError,
  map,
  pipeline,
  skip,
  stage,
  type Context,
  type MillraceEvent,
  type RunResult,
  type Schema,
  type StageValue,
} from "millrace";
import { makeMemoryWorld } from "../support/memory-world.ts";

const boom = (message: string = "boom"): never => {
  throw new Error(message);
};

const asJson = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

/** Accepts numbers only, and doubles them. */
const doubled: Schema<number> = {
  "~standard": {
    version: 1,
    vendor: "test",
    validate: (value: unknown) =>
      typeof value === "number"
        ? { value: value * 2 }
        : { issues: [{ message: "expected a number", path: ["count"] }] },
  },
};

/** One run with every ending a stage can have. */
async function runEveryEnding(): Promise<RunResult<unknown>> {
  const world = makeMemoryWorld();
  const good = stage("good", {}, async (_needs, ctx) => {
    await ctx.sleep(10);
    return { rows: 3 };
  });
  const skipped = stage("skipped", { needs: { good }, skips: true }, () => skip("nothing new"));
  const unmet = stage("unmet", { when: () => false }, () => 1);
  const failed = stage(
    "failed",
    { needs: { good }, retry: { attempts: 2, initialDelay: 5, jitter: "none" } },
    async (_needs, ctx) => {
      await ctx.sleep(1);
      boom();
    },
  );
  const behind = stage("behind", { needs: { failed } }, () => 1);
  const never = stage("never", { needs: { good } }, (_needs, ctx) => ctx.sleep("1h"));
  const last = stage("last", { needs: { never } }, () => 1);
  const made = pipeline("p", {
    output: { good, skipped, behind, last },
    stages: [unmet],
    deadline: "1m",
    failFast: false,
  });
  return await world.finish(made, undefined);
}

test("R21 R24: a stage result says state, attempts, duration, waits, times, and why", async () => {
  const { stages, startedAtMs } = await runEveryEnding();
  expect(asJson(stages)).toEqual({
    good: {
      stage: "good",
      state: "succeeded",
      via: "run",
      attempts: 1,
      durationMs: 10,
      waitedMs: {},
      startedAtMs,
      endedAtMs: startedAtMs + 10,
    },
    skipped: expect.objectContaining({ state: "skipped", reason: "nothing new", attempts: 1 }),
    unmet: expect.objectContaining({ state: "skipped", reason: "condition", attempts: 0 }),
    failed: {
      stage: "failed",
      state: "failed",
      attempts: 2,
      durationMs: 7,
      waitedMs: { retry: 5 },
      startedAtMs: startedAtMs + 10,
      endedAtMs: startedAtMs + 17,
      error: expect.objectContaining({ class: "unknown", message: "boom", attempts: 2 }),
    },
    behind: expect.objectContaining({
      state: "upstream_failed",
      attempts: 0,
      error: expect.objectContaining({ stage: "failed" }),
    }),
    never: expect.objectContaining({
      state: "failed",
      durationMs: 59_990,
      error: expect.objectContaining({ class: "deadline" }),
    }),
    last: expect.objectContaining({ state: "cancelled", reason: "deadline", durationMs: 0 }),
  });
});

test("R24: every stage that ran on the machine's clock took some time, map stages too", async () => {
  const sync = stage("sync", {}, () => 1);
  const quick = stage("quick", { needs: { sync } }, () => Promise.resolve(1));
  const many = map("many", { needs: { quick }, over: [1, 2, 3] }, (item) => item);
  const none = map("none", { over: [] as number[] }, (item) => item);
  const result = await pipeline("p", { output: { many, none } }).run(undefined);
  for (const one of Object.values(result.stages)) expect(one.durationMs).toBeGreaterThan(0);
  expect(result.durationMs).toBeGreaterThan(0);
});

test("R25: a result has id, state, warnings, outputs, stages, errors, times; as JSON too", async () => {
  const result = await runEveryEnding();
  const { id, startedAtMs } = result;

  expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-/);
  const json = asJson(result);
  expect(json).toEqual({
    id,
    name: id,
    pipeline: "p",
    state: "failed",
    reason: "deadline",
    warnings: 0,
    outputs: { good: { rows: 3 } },
    stages: asJson(result.stages),
    errors: [
      expect.objectContaining({ stage: "failed", critical: true }),
      expect.objectContaining({ stage: "never", critical: true }),
    ],
    failedStages: ["failed", "never"],
    metrics: {},
    startedAtMs,
    endedAtMs: startedAtMs + 60_000,
    durationMs: 60_000,
  });
  for (const key of Object.keys(Object(json))) expect(key in result).toBe(true);
});

test("failed stages are listed, and the output of an unknown stage is an error with the valid names", async () => {
  const good = stage("good", {}, () => 1);
  const bad = stage("bad", { needs: { good }, critical: false }, () => boom());
  const stranger = stage("stranger", {}, () => 1);
  const result = await pipeline("p", { output: { good }, stages: [bad] }).run(undefined);

  expect(result.failedStages).toEqual(["bad"]);
  expect(result.output("good")).toBe(1);
  expect(result.output(good)).toBe(1);
  expect(result.output(bad)).toBeUndefined();
  for (const unknown of ["goood", stranger]) {
    const found = catchError(() => result.output(unknown));
    expect(found).toMatchObject({ code: "STAGE_UNKNOWN" });
    expect(String(found) + JSON.stringify(found)).toContain("good");
  }
});

function catchError(call: () => unknown): unknown {
  try {
    call();
  } catch (error) {
    return error;
  }
  return undefined;
}

test("R27: errors of all stages and items are gathered, with their keys", async () => {
  const items = map(
    "items",
    { over: ["a", "b", "c"], key: (item) => item, onItemFailure: "continue" },
    (item) => (item === "b" ? item : boom(`no ${item}`)),
  );
  const soft = stage("soft", { critical: false }, () => boom("soft"));
  const result = await pipeline("p", { output: { items }, stages: [soft] }).run(undefined);
  expect(result.errors).toMatchObject([
    { stage: "items", item: { key: "a", index: 0 }, error: { message: "no a" }, critical: false },
    { stage: "items", item: { key: "c", index: 2 }, error: { message: "no c" }, critical: false },
    { stage: "soft", error: { message: "soft" }, critical: false },
  ]);
  expect(result).toMatchObject({ state: "succeeded", warnings: 3 });
});

test("unwrap gives the outputs, or throws the first failure, or names the output that is missing", async () => {
  const good = stage("good", {}, () => 1);
  const bad = stage("bad", { retry: 1 }, () => boom());
  const left = stage("left", { when: () => false }, () => 1);
  const run = (output: Record<string, StageValue>): Promise<RunResult> =>
    pipeline("p", { output }).run(undefined);

  expect((await run({ good })).unwrap()).toEqual({ good: 1 });
  const failed = await run({ good, bad });
  expect(catchError(() => failed.unwrap())).toMatchObject({
    code: "STAGE_FAILED",
    message: 'Stage "bad" failed after 1 attempt: boom',
  });
  const missing = await run({ good, left });
  expect(catchError(() => missing.unwrap())).toMatchObject({
    code: "OUTPUT_MISSING",
    message: 'Output "left" is missing: stage "left" ended skipped (condition).',
  });
});

test("unwrap of a run that ended badly throws although no stage failed", async () => {
  const world = makeMemoryWorld();
  const waits = stage("waits", {}, (_needs, ctx) => ctx.sleep(10));
  const next = stage("next", { needs: { waits } }, () => new Promise(() => {}));
  const made = pipeline("p", { stages: [next] });
  const signal = AbortSignal.abort(new Error("enough"));
  const cancelled = await made.run(undefined, { ...world.options, signal });
  expect(cancelled.state).toBe("cancelled");
  expect(catchError(() => cancelled.unwrap())).toMatchObject({
    code: "OUTPUT_MISSING",
    message: expect.stringContaining("cancelled (enough)"),
  });
});

test("outputs and stages are made once and never change", async () => {
  const good = stage("good", {}, () => ({ a: 1 }));
  const result = await pipeline("p", { output: { good } }).run(undefined);
  expect(result.outputs).toBe(result.outputs);
  expect(result.stages).toBe(result.stages);
  expect(result.errors).toBe(result.errors);
});

test("the caller's input, provided values and outputs pass by reference", async () => {
  const given = { list: [1, 2, 3], made: () => "a function", when: new Date() };
  const source = input<typeof given>();
  const first = stage("first", { needs: { source } }, (needs) => needs.source);
  const second = stage("second", { needs: { first } }, (needs) => needs.first);
  const result = await pipeline("p", { input: source, output: { second } }).run(given);
  expect(result.unwrap().second).toBe(given);
});

test("a schema's result is what stages get, and what does not fit starts nothing", async () => {
  let calls = 0;
  const count = input(doubled);
  const plus = stage("plus", { needs: { count } }, (needs) => {
    calls += 1;
    return needs.count + 1;
  });
  const made = pipeline("p", { input: count, output: { plus } });

  expect((await made.run(20)).unwrap().plus).toBe(41);
  await expect(made.run("20" as unknown as number)).rejects.toMatchObject({
    code: "INPUT_INVALID",
    message: expect.stringContaining("count: expected a number"),
  });
  expect(calls).toBe(1);
});

test("runBatch gives one result per input in input order, at most so many at once", async () => {
  const world = makeMemoryWorld();
  let running = 0;
  let most = 0;
  const duration = input<number>();
  const work = stage("work", { needs: { duration } }, async (needs, ctx: Context) => {
    running += 1;
    most = Math.max(most, running);
    await ctx.sleep(needs.duration);
    running -= 1;
    return needs.duration;
  });
  const made = pipeline("p", { input: duration, output: { work } });
  const inputs = [50, 10, 40, 20, 30, 5, 1];

  const batch = made.runBatch(inputs, { ...world.options, concurrency: 3 });
  await world.clock.advance(1_000);
  const results = await batch;

  expect(results.map((result) => result.unwrap().work)).toEqual(inputs);
  expect(most).toBe(3);
  expect(new Set(results.map(({ id }) => id)).size).toBe(inputs.length);

  most = 0;
  const free = made.runBatch([1, 1, 1, 1, 1, 1, 1, 1], { clock: world.clock });
  await world.clock.advance(1_000);
  await free;
  expect(most).toBe(5);
  expect(await made.runBatch([])).toEqual([]);
});

test("a failing run of a batch stops no other", async () => {
  const number = input<number>();
  const work = stage("work", { needs: { number } }, (needs) =>
    needs.number === 2 ? boom() : needs.number,
  );
  const made = pipeline("p", { input: number, output: { work } });
  const results = await made.runBatch([1, 2, 3], { concurrency: 1 });
  expect(results.map(({ state }) => state)).toEqual(["succeeded", "failed", "succeeded"]);
});

test("a batch with an input that does not fit starts nothing, and says which one it is", async () => {
  let calls = 0;
  const count = input(doubled);
  const plus = stage("plus", { needs: { count } }, (needs) => {
    calls += 1;
    return needs.count;
  });
  const made = pipeline("p", { input: count, output: { plus } });

  const batch = made.runBatch([1, 2, "3" as unknown as number, 4]);

  await expect(batch).rejects.toMatchObject({
    code: "INPUT_INVALID",
    message: expect.stringContaining("input 2 of 4"),
  });
  expect(calls).toBe(0);
  expect((await made.runBatch([1, 2])).map((result) => result.outputs.plus)).toEqual([2, 4]);
});

test.each([0, -1, 2.5])("a batch with a concurrency of %s is refused", async (concurrency) => {
  const made = pipeline("p", { stages: [stage("a", {}, () => 1)] });
  await expect(made.runBatch([undefined], { concurrency })).rejects.toMatchObject({
    code: "OPTION_INVALID",
  });
});

test("a cancelled batch ends every run, those that never began included", async () => {
  const world = makeMemoryWorld();
  const controller = new AbortController();
  const slow = stage("slow", {}, (_needs, ctx) => ctx.sleep("1h"));
  const made = pipeline("p", { stages: [slow] });
  const batch = made.runBatch([undefined, undefined, undefined], {
    ...world.options,
    concurrency: 1,
    signal: controller.signal,
  });
  await world.clock.advance(10);
  controller.abort();
  const results = await batch;
  expect(results.map(({ state }) => state)).toEqual(["cancelled", "cancelled", "cancelled"]);
  expect(results.map(({ stages }) => stages["slow"]?.attempts)).toEqual([1, 0, 0]);
});

test("a listener that throws or rejects harms nobody", async () => {
  const heard: string[] = [];
  const unhandled: unknown[] = [];
  const onUnhandled = (error: unknown): void => void unhandled.push(error);
  process.on("unhandledRejection", onUnhandled);
  const tried = stage("tried", { retry: { attempts: 2, initialDelay: 0 } }, (_needs, ctx) => {
    ctx.log.info("hello");
    if (ctx.attempt === 1) boom();
    return 1;
  });
  const made = pipeline("p", { output: { tried } });

  const thrown = await made.run(undefined, {
    onEvent: (event) => {
      heard.push(event.type);
      boom();
    },
  });
  // The type asks for no promise; an author may give one all the same.
  const rejecting: () => unknown = () => Promise.reject(new Error("async"));
  const rejected = await made.run(undefined, { onEvent: rejecting });
  await new Promise((resolve) => setTimeout(resolve, 5));
  process.off("unhandledRejection", onUnhandled);

  expect(thrown.unwrap().tried).toBe(1);
  expect(rejected.unwrap().tried).toBe(1);
  expect(unhandled).toEqual([]);
  expect(heard).toEqual([
    "run.started",
    "stage.started",
    "stage.logged",
    "stage.waiting",
    "stage.started",
    "stage.logged",
    "stage.succeeded",
    "run.succeeded",
  ]);
});

test("events are numbered within the run, in order of time, and name it", async () => {
  const events: MillraceEvent[] = [];
  const many = map("many", { over: [1, 2, 3], key: String }, (item) => item);
  const result = await pipeline("p", { output: { many } }).run(undefined, {
    onEvent: (event) => void events.push(event),
  });
  expect(events.map(({ runSeq }) => runSeq)).toEqual(events.map((_event, index) => index + 1));
  expect(events.every(({ run }) => run === result.id)).toBe(true);
  const times = events.map(({ atMs }) => atMs);
  expect(times).toEqual(times.toSorted((a, b) => a - b));
});

test("a run in memory never rejects for a stage, only for what is wrong before it starts", async () => {
  const bad = stage("bad", {}, () => boom());
  const made = pipeline("p", { stages: [bad] });
  await expect(made.run(undefined)).resolves.toMatchObject({ state: "failed" });
  const found: unknown = await made
    .run(undefined, { skip: ["bda"] })
    .catch((error: unknown) => error);
  expect(isMillraceError(found) && found.code).toBe("STAGE_UNKNOWN");
});
