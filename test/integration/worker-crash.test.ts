// Workers that die: their runs come back to the queue under the next epoch, go on from their checkpoints, and fail
// when they cost too many workers in a row.

import { describe, expect, test } from "vitest";
import { map, pipeline, stage } from "../../src/exports/index.ts";
import type { Pipeline } from "../../src/exports/index.ts";
import { crash, enqueueOne, makeThree, range, setScene } from "../support/crash-scene.ts";
import { makeGate } from "../support/durable/durable-world.ts";
import { checkCounts, checkNoLease, readEvents } from "../support/queue-world.ts";

describe("a worker that dies", () => {
  test("R161 R174 R195: leaves its runs to the next one, which goes on from their checkpoints within 2 s", async () => {
    const scene = setScene();
    const three = makeThree(scene);
    const mill = await scene.world.open([three]);
    const { runs } = await mill.enqueue(three, range(3));
    await crash(scene, [three], 3);
    expect(await checkCounts(mill, "three")).toEqual({ running: 3 });

    const startedMs = performance.now();
    const summary = await mill.work({ drain: true });
    expect(performance.now() - startedMs).toBeLessThan(2_000);
    expect(summary).toEqual({ runs: 3, counts: { succeeded: 3 } });
    // Nothing that was committed is done again: no first stage, and no memo.
    expect(scene.life.calls.toSorted()).toEqual([
      "after 0",
      "after 101",
      "after 202",
      "middle 0",
      "middle 1",
      "middle 2",
    ]);
    for (const [index, { run }] of runs.entries()) {
      const record = await mill.run(run.id);
      expect([record.state, record.epoch, record.crashes, record.attempts]).toEqual([
        "succeeded",
        3,
        1,
        0,
      ]);
      expect((await mill.result(run.id)).outputs).toEqual({ after: index * 101 });
      const events = await readEvents(mill, run.id);
      expect(events.map(({ type }) => type)).toEqual([
        "run.created",
        "run.started",
        "stage.succeeded",
        "run.reclaimed",
        "run.started",
        "stage.succeeded",
        "stage.succeeded",
        "run.succeeded",
      ]);
      expect(events[3]?.data).toMatchObject({ reason: "its process is gone" });
      expect(events.flatMap(({ data }) => data?.["epoch"] ?? [])).toEqual([1, 3]);
    }
    expect(await checkCounts(mill, "three")).toEqual({ succeeded: 3 });
    await checkNoLease(mill);
  });

  test("R162: fails as poison what was found to cost them, and starts it no more", async () => {
    const scene = setScene();
    const three = makeThree(scene);
    const id = await enqueueOne(scene, three, 1);
    for (let crashes = 0; crashes < 3; crashes += 1) await crash(scene, [three]);
    const mill = await scene.world.open([three]);
    const summary = await mill.work({ drain: true });
    expect(summary.counts).toEqual({ failed: 1 });
    expect(scene.life.calls).toEqual([]);
    const record = await mill.run(id);
    expect([record.state, record.crashes, record.attempts, record.failure?.class]).toEqual([
      "failed",
      3,
      0,
      "poison",
    ]);
    expect(record.failure?.message).toContain('"middle" is not started again after 3 crashes');
    expect((await readEvents(mill, id)).at(-1)?.type).toBe("run.failed");
    await checkNoLease(mill);
  });

  test("R162: the limit of a pipeline is its own", async () => {
    const scene = setScene();
    const three = makeThree(scene, { attempts: 1 });
    const id = await enqueueOne(scene, three, 1);
    await crash(scene, [three]);
    const mill = await scene.world.open([three]);
    await mill.work({ drain: true });
    expect((await mill.run(id)).state).toBe("failed");
  });

  test("R162: a checkpoint begins the count again, and a graceful stop counts nothing", async () => {
    const scene = setScene();
    const { life, trap } = scene;
    const many = Array.from({ length: 4 }, (_, index) => index);
    const each = map("each", { over: many, concurrency: 1 }, async (item: number) => {
      life.calls.push(`item ${item}`);
      // Every process does one more item before it dies.
      if (life.calls.length > 1) await trap();
      return item;
    });
    const slow = pipeline("slow", { output: { each } });
    const id = await enqueueOne(scene, slow as Pipeline<undefined>, undefined);
    for (let turn = 0; turn < 3; turn += 1) await crash(scene, [slow]);
    const mill = await scene.world.open([slow]);
    const control = new AbortController();
    control.abort();
    await mill.work({ signal: control.signal });
    const before = await mill.run(id);
    expect([before.state, before.crashes]).toEqual(["running", 2]);
    expect((await mill.work({ drain: true })).counts).toEqual({ succeeded: 1 });
    expect(life.calls).toEqual(["item 3"]);
    const record = await mill.run(id);
    expect([record.state, record.crashes]).toEqual(["succeeded", 3]);
  });

  test("leaves failures that stand: nobody asked to try again", async () => {
    const scene = setScene();
    const { life, trap } = scene;
    const bad = stage("bad", {}, () => {
      life.calls.push("bad");
      throw new Error("no");
    });
    const soft = stage("soft", { critical: false }, () => {
      life.calls.push("soft");
      throw new Error("no");
    });
    const behind = stage("behind", { needs: { bad } }, () => life.calls.push("behind"));
    const slow = stage("slow", { needs: { bad, soft }, trigger: "all_done" }, async () => {
      life.calls.push("slow");
      await trap();
      return 1;
    });
    const made = pipeline("made", { failFast: false, stages: [bad, soft, behind, slow] });
    const id = await enqueueOne(scene, made as Pipeline<undefined>, undefined);
    await crash(scene, [made]);
    const mill = await scene.world.open([made]);
    expect((await mill.work({ drain: true })).counts).toEqual({ failed: 1 });
    expect(life.calls).toEqual(["slow"]);
    const result = await mill.result(id);
    expect(Object.values(result.stages).map(({ stage: name, state }) => [name, state])).toEqual([
      ["bad", "failed"],
      ["soft", "failed"],
      ["behind", "upstream_failed"],
      ["slow", "succeeded"],
    ]);
    expect((await mill.run(id)).failure?.message).toContain("no");
  });

  test("with failFast: what its failure spared goes on, and nothing else is started", async () => {
    const scene = setScene();
    const { life, trap } = scene;
    const bad = stage("bad", {}, async (_needs, ctx) => {
      await ctx.sleep(5);
      throw new Error("no");
    });
    const slow = stage("slow", {}, async () => {
      life.calls.push("slow");
      await trap();
    });
    const late = stage("late", { needs: { slow } }, () => life.calls.push("late"));
    const spared = stage("spared", { needs: { slow, bad }, trigger: "all_done" }, () =>
      life.calls.push("spared"),
    );
    const made = pipeline("made", { stages: [bad, slow, late, spared] });
    const id = await enqueueOne(scene, made as Pipeline<undefined>, undefined);
    const { mill: dead } = await crash(scene, [made]);
    while ((await dead.store.findStage(id, "late"))?.state !== "cancelled")
      await new Promise((resolve) => setImmediate(resolve));
    const mill = await scene.world.open([made]);
    expect((await mill.work({ drain: true })).counts).toEqual({ failed: 1 });
    const { stages } = await mill.result(id);
    expect([life.calls, stages["late"]?.state, stages["spared"]?.state]).toEqual([
      ["spared"],
      "cancelled",
      "succeeded",
    ]);
  });

  test("leaves the items of a map: what succeeded is kept, and with onItemFailure continue what failed, too", async () => {
    const scene = setScene();
    const { life, trap } = scene;
    const each = map(
      "each",
      {
        over: ["a", "bad", "slow", "z"],
        key: (item) => item,
        concurrency: 1,
        onItemFailure: "continue",
      },
      async (item: string) => {
        life.calls.push(item);
        if (item === "bad") throw new Error("bad item");
        if (item === "slow") await trap();
        return item;
      },
    );
    const made = pipeline("made", { output: { each } });
    const id = await enqueueOne(scene, made as Pipeline<undefined>, undefined);
    await crash(scene, [made]);
    const mill = await scene.world.open([made]);
    await mill.work({ drain: true });
    expect(life.calls).toEqual(["slow", "z"]);
    const { items } = await mill.items(id, "each");
    expect(items.map(({ key, state }) => [key, state])).toEqual([
      ["a", "succeeded"],
      ["bad", "failed"],
      ["slow", "succeeded"],
      ["z", "succeeded"],
    ]);
    expect(await mill.store.countItems(id)).toEqual(
      new Map([["each", { succeeded: 3, failed: 1 }]]),
    );
  });

  test("leaves the items of a map: with onItemFailure fail a failed one is done again", async () => {
    const scene = setScene();
    const { life, trap } = scene;
    let isBad = true;
    const each = map(
      "each",
      { over: ["a", "slow", "bad"], key: (item) => item, concurrency: 2, onItemFailure: "fail" },
      async (item: string) => {
        life.calls.push(item);
        if (item === "slow") await trap();
        if (item === "bad" && isBad) throw new Error("bad item");
        return item;
      },
    );
    const made = pipeline("made", { output: { each } });
    const id = await enqueueOne(scene, made as Pipeline<undefined>, undefined);
    const { mill: dead } = await crash(scene, [made]);
    // The trap is reached before the bad item has ended: its end is committed, the stage is not over.
    for (;;) {
      const item = await dead.store.findItem(id, "each", "bad");
      if (item?.state === "failed") break;
      await new Promise((resolve) => setImmediate(resolve));
    }
    life.calls.length = 0;
    isBad = false;
    const mill = await scene.world.open([made]);
    await mill.work({ drain: true });
    expect(life.calls.toSorted()).toEqual(["bad", "slow"]);
    expect((await mill.result(id)).outputs).toEqual({ each: ["a", "slow", "bad"] });
  });

  test("leaves a stage that waits for its retry: it goes on with the attempt that is next", async () => {
    const scene = setScene();
    const { life, trap } = scene;
    const retry = { attempts: 3, initialDelay: "1h", maxDelay: "1h", jitter: "none" } as const;
    const tried = stage("tried", { retry }, (_needs, ctx) => {
      life.calls.push(`tried ${ctx.attempt}`);
      throw new Error("no luck");
    });
    const slow = stage("slow", {}, async () => {
      life.calls.push("slow");
      await trap();
    });
    const made = pipeline("made", { stages: [tried, slow] });
    const id = await enqueueOne(scene, made as Pipeline<undefined>, undefined);
    const { mill: dead } = await crash(scene, [made]);
    for (;;) {
      if ((await dead.store.findStage(id, "tried"))?.state === "waiting") break;
      await new Promise((resolve) => setImmediate(resolve));
    }
    life.calls.length = 0;
    const mill = await scene.world.open([made]);
    const begun = makeGate();
    const control = new AbortController();
    const onEvent = ({ type, stage: name }: { type: string; stage?: string }): void => {
      if (type === "stage.succeeded" && name === "slow") begun.open();
    };
    const working = mill.work({ signal: control.signal, stopAfterMs: 0, onEvent });
    await begun.opened;
    control.abort();
    await working;
    // Its wait of an hour is not over.
    expect(life.calls).toEqual(["slow"]);
    const record = await mill.store.findStage(id, "tried");
    expect([record?.state, record?.attempts]).toEqual(["waiting", 1]);
  });

  test("leaves a stage that waits for its retry: its attempts are those of both workers", async () => {
    const scene = setScene();
    const { life, trap } = scene;
    const retry = { attempts: 3, initialDelay: 30, factor: 1, jitter: "none" } as const;
    const tried = stage("tried", { retry }, async (_needs, ctx) => {
      life.calls.push(`tried ${ctx.attempt}`);
      if (ctx.attempt === 2) await trap();
      throw new Error("no luck");
    });
    const items = map(
      "items",
      { over: ["a"], key: (item) => item, retry: { ...retry, initialDelay: "1h", maxDelay: "1h" } },
      (item: string) => {
        life.calls.push(`item ${item}`);
        if (life.calls.includes("tried 3")) return item;
        throw new Error("no luck");
      },
    );
    const made = pipeline("made", { failFast: false, stages: [tried, items] });
    const id = await enqueueOne(scene, made as Pipeline<undefined>, undefined);
    await crash(scene, [made]);
    const mill = await scene.world.open([made]);
    const failed = makeGate();
    const control = new AbortController();
    const onEvent = ({ type }: { type: string }): void => {
      if (type === "stage.failed") failed.open();
    };
    const working = mill.work({ signal: control.signal, stopAfterMs: 0, onEvent });
    await failed.opened;
    control.abort();
    await working;
    // The second attempt died with its process: that is a crash, and no attempt.
    expect(life.calls.filter((call) => call.startsWith("tried"))).toEqual(["tried 2", "tried 3"]);
    expect((await mill.store.findStage(id, "tried"))?.attempts).toBe(3);
    // What the item does is no concern of this test, but it must not have harmed the counters.
    expect(await mill.store.countItems(id)).toEqual(new Map([["items", { waiting: 1 }]]));
  });

  test("leaves what must not be repeated unseen: that stage is ambiguous", async () => {
    const scene = setScene();
    const { life, trap } = scene;
    const pay = stage("pay", { idempotent: false }, async () => {
      life.calls.push("pay");
      await trap();
    });
    const made = pipeline("made", { stages: [pay] });
    const id = await enqueueOne(scene, made as Pipeline<undefined>, undefined);
    await crash(scene, [made]);
    const mill = await scene.world.open([made]);
    expect((await mill.work({ drain: true })).counts).toEqual({ failed: 1 });
    expect(life.calls).toEqual([]);
    expect((await mill.result(id)).stages["pay"]?.error?.class).toBe("ambiguous");
  });

  test("in the foreground: its run waits for a resume, and no worker takes it", async () => {
    const scene = setScene();
    const three = makeThree(scene);
    const living = await scene.world.open([three]);
    const dead = await scene.world.openDoomed([three]);
    const run = await dead.start(three, 1);
    await scene.trapped();
    scene.life.isDoomed = false;
    scene.life.calls.length = 0;
    await living.enqueue(three, [{ input: 2, delay: "1.2s" }]);
    expect((await living.work({ maxRuns: 1 })).counts).toEqual({ succeeded: 1 });
    const record = await living.run(run.id);
    expect([record.state, record.reason, record.epoch, record.crashes]).toEqual([
      "waiting",
      "interrupted",
      2,
      1,
    ]);
    expect(scene.life.calls.filter((call) => call.endsWith(" 1"))).toEqual([]);
  });

  test("after its run was to be cancelled: that is carried out, and nothing is started", async () => {
    const scene = setScene();
    const three = makeThree(scene);
    const id = await enqueueOne(scene, three, 1);
    await crash(scene, [three]);
    const mill = await scene.world.open([three]);
    await mill.store.apply([{ kind: "request-cancel", runId: id, reason: "no longer wanted" }]);
    expect((await mill.work({ drain: true })).runs).toBe(0);
    const record = await mill.run(id);
    expect([record.state, record.reason]).toEqual(["cancelled", "no longer wanted"]);
    expect(scene.life.calls).toEqual([]);
  });
});

