// Map stages in memory: one attempt per item, results in the order of the list, limits, keys, and what a failed
// item does.

import { expect, test } from "vitest";
import { definePipeline, input, map, pipeline, stage, type Context } from "millrace";
import { makeMemoryWorld } from "../support/memory-world.ts";

const count = (length: number): readonly number[] => Array.from({ length }, (_, index) => index);

/** Sleeps in an item and keeps how many were in it at once. */
function makeGauge(): {
  readonly most: () => number;
  readonly work: (ctx: Context, ms: number) => Promise<void>;
} {
  let running = 0;
  let most = 0;
  return {
    most: () => most,
    work: async (ctx, ms) => {
      running += 1;
      most = Math.max(most, running);
      await ctx.sleep(ms);
      running -= 1;
    },
  };
}

test("R46 R57: a map runs once per item and its results keep the order of the list", async () => {
  const seen: number[] = [];
  const m = map("m", { over: [50, 10, 30, 20, 40] }, async (item, _needs, ctx) => {
    await ctx.sleep(item);
    seen.push(item);
    return item * 2;
  });

  const result = await makeMemoryWorld().finish(pipeline("p", { output: { m } }), undefined);

  expect(seen).not.toEqual([50, 10, 30, 20, 40]);
  expect(result.unwrap().m).toEqual([100, 20, 60, 40, 80]);
});

test("R49 R96: ten items of 200 ms at a limit of 2 take a second and never more than 2 run", async () => {
  const world = makeMemoryWorld();
  const gauge = makeGauge();
  const m = map("m", { over: count(10), concurrency: 2 }, (_item, _needs, ctx) =>
    gauge.work(ctx, 200),
  );

  await world.finish(pipeline("p", { output: { m } }), undefined);

  expect(gauge.most()).toBe(2);
  expect(world.now()).toBe(1_000);
});

test("R49 R61: four items at once unless said otherwise", async () => {
  const gauge = makeGauge();
  const m = map("m", { over: count(20) }, (_item, _needs, ctx) => gauge.work(ctx, 10));
  await makeMemoryWorld().finish(pipeline("p", { output: { m } }), undefined);
  expect(gauge.most()).toBe(4);
});

test('R49: with concurrency "none" only the limit of the run holds', async () => {
  for (const concurrency of [7, 12]) {
    const gauge = makeGauge();
    const m = map("m", { over: count(40), concurrency: "none" }, (_item, _needs, ctx) =>
      gauge.work(ctx, 10),
    );
    const made = pipeline("p", { output: { m } });
    await makeMemoryWorld().finish(made, undefined, { concurrency });
    expect(gauge.most()).toBe(concurrency);
  }
});

test("R97: a map that is narrow holds no place that a stage could use", async () => {
  const world = makeMemoryWorld();
  const narrow = map("a", { over: count(5), concurrency: 1 }, (_item, _needs, ctx) =>
    ctx.sleep(100),
  );
  const other = stage("b", {}, (_needs, ctx) => ctx.now());
  const made = pipeline("p", { output: { narrow, other } });

  const result = await world.finish(made, undefined, { concurrency: 2 });

  expect(result.outputs.other).toBe(world.events[0]?.atMs);
});

test("places are refilled one by one, not in waves", async () => {
  const world = makeMemoryWorld();
  const m = map("m", { over: [100, 10, 10, 10, 10], concurrency: 2 }, (item, _needs, ctx) =>
    ctx.sleep(item),
  );
  await world.finish(pipeline("p", { output: { m } }), undefined);
  expect(world.now()).toBe(100);
});

test("items start in the order of the list, and repeated ones before new ones", async () => {
  const seen: string[] = [];
  const m = map(
    "m",
    { over: count(4), concurrency: 1, retry: { attempts: 2, initialDelay: 5, jitter: "none" } },
    async (item, _needs, ctx) => {
      seen.push(`${item}.${ctx.attempt}`);
      await ctx.sleep(10);
      if (item === 0 && ctx.attempt === 1) throw new Error("once");
    },
  );
  await makeMemoryWorld().finish(pipeline("p", { output: { m } }), undefined);
  expect(seen).toEqual(["0.1", "1.1", "0.2", "2.1", "3.1"]);
});

