// A worker that is told to stop: what runs gets its time, what has not begun goes back at once, and what is not
// finished is continued elsewhere from its checkpoints.

import assert from "node:assert/strict";
import { describe, expect, test } from "vitest";
import { input, map, pipeline, stage } from "../../src/exports/index.ts";
import type { Schema } from "../../src/model/schema.ts";
import { makeVirtualClock } from "../../src/std/virtual-clock.ts";
import { checkCounts, checkNoLease, readEvents, readTypes } from "../support/queue-world.ts";
import { makeDurableWorld, makeGate, STORES, type Gate } from "../support/durable/durable-world.ts";

function range(count: number): readonly { readonly input: number }[] {
  return Array.from({ length: count }, (_, index) => ({ input: index }));
}

/** First a stage that is quick, then one that does as it is told. */
function makeTwo(doing: (value: number, signal: AbortSignal) => unknown, calls: string[] = []) {
  const given = input<number>();
  const quick = stage("quick", { needs: { given } }, ({ given: value }) => {
    calls.push(`quick ${value}`);
    return value;
  });
  const slow = stage("slow", { needs: { quick } }, async ({ quick: value }, ctx) => {
    calls.push(`slow ${value}`);
    await doing(value, ctx.signal);
    return `slow ${value}`;
  });
  const last = stage("last", { needs: { slow } }, ({ slow: value }) => {
    calls.push(`last ${value}`);
    return value;
  });
  return pipeline("two", { input: given, output: { last } });
}

function untilAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason as Error), { once: true });
  });
}

/** Opens once it was called so often. */
function countTo(count: number): { readonly gate: Gate; call(): void } {
  const gate = makeGate();
  let left = count;
  return {
    gate,
    call: () => {
      left -= 1;
      if (left === 0) gate.open();
    },
  };
}

