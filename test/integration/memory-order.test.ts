// When stages start in a run in memory: as soon as their needs are met, in declaration order, without waves,
// without recursion, and without keeping timers waiting.

import { expect, test } from "vitest";
import { definePipeline, map, pipeline, stage, type Context } from "millrace";
import { makeMemoryWorld, passTime } from "../support/memory-world.ts";

const sleeping =
  (duration: number | `${number}s`) =>
  async (_needs: unknown, ctx: Context): Promise<number> => {
    await ctx.sleep(duration);
    return ctx.now();
  };

test("R12: stages whose needs are met run at the same time", async () => {
  const world = makeMemoryWorld();
  const a = stage("a", {}, sleeping(300));
  const b = stage("b", {}, sleeping(300));

  const result = await world.finish(pipeline("both", { output: { a, b } }), undefined);

  expect(result.state).toBe("succeeded");
  expect(world.now()).toBe(300);
});

test("R13: a ready stage does not wait for a slow stranger of its wave", async () => {
  const world = makeMemoryWorld();
  const a = stage("a", {}, sleeping("2s"));
  const b = stage("b", {}, sleeping(100));
  const c = stage("c", { needs: { b } }, (_needs, ctx) => ctx.now());

  const result = await world.finish(pipeline("three", { output: { a, b, c } }), undefined);

  const startedAtMs = world.events[0]?.atMs ?? 0;
  expect(result.outputs.c).toBe(startedAtMs + 100);
  expect(result.stages["a"]?.durationMs).toBe(2_000);
  expect(result.durationMs).toBe(2_000);
});

test("R3: the order of writing changes neither the hash nor the result", async () => {
  const stages = [
    { id: "start", run: (input: unknown) => [input] },
    { id: "left", needs: ["start"], run: (list: unknown) => ["left", list] },
    { id: "right", needs: ["start"], run: (list: unknown) => ["right", list] },
    { id: "end", needs: ["left", "right"], run: (both: unknown) => both },
  ];
  const orders = [
    [0, 1, 2, 3],
    [3, 2, 1, 0],
    [2, 0, 3, 1],
  ];
  const made = orders.map((order) =>
    definePipeline({ name: "diamond", stages: order.flatMap((at) => stages[at] ?? []) }),
  );

  expect(new Set(made.map((one) => one.hash)).size).toBe(1);
  for (const one of made) {
    const result = await one.run("x");
    expect(result.output("end")).toEqual({ left: ["left", ["x"]], right: ["right", ["x"]] });
  }
});

test("R17: a chain of needs runs in that order, however it is listed", async () => {
  const seen: string[] = [];
  const note = (id: string) => (): void => void seen.push(id);
  const chain = definePipeline({
    name: "chain",
    stages: [
      { id: "third", needs: ["second"], run: note("third") },
      { id: "first", run: note("first") },
      { id: "second", needs: ["first"], run: note("second") },
    ],
  });

  await chain.run(undefined);

  expect(seen).toEqual(["first", "second", "third"]);
});

test("stages that are ready together start in declaration order", async () => {
  const seen: string[] = [];
  const ids = Array.from({ length: 40 }, (_, index) => `s${index}`);
  const wide = definePipeline({
    name: "wide",
    stages: ids.map((id) => ({ id, run: () => void seen.push(id) })),
  });

  await wide.run(undefined, { concurrency: 1 });

  expect(seen).toEqual(ids);
});

test("a reader that was declared later starts after an entry that was declared before it", async () => {
  const seen: string[] = [];
  const note = (id: string) => (): void => void seen.push(id);
  const mixed = definePipeline({
    name: "mixed",
    stages: [
      { id: "a", run: note("a") },
      { id: "b", run: note("b") },
      { id: "c", needs: ["a"], run: note("c") },
      { id: "d", run: note("d") },
      { id: "e", needs: ["c"], run: note("e") },
    ],
  });

  await mixed.run(undefined);

  expect(seen).toEqual(["a", "b", "c", "d", "e"]);
});

test("with a slot too few, the stage that was declared first goes first", async () => {
  const world = makeMemoryWorld();
  const seen: string[] = [];
  const slow = (id: string) => async (_input: unknown, ctx: Context) => {
    seen.push(id);
    await ctx.sleep(10);
  };
  const wide = definePipeline({
    name: "narrow",
    stages: ["a", "b", "c", "d", "e"].map((id) => ({ id, run: slow(id) })),
  });

  await world.finish(wide, undefined, { concurrency: 2 });

  expect(seen).toEqual(["a", "b", "c", "d", "e"]);
  expect(world.now()).toBe(30);
});

test("never more attempts are in flight than the run's concurrency, items and stages together", async () => {
  const world = makeMemoryWorld();
  let running = 0;
  let most = 0;
  const work = async (ctx: Context): Promise<void> => {
    running += 1;
    most = Math.max(most, running);
    await ctx.sleep(10);
    running -= 1;
  };
  const items = Array.from({ length: 20 }, (_, index) => index);
  const many = map("many", { over: items, concurrency: "none" }, (_item, _needs, ctx) => work(ctx));
  const singles = ["x", "y", "z"].map((id) => stage(id, {}, (_needs, ctx) => work(ctx)));

  await world.finish(pipeline("p", { stages: [many, ...singles] }), undefined, { concurrency: 3 });

  expect(most).toBe(3);
});

