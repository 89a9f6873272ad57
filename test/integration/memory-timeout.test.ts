// Timeouts, deadlines and waits for a slot, in memory on a clock that stands still: what is aborted when, what a
// late result is worth, and that two attempts of one stage never run beside each other.

import { expect, test } from "vitest";
import {
  AbortReason,
  command,
  map,
  pipeline,
  stage,
  type Context,
  type RunResult,
  type StageOptions,
} from "millrace";
import { makeMemoryWorld } from "../support/memory-world.ts";

type Options = Pick<
  StageOptions<Record<never, never>, "all_success", boolean, false>,
  "retry" | "timeout" | "deadline" | "queueTimeout"
>;

const sleepLong = (_needs: unknown, ctx: Context): Promise<void> => ctx.sleep("1h");

const states = (result: RunResult<unknown>): Record<string, string> =>
  Object.fromEntries(Object.entries(result.stages).map(([name, one]) => [name, one.state]));

/** Work that hears no abort: it ends when its time has passed. */
function deafFor(world: ReturnType<typeof makeMemoryWorld>, ms: number): Promise<string> {
  return world.clock.sleep(ms).then(() => "late");
}

test("R85: an attempt past its timeout is aborted, fails with class timeout and is repeated", async () => {
  const world = makeMemoryWorld();
  const reasons: unknown[] = [];
  const slow = stage(
    "slow",
    { timeout: 100, retry: { attempts: 2, initialDelay: 50, jitter: "none" } },
    async (_needs, ctx) => {
      ctx.signal.addEventListener("abort", () => reasons.push(ctx.signal.reason));
      await ctx.sleep("1h");
    },
  );

  const result = await world.finish(pipeline("p", { stages: [slow] }), undefined);

  expect(world.told("stage.started")).toHaveLength(2);
  expect(result.state).toBe("failed");
  expect(result.stages["slow"]?.error).toMatchObject({
    class: "timeout",
    attempts: 2,
    message: '"slow" did not finish within its timeout of 100 ms',
  });
  expect(reasons).toHaveLength(2);
  expect(reasons[0]).toBeInstanceOf(AbortReason);
  expect(reasons[0]).toMatchObject({ kind: "timeout", name: "AbortError" });
  expect(world.now()).toBe(250);
  expect(world.clock.pendingTimers).toBe(0);
});

test("what an attempt throws because it was aborted is still its timeout", async () => {
  const world = makeMemoryWorld();
  const slow = stage("slow", { timeout: 100 }, async (_needs, ctx) => {
    await ctx.sleep("1h").catch(() => {
      throw new Error("disconnected");
    });
  });
  const result = await world.finish(pipeline("p", { stages: [slow] }), undefined);
  expect(result.stages["slow"]?.error?.class).toBe("timeout");
});

test("an attempt that ends in time leaves no timer and counts from its own start", async () => {
  const world = makeMemoryWorld();
  const slow = stage(
    "slow",
    { timeout: 100, retry: { attempts: 3, jitter: "none" } },
    async (_n, ctx) => {
      await ctx.sleep(90);
      if (ctx.attempt < 3) throw new Error("boom");
      return "done";
    },
  );
  const result = await world.finish(pipeline("p", { output: { slow } }), undefined);
  expect(result.unwrap().slow).toBe("done");
  expect(world.clock.pendingTimers).toBe(0);
});

test("R86: functions have no timeout, commands one of 1 h, and it is known where a value came from", () => {
  const made = pipeline("p", {
    stages: [
      stage("plain", {}, () => 1),
      stage("own", { timeout: "2s" }, () => 1),
      command("child", { argv: ["true"] }),
    ],
  });
  const under = pipeline("q", {
    defaults: { timeout: "3s" },
    stages: [
      stage("plain", {}, () => 1),
      stage("own", { timeout: "2s" }, () => 1),
      command("child", { argv: ["true"] }),
    ],
  });
  const shown = [made, under].map(({ definition }) =>
    definition.stages.map(({ timeoutMs, origins }) => [timeoutMs, origins["timeout"]]),
  );
  expect(shown).toEqual([
    [
      [null, "default"],
      [2_000, "stage"],
      [3_600_000, "default"],
    ],
    [
      [3_000, "pipeline"],
      [2_000, "stage"],
      [3_000, "pipeline"],
    ],
  ]);
});

