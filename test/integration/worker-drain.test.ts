// A worker that drains its queues: everything once, in the order of claims, no more at a time than it may, and
// whatever one run does, the others go on.

import assert from "node:assert/strict";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { input, isMillraceError, map, pipeline, skip, stage } from "../../src/exports/index.ts";
import type { WorkOptions } from "../../src/service/worker/worker.ts";
import { checkCounts, checkNoLease, readEvents, readTypes } from "../support/queue-world.ts";
import { makeDurableWorld, makeGate, STORES } from "../support/durable/durable-world.ts";

function range(count: number): readonly { readonly input: number }[] {
  return Array.from({ length: count }, (_, index) => ({ input: index }));
}

/** Doubles its input in two stages, and notes every call. */
function makeDoubler(calls: string[] = []) {
  const given = input<number>();
  const read = stage("read", { needs: { given } }, ({ given: value }) => {
    calls.push(`read ${value}`);
    return value;
  });
  const double = stage("double", { needs: { read } }, ({ read: value }) => {
    calls.push(`double ${value}`);
    return 2 * value;
  });
  return pipeline("doubler", { input: given, output: { double } });
}

/** A pipeline whose one stage does as it is told. */
function makeDoing(doing: (value: number) => unknown, name = "doing") {
  const given = input<number>();
  const act = stage("act", { needs: { given } }, async ({ given: value }) => await doing(value));
  return pipeline(name, { input: given, output: { act } });
}