test("an item that waits for its retry holds no place of its map", async () => {
  const world = makeMemoryWorld();
  const m = map(
    "m",
    { over: count(3), concurrency: 1, retry: { attempts: 2, initialDelay: "1m", jitter: "none" } },
    async (item, _needs, ctx) => {
      await ctx.sleep(10);
      if (item === 0 && ctx.attempt === 1) throw new Error("once");
      return ctx.now();
    },
  );

  const result = await world.finish(pipeline("p", { output: { m } }), undefined);

  const startMs = world.events[0]?.atMs ?? 0;
  expect(result.unwrap().m.map((atMs) => atMs - startMs)).toEqual([60_020, 20, 30]);
});

test("R36 R47: what is no list fails and names the type, and the message says how to return a list of one", async () => {
  const values: readonly [unknown, string][] = [
    ["abc", 'a string ("abc")'],
    [7, "a number"],
    [true, "a boolean"],
    [null, "null"],
    [undefined, "undefined"],
    [{ a: 1 }, "a value of type object (Object)"],
    [new Map([["a", 1]]), "a value of type object (Map)"],
    [() => [1], "a function"],
  ];
  for (const [value, name] of values) {
    const made = definePipeline({
      name: "p",
      stages: [
        { id: "list", run: () => value },
        { id: "m", over: "list", run: () => 1 },
      ],
    });
    const result = await made.run(undefined);
    const { state, error } = result.stages["m"] ?? {};
    expect([state, error?.class, error?.attempts]).toEqual(["failed", "permanent", 0]);
    expect(error?.message).toContain(`needs a list to run over, got ${name}`);
    expect(error?.message).toContain("for a single value a list of one: [value]");
  }
});

test("R36: a list of one works", async () => {
  const m = map("m", { over: ["abc"] }, (item) => item.toUpperCase());
  expect((await pipeline("p", { output: { m } }).run(undefined)).unwrap().m).toEqual(["ABC"]);
});

test("R48: an empty list succeeds with an empty list", async () => {
  const world = makeMemoryWorld();
  const m = map("m", { over: [] as number[] }, (item) => item);
  const after = stage("after", { needs: { m } }, (needs) => needs.m.length);

  const result = await world.finish(pipeline("p", { output: { m, after } }), undefined);

  expect(result.unwrap()).toEqual({ m: [], after: 0 });
  expect(result.stages["m"]).toMatchObject({ state: "succeeded", items: { total: 0 } });
  expect(world.types("m")).toEqual(["stage.expanded", "stage.succeeded"]);
});

test("an empty list is skipped or fails if asked, with tolerance or without", async () => {
  for (const onItemFailure of ["fail", "continue"] as const) {
    const skips = map("skips", { over: [], onEmpty: "skip", onItemFailure }, () => 1);
    const fails = map("fails", { over: [], onEmpty: "fail", onItemFailure }, () => 1);
    const empty = map("empty", { over: [], onItemFailure }, () => 1);
    const made = pipeline("p", { stages: [skips, fails, empty], failFast: false });

    const { stages } = await made.run(undefined);

    expect(stages["skips"]).toMatchObject({ state: "skipped", reason: "empty" });
    expect(stages["fails"]?.error?.message).toBe('The list is empty, and "onEmpty" is "fail".');
    expect(stages["empty"]?.state).toBe("succeeded");
  }
});

test("the input, a literal, a stage, a provided list and a function are run over", async () => {
  const source = input<readonly number[]>();
  const made = stage("made", {}, async () => [3, 4]);
  const maps = {
    ofInput: map("ofInput", { over: source }, (item) => item),
    ofLiteral: map("ofLiteral", { over: [2, 3] }, (item) => item),
    ofStage: map("ofStage", { over: made }, (item) => item),
    ofFunction: map("ofFunction", { needs: { made }, over: (needs) => needs.made }, (item) => item),
    ofPromise: map("ofPromise", { over: async () => new Set([5, 6]) }, (item) => item),
  };
  const result = await pipeline("p", { input: source, output: maps }).run([1, 2]);
  expect(result.unwrap()).toEqual({
    ofInput: [1, 2],
    ofLiteral: [2, 3],
    ofStage: [3, 4],
    ofFunction: [3, 4],
    ofPromise: [5, 6],
  });
});

test("a list longer than maxItems fails the map before any item starts, naming count and option", async () => {
  let calls = 0;
  const world = makeMemoryWorld();
  const m = map("m", { over: count(11), maxItems: 10 }, () => void (calls += 1));
  const result = await world.finish(pipeline("p", { output: { m } }), undefined);
  expect(calls).toBe(0);
  expect(result.stages["m"]?.error).toMatchObject({
    class: "permanent",
    message: 'Map stage "m" has 11 items, its maxItems is 10.',
  });
  const fits = map("fits", { over: count(10), maxItems: 10 }, () => 1);
  expect((await pipeline("p", { output: { fits } }).run(undefined)).state).toBe("succeeded");
});

