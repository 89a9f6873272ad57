// Maps that bear failures of items, and maps that stop early because failures pile up.

import { expect, test } from "vitest";
import { map, pipeline, stage } from "millrace";
import { makeMemoryWorld } from "../support/memory-world.ts";

const count = (length: number): readonly number[] => Array.from({ length }, (_, index) => index);
const failAt =
  (...bad: readonly number[]) =>
  (item: number): number => {
    if (bad.includes(item)) throw new Error(`no ${item}`);
    return item;
  };

test("R51 R58: with continue every item is tried, one failure is a warning, outcomes keep input order", async () => {
  const m = map(
    "m",
    { over: count(5), key: (item) => `k${item}`, onItemFailure: "continue" },
    failAt(2),
  );
  const seen = stage("seen", { needs: { m } }, (needs) => needs.m);

  const result = await pipeline("p", { output: { seen } }).run(undefined);

  expect(result).toMatchObject({ state: "succeeded", warnings: 1 });
  expect(result.unwrap().seen).toMatchObject([
    { key: "k0", index: 0, status: "succeeded", value: 0 },
    { key: "k1", index: 1, status: "succeeded", value: 1 },
    { key: "k2", index: 2, status: "failed", error: { message: "no 2", attempts: 1 } },
    { key: "k3", index: 3, status: "succeeded", value: 3 },
    { key: "k4", index: 4, status: "succeeded", value: 4 },
  ]);
  expect(result.errors).toMatchObject([{ stage: "m", item: { key: "k2", index: 2 } }]);
});

test("R58: the same failure fails the run when the map does not go on", async () => {
  const m = map("m", { over: count(5) }, failAt(2));
  expect((await pipeline("p", { output: { m } }).run(undefined)).state).toBe("failed");
});

test("R59: continue fails the stage when fewer than minSuccess items succeed", async () => {
  const none = map("none", { over: count(3), onItemFailure: "continue" }, failAt(0, 1, 2));
  const result = await pipeline("p", { output: { none } }).run(undefined);
  expect(result.stages["none"]).toMatchObject({ state: "failed", error: { item: { index: 0 } } });
  expect(result.stages["none"]?.error?.message).toContain(
    "0 of 3 items succeeded; at least 1 must.",
  );

  for (const [minSuccess, state] of [
    [2, "succeeded"],
    [3, "failed"],
    [0, "succeeded"],
  ] as const) {
    const some = map("some", { over: count(3), onItemFailure: "continue", minSuccess }, failAt(1));
    expect((await pipeline("p", { output: { some } }).run(undefined)).state).toBe(state);
  }
});

test.each([
  [0, 0, "succeeded"],
  [0, 1, "failed"],
  [1, 1, "succeeded"],
  [1, 2, "failed"],
  ["10%", 1, "succeeded"],
  ["10%", 2, "failed"],
  ["0%", 1, "failed"],
  ["100%", 9, "succeeded"],
] as const)(
  "R51: tolerate %s of ten items bears %i failures: %s",
  async (tolerate, failed, state) => {
    const m = map(
      "m",
      { over: count(10), onItemFailure: "continue", tolerate },
      failAt(...count(failed)),
    );
    const result = await pipeline("p", { output: { m } }).run(undefined);
    expect(result.state).toBe(state);
    expect(result.stages["m"]?.items).toMatchObject({ failed, succeeded: 10 - failed });
    expect(result.warnings).toBe(state === "succeeded" ? failed : 0);
  },
);

test("a share is judged on the final count", async () => {
  const m = map(
    "m",
    { over: count(10), concurrency: 1, onItemFailure: "continue", tolerate: "30%" },
    failAt(0, 1, 2),
  );
  expect((await pipeline("p", { output: { m } }).run(undefined)).state).toBe("succeeded");
});

test("with continue an item is repeated before it counts as failed", async () => {
  const world = makeMemoryWorld();
  const m = map(
    "m",
    {
      over: count(4),
      onItemFailure: "continue",
      retry: { attempts: 2, initialDelay: 10, jitter: "none" },
    },
    (item, _needs, ctx) => {
      if (item === 1 || (item === 2 && ctx.attempt === 1)) throw new Error(`no ${item}`);
      return ctx.attempt;
    },
  );
  const result = await world.finish(pipeline("p", { output: { m } }), undefined);
  expect(result.unwrap().m.map((one) => one.value)).toEqual([1, undefined, 2, 1]);
  expect(result.errors[0]?.error.attempts).toBe(2);
});

test("R94: failures in a row stop a map early: the rest is cancelled and the stage fails with that reason", async () => {
  let calls = 0;
  const m = map(
    "m",
    { over: count(20), concurrency: 1, onItemFailure: "continue", stopAfter: { inARow: 10 } },
    () => {
      calls += 1;
      throw new Error("bad day");
    },
  );
  const result = await pipeline("p", { output: { m } }).run(undefined);
  expect(calls).toBe(10);
  expect(result.stages["m"]).toMatchObject({
    state: "failed",
    items: { total: 20, failed: 10, cancelled: 10 },
  });
  expect(result.stages["m"]?.error?.message).toMatch(
    /^stopped early \(stopAfter\): 10 items failed in a row\n/,
  );
});

