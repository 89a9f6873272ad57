// What a running stage can ask and tell through its context, in memory: signal, identity, time, log, progress,
// partial results, metrics, shared state, memos, artifacts, folder and sleep.

import { existsSync, rmSync } from "node:fs";
import { stat } from "node:fs/promises";
import { basename } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { AbortReason, map, pipeline, stage, type Context, type MillraceEvent } from "millrace";
import { makeMemoryWorld } from "../support/memory-world.ts";

const boom = (): never => {
  throw new Error("boom");
};

test("a context names its run, stage, item and attempt", async () => {
  const world = makeMemoryWorld();
  const seen: unknown[] = [];
  const note = (ctx: Context): void => {
    seen.push([ctx.stage, ctx.item, ctx.attempt]);
    expect(ctx.runId).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7/);
  };
  const one = stage("one", { retry: { attempts: 2, initialDelay: 1 } }, (_needs, ctx) => {
    note(ctx);
    if (ctx.attempt === 1) boom();
  });
  const many = map(
    "many",
    { needs: { one }, over: ["a", "b"], key: (item) => `key-${item}` },
    (_i, _n, ctx) => note(ctx),
  );

  const result = await world.finish(pipeline("p", { stages: [many] }), undefined);

  expect(seen).toEqual([
    ["one", undefined, 1],
    ["one", undefined, 2],
    ["many", { key: "key-a", index: 0 }, 1],
    ["many", { key: "key-b", index: 1 }, 1],
  ]);
  expect(new Set(world.events.map((event) => event.run))).toEqual(new Set([result.id]));
});

test("the idempotency key is the same for every attempt and another one per stage, item and run", async () => {
  const world = makeMemoryWorld();
  const keys: string[] = [];
  const note = (ctx: Context): void => void keys.push(ctx.idempotencyKey);
  const first = stage("first", { retry: { attempts: 3, initialDelay: 1 } }, (_needs, ctx) => {
    note(ctx);
    if (ctx.attempt < 3) boom();
  });
  const second = stage("second", { needs: { first } }, (_needs, ctx) => note(ctx));
  const many = map("many", { needs: { second }, over: [1, 2], key: String }, (_item, _needs, ctx) =>
    note(ctx),
  );
  const made = pipeline("p", { stages: [many] });

  await world.finish(made, undefined);
  await makeMemoryWorld().finish(made, undefined);

  expect(keys).toHaveLength(12);
  for (const key of keys) expect(key).toMatch(/^[0-9a-f]{32}$/);
  expect(new Set(keys.slice(0, 3)).size).toBe(1);
  expect(new Set(keys).size).toBe(8);
});

test("now is the clock of the run", async () => {
  const world = makeMemoryWorld();
  const startedAtMs = world.clock.wallMs();
  const timed = stage("timed", {}, async (_needs, ctx) => {
    const before = ctx.now();
    await ctx.sleep("90s");
    return [before, ctx.now()];
  });
  const result = await world.finish(pipeline("p", { output: { timed } }), undefined);
  expect(result.unwrap().timed).toEqual([startedAtMs, startedAtMs + 90_000]);
});

test("R63: partial results arrive as events before the stage has succeeded", async () => {
  const world = makeMemoryWorld();
  const heard: MillraceEvent[] = [];
  const long = stage("long", {}, async (_needs, ctx) => {
    ctx.emit("page", { number: 1 });
    await ctx.sleep(1_000);
    ctx.emit("page", { number: 2 });
    ctx.emit("bare");
    return "all";
  });
  const running = pipeline("p", { stages: [long] }).run(undefined, {
    ...world.options,
    onEvent: (event) => void heard.push(event),
  });
  await world.clock.advance(500);

  expect(heard.map(({ type }) => type)).toEqual(["run.started", "stage.started", "stage.emitted"]);
  expect(heard[2]).toMatchObject({
    stage: "long",
    attempt: 1,
    data: { name: "page", data: { number: 1 } },
  });

  await world.clock.advance(1_000);
  await running;
  expect(heard.map(({ type }) => type).slice(3)).toEqual([
    "stage.emitted",
    "stage.emitted",
    "stage.succeeded",
    "run.succeeded",
  ]);
  expect(heard[4]?.data).toEqual({ name: "bare", data: {} });
});

