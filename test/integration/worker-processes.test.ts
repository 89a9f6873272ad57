// Real processes that work one queue: killed, stopped and told to stop, they leave every run with one ending, and
// whoever comes back late is refused.

import assert from "node:assert/strict";
import { describe, expect, test } from "vitest";
import { makeSeededRandom } from "../../src/std/random.ts";
import { makeHostWorld, type Host, type HostWorld } from "../support/durable/durable-host.ts";
import { makeCounting, makeWaiting } from "../support/durable/durable-process.ts";
import { makeDurableWorld, type DurableWorld } from "../support/durable/durable-world.ts";
import { checkCounts, checkNoLease, readEvents } from "../support/queue-world.ts";

/** A lease that is over soon, renewed often enough to be kept. */
const SHORT_LEASE = {
  leaseMs: 1_200,
  heartbeatMs: 150,
  callMs: 150,
  pauseMs: 400,
  stopMs: 200,
  graceMs: 200,
  presenceMs: 100,
} as const;

/** Calls per stage and run, from the file of effects. */
function countEffects(hosts: HostWorld): ReadonlyMap<string, number> {
  const found = new Map<string, number>();
  for (const line of hosts.readEffects()) {
    const [name = "", run = ""] = line.split(" ");
    found.set(`${name} ${run}`, (found.get(`${name} ${run}`) ?? 0) + 1);
  }
  return found;
}

function checkSound(world: DurableWorld): void {
  const raw = world.raw();
  assert.deepEqual(
    raw
      .prepare("PRAGMA integrity_check")
      .all()
      .map((row) => Object.values(row)),
    [["ok"]],
  );
  raw.close();
}

async function enqueue(host: Host, count: number, of: "counting" | "waiting") {
  host.tell({ kind: "enqueue", count, of });
  return (await host.next("enqueued")).runs;
}

/** The one of these processes that made the last call, once there were so many. */
async function findActive(
  hosts: HostWorld,
  calls: number,
  among: ReadonlyMap<number, Host>,
): Promise<Host> {
  for (;;) {
    const effects = hosts.readEffects();
    const last = effects.at(-1)?.split(" ")[2];
    const host = effects.length < calls ? undefined : among.get(Number(last));
    if (host !== undefined) return host;
    await pause(2);
  }
}

async function pause(ms: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, ms));
}