test("a success between failures starts the row again, a skip does not", async () => {
  const rows: readonly [readonly string[], string][] = [
    [["bad", "bad", "good", "bad", "bad", "good"], "succeeded"],
    [["bad", "bad", "good", "bad", "bad", "bad"], "failed"],
    [["good", "bad", "skip", "bad", "skip", "bad"], "failed"],
  ];
  const { skip } = await import("millrace");
  for (const [over, state] of rows) {
    const m = map(
      "m",
      { over, concurrency: 1, onItemFailure: "continue", stopAfter: { inARow: 3 } },
      (item) => {
        if (item === "bad") throw new Error("bad");
        return item === "skip" ? (JSON.parse("null") ?? skip()) : item;
      },
    );
    expect((await pipeline("p", { output: { m } }).run(undefined)).state).toBe(state);
  }
});

test("R94: a map without the rule goes on through all failures", async () => {
  let calls = 0;
  const m = map("m", { over: count(20), concurrency: 1, onItemFailure: "continue" }, () => {
    calls += 1;
    throw new Error("bad day");
  });
  const result = await pipeline("p", { output: { m } }).run(undefined);
  expect(calls).toBe(20);
  expect(result.stages["m"]?.error?.message).not.toContain("stopAfter");
});

test("R94: a share of the last items stops a map early", async () => {
  let calls = 0;
  const m = map(
    "m",
    {
      over: count(100),
      concurrency: 1,
      onItemFailure: "continue",
      stopAfter: { share: 0.9, of: 20 },
    },
    (item) => {
      calls += 1;
      if (item >= 10) throw new Error("bad day");
      return item;
    },
  );
  const result = await pipeline("p", { output: { m } }).run(undefined);
  // Items 8 to 27 are the first window with 18 failures.
  expect(calls).toBe(28);
  expect(result.stages["m"]?.items).toMatchObject({ succeeded: 10, failed: 18, cancelled: 72 });
  expect(result.stages["m"]?.error?.message).toContain("18 of the last 20 items failed");
});

test("items that wait for a retry when a map stops early are cancelled", async () => {
  const world = makeMemoryWorld();
  const m = map(
    "m",
    {
      over: count(6),
      concurrency: 1,
      onItemFailure: "continue",
      stopAfter: { inARow: 2 },
      retry: { attempts: 2, initialDelay: "1h", jitter: "none" },
    },
    (item) => {
      if (item === 0) throw new Error("again");
      throw Object.assign(new Error("never"), { status: 404 });
    },
  );
  const result = await world.finish(pipeline("p", { output: { m } }), undefined);
  expect(result.stages["m"]?.items).toMatchObject({ failed: 2, cancelled: 4 });
  expect(world.now()).toBe(0);
});

test("R64: failFast elsewhere lets running items finish and cancels the others, tolerant or not", async () => {
  for (const onItemFailure of ["fail", "continue"] as const) {
    const world = makeMemoryWorld();
    const m = map(
      "m",
      { over: count(10), concurrency: 2, onItemFailure },
      async (item, _needs, ctx) => {
        await ctx.sleep(20);
        if (onItemFailure === "continue" && item === 0) throw new Error("borne");
        return item;
      },
    );
    const fails = stage("fails", {}, async (_needs, ctx) => {
      await ctx.sleep(30);
      throw new Error("boom");
    });
    const after = stage("after", { needs: { m } }, () => 1);
    const made = pipeline("p", { stages: [after, fails] });

    const result = await world.finish(made, undefined);

    expect(result.state).toBe("failed");
    expect(result.failedStages).toEqual(["fails"]);
    expect(result.stages["m"]).toMatchObject({
      state: "cancelled",
      reason: "fail_fast",
      items: { total: 10, running: 0, cancelled: 6 },
    });
    expect(result.stages["after"]?.state).toBe("cancelled");
    expect(world.now()).toBe(40);
  }
});

test("a map whose last items were running when failFast struck has succeeded", async () => {
  const world = makeMemoryWorld();
  const m = map("m", { over: count(2) }, (item, _needs, ctx) => ctx.sleep(20).then(() => item));
  const fails = stage("fails", {}, async (_needs, ctx) => {
    await ctx.sleep(10);
    throw new Error("boom");
  });
  const result = await world.finish(pipeline("p", { stages: [m, fails] }), undefined);
  expect(result.stages["m"]?.state).toBe("succeeded");
  expect(result.output(m)).toEqual([0, 1]);
});

test("R35: counts of items written, skipped and failed are in the result", async () => {
  const m = map("m", { over: count(6), onItemFailure: "continue" }, failAt(4));
  const result = await pipeline("p", { output: { m } }).run(undefined);
  expect(result).toMatchObject({ state: "succeeded", warnings: 1 });
  expect(result.stages["m"]?.items).toMatchObject({ total: 6, succeeded: 5, failed: 1 });
});
