// Roll-ups over both stores, on a clock that is moved: what is counted, looked at, kept and thrown away.

import { describe, expect, test } from "vitest";
import type { Millrace } from "../../../src/service/millrace.ts";
import type { OpenOptions } from "../../../src/service/mill/open-options.ts";
import { pipeline } from "../../../src/service/pipeline.ts";
import { startRollUps, type RunningRollUps } from "../../../src/service/rollups/start-roll-ups.ts";
import { resource, stage } from "../../../src/exports/index.ts";
import { systemMachine, type Machine } from "../../../src/std/machine.ts";
import { makeVirtualClock, type VirtualClock } from "../../../src/std/virtual-clock.ts";
import {
  makeDurableWorld,
  makeGate,
  STORES,
  type SomePipeline,
  type StoreKind,
} from "../../support/durable/durable-world.ts";
import { queueRuns, tellRuns } from "../../support/rollups/told-runs.ts";

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

interface World {
  readonly clock: VirtualClock;
  readonly mill: Millrace;
  readonly rollUps: RunningRollUps;
  /** Folds until there is no more; how many pieces it took. */
  readonly foldAll: () => Promise<number>;
}

async function setup(kind: StoreKind, pipelines: readonly SomePipeline[] = []): Promise<World> {
  const clock = makeVirtualClock();
  const mill = await makeDurableWorld(kind).open(pipelines, onClock(clock));
  const rollUps = startRollUps(mill);
  return { clock, mill, rollUps, foldAll: () => foldAll(rollUps) };
}

/** A store's time is that of its machine. */
function onClock(clock: VirtualClock): Pick<OpenOptions, "clock" | "machine"> {
  const { host, pid, bootId, processStart, environment } = systemMachine;
  const machine: Machine = {
    host,
    pid,
    bootId,
    processStart,
    environment,
    sharedMonotonicMs: () => clock.monotonicMs(),
    isGone: (process) => systemMachine.isGone(process),
  };
  return { clock, machine };
}

async function foldAll(rollUps: RunningRollUps): Promise<number> {
  let pieces = 1;
  while (await rollUps.look()) pieces += 1;
  return pieces;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, each) => total + each, 0);
}