test("R87: a pipeline's default timeout holds for every attempt, of stages and of items", async () => {
  const world = makeMemoryWorld();
  const slow = stage("slow", {}, sleepLong);
  const own = stage("own", { timeout: "1s" }, async (_needs, ctx) => {
    await ctx.sleep(500);
    return "in time";
  });
  const many = map(
    "many",
    { over: [1, 2], onItemFailure: "continue" },
    async (item, _needs, ctx) => {
      await ctx.sleep(item === 1 ? "1h" : 10);
      return item;
    },
  );
  const made = pipeline("p", {
    failFast: false,
    defaults: { timeout: 100 },
    stages: [slow, own, many],
  });

  const result = await world.finish(made, undefined);

  expect(states(result)).toEqual({ slow: "failed", own: "succeeded", many: "succeeded" });
  expect(result.stages["slow"]?.error?.class).toBe("timeout");
  expect(result.failedStages).toEqual(["slow"]);
  expect(result.output(many)).toMatchObject([
    { status: "failed", error: { class: "timeout" } },
    { status: "succeeded" },
  ]);
});

test("R88: the late result of a timed-out attempt is discarded and no attempt runs beside it", async () => {
  const world = makeMemoryWorld();
  let running = 0;
  let most = 0;
  const deaf = stage(
    "deaf",
    { timeout: 100, retry: { attempts: 2, initialDelay: 0, jitter: "none" } },
    async (_needs, ctx) => {
      running += 1;
      most = Math.max(most, running);
      await deafFor(world, ctx.attempt === 1 ? 4_000 : 10);
      running -= 1;
      return `from attempt ${ctx.attempt}`;
    },
  );

  const result = await world.finish(pipeline("p", { output: { deaf } }), undefined);

  expect(most).toBe(1);
  expect(result.unwrap().deaf).toBe("from attempt 2");
  expect(world.now()).toBe(4_010);
  expect(world.told("stage.waiting")[0]?.data).toMatchObject({ class: "timeout" });
});

test("R88: an attempt that does not stop within its grace is never repeated: the stage fails", async () => {
  const world = makeMemoryWorld();
  let calls = 0;
  const deaf = stage("deaf", { timeout: 100, retry: 5 }, () => {
    calls += 1;
    return new Promise(() => {});
  });

  const result = await world.finish(pipeline("p", { stages: [deaf] }), undefined);

  expect(calls).toBe(1);
  expect(result.stages["deaf"]?.error).toMatchObject({ class: "timeout", attempts: 1 });
  // 5 s of grace, then a minute in which nothing else may take its place.
  expect(world.now()).toBe(100 + 5_000 + 60_000);
  expect(world.clock.pendingTimers).toBe(0);
});

test("R88: an attempt that stops after its grace is repeated then, and not before", async () => {
  const world = makeMemoryWorld();
  const starts: number[] = [];
  const deaf = stage(
    "deaf",
    { timeout: 100, retry: { attempts: 2, initialDelay: 0, jitter: "none" } },
    async (_needs, ctx) => {
      starts.push(world.now());
      if (ctx.attempt === 1) await deafFor(world, 30_000);
      return ctx.attempt;
    },
  );
  const result = await world.finish(pipeline("p", { output: { deaf } }), undefined);
  expect(starts).toEqual([0, 30_000]);
  expect(result.unwrap().deaf).toBe(2);
});

