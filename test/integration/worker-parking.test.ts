// Waits that are long: the run gives its place back, wakes at its time, and goes on exactly where it was, here or in
// another process, whatever happened meanwhile.

import assert from "node:assert/strict";
import { describe, expect, test } from "vitest";
import { map, pipeline, stage, type Millrace } from "../../src/exports/index.ts";
import { DEFERRALS_MAX } from "../../src/model/limits.ts";
import type { RunRecord } from "../../src/model/run.ts";
import type { Duration } from "../../src/std/duration.ts";
import { systemMachine, type Machine } from "../../src/std/machine.ts";
import { makeVirtualClock, type VirtualClock } from "../../src/std/virtual-clock.ts";
import { checkCounts, checkNoLease, readEvents, readTypes } from "../support/queue-world.ts";
import { makeDurableWorld, STORES, type StoreKind } from "../support/durable/durable-world.ts";

const SECOND_MS = 1_000;
/** The first wait of most stages here: longer than a place is held for it. */
const WAIT_MS = 15 * SECOND_MS;

/** A machine whose boot follows the virtual clock, as the clock of a store in a file follows the boot. */
function makeMachine(clock: VirtualClock): Machine {
  return {
    host: systemMachine.host,
    pid: systemMachine.pid,
    bootId: "boot",
    processStart: "1",
    environment: systemMachine.environment,
    sharedMonotonicMs: () => SECOND_MS + clock.monotonicMs(),
    isGone: () => undefined,
  };
}

function makeWorld(kind: StoreKind) {
  const clock = makeVirtualClock();
  const world = makeDurableWorld(kind);
  const machine = makeMachine(clock);
  const open = (pipelines: Parameters<typeof world.open>[0]): Promise<Millrace> =>
    world.open(pipelines, { clock, machine });
  return { clock, world, open };
}

/** Works in the background until it is stopped. */
function work(mill: Millrace, concurrency = 1): { stop(): Promise<unknown> } {
  const control = new AbortController();
  const working = mill.work({ concurrency, signal: control.signal, stopAfterMs: 0 });
  return {
    stop: () => {
      control.abort();
      return working;
    },
  };
}

async function only(mill: Millrace): Promise<RunRecord> {
  const [run] = await mill.store.listRuns({ limit: 1 });
  assert.ok(run !== undefined);
  return run;
}

/** Fails until it was called so often, and notes when. */
function makeFlaky(options: {
  readonly clock: VirtualClock;
  readonly failures: number;
  readonly retry: NonNullable<Parameters<typeof stage>[1]["retry"]>;
  readonly deadline?: Duration;
  readonly error?: () => Error;
}) {
  const { clock, failures, retry, deadline } = options;
  const calls: { readonly attempt: number; readonly atMs: number }[] = [];
  const flaky = stage(
    "flaky",
    { retry, ...(deadline === undefined ? {} : { deadline }) },
    (_needs, ctx) => {
      calls.push({ attempt: ctx.attempt, atMs: clock.monotonicMs() });
      if (calls.length <= failures) throw options.error?.() ?? new Error(`failure ${calls.length}`);
      return "done";
    },
  );
  return { flaky, calls };
}

const SLOW_RETRY = {
  attempts: 3,
  initialDelay: "15s",
  factor: 2,
  maxDelay: "1h",
  jitter: "none",
} as const;

