// Maps that stop early in durable runs, on both stores: what is not worked on any more, what is told of it, and what
// a resume and a crash make of the count.

import { describe, expect, test } from "vitest";
import { map, pipeline } from "millrace";
import type { MapOptions } from "millrace";
import { showRun, showStage } from "../../src/service/queries/show-run.ts";
import { crash, enqueueOne, setScene } from "../support/crash-scene.ts";
import { makeDurableWorld, makeGate, STORES } from "../support/durable/durable-world.ts";

const keysOf = (count: number): readonly string[] =>
  Array.from({ length: count }, (_, index) => `k${index}`);

type Options = MapOptions<string, {}, "all_success", true, "continue">;

const SHARED = {
  key: (item: string) => item,
  concurrency: 1,
  onItemFailure: "continue",
} as const satisfies Options;

describe.each(STORES)("in %s", (kind) => {
  test("R94: twenty failing items under a rule of ten: ten calls, the rest cancelled, and show and why say so", async () => {
    const world = makeDurableWorld(kind);
    const calls: string[] = [];
    const rule = { stopAfter: { inARow: 10 } } as const;
    const m = map("m", { ...SHARED, ...rule, over: keysOf(20) }, (item) => {
      calls.push(item);
      throw new Error("bad day");
    });
    const made = pipeline("p", { stages: [m] });
    const mill = await world.open([made]);
    const run = await mill.start(made, undefined);
    const result = await run.result();

    expect(calls).toEqual(keysOf(10));
    const said = "stopped early (stopAfter): 10 items failed in a row";
    expect(result.stages["m"]).toMatchObject({
      state: "failed",
      items: { total: 20, failed: 10, cancelled: 10 },
    });
    const { stages } = await showRun(mill.store, run.id);
    expect(stages[0]?.error?.message).toContain(said);
    const { stage } = await showStage(mill.store, run.id, "m");
    expect(stage.error?.message).toContain(said);
    expect((await mill.why(run.id)).summary).toContain(said);
    expect((await mill.why(run.id, "m")).summary).toContain(said);
  });

  test("R94: an item that waited for its retry is cancelled, and why names the rule", async () => {
    const world = makeDurableWorld(kind);
    const retry = { attempts: 2, initialDelay: "1h", maxDelay: "1h", jitter: "none" } as const;
    const rule = { stopAfter: { share: 1, of: 2 }, retry } as const;
    const m = map("m", { ...SHARED, ...rule, over: keysOf(5) }, (item) => {
      throw Object.assign(new Error("no"), item === "k0" ? {} : { status: 404 });
    });
    const made = pipeline("p", { stages: [m] });
    const mill = await world.open([made]);
    const run = await mill.start(made, undefined);
    const result = await run.result();

    expect(result.stages["m"]?.items).toMatchObject({ failed: 2, cancelled: 3 });
    expect((await mill.why(run.id, "m")).summary).toContain("2 of the last 2 items failed");
    const why = await mill.why(run.id, "m", "k0");
    expect(why.summary).toContain("was cancelled: too many items of its map had failed by then");
    expect(why.notes.join()).toContain("attempt 1 failed with unknown: no");
  });

  test("R94: a resume tries what failed again, so that its count begins anew", async () => {
    const world = makeDurableWorld(kind);
    let isGood = false;
    const calls: string[] = [];
    const rule = { stopAfter: { inARow: 3 } } as const;
    const m = map("m", { ...SHARED, ...rule, over: keysOf(8) }, (item) => {
      calls.push(item);
      if (!isGood || item === "k4" || item === "k6") throw new Error("bad day");
    });
    const made = pipeline("p", { stages: [m] });
    const mill = await world.open([made]);
    const run = await mill.start(made, undefined);
    expect((await run.result()).state).toBe("failed");
    expect(calls).toEqual(keysOf(3));

    isGood = true;
    calls.length = 0;
    const resumed = await mill.resume(run.id, { here: true });
    const result = await resumed.result();

    expect(calls.toSorted()).toEqual(keysOf(8));
    expect(result.stages["m"]).toMatchObject({ state: "succeeded", items: { failed: 2 } });
  });
});

test("R94: after a crash the count goes on where it was", async () => {
  const scene = setScene();
  const { life, trap } = scene;
  const rule = { stopAfter: { inARow: 6 } } as const;
  const m = map("m", { ...SHARED, ...rule, over: keysOf(20) }, async (item) => {
    life.calls.push(item);
    if (item === "k4") await trap();
    throw new Error("bad day");
  });
  const made = pipeline("p", { stages: [m] });
  const id = await enqueueOne(scene, made, undefined);
  const dead = await crash(scene, [made]);
  const at = { runId: id, stage: "m", state: "failed", limit: 10 } as const;
  await expect.poll(() => dead.mill.store.listItems(at)).toHaveLength(4);

  const mill = await scene.world.open([made]);
  expect((await mill.work({ drain: true })).counts).toEqual({ failed: 1 });

  expect(life.calls).toEqual(["k4", "k5"]);
  const { stages } = await mill.result(id);
  expect(stages["m"]?.items).toMatchObject({ failed: 6, cancelled: 14 });
  expect(stages["m"]?.error?.message).toContain("6 items failed in a row");
});

test.each(["list", "stream"])(
  "R94: a map over a %s that had to stop when its worker died starts nothing more",
  async (source) => {
    const scene = setScene();
    const { life, trap } = scene;
    const third = makeGate();
    const stream = async function* (): AsyncIterable<string> {
      yield* keysOf(20);
    };
    const over = source === "list" ? keysOf(20) : stream;
    const rule = { stopAfter: { inARow: 2 }, concurrency: 3 } as const;
    const m = map("m", { ...SHARED, ...rule, over }, async (item) => {
      life.calls.push(item);
      // The third one holds the end of the stage until its process dies.
      if (item === "k2") {
        third.open();
        await trap();
      }
      await third.opened;
      throw new Error("bad day");
    });
    const made = pipeline("p", { stages: [m] });
    const id = await enqueueOne(scene, made, undefined);
    const dead = await crash(scene, [made]);
    const at = { runId: id, stage: "m", state: "failed", limit: 10 } as const;
    await expect.poll(() => dead.mill.store.listItems(at)).toHaveLength(2);

    const mill = await scene.world.open([made]);
    expect((await mill.work({ drain: true })).counts).toEqual({ failed: 1 });

    expect(life.calls).toEqual([]);
    const { stages } = await mill.result(id);
    expect(stages["m"]?.error?.message).toContain("2 items failed in a row");
    expect(stages["m"]?.items).toMatchObject({ failed: 2 });
  },
);