test("R88: what a cut-off attempt says and sets afterwards reaches nobody", async () => {
  const world = makeMemoryWorld();
  const refused: unknown[] = [];
  const deaf = stage("deaf", { timeout: 100, critical: false }, async (_needs, ctx) => {
    await deafFor(world, 200_000);
    ctx.emit("late", {});
    ctx.log.info("late");
    ctx.progress(1);
    ctx.metric.increment("late");
    ctx.state.set("late", true);
    await ctx.memo("late", () => 1).catch((error: unknown) => refused.push(error));
    await ctx.artifact("late", "text").catch((error: unknown) => refused.push(error));
    return "late";
  });
  const other = stage("other", {}, async (_needs, ctx) => {
    await ctx.sleep(300_000);
    return ctx.state.get("late", "not set");
  });

  const result = await world.finish(
    pipeline("p", { output: { other }, stages: [deaf] }),
    undefined,
  );

  expect(result.stages["deaf"]?.state).toBe("failed");
  expect(result.outputs.other).toBe("not set");
  expect(result.metrics).toEqual({});
  expect(world.types("deaf")).toEqual(["stage.started", "stage.failed"]);
  expect(refused).toMatchObject([{ kind: "timeout" }, { kind: "timeout" }]);
});

test("R213: a stage's deadline counts from when it was ready, over all attempts and waits", async () => {
  const world = makeMemoryWorld();
  const starts: number[] = [];
  const first = stage("first", {}, (_needs, ctx) => ctx.sleep(10_000));
  const tried = stage(
    "tried",
    {
      needs: { first },
      deadline: "3s",
      retry: { attempts: 9, initialDelay: "1s", jitter: "none" },
    },
    async (_needs, ctx) => {
      starts.push(world.now());
      await ctx.sleep(ctx.attempt === 1 ? 500 : "1h");
      throw new Error("boom");
    },
  );

  const result = await world.finish(pipeline("p", { stages: [tried] }), undefined);

  expect(starts).toEqual([10_000, 11_500]);
  expect(world.now()).toBe(13_000);
  expect(result.stages["tried"]?.error).toMatchObject({
    class: "deadline",
    message: '"tried" did not finish before its deadline',
    attempts: 2,
  });
  expect(world.told("stage.failed")[0]?.data).toMatchObject({ class: "deadline" });
  expect(world.clock.pendingTimers).toBe(0);
});

test("R213: a run past its deadline fails with class deadline; what runs is aborted, the rest never starts", async () => {
  const world = makeMemoryWorld();
  let reason: unknown;
  const quick = stage("quick", {}, () => "kept");
  const slow = stage("slow", { needs: { quick } }, async (_needs, ctx) => {
    ctx.signal.addEventListener("abort", () => (reason = ctx.signal.reason));
    await ctx.sleep("1h");
  });
  const next = stage("next", { needs: { slow } }, () => 1);
  const cleanup = stage("cleanup", { needs: { slow }, trigger: "all_done" }, () => 1);
  const made = pipeline("p", { deadline: "2s", output: { next, quick }, stages: [cleanup] });

  const result = await world.finish(made, undefined);

  expect(result).toMatchObject({ state: "failed", reason: "deadline", durationMs: 2_000 });
  expect(states(result)).toEqual({
    quick: "succeeded",
    slow: "failed",
    next: "cancelled",
    cleanup: "cancelled",
  });
  expect(result.stages["slow"]?.error?.class).toBe("deadline");
  expect(result.stages["next"]?.reason).toBe("deadline");
  expect(reason).toMatchObject({ kind: "deadline" });
  expect(result.outputs.quick).toBe("kept");
  expect(world.told("run.failed")[0]?.data).toMatchObject({
    reason: "deadline",
    class: "deadline",
  });
  expect(world.clock.pendingTimers).toBe(0);
});

test("a deadline of the run goes before that of the pipeline, and one in time leaves no timer", async () => {
  for (const [deadline, state] of [
    ["1s", "failed"],
    ["1m", "succeeded"],
  ] as const) {
    const world = makeMemoryWorld();
    const slow = stage("slow", {}, (_needs, ctx) => ctx.sleep("2s"));
    const made = pipeline("p", { deadline: "1500ms", stages: [slow] });
    const result = await world.finish(made, undefined, { deadline });
    expect(result.state).toBe(state);
    expect(world.clock.pendingTimers).toBe(0);
  }
});

