// Runs of a queue whose end is asked for: before they start, while somebody takes them, and while they run. Each ends
// once, and nobody holds it afterwards.

import assert from "node:assert/strict";
import { describe, expect, test } from "vitest";
import { input, isMillraceError, pipeline, stage } from "../../src/exports/index.ts";
import { makeSeededRandom } from "../../src/std/random.ts";
import { checkCounts, checkNoLease, readEvents, readTypes } from "../support/queue-world.ts";
import { makeDurableWorld, makeGate, STORES } from "../support/durable/durable-world.ts";

const ENDS = new Set(["run.succeeded", "run.failed", "run.skipped", "run.cancelled"]);

/** One stage that works until it is told to stop, or until `quick`. */
function makePatient(onBegin: (value: number) => void = () => {}) {
  const given = input<number>();
  const act = stage("act", { needs: { given } }, async ({ given: value }, ctx) => {
    onBegin(value);
    if (value < 0) await ctx.sleep("1h");
    return value;
  });
  return pipeline("patient", { input: given, output: { act } });
}

async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

describe.each(STORES)("cancel on %s", (kind) => {
  test("of a queued run: it never starts, and a worker passes it over", async () => {
    const started: number[] = [];
    const patient = makePatient((value) => started.push(value));
    const mill = await makeDurableWorld(kind).open([patient]);
    const { runs } = await mill.enqueue(patient, [{ input: 1 }, { input: 2 }]);
    const id = runs[0]?.run.id ?? "";
    expect(await mill.cancel(id)).toMatchObject({ before: "queued", after: "cancelled" });
    expect((await mill.work({ drain: true })).counts).toEqual({ succeeded: 1 });
    expect(started).toEqual([2]);
    const record = await mill.run(id);
    expect([record.state, record.epoch, record.startedAtMs]).toEqual(["cancelled", 0, null]);
    expect(await readTypes(mill, id)).toEqual(["run.created", "run.cancelled"]);
    expect(await mill.store.listStages(id)).toEqual([]);
  });

  test("of a run that is worked on: it ends cancelled, and the worker goes on", async () => {
    const begun = makeGate();
    const patient = makePatient((value) => void (value < 0 && begun.open()));
    const mill = await makeDurableWorld(kind).open([patient]);
    const { runs } = await mill.enqueue(patient, [{ input: -1 }, { input: 2 }]);
    const working = mill.work({ drain: true, concurrency: 1 });
    await begun.opened;
    const id = runs[0]?.run.id ?? "";
    expect(await mill.cancel(id, { reason: "enough" })).toMatchObject({ after: "cancelled" });
    expect((await working).counts).toEqual({ succeeded: 1, cancelled: 1 });
    expect((await readTypes(mill, id)).filter((type) => ENDS.has(type))).toEqual(["run.cancelled"]);
    await checkNoLease(mill);
  });

  test("of a run that went back to its queue unheard: it starts nothing more", async () => {
    const started: number[] = [];
    const begun = makeGate();
    const patient = makePatient((value) => {
      started.push(value);
      begun.open();
    });
    const mill = await makeDurableWorld(kind).open([patient]);
    const { runs } = await mill.enqueue(patient, [{ input: -1 }]);
    const id = runs[0]?.run.id ?? "";
    const control = new AbortController();
    const working = mill.work({ signal: control.signal, stopAfterMs: 0 });
    await begun.opened;
    // Past the mill, as another process would: the owner hears of it with its next beat, and stops before that.
    await mill.store.apply([{ kind: "request-cancel", runId: id, reason: "enough" }]);
    control.abort();
    await working;
    await mill.work({ drain: true });
    expect(started).toEqual([-1]);
    const record = await mill.run(id);
    expect([record.state, record.reason, record.lease]).toEqual(["cancelled", "enough", null]);
    await readEvents(mill, id);
  });

  test("against claims: every run ends once, cancelled or done", async () => {
    const random = makeSeededRandom(3);
    const patient = makePatient();
    const mill = await makeDurableWorld(kind).open([patient]);
    const control = new AbortController();
    const working = mill.work({ signal: control.signal, concurrency: 4 });
    const asked: Promise<unknown>[] = [];
    for (let race = 0; race < 60; race += 1) {
      const { runs } = await mill.enqueue(patient, [{ input: race }]);
      await turns(Math.floor(random.float() * 12));
      const isLate = (error: unknown): void =>
        assert.ok(isMillraceError(error) && error.code === "RUN_STATE_CONFLICT", String(error));
      asked.push(mill.cancel(runs[0]?.run.id ?? "").catch(isLate));
    }
    await Promise.all(asked);
    while ((await checkCounts(mill, "patient"))["running"] !== undefined) await turns(1);
    control.abort();
    await working;
    const { succeeded = 0, cancelled = 0 } = await checkCounts(mill, "patient");
    expect(succeeded + cancelled).toBe(60);
    expect(cancelled).toBeGreaterThan(0);
    await checkNoLease(mill);
    for (const run of await mill.store.listRuns({ limit: 100 })) {
      const types = await readTypes(mill, run.id);
      expect(types.filter((type) => ENDS.has(type))).toEqual([`run.${run.state}`]);
      expect(types.at(-1)).toBe(`run.${run.state}`);
      if (!types.includes("run.started")) expect(await mill.store.listStages(run.id)).toEqual([]);
    }
  });

  test("R200: by force: the run ends before its stage does, and the worker is told that it is lost", async () => {
    const begun = makeGate();
    const held = makeGate();
    const given = input<number>();
    const deaf = stage("deaf", { needs: { given } }, async ({ given: value }) => {
      if (value > 0) return value;
      begun.open();
      await held.opened;
      return value;
    });
    const hung = pipeline("hung", { input: given, output: { deaf } });
    const mill = await makeDurableWorld(kind).open([hung]);
    const { runs } = await mill.enqueue(hung, [{ input: -1 }, { input: 2 }]);
    const id = runs[0]?.run.id ?? "";
    const working = mill.work({ drain: true, concurrency: 1 });
    await begun.opened;

    const outcome = await mill.cancel(id, { force: true, reason: "it hangs" });
    const record = await mill.run(id);
    held.open();

    expect(outcome).toMatchObject({ before: "running", after: "cancelled" });
    expect(outcome.holder).toMatch(new RegExp(`^process ${process.pid} on `));
    expect([record.state, record.epoch, record.lease]).toEqual(["cancelled", 2, null]);
    expect((await working).counts).toEqual({ returned: 1, succeeded: 1 });
    expect(await mill.run(id)).toEqual(record);
    expect((await readTypes(mill, id)).at(-1)).toBe("run.cancelled");
    expect(await checkCounts(mill, "hung")).toEqual({ cancelled: 1, succeeded: 1 });
  });

  test("25 quick cycles of start and cancel leave no lease and no false busy answer", async () => {
    const patient = makePatient();
    const mill = await makeDurableWorld(kind).open([patient]);
    for (let cycle = 0; cycle < 25; cycle += 1) {
      const run = await mill.start(patient, -1, { key: "the same" });
      await turns(cycle % 3);
      await run.cancel();
      expect((await mill.run(run.id)).state).toBe("cancelled");
      const again = await mill.resume(run.id, { here: true });
      await again.cancel();
      const { runs } = await mill.enqueue(patient, [{ input: cycle }]);
      await mill.cancel(runs[0]?.run.id ?? "");
    }
    await checkNoLease(mill);
    expect(await checkCounts(mill, "patient")).toEqual({ cancelled: 26 });
  });

  test("R207: only its holder can let a run go; nobody's is left as it is, and a stranger is refused", async () => {
    const begun = makeGate();
    const patient = makePatient(() => begun.open());
    const mill = await makeDurableWorld(kind).open([patient]);
    const { runs } = await mill.enqueue(patient, [{ input: -1 }, { input: 5 }]);
    const [held = "", free = ""] = runs.map(({ run }) => run.id);
    const working = mill.work({ maxRuns: 1 });
    await begun.opened;
    const before = [await mill.run(held), await mill.run(free)];
    const release = (runId: string, epoch: number) =>
      ({ kind: "move-run", runId, epoch, to: "queued", reason: null, events: [] }) as const;
    const results = await mill.store.apply([
      release(held, 0),
      release(held, 2),
      release(free, 0),
      release(free, 1),
    ]);
    expect(results).toEqual(Array.from({ length: 4 }, () => ({ kind: "lease-lost" })));
    expect([await mill.run(held), await mill.run(free)]).toEqual(before);
    await mill.cancel(held);
    await working;
  });
});

describe("cancel from another process", () => {
  test("is heard within 2 s by the worker that has claimed the run", async () => {
    const world = makeDurableWorld();
    const begun = makeGate();
    const patient = makePatient(() => begun.open());
    const [worker, other] = await Promise.all([world.open([patient]), world.open([patient])]);
    const { runs } = await other.enqueue(patient, [{ input: -1 }]);
    const id = runs[0]?.run.id ?? "";
    const working = worker.work({ maxRuns: 1 });
    await begun.opened;
    const startedMs = performance.now();
    const asked = await other.cancel(id);
    expect(asked).toMatchObject({ before: "running", after: "running" });
    expect((await working).counts).toEqual({ cancelled: 1 });
    expect(performance.now() - startedMs).toBeLessThan(2_000);
    expect((await other.run(id)).state).toBe("cancelled");
  });
});
