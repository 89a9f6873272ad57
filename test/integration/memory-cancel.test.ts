// Cancelling a run in memory by its signal: before it begins, while stages run, wait or stand in line; what they
// see of it, how long it takes, and that nothing of the run is alive afterwards.

import { getEventListeners } from "node:events";
import { expect, test } from "vitest";
import {
  AbortReason,
  map,
  pipeline,
  stage,
  type Context,
  type MemoryRunOptions,
  type Pipeline,
  type RunResult,
} from "millrace";
import { makeMemoryWorld, passTime, type MemoryWorld } from "../support/memory-world.ts";

const states = (result: RunResult<unknown>): Record<string, string> =>
  Object.fromEntries(Object.entries(result.stages).map(([name, one]) => [name, one.state]));

const sleepLong = (_needs: unknown, ctx: Context): Promise<void> => ctx.sleep("1h");

/** Runs a pipeline and cancels it after so many ms on the clock. */
async function cancelAfter<Out>(
  world: MemoryWorld,
  made: Pipeline<undefined, Out>,
  cancel: { readonly ms: number; readonly reason?: unknown; readonly more?: MemoryRunOptions },
): Promise<RunResult<Out>> {
  const controller = new AbortController();
  const { signal } = controller;
  const running = made.run(undefined, { ...world.options, ...cancel.more, signal });
  await world.clock.advance(cancel.ms);
  controller.abort(cancel.reason);
  const result = await passTime(world.clock, running);
  expect(world.clock.pendingTimers).toBe(0);
  expect(getEventListeners(signal, "abort")).toEqual([]);
  return result;
}

test("R197: a cancel aborts what runs, starts nothing more whatever its trigger, and keeps what is done", async () => {
  const world = makeMemoryWorld();
  const called: string[] = [];
  let reason: unknown;
  const quick = stage("quick", {}, () => "kept");
  const slow = stage("slow", { needs: { quick } }, async (_needs, ctx) => {
    ctx.signal.addEventListener("abort", () => (reason = ctx.signal.reason));
    await ctx.sleep("1h");
  });
  const after = (name: string, trigger: "all_success" | "all_done" | "one_failed" | "all_failed") =>
    stage(name, { needs: { slow }, trigger }, () => void called.push(name));
  const readers = [
    after("plain", "all_success"),
    after("cleanup", "all_done"),
    after("alarm", "one_failed"),
    after("every", "all_failed"),
  ];
  const behind = stage("behind", { needs: { cleanup: readers[1] ?? slow } }, () => 1);
  const made = pipeline("p", { output: { quick }, stages: [...readers, behind] });

  const result = await cancelAfter(world, made, { ms: 1_000, reason: new Error("no more money") });

  expect(called).toEqual([]);
  expect(result).toMatchObject({ state: "cancelled", reason: "no more money" });
  expect(states(result)).toEqual({
    quick: "succeeded",
    slow: "cancelled",
    plain: "cancelled",
    cleanup: "cancelled",
    alarm: "cancelled",
    every: "cancelled",
    behind: "cancelled",
  });
  expect(result.stages["plain"]).toMatchObject({ reason: "no more money", attempts: 0 });
  expect(result.failedStages).toEqual([]);
  expect(result.errors).toEqual([]);
  expect(result.outputs.quick).toBe("kept");
  expect(reason).toBeInstanceOf(AbortReason);
  expect(reason).toMatchObject({ kind: "user-cancel", message: "no more money" });
  // The stage heard its signal: nobody waited for a grace.
  expect(world.now()).toBe(1_000);
  expect(world.types().at(-1)).toBe("run.cancelled");
  expect(world.told("run.cancelled")[0]?.data).toMatchObject({ reason: "no more money" });
});

test("a run whose signal is aborted already calls nobody and ends cancelled", async () => {
  const world = makeMemoryWorld();
  let called = false;
  const work = (): void => void (called = true);
  const a = stage("a", {}, work);
  const b = stage("b", { needs: { a }, trigger: "all_done" }, work);
  const c = stage("c", { when: () => (called = true) }, work);
  const d = map("d", { over: () => ((called = true), [1]) }, work);
  const signal = AbortSignal.abort();
  const made = pipeline("p", { output: { a }, stages: [b, c, d] });

  const result = await made.run(undefined, { ...world.options, signal });

  expect(called).toBe(false);
  expect(result.state).toBe("cancelled");
  expect(new Set(Object.values(states(result)))).toEqual(new Set(["cancelled"]));
  expect(result.outputs.a).toBeUndefined();
  expect(() => result.unwrap()).toThrow(
    expect.objectContaining({
      code: "OUTPUT_MISSING",
      message: expect.stringContaining("cancelled"),
    }),
  );
  expect(world.types()).toEqual([
    "run.started",
    "stage.cancelled",
    "stage.cancelled",
    "stage.cancelled",
    "stage.cancelled",
    "run.cancelled",
  ]);
  expect(getEventListeners(signal, "abort")).toEqual([]);
  expect(world.clock.pendingTimers).toBe(0);
});

