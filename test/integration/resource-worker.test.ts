// A worker whose runs wait for resources: they take none of its places, and what others give back lets them go on.

import { describe, expect, test } from "vitest";
import { pipeline, resource, stage, type Millrace } from "../../src/exports/index.ts";
import { systemMachine, type Machine } from "../../src/std/machine.ts";
import { makeVirtualClock, type VirtualClock } from "../../src/std/virtual-clock.ts";
import { checkCounts, checkNoLease, readTypes } from "../support/queue-world.ts";
import {
  makeDurableWorld,
  makeGate,
  STORES,
  type StoreKind,
} from "../support/durable/durable-world.ts";

const SECOND_MS = 1_000;

/** A machine whose boot follows the virtual clock, as the clock of a store in a file follows the boot. */
function makeMachine(clock: VirtualClock): Machine {
  return {
    ...systemMachine,
    host: systemMachine.host,
    pid: systemMachine.pid,
    bootId: "boot",
    processStart: "1",
    environment: systemMachine.environment,
    sharedMonotonicMs: () => SECOND_MS + clock.monotonicMs(),
    isGone: () => undefined,
  };
}

/** One host that takes one call at a time, a run in the foreground that calls it until the gate is opened, runs of a
 *  queue that want to, and others that have nothing to do with it. */
async function makeWorld(kind: StoreKind) {
  const clock = makeVirtualClock();
  const world = makeDurableWorld(kind);
  const gate = makeGate();
  const host = resource("host", { limit: 1 });
  const calls: string[] = [];
  const call = stage("call", { uses: [host] }, (_needs, ctx) => {
    calls.push(ctx.runId);
    return "called";
  });
  const calling = pipeline("calling", { stages: [call] });
  const hold = stage("hold", { uses: [host] }, () => gate.opened);
  const holding = pipeline("holding", { stages: [hold] });
  const other = pipeline("other", { stages: [stage("other", {}, () => "done")] });
  const mill = await world.open([calling, holding, other], { clock, machine: makeMachine(clock) });
  const holder = await mill.start(holding, undefined);
  const enqueue = async (of: typeof calling, count: number) => {
    const entries = Array.from({ length: count }, () => ({ input: undefined }));
    return (await mill.enqueue(of, entries)).runs.map(({ run }) => run.id);
  };
  return { clock, gate, calls, calling, other, mill, holder, enqueue };
}

/** Works in the background until it is stopped. */
function work(mill: Millrace, concurrency: number): { stop(): Promise<unknown> } {
  const control = new AbortController();
  const working = mill.work({ concurrency, signal: control.signal, stopAfterMs: 0 });
  return {
    stop: () => {
      control.abort();
      return working;
    },
  };
}

describe.each(STORES)("a worker on %s", (kind) => {
  test("R108: eight runs that wait for a host take none of eight places: another one ends at once", async () => {
    const { clock, gate, calls, calling, other, mill, holder, enqueue } = await makeWorld(kind);
    await clock.advance(10);
    const waiting = await enqueue(calling, 8);
    const worker = work(mill, 8);
    await clock.advance(100);
    expect(await checkCounts(mill, "calling")).toEqual({ running: 8 });
    const [quick = ""] = await enqueue(other, 1);
    await clock.advance(100);
    expect((await mill.run(quick)).state).toBe("succeeded");
    expect(calls).toEqual([]);
    gate.open();
    await holder.result();
    await clock.advance(2 * SECOND_MS);
    await worker.stop();
    expect(calls).toEqual(waiting);
    expect(await checkCounts(mill, "calling")).toEqual({ succeeded: 8 });
    for (const run of waiting) expect(await readTypes(mill, run)).not.toContain("run.parked");
    await checkNoLease(mill);
  });

  test("of those that wait it keeps twice as many as it has places; the others wait in their queue", async () => {
    const { clock, gate, calling, other, mill, holder, enqueue } = await makeWorld(kind);
    await clock.advance(10);
    const waiting = await enqueue(calling, 30);
    const [quick = ""] = await enqueue(other, 1);
    const worker = work(mill, 2);
    await clock.advance(3 * SECOND_MS);
    expect((await mill.run(quick)).state).toBe("succeeded");
    expect(await checkCounts(mill, "calling")).toEqual({ running: 4, waiting: 26 });
    // Those that came first have waited longest.
    const [first = "", last = ""] = [waiting[0], waiting.at(-1)];
    expect(await mill.run(first)).toMatchObject({ state: "waiting", reason: "limit", attempts: 0 });
    expect((await mill.run(last)).state).toBe("running");
    await worker.stop();
    expect((await mill.run(last)).state).toBe("queued");
    gate.open();
    await holder.result();
  });

  test("R108: those that wait in their queue are let in by what is given back, each once", async () => {
    const { clock, gate, calls, calling, mill, holder, enqueue } = await makeWorld(kind);
    await clock.advance(10);
    const waiting = await enqueue(calling, 30);
    const worker = work(mill, 2);
    await clock.advance(3 * SECOND_MS);
    expect((await checkCounts(mill, "calling"))["waiting"]).toBe(26);
    gate.open();
    await holder.result();
    // Nothing but what each of them gives back wakes the next: by themselves they would look after ten minutes.
    await clock.advance(60 * SECOND_MS);
    await worker.stop();
    expect(await checkCounts(mill, "calling")).toEqual({ succeeded: 30 });
    expect(new Set(calls)).toEqual(new Set(waiting));
    expect(calls.length).toBe(30);
    await checkNoLease(mill);
  });
});