test("log lines and progress become events with level, data, stage, item and attempt", async () => {
  const world = makeMemoryWorld();
  const one = stage("one", {}, (_needs, ctx) => {
    const { log } = ctx;
    log.debug("d");
    log.info("i", { n: 1 });
    log.warn("w");
    log.error("e", { deep: { list: [1, null] } });
    ctx.progress(1);
    ctx.progress(2, 3);
    ctx.progress(3, 3, "nearly");
  });
  const many = map("many", { needs: { one }, over: ["x"], key: (item) => item }, (_i, _n, ctx) =>
    ctx.log.info("from an item"),
  );

  await world.finish(pipeline("p", { stages: [many] }), undefined);

  expect(world.told("stage.logged").map(({ data }) => data)).toEqual([
    { level: "debug", message: "d" },
    { level: "info", message: "i", data: { n: 1 } },
    { level: "warn", message: "w" },
    { level: "error", message: "e", data: { deep: { list: [1, null] } } },
    { level: "info", message: "from an item" },
  ]);
  expect(world.told("stage.logged").at(-1)).toMatchObject({ stage: "many", item: "x", attempt: 1 });
  expect(world.told("stage.progressed").map(({ data }) => data)).toEqual([
    { done: 1 },
    { done: 2, total: 3 },
    { done: 3, total: 3, note: "nearly" },
  ]);
});

test("a log line of any length is cut", async () => {
  const world = makeMemoryWorld();
  const one = stage("one", {}, (_needs, ctx) => ctx.log.info("x".repeat(100_000)));
  await world.finish(pipeline("p", { stages: [one] }), undefined);
  const message: unknown = world.told("stage.logged")[0]?.data?.["message"];
  expect(typeof message === "string" && message.length <= 2_000).toBe(true);
});

test("R30: metrics are set and incremented, and summed over stages and items", async () => {
  const world = makeMemoryWorld();
  const one = stage("one", {}, (_needs, ctx) => {
    ctx.metric.increment("calls");
    ctx.metric.increment("calls");
    ctx.metric.set("size", 5);
    ctx.metric.set("size", 7);
    ctx.metric.increment("size", 0.5);
  });
  const many = map("many", { over: [1, 2, 3] }, (item, _needs, ctx) =>
    ctx.metric.increment("calls", item),
  );
  const result = await world.finish(pipeline("p", { stages: [one, many] }), undefined);
  expect(result.metrics).toEqual({ calls: 8, size: 7.5 });
});

test.each([Number.NaN, Number.POSITIVE_INFINITY])(
  "a metric of %s is refused where it is set",
  async (bad) => {
    const one = stage("one", {}, (_needs, ctx) => ctx.metric.set("size", bad));
    const result = await pipeline("p", { stages: [one] }).run(undefined);
    expect(result.errors[0]?.error.message).toContain(`"size" must be a finite number, got ${bad}`);
  },
);

test("R31: metrics of a failed run are in its result, of each stage and item those of its last attempt", async () => {
  const world = makeMemoryWorld();
  const tried = stage("tried", { retry: { attempts: 3, initialDelay: 1 } }, (_needs, ctx) => {
    ctx.metric.increment(`attempt ${ctx.attempt}`);
    boom();
  });
  const many = map(
    "many",
    { over: [1, 2], retry: { attempts: 2, initialDelay: 1 }, onItemFailure: "continue" },
    (_item, _needs, ctx) => {
      ctx.metric.increment("items", ctx.attempt);
      boom();
    },
  );
  const made = pipeline("p", { failFast: false, stages: [tried, many] });
  const result = await world.finish(made, undefined);
  expect(result.state).toBe("failed");
  expect(result.metrics).toEqual({ "attempt 3": 1, items: 4 });
});

test("R31: metrics of a cancelled run are in its result, of running and of waiting stages", async () => {
  const world = makeMemoryWorld();
  const controller = new AbortController();
  const slow = stage("slow", {}, async (_needs, ctx) => {
    ctx.metric.increment("slow");
    await ctx.sleep("1h");
  });
  const waits = stage(
    "waits",
    { critical: false, retry: { attempts: 2, initialDelay: "1h", maxDelay: "1h", jitter: "none" } },
    (_needs, ctx) => {
      ctx.metric.increment("waits");
      boom();
    },
  );
  const many = map("many", { over: [1, 2] }, async (_item, _needs, ctx) => {
    ctx.metric.increment("items");
    await ctx.sleep("1h");
  });
  const running = pipeline("p", { stages: [slow, waits, many] }).run(undefined, {
    ...world.options,
    signal: controller.signal,
  });
  await world.clock.advance(10);
  controller.abort();
  const result = await running;
  expect(result.state).toBe("cancelled");
  expect(result.metrics).toEqual({ slow: 1, waits: 1, items: 2 });
});

