// Processes that work, as others see them: what each runs now, who lives, what was reclaimed from the dead; and what a
// worker does when a clock jumps or its store is damaged.

import { copyFileSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import { input, map, pipeline } from "../../src/exports/index.ts";
import { contextOf } from "../../src/service/mill-context.ts";
import { startWatchdog, type RunningWatchdog } from "../../src/service/watchdog/start-watchdog.ts";
import { keepWorking } from "../../src/service/worker/keep-working.ts";
import type { WorkerView } from "../../src/service/views/worker-view.ts";
import { systemMachine, type Machine } from "../../src/std/machine.ts";
import { makeVirtualClock, type VirtualClock } from "../../src/std/virtual-clock.ts";
import { makeDurableWorld, makeGate, type Gate } from "../support/durable/durable-world.ts";
import { readTypes } from "../support/queue-world.ts";

function makeWide(gate: Gate) {
  const name = input<string>();
  const all = map(
    "all",
    { over: ["a", "b"], needs: { name }, key: (item: string) => item, concurrency: 2 },
    async (item: string, _needs, ctx) => {
      ctx.progress(1, 3, `at ${item}`);
      await gate.opened;
      return item;
    },
  );
  return pipeline("wide", { input: name, output: { all } });
}

async function until(isSo: () => Promise<boolean>): Promise<void> {
  while (!(await isSo())) await new Promise((resolve) => setTimeout(resolve, 20));
}

function listRunning({ running }: WorkerView) {
  return running.map(({ run, stage: name, item }) => `${run}/${name}/${item ?? ""}`).toSorted();
}

test("R216: each of two workers is shown with what it runs, how far that is, and its last beat", async () => {
  const gate = makeGate();
  const world = makeDurableWorld("sqlite");
  const wide = makeWide(gate);
  const mills = await Promise.all(
    ["w1", "w2"].map((workerName) => world.open([wide], { workerName })),
  );
  const [mill] = mills;
  if (mill === undefined) throw new Error("There is no mill.");
  const control = new AbortController();
  const working = mills.map((each) => each.work({ concurrency: 1, signal: control.signal }));
  await mill.enqueue(wide, [
    { key: "x", input: "x" },
    { key: "y", input: "y" },
  ]);
  await until(async () => {
    const busy = (await mill.workers()).filter(({ running }) => running.length === 2);
    return busy.length === 2;
  });
  const workers = await mill.workers();

  expect(workers.map(({ name }) => name)).toEqual(["w1", "w2"]);
  const runs = workers.flatMap(listRunning);
  expect(runs.toSorted()).toEqual(["1/all/a", "1/all/b", "2/all/a", "2/all/b"]);
  for (const worker of workers) {
    expect(worker).toMatchObject({
      kind: "worker",
      alive: "yes",
      idle: false,
      draining: false,
      slots: 1,
      slotsUsed: 1,
      host: systemMachine.host,
      pid: process.pid,
      pipelines: [{ name: "wide", definition: wide.definition.hash }],
      lost: null,
      heldBy: null,
    });
    expect(worker.beatAgoMs).toBeLessThan(5_000);
    expect(worker.memory?.usedBytes).toBeGreaterThan(1e6);
    expect(worker.running[0]).toMatchObject({
      attempt: 1,
      progress: { done: 1, total: 3, note: expect.stringMatching(/^at [ab]$/) },
    });
    expect(Date.parse(worker.running[0]?.startedAt ?? "")).toBeGreaterThan(0);
  }
  gate.open();
  await until(async () => (await mill.workers()).every(({ idle }) => idle));
  const [idle] = await mill.workers();
  expect(idle).toMatchObject({ alive: "yes", slotsUsed: 0, running: [] });
  control.abort();
  await Promise.all(working);
});

test("R114: a worker takes as many runs as its limit says while the queue is long, and none when it is empty", async () => {
  const gate = makeGate();
  const world = makeDurableWorld("sqlite");
  const wide = makeWide(gate);
  const mill = await world.open([wide]);
  const entries = Array.from({ length: 100 }, (_, index) => ({ key: String(index), input: "x" }));
  await mill.enqueue(wide, entries);
  const before = await mill.stats();
  expect(before.pipelines).toMatchObject([{ pipeline: "wide", counts: { queued: 100 } }]);
  expect(before.pipelines[0]?.oldestDueMs).toBeGreaterThanOrEqual(0);
  const control = new AbortController();
  const working = mill.work({ concurrency: 8, signal: control.signal });
  await until(async () => (await mill.stats()).running === 8);
  expect((await mill.stats()).queued).toBe(92);
  await until(async () => (await mill.workers())[0]?.slotsUsed === 8);
  gate.open();
  await until(async () => (await mill.stats()).succeeded === 100);
  await until(async () => (await mill.workers())[0]?.idle === true);

  expect(await mill.stats()).toMatchObject({ queued: 0, running: 0 });
  expect((await mill.stats()).pipelines[0]?.oldestDueMs).toBeNull();
  expect(await mill.workers()).toMatchObject([{ slots: 8, slotsUsed: 0 }]);
  control.abort();
  await working;
});

/** A machine whose wall clock is set by hand; nobody can tell whether another process lives. */
function makeJumping(clock: VirtualClock, pid: number) {
  let setByMs = 0;
  const jumping: VirtualClock = Object.create(clock, {
    wallMs: { value: () => clock.wallMs() + setByMs },
    monotonicMs: { value: () => clock.monotonicMs() },
    setTimer: { value: clock.setTimer.bind(clock) },
    sleep: { value: clock.sleep.bind(clock) },
    defer: { value: clock.defer.bind(clock) },
  });
  const { host, environment } = systemMachine;
  const machine: Machine = {
    host,
    environment,
    pid,
    bootId: "boot",
    processStart: "1",
    sharedMonotonicMs: () => 1_000 + clock.monotonicMs(),
    isGone: () => undefined,
  };
  return { jumping, machine, jump: (byMs: number) => void (setByMs += byMs) };
}

test("a clock that jumps is told once, and no lease is reclaimed for one lease from then on", async () => {
  const clock = makeVirtualClock();
  const world = makeDurableWorld("sqlite");
  const wide = makeWide(makeGate());
  const first = makeJumping(clock, 1);
  const lost = await world.open([wide], { clock: first.jumping, machine: first.machine });
  await lost.enqueue(wide, [{ key: "x", input: "x" }]);
  const { committer, owner } = contextOf(lost);
  const { definition } = wide;
  // Claimed, and then nobody renews it.
  await committer.write({
    kind: "claim-next",
    claim: { owner, leaseMs: 30_000 },
    limit: 1,
    pipelines: [
      {
        name: "wide",
        definitionHash: definition.hash,
        definitionJson: definition.json,
        maxActiveRuns: null,
      },
    ],
  });
  const second = makeJumping(clock, 2);
  const mill = await world.open([wide], { clock: second.jumping, machine: second.machine });
  const third = await world.open([wide], { clock: second.jumping, machine: second.machine });
  const control = new AbortController();
  const working = [mill, third].map((each) =>
    each.work({ signal: control.signal, stopAfterMs: 0 }),
  );
  const watchdogs = [mill, third].map((each) => startWatchdog(each, { onWarning: () => {} }));
  await clock.advance(25_000);
  second.jump(3_600_000);
  await clock.advance(28_000);
  const run = (await mill.runs({})).runs[0]?.id ?? "";
  const { id } = await mill.run(run);
  expect(await readTypes(mill, id)).not.toContain("run.reclaimed");
  await clock.advance(10_000);

  expect(await readTypes(mill, id)).toContain("run.reclaimed");
  const events = await mill.store.listEvents({ after: 0, limit: 1_000 });
  const jumps = events.filter(({ type }) => type === "clock.jumped");
  expect(jumps.map(({ data }) => data)).toEqual([{ byMs: 3_600_000, clock: "wall" }]);
  control.abort();
  await clock.advance(10_000);
  await Promise.all(working);
  await Promise.all(watchdogs.map((watchdog) => watchdog.stop()));
});

async function waitForFinding(watchdog: RunningWatchdog): Promise<void> {
  await until(async () => {
    await watchdog.look();
    return watchdog.findings().some(({ rule }) => rule === "store-failing");
  });
}

test("R194: a damaged store halts writing, is told and kept as it is, and a restored one is worked on at once", async () => {
  const gate = makeGate();
  gate.open();
  const world = makeDurableWorld("sqlite");
  const wide = makeWide(gate);
  const maker = await world.open([wide]);
  await maker.enqueue(wide, [{ key: "before", input: "x" }]);
  await maker.close();
  copyFileSync(world.path, `${world.path}.copy`);
  const mill = await world.open([wide]);
  const troubles: (string | null)[] = [];
  const watchdog = startWatchdog(mill, { onWarning: () => {} });
  // All pages but the first, which says that it is a store.
  const bytes = readFileSync(world.path);
  const damaged = Buffer.concat([bytes.subarray(0, 4_096), Buffer.alloc(bytes.length - 4_096, 7)]);
  for (const ending of ["-wal", "-shm"]) rmSync(`${world.path}${ending}`, { force: true });
  writeFileSync(world.path, damaged);
  const control = new AbortController();
  const working = keepWorking(mill, {
    signal: control.signal,
    onTrouble: (reason) => troubles.push(reason),
  });
  await until(async () => troubles.length > 0);
  await waitForFinding(watchdog);
  expect(troubles[0]).toContain("is damaged");
  expect(watchdog.findings()[0]).toMatchObject({ rule: "store-failing", level: "red" });
  expect(watchdog.findings()[0]?.message).toContain("restore a backup");
  expect(readFileSync(world.path).equals(damaged)).toBe(true);
  for (const ending of ["-wal", "-shm"]) rmSync(`${world.path}${ending}`, { force: true });
  renameSync(`${world.path}.copy`, world.path);
  await until(async () => troubles.includes(null));
  await until(async () => (await mill.stats()).succeeded === 1);

  await watchdog.look();
  expect(watchdog.findings().filter(({ rule }) => rule === "store-failing")).toEqual([]);
  control.abort();
  await working;
  await watchdog.stop();
});