describe.each(STORES)("on %s", (kind) => {
  test("runs are counted in the minute and the day of their events, for all and for each pipeline", async () => {
    const { clock, mill, foldAll: fold } = await setup(kind);
    await tellRuns(mill.store, { pipeline: "crawl", count: 3 });
    await clock.advance(2 * MINUTE_MS);
    await tellRuns(mill.store, { pipeline: "crawl", count: 2, state: "failed" });
    await tellRuns(mill.store, { pipeline: "review", count: 4 });
    await fold();

    const all = await mill.rates();
    expect(all).toMatchObject({ unit: "minute", stepMs: MINUTE_MS });
    expect(all).toMatchObject({ from: "2025-12-31T23:03:00.000Z" });
    expect(all).toMatchObject({ countedUntil: "2026-01-01T00:02:00.000Z" });
    expect(all.counts.succeeded.slice(-4)).toEqual([0, 3, 0, 4]);
    expect(all.counts.failed.slice(-4)).toEqual([0, 0, 0, 2]);
    expect(all.counts.created.slice(-3)).toEqual([3, 0, 6]);
    expect(all.counts.started.slice(-3)).toEqual([3, 0, 6]);
    expect(all.counts.skipped).toEqual(Array.from({ length: 60 }, () => 0));

    const own = await mill.rates({ pipeline: "crawl", sinceMs: mill.store.nowMs() - MINUTE_MS });
    expect(own).toMatchObject({ pipeline: "crawl", from: "2026-01-01T00:01:00.000Z" });
    expect(own.counts).toMatchObject({ succeeded: [0, 0], failed: [0, 2] });

    const days = await mill.rates({ unit: "day" });
    expect(days.counts.succeeded).toHaveLength(30);
    expect(days.counts.succeeded.at(-1)).toBe(7);
    expect(days).toMatchObject({ stepMs: DAY_MS });
  });

  test("a fold that begins late counts what ended meanwhile, in bounded pieces, each run once", async () => {
    const { mill, foldAll: fold } = await setup(kind);
    await tellRuns(mill.store, { pipeline: "crawl", count: 800, stages: ["fetch"] });
    expect(await fold()).toBeGreaterThan(2);
    expect(await fold()).toBe(1);
    const { counts } = await mill.rates();
    expect([counts.created, counts.started, counts.succeeded].map(sum)).toEqual([800, 800, 800]);
    expect((await mill.durations("crawl")).stages["fetch"]?.total).toBe(800);
  });

  test("by itself it folds piece after piece, and then looks every ten seconds", async () => {
    const { clock, mill } = await setup(kind);
    await tellRuns(mill.store, { pipeline: "crawl", count: 400 });
    const counted = async (): Promise<number> => sum((await mill.rates()).counts.succeeded);
    await clock.advance(0);
    expect([0, 400]).not.toContain(await counted());
    await clock.advance(9_000);
    expect(await counted()).toBe(400);
    await tellRuns(mill.store, { pipeline: "crawl", count: 1 });
    await clock.advance(20_000);
    expect(await counted()).toBe(401);
  });

  test("of more pipelines than fit into one transaction none is left out", async () => {
    const { clock, mill, foldAll: fold } = await setup(kind);
    const names = Array.from({ length: 130 }, (_, index) => `p-${index}`);
    for (const name of names) {
      await tellRuns(mill.store, { pipeline: name, count: 1, stages: ["a", "b"] });
      await queueRuns(mill.store, name, 2);
    }
    await fold();
    expect(sum((await mill.rates()).counts.succeeded)).toBe(130);
    for (const name of names) {
      const { counts, levels } = await mill.rates({ pipeline: name });
      expect([name, sum(counts.succeeded), levels.queued.max.at(-1)]).toEqual([name, 1, 2]);
      expect(Object.keys((await mill.durations(name)).stages)).toEqual(["a", "b"]);
    }
    await clock.advance(1);
  });

  test("queues are looked at once a minute; a minute in which nobody looked is a gap and no 0", async () => {
    const { clock, mill, rollUps } = await setup(kind);
    await queueRuns(mill.store, "crawl", 3);
    await clock.advance(30_000);
    await rollUps.look();
    await queueRuns(mill.store, "crawl", 2);
    await rollUps.look();
    await clock.advance(40_000);
    await rollUps.look();
    await rollUps.stop();
    await clock.advance(2 * MINUTE_MS);
    const again = startRollUps(mill);
    await again.look();

    const { queued, oldestDueMs } = (await mill.rates()).levels;
    // A look falls on the first moment of the second minute.
    expect(queued.mean.slice(-5)).toEqual([null, 3, 5, null, 5]);
    expect(oldestDueMs.max.slice(-3)).toEqual([60_000, null, 190_000]);
    const other = (await mill.rates({ pipeline: "other" })).levels;
    expect(other.queued.max.slice(-5)).toEqual([null, 0, 0, null, 0]);
    const day = (await mill.rates({ unit: "day", pipeline: "crawl" })).levels.queued;
    expect([day.mean.at(-1), day.min.at(-1), day.max.at(-1)]).toEqual([4.333, 3, 5]);
    await again.stop();
  });

  test("durations are exactly those of the last 200, without what was taken from a cache", async () => {
    const { mill, foldAll: fold } = await setup(kind);
    const stages = ["fetch"];
    for (let durationMs = 1; durationMs <= 210; durationMs += 1)
      await tellRuns(mill.store, { pipeline: "crawl", count: 1, stages, durationMs });
    await tellRuns(mill.store, {
      pipeline: "crawl",
      count: 1,
      stages,
      durationMs: 9e6,
      via: "cache",
    });
    await fold();
    const found = await mill.durations("crawl");
    expect(found.stages).toEqual({
      fetch: { count: 200, total: 210, medianMs: 110, p95Ms: 200, maxMs: 210 },
    });
    // The run itself was done, whatever its stages were.
    expect(found.run).toMatchObject({ count: 200, total: 211, maxMs: 9e6 });
    expect(await mill.durations("never")).toEqual({ stages: {} });
  });

  test("what a resource held, and what its quota had left, is looked at with all its keys together", async () => {
    const gate = makeGate();
    const host = resource("host", {
      limit: 3,
      quota: { rate: 10, per: "1h" },
      breaker: {},
      key: (name: string) => name,
    });
    const a = stage("a", { uses: [host.for("a")] }, () => gate.opened);
    const b = stage("b", { uses: [host.for("b")] }, () => gate.opened);
    const used = pipeline("used", { output: { a, b } });
    const { clock, mill, rollUps } = await setup(kind, [used]);
    const handle = await mill.start(used, undefined);
    await clock.advance(1_000);
    await rollUps.look();
    await mill.tripResource("host", { key: "b", for: "1h", reason: "test" });
    await clock.advance(MINUTE_MS);
    await rollUps.look();
    const { levels } = await mill.resourceHistory("host");
    expect(levels.held.max.slice(-2)).toEqual([2, 2]);
    expect(levels.quotaLeft.min.slice(-2)).toEqual([0.9, 0.9]);
    expect(levels.breakersOpen.max.slice(-2)).toEqual([0, 1]);
    gate.open();
    await handle.result();
    await expect(mill.resourceHistory("hots")).rejects.toMatchObject({ code: "RESOURCE_UNKNOWN" });
  });

  test("of many keys each resource has its first 500, however they lie in pages", async () => {
    const keys = { a: 499, b: 300, c: 700, d: 1 };
    const names = Object.keys(keys);
    const declared = names.map((name) =>
      resource(name, { limit: 1, breaker: {}, key: (key: string) => key }),
    );
    const uses = declared.map((each) => each.for("0"));
    const used = pipeline("used", { output: { used: stage("used", { uses }, () => 1) } });
    const { mill, rollUps } = await setup(kind, [used]);
    const order = {
      change: { kind: "trip", forMs: DAY_MS },
      actor: "test",
      reason: "test",
    } as const;
    for (const [name, count] of Object.entries(keys)) {
      const writes = Array.from({ length: count }, (_, index) => ({
        kind: "set-resource" as const,
        resource: name,
        key: `k-${index}`,
        ...order,
      }));
      await mill.store.apply(writes);
    }
    await rollUps.look();
    const series = await Promise.all(names.map((name) => mill.resourceHistory(name)));
    const open = series.map(({ levels }) => levels.breakersOpen.max.at(-1));
    expect(open).toEqual([499, 300, 500, 1]);
  });

  test("minutes go after a day, days after two years, and a stage that is no more with them", async () => {
    const { clock, mill, rollUps, foldAll: fold } = await setup(kind);
    await tellRuns(mill.store, { pipeline: "crawl", count: 1, stages: ["fetch"] });
    await fold();
    const keys = async (): Promise<readonly string[]> =>
      (await mill.store.listRecords({ collection: "rollups", limit: 500 })).map(({ key }) =>
        key.replace(/\d+/, "N"),
      );
    const days = ["day/N/all", "day/N/pipeline/crawl", "duration/crawl/", "duration/crawl/fetch"];
    expect(await keys()).toEqual([...days, "minute/N/all", "minute/N/pipeline/crawl"]);
    await rollUps.stop();
    await clock.advance(26 * 60 * MINUTE_MS);
    const next = startRollUps(mill);
    await next.look();
    expect(await keys()).toEqual([...days, "minute/N/all"]);
    expect((await mill.rates({ sinceMs: 0 })).counts.created).toHaveLength(1_440);
    await next.stop();
    await clock.advance(800 * DAY_MS);
    const last = startRollUps(mill);
    await last.look();
    await last.look();
    expect(await keys()).toEqual(["day/N/all", "minute/N/all"]);
    expect((await mill.rates({ unit: "day", sinceMs: 0 })).counts.created).toHaveLength(731);
    await last.stop();
  });

  test("runs and events that were thrown away before they were counted are passed over", async () => {
    const { mill, foldAll: fold } = await setup(kind);
    await tellRuns(mill.store, { pipeline: "crawl", count: 5 });
    const runs = await mill.store.listRuns({ limit: 5 });
    const runIds = runs.slice(0, 4).map(({ id }) => id);
    await mill.store.apply([
      { kind: "delete-runs", runIds, states: ["succeeded"], rowsMax: 1_000 },
    ]);
    await fold();
    expect(sum((await mill.rates()).counts.succeeded)).toBe(1);
  });

  test("what is no unit and no time is refused with its name", async () => {
    const { mill } = await setup(kind);
    const unit = JSON.parse('"hour"');
    await expect(mill.rates({ unit })).rejects.toMatchObject({ code: "OPTION_INVALID" });
    await expect(mill.rates({ sinceMs: Number.NaN })).rejects.toThrow('"sinceMs"');
    expect((await mill.rates()).countedUntil).toBe(undefined);
  });
});