describe.each(STORES)("a stop on %s", (kind) => {
  test("R102 R173: lets a running stage end within its time, and gives the rest back at once", async () => {
    const calls: string[] = [];
    const begun = countTo(2);
    const gate = makeGate();
    const two = makeTwo(async () => {
      begun.call();
      await gate.opened;
    }, calls);
    const mill = await makeDurableWorld(kind).open([two]);
    const { runs } = await mill.enqueue(two, range(5));
    const control = new AbortController();
    const working = mill.work({ concurrency: 2, signal: control.signal });
    await begun.gate.opened;
    control.abort();
    control.abort();
    gate.open();
    expect(await working).toEqual({ runs: 2, counts: { returned: 2 } });

    // The stages that ran have ended, and nothing after them has begun.
    expect(calls).toEqual(["quick 0", "quick 1", "slow 0", "slow 1"]);
    expect(await checkCounts(mill, "two")).toEqual({ queued: 5 });
    await checkNoLease(mill);
    for (const { run } of runs.slice(0, 2)) {
      const record = await mill.run(run.id);
      expect([record.state, record.epoch, record.attempts, record.crashes]).toEqual([
        "queued",
        1,
        0,
        0,
      ]);
      expect((await readTypes(mill, run.id)).at(-1)).toBe("run.returned");
      const stages = await mill.store.listStages(run.id);
      expect(stages.map(({ stage: name, state }) => [name, state])).toEqual([
        ["quick", "succeeded"],
        ["slow", "succeeded"],
      ]);
    }

    // Whoever works next continues them under the next epoch, and repeats nothing.
    calls.length = 0;
    expect((await mill.work({ drain: true })).counts).toEqual({ succeeded: 5 });
    expect(calls.filter((call) => call.endsWith(" 0"))).toEqual(["last slow 0"]);
    const first = await mill.run(runs[0]?.run.id ?? "");
    expect([first.state, first.epoch, first.attempts]).toEqual(["succeeded", 2, 0]);
    await readEvents(mill, first.id);
  });

  test("R103: aborts what does not end in its time, and gives its attempt back", async () => {
    const begun = countTo(1);
    let isStubborn = true;
    const two = makeTwo(async (_value, signal) => {
      begun.call();
      if (isStubborn) await untilAborted(signal);
    });
    const mill = await makeDurableWorld(kind).open([two]);
    const { runs } = await mill.enqueue(two, range(1));
    const control = new AbortController();
    const working = mill.work({ signal: control.signal, stopAfterMs: 30 });
    await begun.gate.opened;
    control.abort();
    expect((await working).counts).toEqual({ returned: 1 });
    const id = runs[0]?.run.id ?? "";
    const record = await mill.run(id);
    expect([record.state, record.lease, record.attempts]).toEqual(["queued", null, 0]);
    isStubborn = false;
    await mill.work({ drain: true });
    const [, slow] = await mill.store.listStages(id);
    assert.ok(slow !== undefined);
    expect([(await mill.run(id)).state, slow.attempts]).toEqual(["succeeded", 1]);
  });

  test("R103: ends although work hangs that hears nothing", async () => {
    const begun = countTo(1);
    let hangs = true;
    const two = makeTwo(async () => {
      begun.call();
      if (hangs) await new Promise<never>(() => {});
    });
    const mill = await makeDurableWorld(kind).open([two], { graceMs: 20 });
    const { runs } = await mill.enqueue(two, range(1));
    const control = new AbortController();
    const working = mill.work({ signal: control.signal, stopAfterMs: 20 });
    await begun.gate.opened;
    control.abort();
    expect((await working).counts).toEqual({ returned: 1 });
    await checkNoLease(mill);
    hangs = false;
    await mill.work({ drain: true });
    expect((await mill.run(runs[0]?.run.id ?? "")).state).toBe("succeeded");
  });

  test("R103: a schema that never answers holds up no stop", async () => {
    const asked = makeGate();
    let hangs = false;
    const schema: Schema<number> = {
      "~standard": {
        version: 1,
        vendor: "test",
        validate: (value) => {
          if (!hangs) return { value: value as number };
          asked.open();
          return new Promise<never>(() => {});
        },
      },
    };
    const given = input(schema);
    const act = stage("act", { needs: { given } }, ({ given: value }) => value);
    const odd = pipeline("odd", { input: given, output: { act } });
    const mill = await makeDurableWorld(kind).open([odd]);
    await mill.enqueue(odd, range(2));
    hangs = true;
    const control = new AbortController();
    const working = mill.work({ signal: control.signal });
    await asked.opened;
    control.abort();
    expect(await working).toEqual({ runs: 2, counts: { returned: 2 } });
    expect(await checkCounts(mill, "odd")).toEqual({ queued: 2 });
    await checkNoLease(mill);
    hangs = false;
    expect((await mill.work({ drain: true })).counts).toEqual({ succeeded: 2 });
  });

  test("before it began: nothing is claimed", async () => {
    const two = makeTwo(() => {});
    const mill = await makeDurableWorld(kind).open([two]);
    await mill.enqueue(two, range(2));
    expect(await mill.work({ signal: AbortSignal.abort() })).toEqual({ runs: 0, counts: {} });
    expect(await checkCounts(mill, "two")).toEqual({ queued: 2 });
  });

  test("R173: while a claim is under way: what it claims goes back unbegun, what runs keeps its time", async () => {
    const calls: string[] = [];
    const begun = countTo(1);
    const gate = makeGate();
    const two = makeTwo(async (value) => {
      begun.call();
      if (value === 0) await gate.opened;
    }, calls);
    const mill = await makeDurableWorld(kind).open([two]);
    await mill.enqueue(two, range(1));
    const control = new AbortController();
    // The second claim is told to stop between its commit and its answer.
    const apply = mill.store.apply.bind(mill.store);
    let claims = 0;
    const stopped = makeGate();
    mill.store.apply = async (writes) => {
      const results = await apply(writes);
      const isClaim = results.some((one) => one.kind === "claimed" && one.runs.length > 0);
      if (isClaim && (claims += 1) === 2) {
        control.abort();
        stopped.open();
      }
      return results;
    };
    const working = mill.work({ concurrency: 3, signal: control.signal, stopAfterMs: 60_000 });
    await begun.gate.opened;
    await mill.enqueue(two, [{ input: 1 }, { input: 2 }]);
    await stopped.opened;
    // A turn for the answer of that claim to arrive.
    await new Promise((resolve) => setImmediate(resolve));
    gate.open();
    expect(await working).toEqual({ runs: 3, counts: { returned: 3 } });
    expect(calls).toEqual(["quick 0", "slow 0"]);
    expect(await checkCounts(mill, "two")).toEqual({ queued: 3 });
    await checkNoLease(mill);
    const [returned] = await mill.store.listRuns({ limit: 1 });
    assert.ok(returned !== undefined);
    expect(await readTypes(mill, returned.id)).toEqual([
      "run.created",
      "run.started",
      "run.returned",
    ]);
    expect((await mill.work({ drain: true })).counts).toEqual({ succeeded: 3 });
  });

  test.each(["run.started", "stage.succeeded"])(
    "by who hears of %s: it holds there, too",
    async (type) => {
      const two = makeTwo(async (_value, signal) => await untilAborted(signal));
      const mill = await makeDurableWorld(kind).open([two]);
      await mill.enqueue(two, range(3));
      const control = new AbortController();
      const onEvent = (event: { type: string }): void => {
        if (event.type === type) control.abort();
      };
      const options = { signal: control.signal, stopAfterMs: 10, onEvent };
      const { counts } = await mill.work(options);
      expect(counts).toEqual({ returned: 3 });
      expect(await checkCounts(mill, "two")).toEqual({ queued: 3 });
      await checkNoLease(mill);
    },
  );

  test("by who is told of a run: it holds there, too", async () => {
    const two = makeTwo(async (_value, signal) => await untilAborted(signal));
    const mill = await makeDurableWorld(kind).open([two]);
    await mill.enqueue(two, range(3));
    const control = new AbortController();
    const onRun = (): void => control.abort();
    const options = { signal: control.signal, stopAfterMs: 10, onRun };
    expect((await mill.work(options)).counts).toEqual({ returned: 3 });
    await checkNoLease(mill);
  });

  test("a mill that closes stops its worker in the same way, and a second close is harmless", async () => {
    const begun = countTo(2);
    const gate = makeGate();
    const two = makeTwo(async () => {
      begun.call();
      await gate.opened;
    });
    const world = makeDurableWorld(kind);
    const mill = await world.open([two]);
    await mill.enqueue(two, range(4));
    const working = mill.work({ concurrency: 2 });
    await begun.gate.opened;
    const states = async () => await mill.store.listRuns({ limit: 10 });
    const closing = mill.close();
    const again = mill.close();
    gate.open();
    expect(await working).toEqual({ runs: 2, counts: { returned: 2 } });
    await Promise.all([closing, again, mill.close({ drainMs: 0 })]);
    await assert.rejects(states(), /closed/);
    if (kind === "memory") return;
    const next = await world.open([two]);
    expect(await checkCounts(next, "two")).toEqual({ queued: 4 });
    await checkNoLease(next);
    expect((await next.work({ drain: true })).counts).toEqual({ succeeded: 4 });
  });

  test("a second close without patience aborts at once", async () => {
    const begun = countTo(1);
    const two = makeTwo(async (_value, signal) => {
      begun.call();
      await untilAborted(signal);
    });
    const mill = await makeDurableWorld(kind).open([two]);
    await mill.enqueue(two, range(1));
    const working = mill.work();
    await begun.gate.opened;
    const closing = mill.close({ drainMs: 3_600_000 });
    await mill.close({ drainMs: 0 });
    await closing;
    expect((await working).counts).toEqual({ returned: 1 });
  });
});