test("without maxItems the limit is 100,000 items", async () => {
  const m = map("m", { over: count(100_001) }, () => 1);
  const result = await pipeline("p", { output: { m } }).run(undefined);
  expect(result.stages["m"]?.error?.message).toBe(
    'Map stage "m" has 100001 items, its maxItems is 100000.',
  );
});

test("a function that gives no list fails its own map alone", async () => {
  const m = map(
    "m",
    {
      critical: false,
      over: () => {
        throw new Error("no list today");
      },
    },
    () => 1,
  );
  const other = stage("other", {}, () => 1);
  const result = await pipeline("p", { stages: [m, other] }).run(undefined);
  expect(result.state).toBe("succeeded");
  expect(result.stages["m"]?.error?.message).toBe("no list today");
});

test("R50: after the first final failure running items finish, pending ones are cancelled, the stage fails and lists every failed item", async () => {
  const world = makeMemoryWorld();
  const started: number[] = [];
  const m = map(
    "m",
    { over: ["a", "b", "c", "d", "e", "f"], key: (item) => `k-${item}`, concurrency: 3 },
    async (item, _needs, ctx) => {
      started.push(ctx.item?.index ?? -1);
      await ctx.sleep(item === "b" ? 10 : 20);
      if (item === "b" || item === "c") throw new Error(`no ${item}`);
      return item;
    },
  );
  const after = stage("after", { needs: { m } }, () => 1);

  const result = await world.finish(pipeline("p", { output: { after } }), undefined);

  expect(started).toEqual([0, 1, 2]);
  expect(result.stages["m"]).toMatchObject({
    state: "failed",
    items: { total: 6, succeeded: 1, failed: 2, cancelled: 3 },
    error: { item: { key: "k-b", index: 1 } },
  });
  expect(result.stages["m"]?.error?.message).toBe(
    '2 of 6 items failed.\n[1] "k-b": no b\n[2] "k-c": no c',
  );
  expect(result.output(m)).toBeUndefined();
  expect(result.stages["after"]?.state).toBe("upstream_failed");
});

test("R27: errors of all items and stages are gathered with their keys", async () => {
  const m = map(
    "m",
    { over: ["a", "b", "c"], key: (item) => item, onItemFailure: "continue" },
    (item) => {
      if (item !== "b") throw new Error(`no ${item}`);
    },
  );
  const last = stage("last", { needs: { m } }, () => {
    throw new Error("and no last");
  });

  const result = await pipeline("p", { output: { last } }).run(undefined);

  expect(
    result.errors.map((one) => [one.stage, one.item?.key, one.error.message, one.critical]),
  ).toEqual([
    ["m", "a", "no a", false],
    ["m", "c", "no c", false],
    ["last", undefined, "and no last", true],
  ]);
});

test("R52: an item that fails once and then works leaves its map succeeded", async () => {
  const attempts: number[] = [];
  const m = map("m", { over: [1, 2], retry: 2 }, (item, _needs, ctx) => {
    attempts.push(ctx.attempt);
    if (item === 1 && ctx.attempt === 1) throw new Error("once");
    return item;
  });
  const result = await makeMemoryWorld().finish(pipeline("p", { output: { m } }), undefined);
  expect(result.unwrap().m).toEqual([1, 2]);
  expect(attempts).toEqual([1, 1, 2]);
});

test("R52: the timeout of a map is that of each item", async () => {
  const world = makeMemoryWorld();
  const m = map(
    "m",
    { over: [60, 60, 60, 200], concurrency: 1, timeout: 100, onItemFailure: "continue" },
    (item, _needs, ctx) => ctx.sleep(item).then(() => item),
  );
  const result = await world.finish(pipeline("p", { output: { m } }), undefined);
  expect(world.now()).toBe(280);
  expect(result.unwrap().m.map((one) => one.status)).toEqual([
    "succeeded",
    "succeeded",
    "succeeded",
    "failed",
  ]);
  expect(result.errors[0]?.error.class).toBe("timeout");
});

