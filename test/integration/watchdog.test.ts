// The watchdog over real stores: it warns of silence with the reasons, puts right what contradicts itself without
// touching live work, goes on whatever fails, and leaves every reclaim to one process.

import { renameSync, statSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { input, pipeline, stage } from "../../src/exports/index.ts";
import { StoreProbe } from "../../src/service/health/store-probe.ts";
import { contextOf } from "../../src/service/mill-context.ts";
import type { Millrace } from "../../src/service/millrace.ts";
import { listFindings } from "../../src/service/watchdog/list-findings.ts";
import { startWatchdog, type WatchdogOptions } from "../../src/service/watchdog/start-watchdog.ts";
import type { ProcessFigures } from "../../src/service/watchdog/survey-process.ts";
import { readFileId } from "../../src/std/figures/disk.ts";
import { systemMachine, type Machine } from "../../src/std/machine.ts";
import { findStorePath } from "../../src/storage/open-store.ts";
import { makeVirtualClock } from "../../src/std/virtual-clock.ts";
import { makeDurableWorld, makeGate, STORES, type Gate } from "../support/durable/durable-world.ts";
import { readEvents, readTypes } from "../support/queue-world.ts";

const MINUTE_MS = 60_000;
const ROOMY = { freeBytes: 50e9, totalBytes: 100e9 };
const CALM: ProcessFigures = {
  readMemory: () => ({ usedBytes: 1, limitBytes: 100 }),
  takeLoopDelayMs: () => 0,
  readDisk: async () => ROOMY,
  readFileBytes: async () => 0,
  readFileId: async () => "1",
};

/** This machine, on which time is virtual. */
function makeMachineAt(clock: ReturnType<typeof makeVirtualClock>): Machine {
  const { host, pid, bootId, processStart, environment } = systemMachine;
  const sharedMonotonicMs = (): number => 1_000 + clock.monotonicMs();
  const isGone = systemMachine.isGone.bind(systemMachine);
  return { host, pid, bootId, processStart, environment, sharedMonotonicMs, isGone };
}

function makeHolding(gate: Gate, begun: Gate) {
  const name = input<string>();
  const held = stage("held", { needs: { name } }, async () => {
    begun.open();
    await gate.opened;
    return 1;
  });
  return pipeline("holding", { input: name, output: { held } });
}

function watch(mill: Millrace, options: WatchdogOptions = {}) {
  return startWatchdog(mill, { figures: CALM, onWarning: () => {}, ...options });
}

async function listWarnings(mill: Millrace, run?: string) {
  const events = await mill.store.listEvents({
    after: 0,
    limit: 1_000,
    ...(run === undefined ? {} : { runId: run }),
  });
  return events.filter(({ type }) => type.startsWith("watchdog."));
}

describe.each(STORES)("on a store of kind %s", (kind) => {
  async function setup() {
    const clock = makeVirtualClock();
    const gate = makeGate();
    const begun = makeGate();
    const holding = makeHolding(gate, begun);
    const world = makeDurableWorld(kind);
    const mill = await world.open([holding], { clock, machine: makeMachineAt(clock) });
    return { clock, gate, begun, holding, world, mill };
  }

  test("R214: a running run that commits nothing for the time that is set is warned of once, with its blockers", async () => {
    const { clock, gate, begun, holding, mill } = await setup();
    const run = await mill.start(holding, "a");
    await begun.opened;
    const watchdog = watch(mill, { everyMs: 500, silentMs: 1_000 });
    await clock.advance(800);
    expect(watchdog.findings()).toEqual([]);
    await clock.advance(5 * MINUTE_MS);

    expect(watchdog.findings()).toMatchObject([
      { rule: "no-checkpoint", subject: run.name, next: `npx millrace why ${run.name}` },
    ]);
    const warnings = await listWarnings(mill, run.id);
    expect(warnings).toHaveLength(1);
    expect(warnings[0]?.data?.["rule"]).toBe("no-checkpoint");
    expect(warnings[0]?.data?.["blockers"]).toEqual([
      expect.stringMatching(/^held has been running for \d+s \(attempt 1\)$/),
    ]);
    expect(await listFindings(mill)).toEqual(watchdog.findings());
    gate.open();
    expect((await run.result()).state).toBe("succeeded");
    await clock.advance(1_000);
    expect(watchdog.findings()).toEqual([]);
    expect((await readTypes(mill, run.id)).at(-1)).toBe("run.succeeded");
    await watchdog.stop();
    expect(await listFindings(mill)).toBeNull();
  });

  test("R212: it goes on looking at its interval whatever fails, and tells each fault of its own once", async () => {
    const { clock, gate, begun, holding, mill } = await setup();
    const run = await mill.start(holding, "a");
    await begun.opened;
    const told: string[] = [];
    let isBroken = true;
    const readDisk = async () => {
      if (isBroken) throw new Error("the disk does not answer");
      return { freeBytes: 1, totalBytes: 100 };
    };
    const watchdog = watch(mill, {
      everyMs: 1_000,
      silentMs: 2_000,
      figures: { ...CALM, readDisk },
      onWarning: (text) => told.push(text),
    });
    await clock.advance(10_000);
    if (kind === "sqlite") {
      expect(told).toEqual([
        "The watchdog could not look at its disk: the disk does not answer It goes on.",
      ]);
      expect(watchdog.errors).toBeGreaterThan(5);
    }
    expect(watchdog.findings().map(({ rule }) => rule)).toEqual(["no-checkpoint"]);
    isBroken = false;
    await clock.advance(2_000);
    const rules = watchdog.findings().map(({ rule }) => rule);
    expect(rules).toEqual(kind === "sqlite" ? ["disk-full", "no-checkpoint"] : ["no-checkpoint"]);
    gate.open();
    await run.result();
    await watchdog.stop();
    expect(clock.pendingTimers).toBe(0);
  });

  test("a run in which nothing goes on any more is given back by its process, and done by the next claim", async () => {
    const { clock, gate, begun, holding, mill } = await setup();
    await mill.enqueue(holding, [{ key: "a", input: "a" }]);
    const control = new AbortController();
    const working = mill.work({ signal: control.signal, stopAfterMs: 0 });
    await clock.advance(1_000);
    await begun.opened;
    const [run] = (await mill.runs({})).runs;
    if (run === undefined) throw new Error("There is no run.");
    // What only a fault of the engine could do: the process says that nothing of it runs.
    const { keeper } = contextOf(mill);
    Object.defineProperty(keeper, "listWork", { value: () => [], configurable: true });
    const watchdog = watch(mill, { everyMs: 5_000 });
    await clock.advance(4 * MINUTE_MS);

    const types = await readTypes(mill, run.id);
    expect(types).toContain("run.returned");
    const warnings = await listWarnings(mill, run.id);
    expect(warnings[0]?.data).toMatchObject({ rule: "stranded", subject: run.name });
    gate.open();
    await clock.advance(2_000);
    control.abort();
    await clock.advance(2_000);
    await working;
    expect((await mill.run(run.id)).state).toBe("succeeded");
    await watchdog.stop();
  });
});

test("R215: a live run whose lease is deleted from the store goes on, gets it back, and one event tells of it", async () => {
  const gate = makeGate();
  const begun = makeGate();
  const holding = makeHolding(gate, begun);
  const world = makeDurableWorld("sqlite");
  const mill = await world.open([holding]);
  const other = await world.open([holding]);
  await mill.enqueue(holding, [{ key: "a", input: "a" }]);
  const control = new AbortController();
  const working = mill.work({ signal: control.signal });
  await begun.opened;
  const idle = other.work({ signal: control.signal });
  const watchdog = watch(other, { everyMs: 100 });
  const raw = world.raw();
  raw.exec("PRAGMA ignore_check_constraints = ON");
  raw.exec(`UPDATE runs SET lease_worker = NULL, lease_host = NULL, lease_pid = NULL,
    lease_boot_id = NULL, lease_process_start = NULL, lease_expires_at_ms = NULL`);
  raw.close();
  const [run] = (await mill.runs({})).runs;
  if (run === undefined) throw new Error("There is no run.");
  const id = (await mill.run(run.id)).id;
  while ((await mill.run(id)).lease === null)
    await new Promise((resolve) => setTimeout(resolve, 20));

  expect(await mill.run(id)).toMatchObject({ state: "running", epoch: 1, crashes: 0 });
  gate.open();
  while ((await mill.run(id)).state === "running")
    await new Promise((resolve) => setTimeout(resolve, 20));
  control.abort();
  await Promise.all([working, idle]);
  await watchdog.stop();
  expect(await mill.run(id)).toMatchObject({ state: "succeeded", epoch: 1, crashes: 0 });
  const repaired = (await readEvents(mill, id)).filter(({ type }) => type === "watchdog.repaired");
  expect(repaired).toHaveLength(1);
  expect(repaired[0]?.data).toMatchObject({ rule: "lease-missing" });
});

test("R215: a run that waits for a time and has none goes back to its queue, once", async () => {
  const clock = makeVirtualClock();
  const gate = makeGate();
  const holding = makeHolding(gate, makeGate());
  const world = makeDurableWorld("sqlite");
  const machine = makeMachineAt(clock);
  const mill = await world.open([holding], { clock, machine });
  await mill.enqueue(holding, [{ key: "a", input: "a", delay: "1h" }]);
  const raw = world.raw();
  raw.exec("UPDATE runs SET wake_at_ms = NULL");
  raw.close();
  const watchdog = watch(mill, { everyMs: 1_000 });
  await clock.advance(50_000);
  const [before] = (await mill.runs({})).runs;
  expect(before?.state).toBe("waiting");
  await clock.advance(30_000);

  const [after] = (await mill.runs({})).runs;
  expect(after?.state).toBe("queued");
  const repaired = (await listWarnings(mill)).filter(({ type }) => type === "watchdog.repaired");
  expect(repaired.map(({ data }) => data?.["rule"])).toEqual(["wake-missing"]);
  await watchdog.stop();
});

test("three watchdogs over a hundred runs of a dead process reclaim each of them once", async () => {
  const gate = makeGate();
  gate.open();
  const holding = makeHolding(gate, makeGate());
  const world = makeDurableWorld("sqlite");
  const doomed = await world.openDoomed([holding]);
  const COUNT = 100;
  await doomed.enqueue(
    holding,
    Array.from({ length: COUNT }, (_, index) => ({ key: String(index), input: "a" })),
  );
  const { committer, owner, store } = contextOf(doomed);
  const { definition } = holding;
  await committer.write({
    kind: "claim-next",
    claim: { owner, leaseMs: 30_000 },
    limit: COUNT,
    pipelines: [
      {
        name: "holding",
        definitionHash: definition.hash,
        definitionJson: definition.json,
        maxActiveRuns: null,
      },
    ],
  });
  const mills = await Promise.all([0, 1, 2].map(() => world.open([holding])));
  const watchdogs = mills.map((mill) => watch(mill, { everyMs: 100 }));
  await Promise.all(watchdogs.map((watchdog) => watchdog.look()));
  while ((await store.countRuns()).get("holding")?.queued !== COUNT)
    await new Promise((resolve) => setTimeout(resolve, 20));

  await Promise.all(watchdogs.map((watchdog) => watchdog.stop()));
  const events = await store.listEvents({ after: 0, limit: 1_000 });
  const reclaimed = events.filter(({ type }) => type === "run.reclaimed").map(({ run }) => run);
  expect(reclaimed).toHaveLength(COUNT);
  expect(new Set(reclaimed).size).toBe(COUNT);
  const [lost] = (await mills[0]?.workers()) ?? [];
  expect(lost).toMatchObject({
    alive: "gone",
    lost: { count: COUNT, reason: "its process is gone" },
  });
  expect(lost?.lost?.runs).toHaveLength(100);
});

test("nothing is claimed while the disk is nearly full, and work goes on by itself when there is room", async () => {
  const clock = makeVirtualClock();
  const gate = makeGate();
  gate.open();
  const holding = makeHolding(gate, makeGate());
  const world = makeDurableWorld("sqlite");
  const mill = await world.open([holding], { clock, machine: makeMachineAt(clock) });
  let disk = { freeBytes: 400e6, totalBytes: 4e9 };
  const watchdog = watch(mill, {
    everyMs: 1_000,
    figures: { ...CALM, readDisk: async () => disk },
  });
  await clock.advance(100);
  await mill.enqueue(holding, [{ key: "a", input: "a" }]);
  const control = new AbortController();
  const working = mill.work({ signal: control.signal });
  await clock.advance(30_000);
  expect((await mill.runs({})).runs[0]?.state).toBe("queued");
  expect(watchdog.findings()).toMatchObject([{ rule: "disk-full", level: "red" }]);
  expect((await mill.workers())[0]?.heldBy).toContain("400 MB, 10.0 %");
  disk = ROOMY;
  await clock.advance(3_000);

  expect((await mill.runs({})).runs[0]?.state).toBe("succeeded");
  expect(watchdog.findings()).toEqual([]);
  control.abort();
  await clock.advance(1_000);
  await working;
  await watchdog.stop();
});

test("while the store file is not where it was opened nothing is claimed and the process is not ready; put back, work goes on", async () => {
  const clock = makeVirtualClock();
  const gate = makeGate();
  gate.open();
  const holding = makeHolding(gate, makeGate());
  const world = makeDurableWorld("sqlite");
  const mill = await world.open([holding], { clock, machine: makeMachineAt(clock) });
  const path = findStorePath(mill.store.url);
  const watchdog = watch(mill, { everyMs: 1_000, figures: { ...CALM, readFileId } });
  const probe = new StoreProbe(mill);
  await watchdog.look();
  expect(watchdog.findings()).toEqual([]);
  expect(await probe.isWell()).toBe(true);

  renameSync(path, `${path}.away`);
  await watchdog.look();
  expect(watchdog.findings()).toMatchObject([
    { rule: "store-failing", subject: path, level: "red", message: expect.stringContaining(path) },
  ]);
  expect(await probe.isWell()).toBe(false);
  await mill.enqueue(holding, [{ key: "a", input: "a" }]);
  const control = new AbortController();
  const working = mill.work({ signal: control.signal });
  await clock.advance(500);
  expect((await mill.runs({})).runs[0]?.state).toBe("queued");

  renameSync(`${path}.away`, path);
  await watchdog.look();
  expect(watchdog.findings()).toEqual([]);
  expect(await probe.isWell()).toBe(true);
  await clock.advance(5_000);
  expect((await mill.runs({})).runs[0]?.state).toBe("succeeded");
  control.abort();
  await clock.advance(1_000);
  await working;
  await watchdog.stop();
});

test("a process whose memory stays nearly full is told to drain, once, on a second sign", async () => {
  const clock = makeVirtualClock();
  const world = makeDurableWorld("memory");
  const mill = await world.open([], { clock });
  const reasons: string[] = [];
  let usedBytes = 90e6;
  const watchdog = watch(mill, {
    everyMs: 30_000,
    figures: { ...CALM, readMemory: () => ({ usedBytes, limitBytes: 100e6 }) },
    onExhausted: (reason) => reasons.push(reason),
  });
  await clock.advance(1_000);
  expect(reasons).toEqual([]);
  usedBytes = 10e6;
  await clock.advance(10_000);
  usedBytes = 86e6;
  await clock.advance(30_000);
  expect(reasons).toEqual(["The process uses 86 MB, 86 % of the memory it may use: it drains."]);
  await watchdog.stop();
});

test("five attempts that do not stop when they are told to end their process, and four do not", async () => {
  const deaf = stage("deaf", { timeout: 5 }, () => new Promise<void>(() => {}));
  const line = pipeline("deaf", { stages: [deaf] });
  const world = makeDurableWorld("memory");
  const mill = await world.open([line], { graceMs: 5, stuckMs: 5 });
  const exhausted = Promise.withResolvers<string>();
  const watchdog = watch(mill, { onExhausted: exhausted.resolve });
  const work = async (count: number): Promise<void> => {
    const runs = await Promise.all(
      Array.from({ length: count }, () => mill.start(line, undefined)),
    );
    await Promise.all(runs.map((run) => run.result()));
    await watchdog.look();
  };
  await work(4);
  expect(watchdog.findings()).toEqual([]);
  await work(1);

  expect(await exhausted.promise).toContain("5 attempts of the process did not stop");
  expect(watchdog.findings()).toMatchObject([{ rule: "attempts-stuck", level: "red" }]);
  await watchdog.stop();
});

test("a log that is long is brought into its file; where a reader holds it, that is said", async () => {
  const gate = makeGate();
  gate.open();
  const holding = makeHolding(gate, makeGate());
  const world = makeDurableWorld("sqlite");
  const mill = await world.open([holding]);
  await (await mill.start(holding, "a")).result();
  const asked: string[] = [];
  const bytesOf = (path: string): number => statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  // As if it were as long as it takes.
  const readFileBytes = async (path: string): Promise<number> => {
    asked.push(path);
    return bytesOf(path) * 5_000;
  };
  const raw = world.raw();
  raw.exec("BEGIN; SELECT count(*) FROM runs");
  await (await mill.start(holding, "b")).result();
  const long = bytesOf(`${world.path}-wal`);
  const watchdog = watch(mill, { figures: { ...CALM, readFileBytes } });
  await watchdog.look();
  await watchdog.look();
  expect(asked).toContain(`${world.path}-wal`);
  expect(watchdog.findings()).toMatchObject([{ rule: "log-large", level: "red" }]);
  expect(watchdog.findings()[0]?.message).toContain("a reader that does not end holds it");
  raw.exec("COMMIT");
  raw.close();
  await watchdog.look();

  expect(watchdog.findings()).toEqual([]);
  // But for what the watchdog has written since.
  expect(bytesOf(`${world.path}-wal`)).toBeLessThan(long / 2);
  await watchdog.stop();
});