test("of two processes one keeps them, and the other goes on where it fell silent", async () => {
  const world = makeDurableWorld("sqlite");
  const clock = makeVirtualClock();
  const [first, second] = [
    await world.open([], onClock(clock)),
    await world.open([], onClock(clock)),
  ];
  const one = startRollUps(first);
  const other = startRollUps(second);
  await tellRuns(first.store, { pipeline: "crawl", count: 10 });
  await one.look();
  await tellRuns(first.store, { pipeline: "crawl", count: 10 });
  expect(await other.look()).toBe(false);
  expect(sum((await first.rates()).counts.succeeded)).toBe(10);

  // It is gone without a word: its duty lasts three times as long as the time between two looks.
  await first.close();
  await clock.advance(31_000);
  await foldAll(other);
  expect(sum((await second.rates()).counts.succeeded)).toBe(20);
  await other.stop();
});

test("one that held the duty once and goes on does not count what another has counted", async () => {
  const world = makeDurableWorld("sqlite");
  const clock = makeVirtualClock();
  const mill = await world.open([], onClock(clock));
  const late = await world.open([], onClock(clock));
  const [holder, former] = [startRollUps(mill), startRollUps(late)];
  for (const each of [former, holder]) {
    await each.look();
    // Nobody else knows of it now, and until half of it is over nobody asks.
    world.raw().exec("DELETE FROM records WHERE collection = 'duties'");
  }
  // It stands still between its look at the cursor and what it does then.
  const listEvents = late.store.listEvents.bind(late.store);
  late.store.listEvents = async (query) => {
    await holder.look();
    return await listEvents(query);
  };
  for (let round = 0; round < 5; round += 1) {
    await tellRuns(mill.store, { pipeline: "crawl", count: 40, stages: ["fetch"] });
    await former.look();
  }
  await foldAll(holder);
  expect(sum((await mill.rates()).counts.succeeded)).toBe(200);
  expect((await mill.durations("crawl")).stages["fetch"]?.total).toBe(200);
  await Promise.all([holder.stop(), former.stop()]);
});

test("a store that cannot be written is told once, and counted when it can be again", async () => {
  const clock = makeVirtualClock();
  const warnings: string[] = [];
  const mill = await makeDurableWorld("memory").open([], { clock });
  const rollUps = startRollUps(mill, { onWarning: (message) => warnings.push(message) });
  await tellRuns(mill.store, { pipeline: "crawl", count: 2 });
  const listEvents = mill.store.listEvents.bind(mill.store);
  mill.store.listEvents = () => Promise.reject(new Error("away"));
  expect([await rollUps.look(), await rollUps.look()]).toEqual([false, false]);
  expect(warnings).toEqual(["Roll-ups are not kept for now: away Nothing is lost by it."]);
  mill.store.listEvents = listEvents;
  await rollUps.look();
  expect(sum((await mill.rates()).counts.succeeded)).toBe(2);
  await rollUps.stop();
});
