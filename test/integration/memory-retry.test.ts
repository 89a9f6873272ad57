// Retries of runs in memory, measured on a clock that stands still between them: how many attempts, how long the
// waits, who decides about them, and what is told and counted.

// oxlint-disable unicorn/no-thenable -- `then` is the verb of a retry rule

import { expect, test } from "vitest";
import {
  map,
  pipeline,
  stage,
  ThrottledError,
  type Context,
  type MemoryRunOptions,
  type RetryOptions,
  type RunResult,
} from "millrace";
import { makeMemoryWorld, type MemoryWorld } from "../support/memory-world.ts";

const boom = (message: string = "boom"): never => {
  throw new Error(message);
};

/** Runs one stage that always throws and answers when its attempts began, on the clock. */
async function startsOf(
  options: { readonly retry?: RetryOptions | number; readonly deadline?: number },
  error: unknown = new Error("boom"),
  more: MemoryRunOptions = {},
): Promise<{
  readonly starts: readonly number[];
  readonly result: RunResult<unknown>;
  readonly world: MemoryWorld;
}> {
  const world = makeMemoryWorld();
  const starts: number[] = [];
  const tried = stage("tried", options, () => {
    starts.push(world.now());
    throw error;
  });
  const result = await world.finish(pipeline("p", { stages: [tried] }), undefined, more);
  return { starts, result, world };
}

const delaysOf = (world: MemoryWorld): readonly unknown[] =>
  world.told("stage.waiting").map((event) => event.data?.["delayMs"]);

test("R69: without a word about retries there is one attempt and no wait", async () => {
  const { starts, result, world } = await startsOf({});
  const made = pipeline("p", { stages: [stage("tried", {}, () => 1)] });

  expect(starts).toEqual([0]);
  expect(result.stages["tried"]?.attempts).toBe(1);
  expect(world.now()).toBe(0);
  expect(made.definition.stages[0]?.retry).toEqual({
    attempts: 1,
    initialDelayMs: 1_000,
    factor: 2,
    delayMsMax: 60_000,
    jitter: "full",
    retryOn: null,
    rules: [],
  });
});

test("R69: waits begin at 1 s, double and end at 60 s when only the number of attempts is given", async () => {
  const { starts, world } = await startsOf({ retry: { attempts: 9, jitter: "none" } });
  expect(starts).toHaveLength(9);
  expect(delaysOf(world)).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000]);
});

test("R69: the default jitter spreads a wait from 0 to what was computed", async () => {
  const delays: number[] = [];
  const tried = map(
    "tried",
    { over: Array.from({ length: 200 }, (_, index) => index), retry: 2, onItemFailure: "continue" },
    () => boom(),
  );
  const world = makeMemoryWorld();
  await world.finish(pipeline("p", { stages: [tried] }), undefined);
  for (const event of world.told("item.waiting")) delays.push(Number(event.data?.["delayMs"]));

  expect(delays).toHaveLength(200);
  expect(Math.min(...delays)).toBeLessThan(100);
  expect(Math.max(...delays)).toBeGreaterThan(900);
  expect(Math.max(...delays)).toBeLessThanOrEqual(1_000);
});

test("R72 R74: waits double up to maxDelay and none follows the last attempt", async () => {
  const retry = { attempts: 5, initialDelay: 100, maxDelay: 300, jitter: "none" } as const;
  const { starts, world } = await startsOf({ retry });
  expect(starts).toEqual([0, 100, 300, 600, 900]);
  expect(delaysOf(world)).toEqual([100, 200, 300, 300]);
  expect(world.now()).toBe(900);
});

test("R74: with two attempts the stage ends right after the second failure", async () => {
  const { starts, world } = await startsOf({ retry: { attempts: 2, jitter: "none" } });
  expect(starts).toEqual([0, 1_000]);
  expect(world.now()).toBe(1_000);
  expect(world.types("tried")).toEqual([
    "stage.started",
    "stage.waiting",
    "stage.started",
    "stage.failed",
  ]);
  expect(world.clock.pendingTimers).toBe(0);
});