test("a run whose deadline comes during a wait fails, and so does unwrap", async () => {
  const world = makeMemoryWorld();
  const tried = stage("tried", { retry: { attempts: 2, rules: [] } }, (_needs, ctx) =>
    ctx.sleep(10),
  );
  const waits = stage("waits", { needs: { tried } }, (_needs, ctx) => ctx.sleep("1h"));
  const result = await world.finish(pipeline("p", { stages: [waits] }), undefined, {
    deadline: 500,
  });
  expect(result.state).toBe("failed");
  expect(() => result.unwrap()).toThrow('Stage "waits" failed after 1 attempt');
});

test("a run past its deadline waits no longer than the grace for what does not stop", async () => {
  const world = makeMemoryWorld();
  const deaf = stage("deaf", {}, () => new Promise(() => {}));
  const result = await world.finish(pipeline("p", { deadline: "2s", stages: [deaf] }), undefined);
  expect(result).toMatchObject({ state: "failed", reason: "deadline" });
  expect(result.stages["deaf"]?.error?.class).toBe("deadline");
  expect(world.now()).toBe(7_000);
});

test("a run past its deadline does not wait for an attempt that is stuck already", async () => {
  const world = makeMemoryWorld();
  const deaf = stage("deaf", { timeout: 100 }, () => new Promise(() => {}));
  const made = pipeline("p", { deadline: "20s", stages: [deaf] });
  const result = await world.finish(made, undefined);
  expect(result).toMatchObject({ state: "failed", reason: "deadline" });
  expect(world.now()).toBe(20_000);
  expect(world.clock.pendingTimers).toBe(0);
});

const blockedFor = async (
  options: Options,
): Promise<{ result: RunResult<unknown>; calls: readonly number[]; endedAtMs: number }> => {
  const world = makeMemoryWorld();
  const calls: number[] = [];
  const first = stage("first", {}, (_needs, ctx) => ctx.sleep(10_000));
  const blocked = stage("blocked", { ...options, critical: false }, () => {
    calls.push(world.now());
  });
  const made = pipeline("p", { stages: [first, blocked] });
  const running = world.finish(made, undefined, { concurrency: 1 });
  const result = await running;
  expect(world.clock.pendingTimers).toBe(0);
  const failed = world.told("stage.failed")[0];
  return { result, calls, endedAtMs: (failed?.atMs ?? 0) - (world.events[0]?.atMs ?? 0) };
};

test("an attempt that waits for a slot longer than its queueTimeout fails without being called", async () => {
  const { result, calls, endedAtMs } = await blockedFor({ queueTimeout: "3s", retry: 3 });
  expect(calls).toEqual([]);
  expect(endedAtMs).toBe(3_000);
  expect(result.stages["blocked"]).toMatchObject({
    state: "failed",
    attempts: 0,
    error: {
      class: "timeout",
      attempts: 0,
      message: '"blocked" waited 3000 ms for a slot, as long as its queueTimeout allows',
    },
  });
});

test("an attempt that gets its slot in time knows nothing of its queueTimeout", async () => {
  const { result, calls } = await blockedFor({ queueTimeout: "11s" });
  expect(calls).toEqual([10_000]);
  expect(result.stages["blocked"]?.state).toBe("succeeded");
});

test("queueTimeout bounds the wait of every attempt, not only of the first", async () => {
  const world = makeMemoryWorld();
  const starts: number[] = [];
  const tried = stage(
    "tried",
    { queueTimeout: "2s", retry: { attempts: 3, initialDelay: 100, jitter: "none" } },
    () => {
      starts.push(world.now());
      throw new Error("boom");
    },
  );
  // Takes the only slot while the other waits for its retry.
  const other = stage("other", {}, (_needs, ctx) => ctx.sleep("10s"));
  const made = pipeline("p", { failFast: false, stages: [tried, other] });

  const result = await world.finish(made, undefined, { concurrency: 1 });

  expect(starts).toEqual([0]);
  expect(result.stages["tried"]?.error).toMatchObject({ class: "timeout", attempts: 1 });
  expect(result.stages["tried"]?.durationMs).toBe(2_100);
});