describe("processes on one store", () => {
  test("R158 R175: ten of them drain a queue, and no run is worked on twice", async () => {
    const world = makeDurableWorld();
    const hosts = makeHostWorld(world);
    const all = await Promise.all(Array.from({ length: 10 }, () => hosts.start()));
    const [first] = all;
    assert.ok(first !== undefined);
    const runs = await enqueue(first, 100, "counting");
    for (const host of all) host.tell({ kind: "work", concurrency: 2, drain: true });
    const ends = await Promise.all(all.map((host) => host.next("worked")));
    expect(ends.reduce((sum, { runs: count }) => sum + count, 0)).toBe(100);
    expect(ends.filter(({ runs: count }) => count > 0).length).toBeGreaterThan(1);
    const effects = countEffects(hosts);
    expect(effects.size).toBe(300);
    expect(new Set(effects.values())).toEqual(new Set([1]));
    const mill = await world.open([makeCounting(hosts)]);
    expect(await checkCounts(mill, "counting")).toEqual({ succeeded: 100 });
    for (const [index, run] of runs.entries())
      expect((await mill.result(run)).outputs).toEqual({ three: index + 3 });
    await checkNoLease(mill);
  });

  test("R174 R195: killed at any moment, they lose nothing, and every run ends once", async () => {
    const world = makeDurableWorld();
    const hosts = makeHostWorld(world);
    const random = makeSeededRandom(7);
    const others = Promise.all([hosts.start(), hosts.start(), hosts.start()]);
    const first = await hosts.start();
    const runs = await enqueue(first, 200, "counting");
    const working = new Map<number, Host>([[first.pid, first]]);
    const begin = async (started = hosts.start()): Promise<void> => {
      const host = await started;
      host.tell({ kind: "work", concurrency: 4, drain: true });
      working.set(host.pid, host);
    };
    const all = [first, ...(await others)];
    await Promise.all(all.map((host) => begin(Promise.resolve(host))));
    const begun: Promise<void>[] = [];
    let killed = 0;
    for (; killed < 4; killed += 1) {
      // Of 600 calls, so that each time there is a lot left to do.
      const calls = 30 + killed * 100 + Math.floor(random.float() * 60);
      const victim = await findActive(hosts, calls, working);
      working.delete(victim.pid);
      await victim.die();
      begun.push(begin());
    }
    await Promise.all(begun);
    await Promise.all([...working.values()].map((host) => host.next("worked")));

    const mill = await world.open([makeCounting(hosts)]);
    expect(await checkCounts(mill, "counting")).toEqual({ succeeded: 200 });
    await checkNoLease(mill);
    let crashes = 0;
    for (const [index, run] of runs.entries()) {
      expect((await mill.result(run)).outputs).toEqual({ three: index + 3 });
      const record = await mill.run(run);
      crashes += record.crashes;
      const types = (await readEvents(mill, run)).map(({ type }) => type);
      const count = (wanted: string): number => types.filter((type) => type === wanted).length;
      expect(count("run.succeeded")).toBe(1);
      expect(count("stage.succeeded")).toBe(3);
      expect(count("run.reclaimed")).toBe(record.crashes);
      expect(count("run.started")).toBe(record.crashes + 1);
    }
    expect(crashes).toBeGreaterThan(0);
    // What was done twice was running when its process died: at most one stage per crash.
    const repeated = [...countEffects(hosts).values()].reduce((sum, calls) => sum + calls - 1, 0);
    expect(repeated).toBeLessThanOrEqual(crashes);
    checkSound(world);
  });

  test("R102 R173: one that is told to stop lets its stages end and gives its runs back", async () => {
    const world = makeDurableWorld();
    const hosts = makeHostWorld(world);
    const host = await hosts.start();
    await enqueue(host, 4, "waiting");
    host.tell({ kind: "work", concurrency: 2, drain: false });
    await host.next("begun");
    await host.next("begun");
    host.tell({ kind: "stop" });
    hosts.openGate();
    const { runs, counts } = await host.next("worked");
    expect([runs, counts]).toEqual([2, { returned: 2 }]);
    const effects = hosts.readEffects().map((line) => line.split(" ")[0]);
    expect(effects).toEqual(["begin", "begin", "end", "end"]);
    const mill = await world.open([makeWaiting(hosts, () => {})]);
    expect(await checkCounts(mill, "waiting")).toEqual({ queued: 4 });
    await checkNoLease(mill);
    expect((await mill.work({ drain: true })).counts).toEqual({ succeeded: 4 });
    expect(hosts.readEffects().length).toBe(4 + 2 + 2 * 3);
  });

  test("an idle one hears of work from another process at once", async () => {
    const world = makeDurableWorld();
    const hosts = makeHostWorld(world);
    const idle = await hosts.start();
    idle.tell({ kind: "work", concurrency: 2, drain: false });
    const mill = await world.open([makeWaiting(hosts, () => {})]);
    const delays: number[] = [];
    for (let turn = 0; turn < 5; turn += 1) {
      // Long enough for it to be idle, and at another moment of its second each time.
      await pause(170);
      const startedMs = performance.now();
      const { runs } = await mill.enqueue(
        makeWaiting(hosts, () => {}),
        [{ input: undefined }],
      );
      const begun = await idle.next("begun");
      delays.push(performance.now() - startedMs);
      expect(begun.run).toBe(runs[0]?.run.id);
      if (turn === 0) hosts.openGate();
      await idle.next("ended");
    }
    // Polling once a second alone would take half a second.
    expect(delays.toSorted((one, two) => one - two)[2]).toBeLessThan(100);
  });
});