test("state that a stage set is seen by itself at once, by later stages and their conditions after its success", async () => {
  const world = makeMemoryWorld();
  const shared = { by: "reference" };
  const early = stage("early", {}, async (_needs, ctx) => {
    await ctx.sleep(5);
    return ctx.state.get("mode", "unset");
  });
  const sets = stage("sets", {}, async (_needs, ctx) => {
    ctx.state.set("mode", "fast");
    ctx.state.set("object", shared);
    ctx.state.set("nothing", undefined);
    await ctx.sleep(10);
    return ctx.state.get("mode", "unset");
  });
  const later = stage(
    "later",
    { needs: { sets, early }, when: (_needs, ctx) => ctx.state.get("mode") === "fast" },
    (_needs, ctx) => [ctx.state.get("object"), ctx.state.get("nothing", "fallback")],
  );
  const never = stage(
    "never",
    { needs: { sets }, when: (_needs, ctx) => ctx.state.get("mode") === "slow" },
    () => 1,
  );
  const made = pipeline("p", { output: { early, sets, later, never } });

  const result = await world.finish(made, undefined);

  expect(result.outputs).toMatchObject({ early: "unset", sets: "fast", never: undefined });
  const got: unknown = result.outputs.later;
  expect(got).toEqual([shared, "fallback"]);
  expect(Array.isArray(got) && got[0] === shared).toBe(true);
});

test("state of an attempt that failed is seen by nobody, not even by the next attempt", async () => {
  const world = makeMemoryWorld();
  const tried = stage("tried", { retry: { attempts: 2, initialDelay: 1 } }, (_needs, ctx) => {
    const before = ctx.state.get("mark", "unset");
    ctx.state.set("mark", ctx.attempt);
    if (ctx.attempt === 1) boom();
    return before;
  });
  const fails = stage("fails", { critical: false }, (_needs, ctx) => {
    ctx.state.set("other", true);
    boom();
  });
  const reads = stage("reads", { needs: { tried, fails } }, (_needs, ctx) => [
    ctx.state.get("mark"),
    ctx.state.get("other", "unset"),
  ]);
  const result = await world.finish(pipeline("p", { output: { tried, reads } }), undefined);
  expect(result.outputs.tried).toBe("unset");
  expect(result.outputs.reads).toEqual([2, "unset"]);
});

test("state of items is seen by the items that start after they succeeded", async () => {
  const world = makeMemoryWorld();
  const many = map("many", { over: [1, 2, 3], concurrency: 1 }, (item, _needs, ctx) => {
    const before = ctx.state.get<number>("sum", 0);
    ctx.state.set("sum", before + item);
    return before;
  });
  const result = await world.finish(pipeline("p", { output: { many } }), undefined);
  expect(result.outputs.many).toEqual([0, 1, 3]);
});

test("state is the run's own: another run begins without it", async () => {
  const made = pipeline("p", {
    output: {
      one: stage("one", {}, (_needs, ctx) => {
        const before = ctx.state.get("seen", false);
        ctx.state.set("seen", true);
        return before;
      }),
    },
  });
  expect((await made.run(undefined)).outputs.one).toBe(false);
  expect((await made.run(undefined)).outputs.one).toBe(false);
});

test("a memo is made once per run, stage, item and name, over all attempts", async () => {
  const world = makeMemoryWorld();
  const made: string[] = [];
  const make = (name: string) => async (): Promise<string> => {
    made.push(name);
    return `${name} ${made.length}`;
  };
  const tried = stage("tried", { retry: { attempts: 3, initialDelay: 1 } }, async (_needs, ctx) => {
    const [first, again] = await Promise.all([
      ctx.memo("page", make("tried page")),
      ctx.memo("page", make("tried page")),
    ]);
    await ctx.memo("other", make("tried other"));
    if (ctx.attempt < 3) boom();
    return first === again ? first : "two different ones";
  });
  const other = stage("other", { needs: { tried } }, (_needs, ctx) =>
    ctx.memo("page", make("other page")),
  );
  const many = map("many", { needs: { other }, over: [1, 2], key: String }, (item, _needs, ctx) =>
    ctx.memo("page", make(`item ${item}`)),
  );
  const p = pipeline("p", { output: { tried, other, many } });

  const result = await world.finish(p, undefined);

  expect(made).toEqual(["tried page", "tried other", "other page", "item 1", "item 2"]);
  expect(result.outputs.tried).toBe("tried page 1");
  await makeMemoryWorld().finish(p, undefined);
  expect(made).toHaveLength(10);
});