describe("by a clock that is told", () => {
  test("R102: a stage of 500 ms ends within a drain of 20 s, and no timer is left", async () => {
    const clock = makeVirtualClock();
    const begun = makeGate();
    const ended: number[] = [];
    const two = makeTwo(async () => {
      begun.open();
      await clock.sleep(500);
      ended.push(clock.monotonicMs());
    });
    const mill = await makeDurableWorld("memory").open([two], { clock });
    await mill.enqueue(two, range(2));
    const control = new AbortController();
    const working = mill.work({ concurrency: 1, signal: control.signal });
    await begun.opened;
    control.abort();
    await clock.advance(499);
    expect(ended).toEqual([]);
    await clock.advance(1);
    expect((await working).counts).toEqual({ returned: 1 });
    expect(ended).toEqual([500]);
    expect(await checkCounts(mill, "two")).toEqual({ queued: 2 });
    expect(clock.pendingTimers).toBe(0);
  });

  test("R168 R188: a delayed run is claimed at its time and not before; a cancelled one never", async () => {
    const clock = makeVirtualClock();
    const started: [number, number][] = [];
    const two = makeTwo((value) => started.push([value, clock.monotonicMs()]));
    const mill = await makeDurableWorld("memory").open([two], { clock });
    const { runs } = await mill.enqueue(two, [
      { input: 1, delay: "10s" },
      { input: 2, delay: "5s" },
      { input: 3, delay: "20s" },
    ]);
    const working = mill.work({ maxRuns: 2 });
    await clock.advance(4_999);
    expect(started).toEqual([]);
    await mill.cancel(runs[0]?.run.id ?? "");
    await clock.advance(30_000);
    expect((await working).runs).toBe(2);
    expect(started.map(([value]) => value)).toEqual([2, 3]);
    for (const [value, atMs] of started) {
      const dueMs = value === 2 ? 5_000 : 20_000;
      expect(atMs).toBeGreaterThanOrEqual(dueMs);
      expect(atMs).toBeLessThanOrEqual(dueMs + 2_000);
    }
    const cancelled = await mill.run(runs[0]?.run.id ?? "");
    expect([cancelled.state, cancelled.startedAtMs, cancelled.epoch]).toEqual([
      "cancelled",
      null,
      0,
    ]);
    expect(await mill.store.listStages(cancelled.id)).toEqual([]);
    expect(clock.pendingTimers).toBe(0);
  });

  test("a drain works what has come due while nobody worked", async () => {
    const clock = makeVirtualClock();
    const calls: string[] = [];
    const two = makeTwo(() => {}, calls);
    const mill = await makeDurableWorld("memory").open([two], { clock });
    await mill.enqueue(two, [
      { input: 1, delay: "5s" },
      { input: 2, delay: "1h" },
    ]);
    await clock.advance(6_000);
    expect((await mill.work({ drain: true })).counts).toEqual({ succeeded: 1 });
    expect(calls).toEqual(["quick 1", "slow 1", "last slow 1"]);
    expect(await checkCounts(mill, "two")).toEqual({ succeeded: 1, waiting: 1 });
  });

  test("R113: what waits long enough goes before what has priority", async () => {
    const clock = makeVirtualClock();
    const order: number[] = [];
    let fed = 0;
    const two = makeTwo(async (value) => {
      order.push(value);
      await clock.sleep(30_000);
      // Whenever one ends, one more with priority comes: without ageing the first one never starts.
      fed += 1;
      if (fed < 20) await mill.enqueue(two, [{ input: 1_000 + fed, priority: 3 }]);
    });
    const mill = await makeDurableWorld("memory").open([two], { clock });
    await mill.enqueue(two, [{ input: 1 }, { input: 1_000, priority: 3 }]);
    const working = mill.work({ concurrency: 1, drain: true });
    await clock.advance(20 * 60_000);
    expect((await working).counts).toEqual({ succeeded: 21 });
    // Three units of priority are worth three minutes: six runs of half a minute.
    expect(order[0]).toBe(1_000);
    expect(order.indexOf(1)).toBeGreaterThanOrEqual(5);
    expect(order.indexOf(1)).toBeLessThanOrEqual(8);
  });

  test("an idle worker waits in one timer, and hears of work at once", async () => {
    const clock = makeVirtualClock();
    const started: number[] = [];
    const two = makeTwo(() => started.push(clock.monotonicMs()));
    const mill = await makeDurableWorld("memory").open([two], { clock });
    let transactions = 0;
    const control = new AbortController();
    const working = mill.work({ signal: control.signal });
    await clock.advance(10_500);
    expect(clock.pendingTimers).toBe(1);
    const apply = mill.store.apply.bind(mill.store);
    mill.store.apply = (writes) => {
      transactions += 1;
      return apply(writes);
    };
    await mill.enqueue(two, range(1));
    await clock.advance(0);
    expect(started).toEqual([10_500]);
    expect(transactions).toBeGreaterThan(0);
    control.abort();
    await working;
    expect(clock.pendingTimers).toBe(0);
  });

  test("without any hint it finds work within 2 s", async () => {
    const clock = makeVirtualClock();
    const started: number[] = [];
    const given = input<readonly number[]>();
    const each = map("each", { over: given }, (item: number) => started.push(item));
    const list = pipeline("list", { input: given, output: { each } });
    const mill = await makeDurableWorld("memory").open([list], { clock });
    await mill.start(list, [1]).then((run) => run.result());
    const control = new AbortController();
    const working = mill.work({ signal: control.signal });
    await clock.advance(1_500);
    started.length = 0;
    const first = await mill.run("last");
    // Past the use case that would have told of it.
    await mill.store.apply([
      {
        kind: "create-run",
        run: {
          id: "01976f7e-0000-7000-8000-000000000001",
          pipeline: first.pipeline,
          definitionHash: first.definitionHash,
          key: null,
          input: first.input,
          inputVersion: first.inputVersion,
          foreground: false,
          parent: null,
          source: "test",
          tags: {},
          settings: first.settings,
        },
        definitionJson: "{}",
        claim: null,
        events: [{ type: "run.created" }],
      },
    ]);
    await clock.advance(2_000);
    expect(started).toEqual([1]);
    control.abort();
    await working;
  });
});