describe("a process that hangs", () => {
  test("R208: loses its run when its lease and its grace are over, and is refused when it goes on", async () => {
    const world = makeDurableWorld();
    const hosts = makeHostWorld(world, { lease: SHORT_LEASE });
    const [hanging, living] = await Promise.all([hosts.start(), hosts.start()]);
    const [run = ""] = await enqueue(hanging, 1, "waiting");
    hanging.tell({ kind: "work", concurrency: 1, drain: false });
    await hanging.next("begun");
    hanging.signal("SIGSTOP");
    living.tell({ kind: "work", concurrency: 1, drain: true });
    await living.next("begun");
    hosts.openGate();
    await living.next("worked");
    const mill = await world.open([makeWaiting(hosts, () => {})]);
    const before = await mill.run(run);
    expect([before.state, before.epoch, before.crashes]).toEqual(["succeeded", 3, 1]);
    const events = await readEvents(mill, run);
    const reclaimed = events.find(({ type }) => type === "run.reclaimed");
    expect(reclaimed?.data).toMatchObject({ reason: "its lease ran out", pid: hanging.pid });
    const claims = events.filter(({ type }) => type === "run.started");
    expect((claims[1]?.atMs ?? 0) - (claims[0]?.atMs ?? 0)).toBeGreaterThanOrEqual(
      SHORT_LEASE.leaseMs + SHORT_LEASE.graceMs,
    );

    hanging.signal("SIGCONT");
    expect(await hanging.next("refused", "ended")).toEqual({ kind: "refused", code: "LEASE_LOST" });
    expect(await mill.run(run)).toEqual(before);
    expect(await readEvents(mill, run)).toEqual(events);
    expect(hosts.readEffects().filter((line) => line.startsWith("after")).length).toBe(1);
    // It lost a run, and works on.
    const [next = ""] = await enqueue(hanging, 1, "waiting");
    expect(await hanging.next("ended")).toMatchObject({ run: next, state: "succeeded" });
  });

  test("R210: one that works for many leases is never robbed", async () => {
    const world = makeDurableWorld();
    const hosts = makeHostWorld(world, { lease: SHORT_LEASE });
    const [busy, idle] = await Promise.all([hosts.start(), hosts.start()]);
    const [run = ""] = await enqueue(busy, 1, "waiting");
    busy.tell({ kind: "work", concurrency: 1, drain: false });
    await busy.next("begun");
    idle.tell({ kind: "work", concurrency: 4, drain: false });
    await pause(3 * SHORT_LEASE.leaseMs);
    hosts.openGate();
    expect(await busy.next("ended")).toMatchObject({ run, state: "succeeded" });
    const mill = await world.open([]);
    const record = await mill.run(run);
    expect([record.epoch, record.crashes]).toEqual([1, 0]);
    expect(hosts.readEffects().map((line) => line.split(" ")[0])).toEqual([
      "begin",
      "end",
      "after",
    ]);
  });
});

describe("a worker that is idle", () => {
  test("says once that it is there and commits nothing else, and starts at once what its own process enqueues", async () => {
    const world = makeDurableWorld();
    const hosts = makeHostWorld(world);
    hosts.openGate();
    const begun: number[] = [];
    const waiting = makeWaiting(hosts, () => begun.push(performance.now()));
    const mill = await world.open([waiting]);
    const control = new AbortController();
    const working = mill.work({ signal: control.signal });
    // After its first second.
    await pause(1_500);
    const raw = world.raw();
    const version = (): unknown => raw.prepare("PRAGMA data_version").get();
    const before = version();
    const [worker] = await mill.store.listWorkers();
    expect(worker?.running).toEqual(["queue:waiting"]);
    // Two looks around, and a hundred looks at the mark.
    await pause(2_300);
    expect(version()).toEqual(before);

    const startedMs = performance.now();
    const ended = Promise.withResolvers<void>();
    await mill.enqueue(waiting, [{ input: undefined }]);
    const poll = setInterval(() => {
      if (begun.length > 0) ended.resolve();
    }, 1);
    await ended.promise;
    clearInterval(poll);
    expect((begun[0] ?? Infinity) - startedMs).toBeLessThan(100);
    control.abort();
    await working;
    expect(version()).not.toEqual(before);
    expect((await mill.store.listWorkers())[0]?.running).not.toContain("queue:waiting");
  });

  test("and so does another one beside it: they do not wake each other", async () => {
    const world = makeDurableWorld();
    const hosts = makeHostWorld(world);
    const waiting = makeWaiting(hosts, () => {});
    const mills = await Promise.all([world.open([waiting]), world.open([waiting])]);
    const control = new AbortController();
    const working = mills.map((mill) => mill.work({ signal: control.signal }));
    let transactions = 0;
    for (const { store } of mills) {
      const apply = store.apply.bind(store);
      store.apply = (writes) => {
        transactions += 1;
        return apply(writes);
      };
    }
    await pause(2_300);
    // A look and a claim a second each, and the first ones.
    expect(transactions).toBeLessThanOrEqual(16);
    control.abort();
    await Promise.all(working);
  });
});