test("R99: items of one map are tracked one by one, with their own times", async () => {
  const world = makeMemoryWorld();
  const m = map("extract", { over: [30, 10, 20], key: (item) => `x${item}` }, (item, _needs, ctx) =>
    ctx.sleep(item),
  );
  await world.finish(pipeline("p", { output: { m } }), undefined);
  const startMs = world.events[0]?.atMs ?? 0;
  const times = ["x30", "x10", "x20"].map((key) =>
    world.events
      .filter((event) => event.item === key)
      .map((event) => [event.type, event.atMs - startMs]),
  );
  expect(times).toEqual([
    [
      ["item.started", 0],
      ["item.succeeded", 30],
    ],
    [
      ["item.started", 0],
      ["item.succeeded", 10],
    ],
    [
      ["item.started", 0],
      ["item.succeeded", 20],
    ],
  ]);
});

test("an item that waits for its retry is cancelled when another one fails for good", async () => {
  const world = makeMemoryWorld();
  const m = map(
    "m",
    { over: [1, 2, 3], concurrency: 2, retry: { attempts: 2, initialDelay: "1h", jitter: "none" } },
    async (item, _needs, ctx) => {
      await ctx.sleep(item * 10);
      if (item === 1) throw new Error("again later");
      if (item === 2) throw Object.assign(new Error("never"), { status: 404 });
    },
  );

  const result = await world.finish(pipeline("p", { output: { m } }), undefined);

  expect(result.stages["m"]).toMatchObject({
    state: "failed",
    items: { failed: 1, cancelled: 1, succeeded: 1 },
  });
  expect(world.now()).toBe(40);
  expect(world.clock.pendingTimers).toBe(0);
});

test("an item whose attempt fails after another one failed for good is cancelled, not repeated", async () => {
  const world = makeMemoryWorld();
  const m = map(
    "m",
    { over: [1, 2], retry: { attempts: 3, initialDelay: "1h" } },
    async (item, _needs, ctx) => {
      await ctx.sleep(item * 10);
      throw Object.assign(new Error(`no ${item}`), item === 1 ? { status: 404 } : {});
    },
  );
  const result = await world.finish(pipeline("p", { output: { m } }), undefined);
  expect(result.stages["m"]).toMatchObject({
    state: "failed",
    items: { failed: 1, cancelled: 1 },
    error: { item: { index: 0 } },
  });
  expect(world.now()).toBe(20);
});

test("equal keys fail the map and both items are named", async () => {
  let calls = 0;
  const m = map("m", { over: ["ab", "cd", "ax"], key: (item) => item.slice(0, 1) }, () => {
    calls += 1;
  });
  const result = await pipeline("p", { output: { m } }).run(undefined);
  expect(calls).toBe(0);
  expect(result.stages["m"]?.error).toMatchObject({
    class: "permanent",
    message: 'Items 0 and 2 of "m" have the same key "a".',
  });
});

test("without key equal items are told apart and nothing is said of it", async () => {
  const m = map("m", { over: ["x", "y", "x", "x"] }, (_item, _needs, ctx) => ctx.item?.key ?? "");
  const result = await pipeline("p", { output: { m } }).run(undefined);
  const [first = "", other, second, third] = result.unwrap().m;
  expect(first).toMatch(/^[0-9a-f]{16}$/);
  expect([second, third]).toEqual([`${first}-2`, `${first}-3`]);
  expect(other).not.toBe(first);
});

test("nested keys join with a slash, and slashes inside are written so that they stay apart", async () => {
  const m = map(
    "m",
    { over: [1, 2], key: (item) => ["42", "page/a~b", String(item)] },
    (_item, _needs, ctx) => ctx.item?.key,
  );
  const result = await pipeline("p", { output: { m } }).run(undefined);
  expect(result.unwrap().m).toEqual(["42/page~1a~0b/1", "42/page~1a~0b/2"]);
});

test("the key and the position of an item are in its context", async () => {
  const m = map(
    "m",
    { over: ["a", "b"], key: (item, index) => `${item}${index}` },
    (_i, _n, ctx) => ctx.item,
  );
  const result = await pipeline("p", { output: { m } }).run(undefined);
  expect(result.unwrap().m).toEqual([
    { key: "a0", index: 0 },
    { key: "b1", index: 1 },
  ]);
});

test("an item that skips leaves no hole in the list of the others", async () => {
  const world = makeMemoryWorld();
  const made = definePipeline({
    name: "p",
    stages: [
      {
        id: "m",
        over: [1, 2, 3],
        run: async (item: unknown) => (item === 2 ? (await import("millrace")).skip("odd") : item),
      },
    ],
  });
  const result = await world.finish(made, undefined);
  expect(result.output("m")).toEqual([1, 3]);
  expect(result.stages["m"]?.items).toMatchObject({ succeeded: 2, skipped: 1 });
  expect(world.told("item.skipped")[0]?.data).toMatchObject({ reason: "odd" });
});
