// Maps over tolerant maps: items pass from one to the next one by one, under the same keys, each as it is ready.

import { expect, test } from "vitest";
import { map, pipeline, required, skip, stage, type MapOptions, type RunResult } from "millrace";
import { makeMemoryWorld } from "../support/memory-world.ts";

const count = (length: number): readonly number[] => Array.from({ length }, (_, index) => index);

const statuses = (result: RunResult<unknown>, name: string): unknown => result.stages[name]?.items;

test("an item of a chained map starts when the item before it succeeded, not when the whole map did", async () => {
  const world = makeMemoryWorld();
  const first = map(
    "first",
    { over: [10, 500], onItemFailure: "continue", key: (item) => `k${item}` },
    (item, _needs, ctx) => ctx.sleep(item).then(() => item * 2),
  );
  const second = map("second", { over: first }, (item, _needs, ctx) => [
    item,
    ctx.item?.key,
    ctx.now() - (world.events[0]?.atMs ?? 0),
  ]);

  const result = await world.finish(pipeline("p", { output: { second } }), undefined);

  expect(result.unwrap().second).toEqual([
    [20, "k10", 10],
    [1_000, "k500", 500],
  ]);
});

test("a chain of three keeps keys and order, whatever the order of completion", async () => {
  const first = map(
    "first",
    { over: [30, 10, 20], key: (item) => `k${item}`, onItemFailure: "continue" },
    (item, _needs, ctx) => ctx.sleep(item).then(() => [item]),
  );
  const second = map("second", { over: first, onItemFailure: "continue" }, (list) => [
    ...list,
    "b",
  ]);
  const third = map("third", { over: second, onItemFailure: "continue" }, (list) => [...list, "c"]);

  const result = await makeMemoryWorld().finish(pipeline("p", { output: { third } }), undefined);

  expect(result.unwrap().third).toEqual(
    [30, 10, 20].map((item, index) => ({
      key: `k${item}`,
      index,
      status: "succeeded",
      value: [item, "b", "c"],
    })),
  );
});

test("an item behind a failed one is upstream_failed, behind a skipped one skipped; the rest goes on", async () => {
  const world = makeMemoryWorld();
  const first = map("first", { over: count(5), onItemFailure: "continue" }, (item) => {
    if (item === 1) throw new Error("no 1");
    return item === 3 ? JSON.parse("0") || skip("odd one") : item;
  });
  const second = map("second", { over: first, onItemFailure: "continue" }, (item) => item);
  const third = map("third", { over: second, onItemFailure: "continue" }, (item) => item);

  const result = await world.finish(pipeline("p", { output: { second, third } }), undefined);

  expect(result.state).toBe("succeeded");
  expect(result.warnings).toBe(1);
  for (const name of ["second", "third"] as const) {
    expect(result.unwrap()[name].map((one) => one.status)).toEqual([
      "succeeded",
      "upstream_failed",
      "succeeded",
      "skipped",
      "succeeded",
    ]);
  }
  expect(result.unwrap().second[1]).toMatchObject({ error: { message: "no 1" } });
  expect(result.unwrap().second[3]).toMatchObject({ reason: "upstream_skipped" });
  expect(world.types("second").filter((type) => type === "item.upstream_failed")).toHaveLength(1);
});

test("a chained map that does not go on fails when an item had nothing to work on", async () => {
  const first = map("first", { over: count(3), onItemFailure: "continue" }, (item) => {
    if (item === 1) throw new Error("no 1");
    return item;
  });
  const second = map("second", { over: first }, (item) => item);
  const result = await pipeline("p", { output: { second } }).run(undefined);
  expect(result.stages["second"]).toMatchObject({
    state: "failed",
    items: { total: 3, succeeded: 2, upstream_failed: 1 },
  });
});

test("a chained map is upstream_failed when the map before it fails, with failFast and without", async () => {
  for (const failFast of [true, false]) {
    const first = map(
      "first",
      { over: count(4), concurrency: 1, onItemFailure: "continue", tolerate: 0 },
      (item) => {
        if (item === 3) throw new Error("no 3");
        return item;
      },
    );
    const second = map("second", { over: first, onItemFailure: "continue" }, (item) => item);
    const after = stage("after", { needs: { second } }, () => 1);
    const made = pipeline("p", { output: { after } });

    const result = await makeMemoryWorld().finish(made, undefined, { failFast });

    expect(result.stages["first"]?.state).toBe("failed");
    expect(result.stages["second"]).toMatchObject({
      state: "upstream_failed",
      error: { stage: "first" },
    });
    expect(result.stages["after"]).toMatchObject({
      state: "upstream_failed",
      error: { stage: "first" },
    });
  }
});