test("a signal that is aborted by the first stage's own code stops the second", async () => {
  const controller = new AbortController();
  const called: string[] = [];
  const first = stage("first", {}, () => {
    called.push("first");
    controller.abort();
    return 1;
  });
  const second = stage("second", { needs: { first } }, () => void called.push("second"));
  const third = stage("third", {}, () => void called.push("third"));
  const made = pipeline("p", { stages: [second, third] });

  const result = await made.run(undefined, { signal: controller.signal });

  expect(called).toEqual(["first"]);
  expect(result.state).toBe("cancelled");
  expect(result.output(first)).toBe(1);
});

test("a cancel during the wait for a retry is immediate", async () => {
  const world = makeMemoryWorld();
  let calls = 0;
  const tried = stage(
    "tried",
    { retry: { attempts: 5, initialDelay: "1h", maxDelay: "1h", jitter: "none" } },
    () => {
      calls += 1;
      throw new Error("boom");
    },
  );
  const many = map(
    "many",
    { over: [1, 2], retry: { attempts: 5, initialDelay: "1h", maxDelay: "1h", jitter: "none" } },
    () => {
      throw new Error("boom");
    },
  );
  const made = pipeline("p", { failFast: false, stages: [tried, many] });

  const result = await cancelAfter(world, made, { ms: 500 });

  expect(world.now()).toBe(500);
  expect(calls).toBe(1);
  expect(result.state).toBe("cancelled");
  expect(states(result)).toEqual({ tried: "cancelled", many: "cancelled" });
});

test("what does not stop is let go after the grace, and what it gives later is not heard", async () => {
  const world = makeMemoryWorld();
  const deaf = stage("deaf", {}, async (_needs, ctx) => {
    await world.clock.sleep(20_000);
    ctx.emit("late");
    return "late";
  });

  const controller = new AbortController();
  const running = pipeline("p", { output: { deaf } }).run(undefined, {
    ...world.options,
    signal: controller.signal,
  });
  await world.clock.advance(1_000);
  controller.abort();
  const result = await passTime(world.clock, running);

  expect(world.now()).toBe(6_000);
  expect(result.stages["deaf"]).toMatchObject({ state: "cancelled", attempts: 1 });
  const told = world.events.length;
  await world.clock.advance(60_000);
  expect(world.events).toHaveLength(told);
  expect(result.outputs.deaf).toBeUndefined();
  expect(world.clock.pendingTimers).toBe(0);
});

test("work that finishes within the grace is kept, and what reads it is cancelled", async () => {
  const world = makeMemoryWorld();
  const closing = stage("closing", {}, async () => {
    await world.clock.sleep(3_000);
    return "finished";
  });
  const next = stage("next", { needs: { closing } }, () => 1);
  const made = pipeline("p", { output: { closing, next } });

  const result = await cancelAfter(world, made, { ms: 1_000 });

  expect(world.now()).toBe(3_000);
  expect(result.state).toBe("cancelled");
  expect(states(result)).toEqual({ closing: "succeeded", next: "cancelled" });
  expect(result.outputs.closing).toBe("finished");
});

test("a cancel waits no longer than the grace for an attempt that timed out and did not stop", async () => {
  const world = makeMemoryWorld();
  const deaf = stage("deaf", { timeout: 100 }, () => new Promise(() => {}));
  const overdue = stage("overdue", { timeout: "12s" }, () => new Promise(() => {}));
  const made = pipeline("p", { stages: [deaf, overdue] });

  const result = await cancelAfter(world, made, { ms: 13_000 });

  expect(result.state).toBe("cancelled");
  expect(world.now()).toBe(17_000);
});

test("an attempt that fails because of a cancel is cancelled, not failed, and not repeated", async () => {
  const world = makeMemoryWorld();
  let calls = 0;
  const broken = stage("broken", { retry: 5 }, async (_needs, ctx) => {
    calls += 1;
    await ctx.sleep("1h").catch(() => {
      throw new Error("connection closed");
    });
  });
  const result = await cancelAfter(world, pipeline("p", { stages: [broken] }), { ms: 10 });
  expect(calls).toBe(1);
  expect(states(result)).toEqual({ broken: "cancelled" });
  expect(result.errors).toEqual([]);
});

test("items of a map: those running are aborted, those in line and in streams never start", async () => {
  const world = makeMemoryWorld();
  const called: number[] = [];
  const aborted: unknown[] = [];
  const work = async (item: number, _needs: unknown, ctx: Context): Promise<number> => {
    called.push(item);
    if (item === 0) return 0;
    ctx.signal.addEventListener("abort", () => aborted.push(ctx.item?.key));
    await ctx.sleep("1h");
    return item;
  };
  const listed = map(
    "listed",
    { over: [0, 1, 2, 3, 4], concurrency: 2, key: (item) => `k${item}` },
    work,
  );

  const result = await cancelAfter(world, pipeline("p", { output: { listed } }), { ms: 10 });

  expect(called).toEqual([0, 1, 2]);
  expect(aborted).toEqual(["k1", "k2"]);
  expect(result.stages["listed"]).toMatchObject({
    state: "cancelled",
    items: { total: 5, succeeded: 1, cancelled: 4 },
  });
  expect(result.outputs.listed).toBeUndefined();
});