describe.each(STORES)("a worker on %s", (kind) => {
  test("R174: drains everything once, with its results, events and counts", async () => {
    const calls: string[] = [];
    const doubler = makeDoubler(calls);
    const mill = await makeDurableWorld(kind).open([doubler]);
    const { runs } = await mill.enqueue(doubler, range(25));
    const summary = await mill.work({ drain: true });

    expect(summary).toEqual({ runs: 25, counts: { succeeded: 25 } });
    expect(calls.toSorted()).toEqual(
      range(25)
        .flatMap(({ input: value }) => [`double ${value}`, `read ${value}`])
        .toSorted(),
    );
    for (const [index, { run }] of runs.entries()) {
      const result = await mill.result(run.id);
      expect(result.outputs).toEqual({ double: 2 * index });
      expect(await readTypes(mill, run.id)).toEqual([
        "run.created",
        "run.started",
        "stage.succeeded",
        "stage.succeeded",
        "run.succeeded",
      ]);
      const record = await mill.run(run.id);
      expect([record.epoch, record.attempts, record.crashes, record.lease]).toEqual([
        1,
        0,
        0,
        null,
      ]);
    }
    expect(await checkCounts(mill, "doubler")).toEqual({ succeeded: 25 });
    await checkNoLease(mill);
  });

  test("R112 R160: claims by priority, then by due time, then by number", async () => {
    const started: number[] = [];
    const doing = makeDoing((value) => started.push(value));
    const mill = await makeDurableWorld(kind).open([doing]);
    await mill.enqueue(doing, [
      { input: 0 },
      { input: 1 },
      { input: 2, priority: 5 },
      { input: 3, priority: -1 },
      { input: 4, priority: 5 },
    ]);
    await mill.work({ drain: true, concurrency: 1 });
    expect(started).toEqual([2, 4, 0, 1, 3]);
  });

  test("R104: drives as many runs at once as it may, and never more", async () => {
    let running = 0;
    let most = 0;
    const begun = makeGate();
    const gate = makeGate();
    const doing = makeDoing(async () => {
      running += 1;
      most = Math.max(most, running);
      if (running === 3) begun.open();
      await gate.opened;
      running -= 1;
    });
    const mill = await makeDurableWorld(kind).open([doing]);
    await mill.enqueue(doing, range(10));
    const worked = mill.work({ drain: true, concurrency: 3 });
    await begun.opened;
    // What is claimed is what runs.
    expect(await checkCounts(mill, "doing")).toEqual({ queued: 7, running: 3 });
    gate.open();
    expect((await worked).runs).toBe(10);
    expect(most).toBe(3);
  });

  test("never holds more claimed runs than it has slots", async () => {
    const doing = makeDoing(async (value) => {
      held.push((await mill.store.countRuns()).get("doing")?.running ?? 0);
      return value;
    });
    const held: number[] = [];
    const mill = await makeDurableWorld(kind).open([doing]);
    await mill.enqueue(doing, range(40));
    await mill.work({ drain: true, concurrency: 4 });
    expect(held.length).toBe(40);
    expect(Math.max(...held)).toBeLessThanOrEqual(4);
  });

  test("R170: an input that does not fit fails its run, starts nothing, and spares the others", async () => {
    const calls: unknown[] = [];
    const given = input(z.object({ n: z.number() }));
    const act = stage("act", { needs: { given } }, ({ given: value }) => calls.push(value.n));
    const strict = pipeline("strict", { input: given, output: { act } });
    const mill = await makeDurableWorld(kind).open([strict]);
    // What the compiler refuses may still come, from a file or another program.
    const bad = JSON.parse('{"n":"two"}') as { n: number };
    const { runs } = await mill.enqueue(strict, [
      { input: { n: 1 } },
      { input: bad },
      { input: { n: 3 } },
    ]);
    const summary = await mill.work({ drain: true });
    expect(summary.counts).toEqual({ succeeded: 2, failed: 1 });
    expect(new Set(calls)).toEqual(new Set([1, 3]));
    const record = await mill.run(runs[1]?.run.id ?? "");
    expect([record.state, record.failure?.class, record.reason]).toEqual([
      "failed",
      "permanent",
      "INPUT_INVALID",
    ]);
    expect(record.failure?.message).toContain("n: ");
    expect(record.lease).toBe(null);
    expect(await mill.store.listStages(record.id)).toEqual([]);
    expect(await readTypes(mill, record.id)).toEqual(["run.created", "run.started", "run.failed"]);
    expect(await checkCounts(mill, "strict")).toEqual({ succeeded: 2, failed: 1 });
  });

  test("an input goes through its schema, also where that changes it", async () => {
    const seen: unknown[] = [];
    const given = input(z.object({ n: z.number(), step: z.number().default(7) }));
    const act = stage("act", { needs: { given } }, ({ given: value }) => seen.push(value));
    const defaulted = pipeline("defaulted", { input: given, output: { act } });
    const mill = await makeDurableWorld(kind).open([defaulted]);
    // As a program without these types would write it.
    const sparse = JSON.parse('{"n":1}') as { n: number; step: number };
    await mill.enqueue(defaulted, [{ input: sparse }]);
    expect((await mill.work({ drain: true })).counts).toEqual({ succeeded: 1 });
    expect(seen).toEqual([{ n: 1, step: 7 }]);
  });

  test("R170: a schema that throws fails the run that it threw for, and no other", async () => {
    const given = input(
      z.number().refine((value) => {
        if (value === 1) throw new TypeError("the schema is broken");
        return true;
      }),
    );
    const act = stage("act", { needs: { given } }, ({ given: value }) => value);
    const fragile = pipeline("fragile", { input: given, output: { act } });
    const mill = await makeDurableWorld(kind).open([fragile]);
    const { runs } = await mill.enqueue(fragile, range(3));
    const summary = await mill.work({ drain: true });
    expect(summary.counts).toEqual({ succeeded: 2, failed: 1 });
    const record = await mill.run(runs[1]?.run.id ?? "");
    expect([record.state, record.failure?.class]).toEqual(["failed", "permanent"]);
    expect(record.failure?.message).toContain("the schema is broken");
  });

  test("a run that fails, is skipped or is cancelled never stops the others", async () => {
    const doing = makeDoing((value) => {
      if (value === 1) throw new Error("no");
      if (value === 2) return skip("nothing to do");
      return value;
    });
    const mill = await makeDurableWorld(kind).open([doing]);
    const { runs } = await mill.enqueue(doing, range(5));
    await mill.cancel(runs[3]?.run.id ?? "");
    const summary = await mill.work({ drain: true, concurrency: 2 });
    expect(summary).toEqual({ runs: 4, counts: { succeeded: 2, failed: 1, skipped: 1 } });
    expect(await checkCounts(mill, "doing")).toEqual({
      succeeded: 2,
      failed: 1,
      skipped: 1,
      cancelled: 1,
    });
  });

  test("works as many runs as it was asked for, and leaves the others", async () => {
    const doubler = makeDoubler();
    const mill = await makeDurableWorld(kind).open([doubler]);
    await mill.enqueue(doubler, range(10));
    const summary = await mill.work({ maxRuns: 4, concurrency: 3 });
    expect(summary.runs).toBe(4);
    expect(await checkCounts(mill, "doubler")).toEqual({ succeeded: 4, queued: 6 });
  });

  test("works the pipelines it was given, and no others", async () => {
    const one = makeDoing((value) => value, "one");
    const two = makeDoing((value) => value, "two");
    const mill = await makeDurableWorld(kind).open([one, two]);
    await mill.enqueue(one, range(3));
    await mill.enqueue(two, range(2));
    const summary = await mill.work({ drain: true, pipelines: ["two", "two"] });
    expect(summary.runs).toBe(2);
    expect(await checkCounts(mill, "one")).toEqual({ queued: 3 });
    expect((await mill.work({ drain: true })).runs).toBe(3);
  });

  test("tells of every run before its events, and every event without a gap", async () => {
    const doubler = makeDoubler();
    const mill = await makeDurableWorld(kind).open([doubler]);
    const { runs } = await mill.enqueue(doubler, range(6));
    const told = new Map<string, number[]>();
    const begun: string[] = [];
    await mill.work({
      drain: true,
      concurrency: 2,
      onRun: (run) => begun.push(run.id),
      onEvent: ({ run, runSeq }) => {
        if (runSeq > 0) told.set(run, [...(told.get(run) ?? []), runSeq]);
      },
    });
    expect(begun.toSorted()).toEqual(runs.map(({ run }) => run.id).toSorted());
    for (const { run } of runs) {
      const stored = await readEvents(mill, run.id);
      // The first one was told when it was enqueued.
      expect(told.get(run.id)).toEqual(stored.slice(1).map(({ runSeq }) => runSeq));
    }
  });

  test("says what its listener of runs throws, and loses no run by it", async () => {
    const doubler = makeDoubler();
    const mill = await makeDurableWorld(kind).open([doubler]);
    await mill.enqueue(doubler, range(6));
    const onRun = (): void => {
      throw new Error("my listener is broken");
    };
    await assert.rejects(mill.work({ drain: true, concurrency: 3, onRun }), /my listener/);
    await checkNoLease(mill);
    const { queued = 0, succeeded = 0 } = await checkCounts(mill, "doubler");
    expect(queued + succeeded).toBe(6);
    expect((await mill.work({ drain: true })).runs).toBe(queued);
    expect(await checkCounts(mill, "doubler")).toEqual({ succeeded: 6 });
  });

  test("R159 R175: two workers in one mill share its queue, and no run is worked on twice", async () => {
    const calls: string[] = [];
    const doubler = makeDoubler(calls);
    const mill = await makeDurableWorld(kind).open([doubler]);
    await mill.enqueue(doubler, range(40));
    const summaries = await Promise.all([
      mill.work({ drain: true, concurrency: 2 }),
      mill.work({ drain: true, concurrency: 2 }),
    ]);
    expect(summaries.map(({ runs }) => runs).reduce((sum, runs) => sum + runs, 0)).toBe(40);
    for (const { runs } of summaries) expect(runs).toBeGreaterThan(0);
    expect(new Set(calls).size).toBe(80);
    expect(calls.length).toBe(80);
    expect(await checkCounts(mill, "doubler")).toEqual({ succeeded: 40 });
  });

  test("drains although a run of the same pipeline goes on in the foreground", async () => {
    const gate = makeGate();
    const doing = makeDoing(async (value) => (value === 99 ? await gate.opened : value));
    const mill = await makeDurableWorld(kind).open([doing]);
    const front = await mill.start(doing, 99);
    await mill.enqueue(doing, range(3));
    expect((await mill.work({ drain: true })).counts).toEqual({ succeeded: 3 });
    expect((await mill.run(front.id)).state).toBe("running");
    gate.open();
    expect((await front.result()).state).toBe("succeeded");
  });

  test("leaves no timer and no listener behind", async () => {
    const doubler = makeDoubler();
    const mill = await makeDurableWorld(kind).open([doubler]);
    const { signal } = new AbortController();
    let listeners = 0;
    const watched: AbortSignal = new Proxy(signal, {
      get: (target, name) => {
        if (name === "addEventListener") listeners += 1;
        if (name === "removeEventListener") listeners -= 1;
        const value: unknown = Reflect.get(target, name, target);
        return typeof value === "function" ? value.bind(target) : value;
      },
    });
    await mill.enqueue(doubler, range(5));
    await mill.work({ drain: true, signal: watched });
    expect(listeners).toBe(0);
    // A drained worker hears of nothing any more.
    await mill.enqueue(doubler, range(2));
    await new Promise((resolve) => setImmediate(resolve));
    expect(await checkCounts(mill, "doubler")).toEqual({ succeeded: 5, queued: 2 });
  });

  test.each([
    [{ concurrency: 0 }, "concurrency"],
    [{ concurrency: 257 }, "concurrency"],
    [{ concurrency: 1.5 }, "concurrency"],
    [{ maxRuns: 0 }, "maxRuns"],
    [{ maxRuns: Number.NaN }, "maxRuns"],
    [{ stopAfterMs: -1 }, "stopAfterMs"],
    [{ stopAfterMs: Number.NaN }, "stopAfterMs"],
  ] satisfies [WorkOptions, string][])("R104: refuses %o", async (options, name) => {
    const doubler = makeDoubler();
    const mill = await makeDurableWorld(kind).open([doubler]);
    await mill.enqueue(doubler, range(1));
    await assert.rejects(mill.work({ drain: true, ...options }), (error) => {
      assert.ok(isMillraceError(error));
      expect(error.code).toBe("OPTION_INVALID");
      expect(error.message).toContain(name);
      return true;
    });
    expect(await checkCounts(mill, "doubler")).toEqual({ queued: 1 });
  });

  test("refuses pipelines it does not know, values nobody provides, and a closed mill", async () => {
    const doubler = makeDoubler();
    const mill = await makeDurableWorld(kind).open([doubler]);
    const isCode = (code: string) => (error: unknown) =>
      isMillraceError(error) && error.code === code;
    await assert.rejects(mill.work({ pipelines: ["dubbler"] }), isCode("PIPELINE_UNKNOWN"));
    await mill.close();
    await assert.rejects(mill.work({ drain: true }), isCode("STORE_CLOSED"));
  });

  test("the greatest number of runs at once is 256", async () => {
    let running = 0;
    const all = makeGate();
    const doing = makeDoing(async () => {
      running += 1;
      if (running === 256) all.open();
      await all.opened;
    });
    const mill = await makeDurableWorld(kind).open([doing], { concurrency: 300 });
    await mill.enqueue(doing, range(256));
    expect((await mill.work({ drain: true, concurrency: 256 })).counts).toEqual({ succeeded: 256 });
  });
});