test("a memo whose making failed is made again by the next attempt", async () => {
  const world = makeMemoryWorld();
  let calls = 0;
  const tried = stage("tried", { retry: { attempts: 3, initialDelay: 1 } }, (_needs, ctx) =>
    ctx.memo("page", () => {
      calls += 1;
      if (calls < 2) boom();
      return calls;
    }),
  );
  const result = await world.finish(pipeline("p", { output: { tried } }), undefined);
  expect(result.outputs.tried).toBe(2);
});

test("an artifact is answered with a reference that may be an output, and told", async () => {
  const world = makeMemoryWorld();
  const text = stage("text", {}, (_needs, ctx) => ctx.artifact("report.txt", "häh"));
  const bytes = stage("bytes", {}, (_needs, ctx) =>
    ctx.artifact("report.bin", new TextEncoder().encode("häh")),
  );
  const result = await world.finish(pipeline("p", { output: { text, bytes } }), undefined);

  const { text: first, bytes: second } = result.unwrap();
  expect(first).toEqual({
    name: "report.txt",
    bytes: 4,
    artifact: expect.stringMatching(/^[0-9a-f]{64}$/),
  });
  expect(second.artifact).toBe(first.artifact);
  expect(world.told("artifact.stored")).toMatchObject([
    { stage: "text", attempt: 1, data: { ...first } },
    { stage: "bytes", data: { ...second } },
  ]);
});

test("dir is a private folder of the run, made when it is first read and the same for all its stages", async () => {
  const world = makeMemoryWorld();
  const one = stage("one", {}, (_needs, ctx) => ctx.dir);
  const two = stage("two", { needs: { one } }, (_needs, ctx) => ctx.dir);
  const result = await world.finish(pipeline("p", { output: { one, two } }), undefined);
  const { one: folder, two: same } = result.unwrap();
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));

  expect(same).toBe(folder);
  expect(basename(folder)).toBe(result.id);
  expect(existsSync(folder)).toBe(true);
  expect((await stat(folder)).mode & 0o777).toBe(0o700);
});

test("sleep ends as soon as the attempt is aborted, and leaves no timer", async () => {
  const world = makeMemoryWorld();
  let woke: unknown;
  const sleeps = stage("sleeps", { timeout: 100 }, async (_needs, ctx) => {
    try {
      await ctx.sleep("1h");
    } catch (error) {
      woke = [error, world.now()];
      // Once aborted, always: the next sleep does not even begin.
      await ctx.sleep("1h");
    }
  });
  await world.finish(pipeline("p", { stages: [sleeps] }), undefined);
  expect(woke).toEqual([expect.any(AbortReason), 100]);
  expect(world.now()).toBe(100);
  expect(world.clock.pendingTimers).toBe(0);
});

test("a sleep of nonsense is refused by name", async () => {
  const one = stage("one", {}, (_needs, ctx) => ctx.sleep("soon" as "1s"));
  const result = await pipeline("p", { stages: [one] }).run(undefined);
  expect(result.errors[0]?.error.message).toContain("ctx.sleep");
});

test("a signal that is first read after the abort is aborted already, with the same reason", async () => {
  const world = makeMemoryWorld();
  let late: AbortSignal | undefined;
  const deaf = stage("deaf", { timeout: 100 }, async (_needs, ctx) => {
    await world.clock.sleep(1_000);
    late = ctx.signal;
  });
  await world.finish(pipeline("p", { stages: [deaf] }), undefined);
  expect(late?.aborted).toBe(true);
  expect(late?.reason).toMatchObject({ kind: "timeout" });
});

test("each attempt has a signal of its own, and one that ended well is never aborted", async () => {
  const world = makeMemoryWorld();
  const signals: AbortSignal[] = [];
  const tried = stage(
    "tried",
    { timeout: 100, retry: { attempts: 2, initialDelay: 1 } },
    async (_needs, ctx) => {
      signals.push(ctx.signal);
      expect(ctx.signal).toBe(ctx.signal);
      await ctx.sleep(ctx.attempt === 1 ? "1h" : 1);
    },
  );
  await world.finish(pipeline("p", { stages: [tried] }), undefined);
  expect(signals.map(({ aborted }) => aborted)).toEqual([true, false]);
});