describe.each(STORES)("a long wait on %s", (kind) => {
  test("R167: parks the run with its reason and time, and its place is free", async () => {
    const { clock, open } = makeWorld(kind);
    const { flaky, calls } = makeFlaky({
      clock,
      failures: 9,
      // As System E has it, with two attempts.
      retry: { attempts: 2, initialDelay: "60s", factor: 2, maxDelay: "1h", jitter: 0.25 },
    });
    const slow = pipeline("slow", { stages: [flaky] });
    const quick = pipeline("quick", { stages: [stage("quick", {}, () => clock.monotonicMs())] });
    const mill = await open([slow, quick]);
    await mill.enqueue(slow, [{ input: undefined }]);
    const worker = work(mill);
    await clock.advance(100);

    const parked = await only(mill);
    expect(parked).toMatchObject({ state: "waiting", reason: "retry", lease: null });
    expect([parked.epoch, parked.attempts, parked.crashes, parked.retries]).toEqual([1, 0, 0, 1]);
    const wakeAtMs = parked.wakeAtMs ?? 0;
    const waitMs = wakeAtMs - parked.updatedAtMs;
    expect(waitMs).toBeGreaterThanOrEqual(45 * SECOND_MS);
    expect(waitMs).toBeLessThanOrEqual(75 * SECOND_MS);
    expect(await checkCounts(mill, "slow")).toEqual({ waiting: 1 });
    const { blockers, summary } = await mill.why(parked.id);
    expect(blockers[0]).toMatchObject({ kind: "retry", expectedAtMs: wakeAtMs, basis: "exact" });
    expect(summary).toContain("held back until");

    // One place, and another run gets it at once.
    const [second] = (await mill.enqueue(quick, [{ input: undefined }])).runs;
    await clock.advance(2 * SECOND_MS);
    expect((await mill.run(second?.run.id ?? "")).state).toBe("succeeded");
    await clock.advance(waitMs);
    await clock.advance(2 * SECOND_MS);
    await worker.stop();

    const failed = await mill.run(parked.id);
    expect(failed).toMatchObject({ state: "failed", epoch: 2, attempts: 0, wakeAtMs: null });
    expect(calls.map(({ attempt }) => attempt)).toEqual([1, 2]);
    const waitedMs = (calls[1]?.atMs ?? 0) - (calls[0]?.atMs ?? 0);
    expect(waitedMs).toBeGreaterThanOrEqual(waitMs);
    expect(waitedMs).toBeLessThanOrEqual(waitMs + 2 * SECOND_MS);
    expect(await readTypes(mill, parked.id)).toEqual([
      "run.created",
      "run.started",
      "stage.waiting",
      "run.parked",
      "run.started",
      "stage.failed",
      "run.failed",
    ]);
    const told = (await readEvents(mill, parked.id)).find(({ type }) => type === "run.parked");
    expect(told?.data).toEqual({ blocker: "retry", dueAtMs: wakeAtMs });
    expect(failed.failure).toMatchObject({ message: "failure 2", attempts: 2 });
    await checkNoLease(mill);
  });

  test("waits go on where they were: numbers, growth and the first error", async () => {
    const { clock, open } = makeWorld(kind);
    const { flaky, calls } = makeFlaky({ clock, failures: 9, retry: SLOW_RETRY });
    const slow = pipeline("slow", { stages: [flaky] });
    const mill = await open([slow]);
    const [{ run } = assert.fail()] = (await mill.enqueue(slow, [{ input: undefined }])).runs;
    const worker = work(mill);
    await clock.advance(4 * WAIT_MS);
    await worker.stop();

    expect(calls.map(({ attempt }) => attempt)).toEqual([1, 2, 3]);
    const [first, second, third] = calls.map(({ atMs }) => atMs);
    assert.ok(first !== undefined && second !== undefined && third !== undefined);
    expect(Math.floor((second - first) / WAIT_MS)).toBe(1);
    expect(Math.floor((third - second) / WAIT_MS)).toBe(2);
    const record = await mill.store.findStage(run.id, "flaky");
    expect(record).toMatchObject({ state: "failed", attempts: 3 });
    expect(record?.failure).toMatchObject({ firstMessage: "failure 1", distinct: 3, attempts: 3 });
    expect(record?.waitedMs["retry"]).toBe(3 * WAIT_MS);
  });

  test("a wait that is short, or beside work, is spent where it is", async () => {
    const { clock, open } = makeWorld(kind);
    const retry = { ...SLOW_RETRY, initialDelay: "10s" as const };
    const { flaky, calls } = makeFlaky({ clock, failures: 1, retry });
    const short = pipeline("short", { stages: [flaky] });
    const beside = makeFlaky({ clock, failures: 1, retry: SLOW_RETRY });
    const busy = stage("busy", {}, (_needs, ctx) => ctx.sleep(2 * WAIT_MS));
    const long = pipeline("long", { stages: [beside.flaky, busy] });
    const mill = await open([short, long]);
    await mill.enqueue(short, [{ input: undefined }]);
    await mill.enqueue(long, [{ input: undefined }]);
    const worker = work(mill, 2);
    await clock.advance(3 * WAIT_MS);
    await worker.stop();

    for (const { id } of await mill.store.listRuns({ limit: 9 })) {
      expect(await mill.run(id)).toMatchObject({ state: "succeeded", epoch: 1 });
      expect(await readTypes(mill, id)).not.toContain("run.parked");
    }
    expect(calls.map(({ atMs }) => atMs)).toEqual([0, 10 * SECOND_MS]);
    expect(beside.calls.map(({ atMs }) => atMs)).toEqual([0, WAIT_MS]);
  });

  test("items of a map go on with their attempts and at their times, and nothing is done twice", async () => {
    const { clock, open } = makeWorld(kind);
    const calls: string[] = [];
    const asked: number[] = [];
    const items = map(
      "items",
      {
        over: ["a", "b", "c"],
        when: () => {
          asked.push(clock.monotonicMs());
          return true;
        },
        retry: SLOW_RETRY,
      },
      (item, _needs, ctx) => {
        calls.push(`${item}${ctx.attempt}`);
        if (item === "b" && ctx.attempt < 2) throw new Error("not yet");
        if (item === "c" && ctx.attempt < 3) throw new Error("not yet either");
        return item;
      },
    );
    const after = stage("after", { needs: { items } }, ({ items: all }) => all.status);
    const line = pipeline("line", { stages: [items, after], output: { after } });
    const mill = await open([line]);
    const [{ run } = assert.fail()] = (await mill.enqueue(line, [{ input: undefined }])).runs;
    const worker = work(mill);
    await clock.advance(SECOND_MS);
    expect((await mill.run(run.id)).state).toBe("waiting");
    expect(calls).toEqual(["a1", "b1", "c1"]);
    await clock.advance(WAIT_MS + SECOND_MS);
    expect((await mill.run(run.id)).state).toBe("waiting");
    await clock.advance(2 * WAIT_MS + 2 * SECOND_MS);
    await worker.stop();

    expect(calls).toEqual(["a1", "b1", "c1", "b2", "c2", "c3"]);
    expect(asked).toHaveLength(1);
    expect((await mill.result(run.id)).outputs).toEqual({ after: "succeeded" });
    expect(await mill.run(run.id)).toMatchObject({ epoch: 3, retries: 3, attempts: 0 });
    expect((await mill.store.countItems(run.id)).get("items")).toEqual({ succeeded: 3 });
  });

  test.runIf(kind === "memory")("the allowance of deferrals is that of all its waits", async () => {
    const { clock, open } = makeWorld(kind);
    const { flaky, calls } = makeFlaky({
      clock,
      failures: 999,
      retry: { ...SLOW_RETRY, maxDelay: "15s" },
      error: () => Object.assign(new Error("too many requests"), { status: 429 }),
    });
    const slow = pipeline("slow", { stages: [flaky] });
    const mill = await open([slow]);
    const [{ run } = assert.fail()] = (await mill.enqueue(slow, [{ input: undefined }])).runs;
    const worker = work(mill);
    await clock.advance((DEFERRALS_MAX + 5) * (WAIT_MS + SECOND_MS));
    await worker.stop();

    expect((await mill.run(run.id)).state).toBe("failed");
    expect(calls.map(({ attempt }) => attempt)).toEqual(
      Array.from({ length: DEFERRALS_MAX + 1 }, () => 1),
    );
  });

  test("what is allowed once is allowed once, a wait between", async () => {
    const { clock, open } = makeWorld(kind);
    const codes = ["ENOTFOUND", "ECONNREFUSED", "ENOTFOUND", "ENOTFOUND"];
    const { flaky, calls } = makeFlaky({
      clock,
      failures: 9,
      retry: { ...SLOW_RETRY, attempts: 9 },
      error: () => Object.assign(new Error("no"), { code: codes[calls.length - 1] }),
    });
    const slow = pipeline("slow", { stages: [flaky] });
    const mill = await open([slow]);
    const [{ run } = assert.fail()] = (await mill.enqueue(slow, [{ input: undefined }])).runs;
    const worker = work(mill);
    await clock.advance(10 * WAIT_MS);
    await worker.stop();

    expect((await mill.run(run.id)).state).toBe("failed");
    expect(await readTypes(mill, run.id)).toContain("run.parked");
    expect(calls).toHaveLength(3);
  });

  test.each(["stage", "run"])("the deadline of a %s counts while it is parked", async (of) => {
    const { clock, open } = makeWorld(kind);
    const deadline = "37s" as const;
    const { flaky, calls } = makeFlaky({
      clock,
      failures: 9,
      retry: { ...SLOW_RETRY, attempts: 9 },
      ...(of === "stage" ? { deadline } : {}),
    });
    const slow = pipeline("slow", { stages: [flaky], ...(of === "run" ? { deadline } : {}) });
    const mill = await open([slow]);
    const [{ run } = assert.fail()] = (await mill.enqueue(slow, [{ input: undefined }])).runs;
    const worker = work(mill);
    await clock.advance(10 * WAIT_MS);
    await worker.stop();

    // A second wait, twice as long, would end behind it.
    expect(calls).toHaveLength(2);
    const record = await mill.run(run.id);
    expect([record.state, record.failure?.class]).toEqual(["failed", "deadline"]);
  });

  test("cancelled while it is parked, it is cancelled at once and never wakes", async () => {
    const { clock, open } = makeWorld(kind);
    const { flaky, calls } = makeFlaky({ clock, failures: 9, retry: SLOW_RETRY });
    const slow = pipeline("slow", { stages: [flaky] });
    const mill = await open([slow]);
    const [{ run } = assert.fail()] = (await mill.enqueue(slow, [{ input: undefined }])).runs;
    const worker = work(mill);
    await clock.advance(SECOND_MS);
    await mill.cancel(run.id);
    expect(await mill.run(run.id)).toMatchObject({ state: "cancelled", wakeAtMs: null });
    await clock.advance(5 * WAIT_MS);
    await worker.stop();
    expect(calls).toHaveLength(1);
    expect((await mill.run(run.id)).state).toBe("cancelled");
  });

  test("queued again while it is parked, it starts at once with fresh attempts", async () => {
    const { clock, open } = makeWorld(kind);
    const { flaky, calls } = makeFlaky({ clock, failures: 1, retry: SLOW_RETRY });
    const slow = pipeline("slow", { stages: [flaky] });
    const mill = await open([slow]);
    const [{ run } = assert.fail()] = (await mill.enqueue(slow, [{ input: undefined }])).runs;
    const worker = work(mill);
    await clock.advance(SECOND_MS);
    await expect(mill.requeue(run.id)).rejects.toThrow("only a run that has ended");
    await mill.resume(run.id);
    await clock.advance(2 * SECOND_MS);
    await worker.stop();
    expect(calls.map(({ attempt }) => attempt)).toEqual([1, 1]);
    expect(await mill.run(run.id)).toMatchObject({ state: "succeeded", wakeAtMs: null });
  });

  test("resumed here while it is parked, it is done at once, in the foreground", async () => {
    const { clock, open } = makeWorld(kind);
    const { flaky, calls } = makeFlaky({ clock, failures: 1, retry: SLOW_RETRY });
    const slow = pipeline("slow", { stages: [flaky] });
    const mill = await open([slow]);
    const [{ run } = assert.fail()] = (await mill.enqueue(slow, [{ input: undefined }])).runs;
    const worker = work(mill);
    await clock.advance(SECOND_MS);
    await worker.stop();
    const resumed = await mill.resume(run.id, { here: true });
    expect((await resumed.result()).state).toBe("succeeded");
    expect(calls.map(({ attempt }) => attempt)).toEqual([1, 1]);
  });

  test("whoever works takes it up, and so does who finds it after a crash", async () => {
    const { clock, world, open } = makeWorld(kind);
    const { flaky, calls } = makeFlaky({ clock, failures: 2, retry: SLOW_RETRY });
    const slow = pipeline("slow", { stages: [flaky] });
    const machine = { ...makeMachine(clock), pid: 4_194_305, isGone: () => true as const };
    const doomed = await world.openDoomed([slow], { clock, machine });
    const [{ run } = assert.fail()] = (await doomed.enqueue(slow, [{ input: undefined }])).runs;
    const first = work(doomed);
    await clock.advance(SECOND_MS);
    expect((await doomed.run(run.id)).state).toBe("waiting");
    await first.stop();
    const mill = kind === "memory" ? doomed : await open([slow]);
    const second = work(mill);
    await clock.advance(WAIT_MS + SECOND_MS);
    expect(await mill.run(run.id)).toMatchObject({ state: "waiting", epoch: 2 });
    await clock.advance(2 * WAIT_MS + 2 * SECOND_MS);
    await second.stop();
    expect(calls.map(({ attempt }) => attempt)).toEqual([1, 2, 3]);
    expect(await mill.run(run.id)).toMatchObject({ state: "succeeded", epoch: 3, crashes: 0 });
  });

  test("a drain leaves what waits, and counts it as neither done nor failed", async () => {
    const { clock, open } = makeWorld(kind);
    const { flaky } = makeFlaky({ clock, failures: 1, retry: SLOW_RETRY });
    const slow = pipeline("slow", { stages: [flaky] });
    const mill = await open([slow]);
    await mill.enqueue(slow, [{ input: undefined }, { input: undefined }]);
    const working = mill.work({ drain: true, concurrency: 1 });
    await clock.advance(5 * SECOND_MS);
    expect(await working).toEqual({ runs: 2, counts: { waiting: 1, succeeded: 1 } });
    expect(await mill.stats()).toMatchObject({ waiting: 1, succeeded: 1, queued: 0, running: 0 });
  });

  test("a run in the foreground waits where it is", async () => {
    const { clock, open } = makeWorld(kind);
    const { flaky, calls } = makeFlaky({ clock, failures: 1, retry: SLOW_RETRY });
    const slow = pipeline("slow", { stages: [flaky] });
    const mill = await open([slow]);
    const handle = await mill.start(slow, undefined);
    await clock.advance(WAIT_MS - SECOND_MS);
    expect((await only(mill)).state).toBe("running");
    await clock.advance(2 * SECOND_MS);
    expect((await handle.result()).state).toBe("succeeded");
    expect(calls.map(({ atMs }) => atMs)).toEqual([0, WAIT_MS]);
  });

  test("a run whose results are only here stays here", async () => {
    const { clock, open } = makeWorld(kind);
    let opened = 0;
    const connection = stage("connection", { persist: false }, () => ({ number: (opened += 1) }));
    let failures = 1;
    const use = stage(
      "use",
      { needs: { connection }, retry: SLOW_RETRY },
      ({ connection: one }) => {
        if (failures-- > 0) throw new Error("not yet");
        return one.number;
      },
    );
    const line = pipeline("line", { output: { use } });
    const mill = await open([line]);
    const [{ run } = assert.fail()] = (await mill.enqueue(line, [{ input: undefined }])).runs;
    const worker = work(mill);
    await clock.advance(WAIT_MS - SECOND_MS);
    expect((await mill.run(run.id)).state).toBe("running");
    await clock.advance(2 * SECOND_MS);
    await worker.stop();
    expect((await mill.result(run.id)).outputs).toEqual({ use: 1 });
    expect(opened).toBe(1);
  });
});