test.each([
  { retries: 2, delay: "10s", starts: [0, 10_000, 30_000] },
  { retries: 1, delay: "30s", starts: [0, 30_000] },
  { retries: 2, delay: "5s", starts: [0, 5_000, 15_000] },
] as const)(
  "R70: $retries retries after $delay are one attempt more, doubling",
  async ({ retries, delay, starts: expected }) => {
    const retry = {
      attempts: retries + 1,
      initialDelay: delay,
      factor: 2,
      jitter: "none",
    } as const;
    const { starts, result, world } = await startsOf({ retry });

    expect(starts).toEqual(expected);
    expect(result.stages["tried"]?.attempts).toBe(retries + 1);
    expect(world.told("stage.started")).toHaveLength(retries + 1);
  },
);

test("R71: a pipeline's retry defaults hold for each stage and a stage overrides single fields", async () => {
  const world = makeMemoryWorld();
  const starts: Record<string, number[]> = { plain: [], own: [], number: [], ruled: [] };
  const failing = (name: string, message: string) => () => {
    starts[name]?.push(world.now());
    boom(message);
  };
  const plain = stage("plain", {}, failing("plain", "boom"));
  const own = stage("own", { retry: { attempts: 2, initialDelay: "7s" } }, failing("own", "boom"));
  const number = stage("number", { retry: 4 }, failing("number", "boom"));
  const ruled = stage("ruled", { retry: { rules: [] } }, failing("ruled", "hopeless"));
  const strict = stage("strict", {}, () => boom("hopeless"));
  const made = pipeline("p", {
    failFast: false,
    defaults: {
      retry: {
        attempts: 3,
        initialDelay: "1s",
        factor: 2,
        maxDelay: "60s",
        jitter: "none",
        rules: [{ match: { message: "hopeless" }, then: "fail" }],
      },
    },
    stages: [plain, own, number, ruled, strict],
  });

  const result = await world.finish(made, undefined);

  expect(starts).toEqual({
    plain: [0, 1_000, 3_000],
    own: [0, 7_000],
    number: [0, 1_000, 3_000, 7_000],
    ruled: [0, 1_000, 3_000],
  });
  expect(result.stages["strict"]?.attempts).toBe(1);
  expect(made.definition.stages.map(({ name, origins }) => [name, origins["retry"]])).toEqual([
    ["plain", "pipeline"],
    ["own", "stage"],
    ["number", "stage"],
    ["ruled", "stage"],
    ["strict", "pipeline"],
  ]);
  expect(made.definition.stages[1]?.retry).toMatchObject({ attempts: 2, initialDelayMs: 7_000 });
});

test("R75: noRetry makes one attempt of every stage and item, whatever they say", async () => {
  const world = makeMemoryWorld();
  const one = stage("one", { retry: 5, critical: false }, () => boom());
  const many = map("many", { over: [1, 2], retry: 5, onItemFailure: "continue" }, () => boom());
  const throttled = stage("throttled", { retry: 5, critical: false }, () => {
    throw new ThrottledError("later", { retryAfter: "1s" });
  });
  const made = pipeline("p", { failFast: false, stages: [one, many, throttled] });

  const result = await world.finish(made, undefined, { noRetry: true });

  expect(result.stages["one"]?.attempts).toBe(1);
  expect(result.stages["throttled"]?.attempts).toBe(1);
  expect(world.told("item.started")).toHaveLength(2);
  expect(world.now()).toBe(0);
});

test("R89: the wait for a retry is told: blocker, attempt, total, due time, class and message", async () => {
  const { world } = await startsOf({ retry: { attempts: 3, initialDelay: 500, jitter: "none" } });
  const [first, second] = world.told("stage.waiting");
  const startedAtMs = world.events[0]?.atMs ?? 0;

  expect(first).toMatchObject({
    stage: "tried",
    attempt: 1,
    atMs: startedAtMs,
    data: {
      blocker: "retry",
      attempt: 1,
      attempts: 3,
      delayMs: 500,
      dueAtMs: startedAtMs + 500,
      class: "unknown",
      message: "boom",
    },
  });
  expect(second).toMatchObject({
    attempt: 2,
    data: { attempt: 2, delayMs: 1_000, dueAtMs: startedAtMs + 1_500 },
  });
});