describe("a map that follows another one, when its worker dies", () => {
  test("ends its items with those that it follows, again and no more than once", async () => {
    const scene = setScene();
    const { life, trap } = scene;
    const first = map(
      "first",
      { over: ["a", "bad"], key: (item) => item, onItemFailure: "continue" },
      (item: string) => {
        life.calls.push(`first ${item}`);
        if (item === "bad") throw new Error("bad item");
        return item;
      },
    );
    const second = map("second", { over: first, onItemFailure: "continue" }, async (item) => {
      life.calls.push(`second ${String(item)}`);
      await trap();
      return item;
    });
    const made = pipeline("made", { failFast: false, output: { second } });
    const id = await enqueueOne(scene, made as Pipeline<undefined>, undefined);
    const { mill: dead } = await crash(scene, [made]);
    while ((await dead.store.findItem(id, "second", "bad"))?.state !== "upstream_failed")
      await new Promise((resolve) => setImmediate(resolve));
    const mill = await scene.world.open([made]);
    expect((await mill.work({ drain: true })).runs).toBe(1);
    expect(life.calls).toEqual(["second a"]);
    const counts = await mill.store.countItems(id);
    expect(counts.get("first")).toEqual({ succeeded: 1, failed: 1 });
    expect(counts.get("second")).toEqual({ succeeded: 1, upstream_failed: 1 });
    expect((await mill.run(id)).state).toBe("succeeded");
  });
});