describe("two mills on one store", () => {
  test("R175: share its queue, and no run is worked on twice", async () => {
    const world = makeDurableWorld();
    const calls: string[] = [];
    const doubler = makeDoubler(calls);
    const mills = await Promise.all([world.open([doubler]), world.open([doubler])]);
    const [one, two] = mills;
    assert.ok(one !== undefined && two !== undefined);
    await one.enqueue(doubler, range(100));
    const summaries = await Promise.all(mills.map((mill) => mill.work({ drain: true })));
    expect(summaries.map(({ runs }) => runs).reduce((sum, runs) => sum + runs, 0)).toBe(100);
    for (const { runs } of summaries) expect(runs).toBeGreaterThan(0);
    expect(calls.length).toBe(200);
    expect(new Set(calls).size).toBe(200);
    expect(await checkCounts(two, "doubler")).toEqual({ succeeded: 100 });
    await checkNoLease(one);
  });

  test("R158 R206: of two workers that race for one run one wins, a hundred times", async () => {
    const world = makeDurableWorld();
    let calls = 0;
    const doing = makeDoing(() => (calls += 1));
    const mills = await Promise.all([world.open([doing]), world.open([doing])]);
    for (let race = 1; race <= 100; race += 1) {
      await mills[0]?.enqueue(doing, range(1));
      const summaries = await Promise.all(mills.map((mill) => mill.work({ drain: true })));
      expect(new Set(summaries.map(({ runs }) => runs))).toEqual(new Set([0, 1]));
      expect(calls).toBe(race);
    }
    const mill = mills[0];
    assert.ok(mill !== undefined);
    expect(await checkCounts(mill, "doing")).toEqual({ succeeded: 100 });
    for (const run of await mill.store.listRuns({ limit: 100 }))
      expect([run.epoch, run.crashes, run.lease]).toEqual([1, 0, null]);
  });

  test("a foreground run is never claimed, whoever looks", async () => {
    const world = makeDurableWorld();
    const gate = makeGate();
    const doing = makeDoing(async () => await gate.opened);
    const [one, two] = await Promise.all([world.open([doing]), world.open([doing])]);
    const front = await one.start(doing, 1);
    await two.enqueue(doing, [{ input: 2, delay: "1h" }]);
    expect((await two.work({ drain: true })).runs).toBe(0);
    const record = await one.run(front.id);
    expect([record.state, record.epoch]).toEqual(["running", 1]);
    gate.open();
    await front.result();
  });
});

describe("a map in a queued run", () => {
  test.each(STORES)("gives its items on %s as in the foreground", async (kind) => {
    const given = input<readonly number[]>();
    const square = map("square", { over: given }, (item: number) => item * item);
    const squares = pipeline("squares", { input: given, output: { square } });
    const mill = await makeDurableWorld(kind).open([squares]);
    const { runs } = await mill.enqueue(squares, [{ input: [1, 2, 3] }, { input: [] }]);
    await mill.work({ drain: true });
    const outputs = await Promise.all(
      runs.map(async ({ run }) => (await mill.result(run.id)).outputs),
    );
    expect(outputs).toEqual([{ square: [1, 4, 9] }, { square: [] }]);
  });
});