test("a stage whose deadline comes while it waits for a slot fails without being called", async () => {
  const { result, calls, endedAtMs } = await blockedFor({ deadline: "4s" });
  expect(calls).toEqual([]);
  expect(endedAtMs).toBe(4_000);
  expect(result.stages["blocked"]?.error).toMatchObject({ class: "deadline", attempts: 0 });
});

test.each(["fail", "continue"] as const)(
  "R213: the deadline of a map (%s) ends the whole of it: running items are aborted, the others not called",
  async (onItemFailure) => {
    const world = makeMemoryWorld();
    const called: number[] = [];
    const many = map(
      "many",
      { over: [1, 2, 3], concurrency: 1, deadline: 1_500, onItemFailure },
      async (item, _needs, ctx) => {
        called.push(item);
        await ctx.sleep(1_000);
        return item;
      },
    );
    const result = await world.finish(pipeline("p", { output: { many } }), undefined);
    expect(called).toEqual([1, 2]);
    expect(result.stages["many"]).toMatchObject({
      state: "failed",
      error: { class: "deadline", message: '"many" did not finish before its deadline' },
      items: { succeeded: 1, failed: 1, cancelled: 1 },
    });
    expect(world.now()).toBe(1_500);
    expect(world.clock.pendingTimers).toBe(0);
  },
);

test("R213: the deadline of a map ends the wait for a stream and for retries too", async () => {
  const world = makeMemoryWorld();
  const slow = map(
    "slow",
    {
      over: async function* (_needs, ctx) {
        yield 1;
        await ctx.sleep("1h");
        yield 2;
      },
      onItemFailure: "continue",
      deadline: "1m",
    },
    (item) => item,
  );
  const again = map(
    "again",
    { over: [1], deadline: "2m", retry: { attempts: 9, initialDelay: "30s", jitter: "none" } },
    () => {
      throw new Error("again");
    },
  );
  const made = pipeline("p", { failFast: false, stages: [slow, again] });
  const result = await world.finish(made, undefined);
  expect(result.stages["slow"]).toMatchObject({ durationMs: 60_000, error: { class: "deadline" } });
  expect(result.stages["again"]).toMatchObject({ error: { class: "deadline" } });
  expect(world.now()).toBeLessThanOrEqual(120_000);
});

test("a map that ends in time leaves no timer of its deadline", async () => {
  const world = makeMemoryWorld();
  const quick = map("quick", { over: [1, 2], deadline: "1h" }, (item) => item);
  const after = stage("after", { needs: { quick } }, (_needs, ctx) => ctx.sleep(10));
  const running = pipeline("p", { output: { after } }).run(undefined, world.options);
  await world.clock.advance(0);
  expect(world.clock.pendingTimers).toBe(1);
  await world.clock.advance(10);
  expect((await running).state).toBe("succeeded");
});

test("the deadline of a map that follows another one counts from when that one has its list", async () => {
  const world = makeMemoryWorld();
  const first = map(
    "first",
    { over: async (_needs, ctx) => (await ctx.sleep("10m"), [1, 2]), onItemFailure: "continue" },
    (item) => item,
  );
  const second = map("second", { over: first, deadline: "5m" }, (item) => item);
  const result = await world.finish(pipeline("p", { output: { second } }), undefined);
  expect(result.outputs.second).toEqual([1, 2]);
});

test("a condition and a list have the timeout of their stage", async () => {
  const world = makeMemoryWorld();
  const asked = stage(
    "asked",
    { timeout: 100, critical: false, when: (_needs, ctx) => ctx.sleep("1h").then(() => true) },
    () => 1,
  );
  const listed = map(
    "listed",
    {
      timeout: 200,
      critical: false,
      over: async (_needs: unknown, ctx: Context) => {
        await ctx.sleep("1h");
        return [];
      },
    },
    () => 1,
  );
  const made = pipeline("p", { stages: [asked, listed] });
  const result = await world.finish(made, undefined);
  expect(states(result)).toEqual({ asked: "failed", listed: "failed" });
  expect(result.stages["asked"]?.error?.class).toBe("timeout");
  expect(result.stages["listed"]?.error?.class).toBe("timeout");
  expect(world.now()).toBe(200);
});