test("a condition or a list that answers although it was cancelled starts nothing", async () => {
  const world = makeMemoryWorld();
  let called = 0;
  const deaf = (): Promise<void> => world.clock.sleep(100);
  const asked = stage("asked", { when: () => deaf().then(() => true) }, () => void (called += 1));
  const listed = map("listed", { over: () => deaf().then(() => [1]) }, () => void (called += 1));
  const controller = new AbortController();
  const running = pipeline("p", { stages: [asked, listed] }).run(undefined, {
    ...world.options,
    signal: controller.signal,
  });
  await world.clock.advance(10);
  controller.abort();
  await world.clock.advance(90);
  const result = await running;

  expect(result.stages).toMatchObject({
    asked: { state: "cancelled" },
    listed: { state: "cancelled" },
  });
  expect(called).toBe(0);
});

test("a condition that is being asked is aborted too", async () => {
  const world = makeMemoryWorld();
  const asked = stage(
    "asked",
    { when: (_needs, ctx) => ctx.sleep("1h").then(() => true) },
    () => 1,
  );
  const result = await cancelAfter(world, pipeline("p", { stages: [asked] }), { ms: 10 });
  expect(states(result)).toEqual({ asked: "cancelled" });
  expect(world.now()).toBe(10);
});

test("a cancel after failFast and a second cancel change nothing", async () => {
  const world = makeMemoryWorld();
  const controller = new AbortController();
  const fails = stage("fails", {}, async (_needs, ctx) => {
    await ctx.sleep(10);
    throw new Error("boom");
  });
  const slow = stage("slow", {}, sleepLong);
  const running = pipeline("p", { stages: [slow, fails] }).run(undefined, {
    ...world.options,
    signal: controller.signal,
  });
  await world.clock.advance(100);
  controller.abort(new Error("first"));
  controller.abort(new Error("second"));
  const result = await passTime(world.clock, running);
  expect(result).toMatchObject({ state: "cancelled", reason: "first" });
  expect(states(result)).toEqual({ slow: "cancelled", fails: "failed" });
});

test("a cancel after the end changes nothing", async () => {
  const controller = new AbortController();
  const a = stage("a", {}, () => 1);
  const result = await pipeline("p", { output: { a } }).run(undefined, {
    signal: controller.signal,
  });
  controller.abort();
  expect(result.state).toBe("succeeded");
  expect(getEventListeners(controller.signal, "abort")).toEqual([]);
});

test("one signal for many runs: each hears it and none leaves anything on it", async () => {
  const controller = new AbortController();
  const { signal } = controller;
  const slow = stage("slow", {}, sleepLong);
  const made = pipeline("p", { stages: [slow] });
  const warnings: unknown[] = [];
  const warn = (warning: Error): void => void warnings.push(warning);
  process.on("warning", warn);

  const running = Array.from({ length: 50 }, () => made.run(undefined, { signal }));
  await new Promise((resolve) => setImmediate(resolve));
  expect(getEventListeners(signal, "abort")).toHaveLength(50);
  controller.abort();
  const results = await Promise.all(running);
  await new Promise((resolve) => setImmediate(resolve));
  process.off("warning", warn);

  expect(results.every(({ state }) => state === "cancelled")).toBe(true);
  expect(getEventListeners(signal, "abort")).toEqual([]);
  expect(warnings).toEqual([]);
});

test.each(["succeeded", "failed", "cancelled"] as const)(
  "a run that %s on the machine's own clock leaves no timer and no handle behind",
  async (state) => {
    const before = process.getActiveResourcesInfo();
    const controller = new AbortController();
    const slow = stage(
      "slow",
      { timeout: "1h", deadline: "2h", queueTimeout: "1h" },
      async (_needs, ctx) => {
        await ctx.sleep(state === "cancelled" ? "1h" : 5);
        if (state === "failed") throw new Error("boom");
      },
    );
    const waits = stage(
      "waits",
      {
        critical: false,
        retry: { attempts: 2, initialDelay: "1h", maxDelay: "1h", jitter: "none" },
      },
      () => {
        if (state === "cancelled") throw new Error("boom");
      },
    );
    const made = pipeline("p", { deadline: "3h", stages: [slow, waits] });

    const running = made.run(undefined, { signal: controller.signal });
    await new Promise((resolve) => setImmediate(resolve));
    if (state === "cancelled") controller.abort();
    const result = await running;

    expect(result.state).toBe(state);
    // What was there before may have gone meanwhile: a timer of the test runner, for one.
    expect(listNew(before, process.getActiveResourcesInfo())).toEqual([]);
  },
);

function listNew(before: readonly string[], after: readonly string[]): readonly string[] {
  const left = [...before];
  return after.filter((one) => {
    const index = left.indexOf(one);
    if (index >= 0) left.splice(index, 1);
    return index < 0;
  });
}