test("a chained map is upstream_failed when the map before it stops early", async () => {
  for (const failFast of [true, false]) {
    const first = map(
      "first",
      { over: count(9), concurrency: 1, onItemFailure: "continue", stopAfter: { inARow: 2 } },
      async (item, _needs, ctx) => {
        await ctx.sleep(10);
        if (item > 1) throw new Error("bad day");
        return item;
      },
    );
    const second = map("second", { over: first, onItemFailure: "continue" }, (item) => item);
    const made = pipeline("p", { output: { second } });

    const result = await makeMemoryWorld().finish(made, undefined, { failFast });

    expect(result.stages["first"]).toMatchObject({
      state: "failed",
      items: { succeeded: 2, failed: 2, cancelled: 5 },
    });
    expect(result.stages["second"]?.state).toBe("upstream_failed");
    expect(statuses(result, "second")).toMatchObject({ succeeded: 2, pending: 0, running: 0 });
  }
});

test("a chained map whose list cannot be made upstream is upstream_failed and calls nothing", async () => {
  let calls = 0;
  const first = map(
    "first",
    {
      onItemFailure: "continue",
      over: async () => {
        throw new Error("no list");
      },
    },
    (item) => item,
  );
  const second = map("second", { over: first }, () => void (calls += 1));
  const result = await pipeline("p", { output: { second } }).run(undefined);
  expect(result.stages["second"]).toMatchObject({
    state: "upstream_failed",
    error: { stage: "first" },
  });
  expect(calls).toBe(0);
});

test("a chained map that fails ends at once and stops the map before it", async () => {
  const world = makeMemoryWorld();
  const first = map(
    "first",
    { over: count(10), concurrency: 1, onItemFailure: "continue" },
    (item, _needs, ctx) => ctx.sleep(100).then(() => item),
  );
  const second = map("second", { over: first }, (item) => {
    if (item === 1) throw new Error("no 1");
    return item;
  });

  const result = await world.finish(pipeline("p", { output: { second } }), undefined);

  expect(result.stages["second"]).toMatchObject({ state: "failed", error: { item: { index: 1 } } });
  expect(result.stages["first"]).toMatchObject({ state: "cancelled", reason: "fail_fast" });
  expect(world.now()).toBe(300);
});

test("an empty list passes through a chain", async () => {
  const first = map("first", { over: [] as number[], onItemFailure: "continue" }, (item) => item);
  const second = map("second", { over: first }, (item) => item);
  const third = stage("third", { needs: { second } }, (needs) => needs.second.length);
  const result = await pipeline("p", { output: { third } }).run(undefined);
  expect(result.unwrap().third).toBe(0);
});

test("each map of a chain keeps to its own concurrency", async () => {
  const most = { first: 0, second: 0 };
  const running = { first: 0, second: 0 };
  const gauge =
    (name: "first" | "second", ms: number) =>
    async (item: number, _needs: unknown, ctx: { sleep(ms: number): Promise<void> }) => {
      running[name] += 1;
      most[name] = Math.max(most[name], running[name]);
      await ctx.sleep(ms);
      running[name] -= 1;
      return item;
    };
  const first = map(
    "first",
    { over: count(12), concurrency: 3, onItemFailure: "continue" },
    gauge("first", 10),
  );
  const second = map("second", { over: first, concurrency: 2 }, gauge("second", 30));

  const result = await makeMemoryWorld().finish(pipeline("p", { output: { second } }), undefined);

  expect(result.unwrap().second).toEqual(count(12));
  expect(most).toEqual({ first: 3, second: 2 });
});

test("a repeated item reaches the next map once, when it succeeded", async () => {
  const calls: number[] = [];
  const first = map(
    "first",
    {
      over: count(3),
      onItemFailure: "continue",
      retry: { attempts: 3, initialDelay: 50, jitter: "none" },
    },
    (item, _needs, ctx) => {
      if (item === 1 && ctx.attempt < 3) throw new Error("again");
      return item;
    },
  );
  const second = map("second", { over: first, onItemFailure: "continue" }, (item) => {
    calls.push(item);
    return item;
  });
  await makeMemoryWorld().finish(pipeline("p", { output: { second } }), undefined);
  expect(calls).toEqual([0, 2, 1]);
});

test("every item runs once although the next map is narrow and the map before it ends first", async () => {
  const world = makeMemoryWorld();
  const calls: number[] = [];
  const first = map("first", { over: count(8), onItemFailure: "continue" }, (item) => item);
  const second = map("second", { over: first, concurrency: 1 }, async (item, _needs, ctx) => {
    calls.push(item);
    await ctx.sleep(10);
    return item;
  });
  const result = await world.finish(pipeline("p", { output: { second } }), undefined);
  expect(calls).toEqual(count(8));
  expect(result.unwrap().second).toEqual(count(8));
});

test("a chained map with needs of its own waits for those, not for the map", async () => {
  const world = makeMemoryWorld();
  const other = stage("other", {}, (_needs, ctx) => ctx.sleep(50).then(() => "o"));
  const first = map("first", { over: [10, 200], onItemFailure: "continue" }, (item, _needs, ctx) =>
    ctx.sleep(item).then(() => item),
  );
  const second = map("second", { needs: { other }, over: first }, (item, needs, ctx) => [
    item,
    needs.other,
    ctx.now() - (world.events[0]?.atMs ?? 0),
  ]);
  const result = await world.finish(pipeline("p", { output: { second } }), undefined);
  expect(result.unwrap().second).toEqual([
    [10, "o", 50],
    [200, "o", 200],
  ]);
});