test("the wait of an item is told with its key and position, and the other items go on meanwhile", async () => {
  const world = makeMemoryWorld();
  const many = map(
    "many",
    { over: ["a", "b", "c"], key: (item) => item, retry: { attempts: 2, jitter: "none" } },
    (item, _needs, ctx) => {
      if (item === "a" && ctx.attempt === 1) boom();
      return world.now();
    },
  );

  const result = await world.finish(pipeline("p", { output: { many } }), undefined);

  expect(result.unwrap().many).toEqual([1_000, 0, 0]);
  expect(world.told("item.waiting")).toMatchObject([
    { item: "a", attempt: 1, data: { index: 0, attempts: 2, delayMs: 1_000 } },
  ]);
  expect(result.stages["many"]).toMatchObject({ attempts: 4, waitedMs: { retry: 1_000 } });
});

test("R192: the attempts of a result are those really made, the waits are two after two retries", async () => {
  const world = makeMemoryWorld();
  const numbers: number[] = [];
  const third = stage("third", { retry: { attempts: 5, jitter: "none" } }, (_needs, ctx) => {
    numbers.push(ctx.attempt);
    if (ctx.attempt < 3) boom();
    return "done";
  });

  const result = await world.finish(pipeline("p", { output: { third } }), undefined);

  expect(numbers).toEqual([1, 2, 3]);
  expect(result.stages["third"]).toMatchObject({
    state: "succeeded",
    attempts: 3,
    durationMs: 3_000,
    waitedMs: { retry: 3_000 },
  });
  expect(result.stages["third"]).not.toHaveProperty("error");
  expect(world.told("stage.waiting")).toHaveLength(2);
  expect(world.told("stage.succeeded")[0]).toMatchObject({ attempt: 3, data: { attempts: 3 } });
  expect(result.errors).toEqual([]);
});

test("R84 R91: the failure names stage, attempts really made, first and last error", async () => {
  const world = makeMemoryWorld();
  const messages = ["the first", "the second", "the third"];
  const tried = stage("tried", { retry: { attempts: 3 } }, (_needs, ctx) =>
    boom(messages[ctx.attempt - 1]),
  );
  const made = pipeline("p", { output: { tried } });

  const result = await world.finish(made, undefined);

  expect(result.stages["tried"]?.error).toMatchObject({
    attempts: 3,
    message: "the third",
    firstMessage: "the first",
    distinct: 3,
  });
  expect(world.told("stage.started")).toHaveLength(3);
  expect(() => result.unwrap()).toThrow('Stage "tried" failed after 3 attempts: the third');
});

test("a retried attempt is the only thing the others do not wait for", async () => {
  const world = makeMemoryWorld();
  const slow = stage("slow", { retry: { attempts: 2, jitter: "none" } }, (_needs, ctx) => {
    if (ctx.attempt === 1) boom();
    return world.now();
  });
  const other = stage("other", {}, () => world.now());
  const made = pipeline("p", { output: { slow, other } });

  // With one slot: a stage that waits for its retry holds none.
  const result = await world.finish(made, undefined, { concurrency: 1 });

  expect(result.unwrap()).toEqual({ slow: 1_000, other: 0 });
});

test("items keep their own counters: one item's failures use up no other's attempts", async () => {
  const world = makeMemoryWorld();
  const tries = new Map<number, number>();
  const many = map(
    "many",
    { over: [1, 2, 3], retry: { attempts: 3, initialDelay: 10, jitter: "none" } },
    (item, _needs, ctx: Context) => {
      tries.set(item, ctx.attempt);
      if (ctx.attempt < item) boom();
      return item;
    },
  );
  const result = await world.finish(pipeline("p", { output: { many } }), undefined);
  expect(result.unwrap().many).toEqual([1, 2, 3]);
  expect([...tries.values()]).toEqual([1, 2, 3]);
  expect(result.stages["many"]?.attempts).toBe(6);
});