test.each([0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 10_001])(
  "R95: a concurrency of %s is refused before anything starts, with bounds and what was given",
  async (concurrency) => {
    let started = false;
    const a = stage("a", {}, () => void (started = true));

    const running = pipeline("p", { output: { a } }).run(undefined, { concurrency });

    await expect(running).rejects.toMatchObject({ code: "OPTION_INVALID" });
    await expect(running).rejects.toThrow(
      `expected a whole number from 1 to 10000; got ${concurrency}`,
    );
    expect(started).toBe(false);
  },
);

test("without a choice 32 attempts are in flight at most", async () => {
  const world = makeMemoryWorld();
  const items = Array.from({ length: 64 }, (_, index) => index);
  const many = map("many", { over: items, concurrency: "none" }, (_item, _needs, ctx) =>
    ctx.sleep(10),
  );

  await world.finish(pipeline("p", { output: { many } }), undefined);

  expect(world.now()).toBe(20);
});

test.each(["sync", "async"])("a chain of 10,000 %s stages needs no deep call", async (kind) => {
  const ids = Array.from({ length: 10_000 }, (_, index) => `s${index}`);
  const plus = (value: unknown): number => Number(value) + 1;
  const chain = definePipeline({
    name: "long",
    stages: ids.map((id, index) => ({
      id,
      needs: index === 0 ? [] : [ids[index - 1] ?? ""],
      run: kind === "sync" ? plus : async (value: unknown) => plus(value),
    })),
  });

  const result = await chain.run(0);

  expect(result.state).toBe("succeeded");
  expect(result.output("s9999")).toBe(10_000);
});

test("5,000 stages that are skipped one after the other need no deep call", async () => {
  const ids = Array.from({ length: 5_000 }, (_, index) => `s${index}`);
  const chain = definePipeline({
    name: "skipped",
    stages: ids.map((id, index) => ({
      id,
      needs: index === 0 ? [] : [ids[index - 1] ?? ""],
      run: () => id,
      ...(index === 0 ? { trigger: "all_failed" } : {}),
      ...(index === 1 ? { trigger: "none_failed_min_one_success" } : {}),
      ...(index > 1 ? { trigger: "none_failed_min_one_success" } : {}),
    })),
  });

  const result = await chain.run(undefined);

  expect(result.state).toBe("skipped");
  expect(Object.values(result.stages).every((one) => one.state === "skipped")).toBe(true);
});

test("5,000 readers of a failed stage end upstream_failed without a deep call", async () => {
  const ids = Array.from({ length: 5_000 }, (_, index) => `s${index}`);
  const chain = definePipeline({
    name: "broken",
    failFast: false,
    stages: ids.map((id, index) => ({
      id,
      needs: index === 0 ? [] : [ids[index - 1] ?? ""],
      run: () => {
        throw new Error("boom");
      },
    })),
  });

  const result = await chain.run(undefined);

  expect(result.state).toBe("failed");
  expect(result.stages["s4999"]).toMatchObject({
    state: "upstream_failed",
    error: { stage: "s0", message: 'stage "s0" failed: boom' },
  });
});

test("100,000 synchronous items let a timer fire meanwhile", async () => {
  const items = Array.from({ length: 100_000 }, (_, index) => index);
  let done = 0;
  const doneWhenFired: number[] = [];
  const many = map("many", { over: items }, (item) => {
    done += 1;
    return item;
  });
  const timer = setInterval(() => doneWhenFired.push(done), 1);

  const result = await pipeline("p", { output: { many } }).run(undefined);
  clearInterval(timer);

  expect(result.unwrap().many).toHaveLength(100_000);
  expect(doneWhenFired.length).toBeGreaterThan(1);
  expect(doneWhenFired[0]).toBeLessThan(100_000);
});

test("items that are promises already let a timer fire meanwhile too", async () => {
  const items = Array.from({ length: 100_000 }, (_, index) => index);
  let done = 0;
  const doneWhenFired: number[] = [];
  const many = map("many", { over: items }, async (item) => {
    done += 1;
    return item;
  });
  const timer = setInterval(() => doneWhenFired.push(done), 1);

  await pipeline("p", { output: { many } }).run(undefined);
  clearInterval(timer);

  expect(doneWhenFired[0]).toBeLessThan(100_000);
});

test("the runs of a batch share the attempts that one process may have in flight", async () => {
  const world = makeMemoryWorld();
  let running = 0;
  let most = 0;
  const items = Array.from({ length: 20 }, (_, index) => index);
  const many = map("many", { over: items, concurrency: "none" }, async (_item, _needs, ctx) => {
    running += 1;
    most = Math.max(most, running);
    await ctx.sleep(10);
    running -= 1;
  });
  const made = pipeline("p", { output: { many } });

  const batch = made.runBatch(
    Array.from({ length: 8 }, () => undefined),
    {
      ...world.options,
      concurrency: 8,
    },
  );
  const results = await passTime(world.clock, batch);

  expect(results.map(({ state }) => state)).toEqual(results.map(() => "succeeded"));
  expect(results).toHaveLength(8);
  expect(most).toBe(32);
});