test("a chained map that also needs the map itself waits for the whole of it", async () => {
  const first = map("first", { over: count(3), onItemFailure: "continue" }, (item) => item);
  const second = map("second", { needs: { first }, over: first }, (item, needs) => [
    item,
    needs.first.length,
  ]);
  const result = await pipeline("p", { output: { second } }).run(undefined);
  expect(result.unwrap().second).toEqual([
    [0, 3],
    [1, 3],
    [2, 3],
  ]);
});

test("a condition of a chained map is asked once, before its first item", async () => {
  const world = makeMemoryWorld();
  let asked = 0;
  const first = map("first", { over: [10, 300], onItemFailure: "continue" }, (item, _needs, ctx) =>
    ctx.sleep(item).then(() => item),
  );
  const second = map(
    "second",
    {
      over: first,
      when: async (_needs, ctx) => {
        asked += 1;
        await ctx.sleep(500);
        return true;
      },
    },
    (item) => item,
  );
  const result = await world.finish(pipeline("p", { output: { second } }), undefined);
  expect(result.outputs.second).toEqual([10, 300]);
  expect(asked).toBe(1);
});

test("a chained map that is skipped by its condition lets the map before it finish", async () => {
  const first = map("first", { over: count(3), onItemFailure: "continue" }, (item) => item);
  const second = map("second", { over: first, when: () => false }, (item) => item);
  const result = await pipeline("p", { output: { first, second } }).run(undefined);
  expect(result.state).toBe("succeeded");
  expect(result.outputs.first).toHaveLength(3);
  expect(result.stages["second"]).toMatchObject({ state: "skipped", reason: "condition" });
});

test("two maps may follow one", async () => {
  const first = map("first", { over: count(3), onItemFailure: "continue" }, (item) => item);
  const left = map("left", { over: first }, (item) => item + 10);
  const right = map("right", { over: first }, (item) => item + 20);
  const result = await pipeline("p", { output: { left, right } }).run(undefined);
  expect(result.unwrap()).toEqual({ left: [10, 11, 12], right: [20, 21, 22] });
});

test("a required soft map is followed too, and its skip skips the follower", async () => {
  const make = (go: boolean): ReturnType<typeof pipeline> => {
    const first = map(
      "first",
      { over: count(2), onItemFailure: "continue", when: () => go },
      (item) => item,
    );
    const second = map("second", { over: required(first) }, (item) => item + 1);
    return pipeline("p", { output: { second } }) as ReturnType<typeof pipeline>;
  };
  expect((await make(true).run(undefined)).output("second")).toEqual([1, 2]);
  const skipped = await make(false).run(undefined);
  expect(skipped.stages["second"]).toMatchObject({ state: "skipped", reason: "upstream_skipped" });
});

test("a chained map keeps to its own maxItems", async () => {
  let calls = 0;
  const first = map("first", { over: count(5), onItemFailure: "continue" }, (item) => item);
  const second = map("second", { over: first, maxItems: 4 }, () => void (calls += 1));
  const result = await pipeline("p", { output: { second }, failFast: false }).run(undefined);
  expect(result.stages["second"]?.error?.message).toBe(
    'Map stage "second" has 5 items, its maxItems is 4.',
  );
  expect(calls).toBe(0);
});

test("a map over a map that does not go on waits for the whole of it and gets plain values", async () => {
  const world = makeMemoryWorld();
  const first = map("first", { over: [10, 100] }, (item, _needs, ctx) =>
    ctx.sleep(item).then(() => item),
  );
  const second = map("second", { over: first }, (item, _needs, ctx) => [
    item,
    ctx.now() - (world.events[0]?.atMs ?? 0),
  ]);
  const result = await world.finish(pipeline("p", { output: { second } }), undefined);
  expect(result.unwrap().second).toEqual([
    [10, 100],
    [100, 100],
  ]);
});

test("under all_done a chained map waits for the whole map and works on what succeeded", async () => {
  const world = makeMemoryWorld();
  const options = { over: count(4), onItemFailure: "continue", tolerate: 0 } as const;
  const first = map("first", options, async (item, _needs, ctx) => {
    await ctx.sleep(10 * (item + 1));
    if (item === 3) throw new Error("no 3");
    return item;
  });
  const over: MapOptions<number, never, "all_done", true, "continue"> & { over: typeof first } = {
    over: first,
    trigger: "all_done",
    onItemFailure: "continue",
  };
  const second = map("second", over, (item, _needs, ctx) => [
    item,
    ctx.now() - (world.events[0]?.atMs ?? 0),
  ]);

  const result = await world.finish(pipeline("p", { output: { second } }), undefined);

  expect(result.stages["first"]?.state).toBe("failed");
  expect(result.outputs.second?.map((one) => one.value)).toEqual([
    [0, 40],
    [1, 40],
    [2, 40],
    undefined,
  ]);
});
