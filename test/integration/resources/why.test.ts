// Whoever asks why something waits for a resource hears which one, who has it, who comes first, when it may clear, and
// what to type: from the rows of the store, so that any process can ask.

import { describe, expect, onTestFinished, test } from "vitest";
import { map, pipeline, resource, stage, type Millrace } from "../../../src/exports/index.ts";
import type { MillraceEvent } from "../../../src/model/event.ts";
import type { Pipeline } from "../../../src/service/pipeline.ts";
import type { RunHandle } from "../../../src/service/run-handle.ts";
import { readWaitHistory } from "../../../src/service/explain/wait-history.ts";
import { systemMachine, type Machine } from "../../../src/std/machine.ts";
import { makeVirtualClock, type VirtualClock } from "../../../src/std/virtual-clock.ts";
import {
  makeDurableWorld,
  makeGate,
  STORES,
  type Gate,
  type StoreKind,
} from "../../support/durable/durable-world.ts";

const SECOND_MS = 1_000;
const ITEMS = ["a", "b", "c", "d"];

/** This machine, whose boot follows the virtual clock, as the clock of a store in a file follows the boot. */
function makeMachine(clock: VirtualClock): Machine {
  return {
    ...systemMachine,
    host: systemMachine.host,
    pid: systemMachine.pid,
    bootId: systemMachine.bootId,
    processStart: systemMachine.processStart,
    environment: systemMachine.environment,
    sharedMonotonicMs: () => SECOND_MS + clock.monotonicMs(),
    isGone: (owner) => systemMachine.isGone(owner),
  };
}

async function setup(kind: StoreKind, made: Pipeline) {
  const clock = makeVirtualClock();
  const mill = await makeDurableWorld(kind).open([made], { clock, machine: makeMachine(clock) });
  onTestFinished(() => {
    for (const gate of gates.splice(0)) gate.open();
  });
  const told: MillraceEvent[] = [];
  const start = async (): Promise<RunHandle> => {
    const handle = await mill.start(made, undefined);
    handle.onEvent((event) => void told.push(event));
    return handle;
  };
  return { clock, mill, told, start };
}

const gates: Gate[] = [];

/** A gate that is opened before its mill is closed, whatever becomes of the test. */
function openAtEnd(): Gate {
  const gate = makeGate();
  gates.push(gate);
  return gate;
}

/** How many items have a row that says that they wait. */
async function countRows(mill: Millrace, run: string, name: string): Promise<number> {
  return (await mill.items(run, name, { states: ["waiting"], limit: 500 })).items.length;
}

describe.each(STORES)("on %s", (kind) => {
  test("R151: what waits for a limit names the resource, its holders, and who is ahead", async () => {
    const gate = openAtEnd();
    const api = resource("api", { limit: 2 });
    const rows = map("rows", { over: ITEMS, key: (item) => item, uses: [api] }, () => gate.opened);
    const { clock, mill, told, start } = await setup(kind, pipeline("p", { stages: [rows] }));
    const run = await start();
    await clock.advance(1_500);

    const why = await mill.why("1", "rows", "d");

    expect(why.state).toBe("waiting");
    expect(why.summary).toMatch(
      /^1\/rows\/d is waiting since .+Z \(1.5s\): 2 of 2 permits of resource "api" are held; 1 ahead of it\.$/,
    );
    expect(why.blockers).toEqual([
      {
        kind: "limit",
        name: "api",
        sinceMs: expect.any(Number),
        ahead: 1,
        holders: ["1/rows/a", "1/rows/b"],
        basis: "unknown",
        text: '2 of 2 permits of resource "api" are held; 1 ahead of it',
      },
    ]);
    expect(why.notes).toContain("says more: npx millrace resources list api");
    expect((await mill.why("1", "rows")).blockers).toMatchObject([{ kind: "limit", name: "api" }]);
    expect((await mill.why("1")).blockers).toMatchObject([{ kind: "limit", name: "api" }]);
    const waits = told
      .filter(({ type }) => type === "item.waiting")
      .toSorted((one, other) => ((one.item ?? "") < (other.item ?? "") ? -1 : 1));
    expect(waits.map(({ item, data }) => [item, data])).toEqual([
      ["c", { blocker: "limit:api", resource: "api", ahead: 0, waiting: 2, index: 2 }],
      ["d", { blocker: "limit:api", resource: "api", ahead: 1, waiting: 2, index: 3 }],
    ]);
    gate.open();
    await clock.advance(1);
    expect((await run.result()).state).toBe("succeeded");
    const { items } = await mill.items("1", "rows");
    expect(items.map(({ attempts, waitedMs }) => [attempts, waitedMs])).toEqual([
      [1, {}],
      [1, {}],
      [1, { "limit:api": 1_500 }],
      [1, { "limit:api": 1_500 }],
    ]);
  });

  test("what waits for a quota says what it is, and when the next unit comes", async () => {
    const scorer = resource("scorer", { quota: { rate: 1, per: "20s" } });
    const rows = map("rows", { over: ITEMS, key: (item) => item, uses: [scorer] }, () => 1);
    const { clock, mill, start } = await setup(kind, pipeline("p", { stages: [rows] }));
    const run = await start();
    await clock.advance(4_000);

    const [second] = (await mill.why("1", "rows", "b")).blockers;
    const [fourth] = (await mill.why("1", "rows", "d")).blockers;

    const firstMs = (second?.expectedAtMs ?? 0) - (second?.sinceMs ?? 0);
    expect(firstMs).toBeGreaterThanOrEqual(19_990);
    expect(firstMs).toBeLessThanOrEqual(20_010);
    expect(second).toMatchObject({ kind: "quota", name: "scorer", ahead: 0, basis: "exact" });
    expect(second?.text).toContain(
      'the quota of resource "scorer", 1 per 20s, has nothing left; the next unit comes at 20',
    );
    expect(fourth).toMatchObject({ ahead: 2, basis: "estimate" });
    expect((fourth?.expectedAtMs ?? 0) - (second?.expectedAtMs ?? 0)).toBe(40_000);
    for (let times = 0; times < 4; times += 1) await clock.advance(20_000);
    const { stages } = await run.result();
    expect(Object.keys(stages["rows"]?.waitedMs ?? {})).toEqual(["quota:scorer"]);
    const record = await mill.run("1");
    const history = await readWaitHistory(mill.store, record, { stage: "rows", item: "d" });
    expect(history.waits).toMatchObject([{ blocker: { kind: "quota", name: "scorer" } }]);
    expect(history.totalsMs["quota:scorer"]).toBeGreaterThanOrEqual(59_000);
  });

  test("why of a run names each resource once, with how many wait for it, also where they came to wait for the same", async () => {
    const api = resource("api", { limit: 1, quota: { rate: 1, per: "20s" } });
    let release = (): void => {};
    const first = new Promise<void>((resolve) => (release = resolve));
    const rows = map("rows", { over: ITEMS, key: (item) => item, uses: [api] }, (item) =>
      item === "a" ? first : 1,
    );
    const { clock, mill, start } = await setup(kind, pipeline("p", { stages: [rows] }));
    const run = await start();
    await clock.advance(3_000);
    expect((await mill.why("1")).blockers).toMatchObject([
      {
        kind: "limit",
        text: '1 of 1 permits of resource "api" are held; 3 wait for it',
      },
    ]);
    release();
    await clock.advance(4_000);

    for (const why of [await mill.why("1"), await mill.why("1", "rows")]) {
      expect(why.blockers).toMatchObject([{ kind: "quota", name: "api", ahead: 0 }]);
      expect(why.blockers[0]?.text).toMatch(/; the next unit comes at \S+Z; 3 wait for it$/);
      const told = why.notes.filter((note) => note.startsWith("says more:"));
      expect(told).toEqual(["says more: npx millrace resources list api"]);
    }
    expect((await mill.why("1", "rows", "c")).blockers[0]?.text).toContain("; 1 ahead of it");
    for (let times = 0; times < 4; times += 1) await clock.advance(20_000);
    expect((await run.result()).state).toBe("succeeded");
  });

  test("R118 R127: a stage before an open breaker waits without an attempt, and why names it with its key and time", async () => {
    const host = resource("host", {
      key: (name: string) => name,
      breaker: { threshold: 1, recovery: "1h" },
    });
    const uses = [host.for("example.com")];
    let calls = 0;
    const call = stage("call", { uses, retry: 1, critical: false }, () => {
      calls += 1;
      throw Object.assign(new Error("HTTP 503"), { status: 503 });
    });
    const late = stage("late", { needs: { call }, uses }, () => 1);
    const { clock, mill, told, start } = await setup(kind, pipeline("p", { stages: [call, late] }));
    const run = await start();
    await clock.advance(2_000);

    const why = await mill.why("1", "late");

    expect(why.state).toBe("waiting");
    expect(why.blockers).toMatchObject([
      { kind: "breaker", name: "host/example.com", key: "example.com", basis: "estimate" },
    ]);
    expect(why.blockers[0]?.text).toMatch(
      /^the breaker of resource "host\/example\.com" is open until .+Z: calls failed \(1 in a row open it\); last at .+Z$/,
    );
    const leftMs = (why.blockers[0]?.expectedAtMs ?? 0) - mill.store.nowMs();
    expect(leftMs).toBeGreaterThan(50 * 60 * SECOND_MS);
    expect(why.notes).toContain("closes it now: npx millrace resources reset host/example.com");
    expect(await mill.store.findStage(run.id, "late")).toMatchObject({
      state: "waiting",
      attempts: 0,
      blocker: "breaker:host/example.com",
    });
    expect(calls).toBe(1);
    expect(told.find(({ type }) => type === "stage.waiting")?.data).toMatchObject({
      blocker: "breaker:host/example.com",
      resource: "host",
      key: "example.com",
    });
    await mill.resetResource("host", { key: "example.com" });
    await clock.advance(2_000);
    expect((await run.result()).stages["late"]?.state).toBe("succeeded");
  });

  test("what waits while a probe is out says so, and who probes", async () => {
    const gate = openAtEnd();
    const api = resource("api", { breaker: { threshold: 1, recovery: "1s" } });
    let calls = 0;
    const rows = map(
      "rows",
      {
        over: ITEMS,
        key: (item) => item,
        uses: [api],
        concurrency: 1,
        onItemFailure: "continue",
        retry: 1,
      },
      () => {
        calls += 1;
        if (calls === 1) throw Object.assign(new Error("HTTP 503"), { status: 503 });
        return gate.opened;
      },
    );
    const { clock, mill, start } = await setup(kind, pipeline("p", { stages: [rows] }));
    const run = await start();
    await clock.advance(5_000);

    const { blockers } = await mill.why("1", "rows", "c");

    expect(blockers).toMatchObject([
      { kind: "breaker", name: "api", holders: ["1/rows/b"], basis: "unknown" },
    ]);
    expect(blockers[0]?.text).toBe(
      'the breaker of resource "api" is half open: a probe is running, and its result decides',
    );
    gate.open();
    await clock.advance(40_000);
    await run.result();
  });

  test("what waits because the other side asked for a pause says until when", async () => {
    const api = resource("api", { quota: { rate: 100, per: "1s" } });
    let calls = 0;
    const rows = map(
      "rows",
      { over: ITEMS, key: (item) => item, uses: [api], concurrency: 1 },
      () => {
        calls += 1;
        if (calls > 1) return 1;
        const headers = { "retry-after": "30" };
        throw Object.assign(new Error("HTTP 429"), { status: 429, headers });
      },
    );
    const { clock, mill, start } = await setup(kind, pipeline("p", { stages: [rows] }));
    const run = await start();
    await clock.advance(3_000);

    const { blockers } = await mill.why("1", "rows", "b");

    expect(blockers).toMatchObject([{ kind: "quota", name: "api", basis: "exact" }]);
    expect(blockers[0]?.text).toMatch(
      /^the other side of resource "api" asked for a pause until .+Z$/,
    );
    await clock.advance(120_000);
    expect((await run.result()).state).toBe("succeeded");
  });

  test("what waits for a retry budget keeps its attempts, and says so", async () => {
    const api = resource("api", { retryBudget: { share: 0.01, minPerSecond: 0.05 } });
    let calls = 0;
    const rows = map(
      "rows",
      {
        over: ITEMS,
        key: (item) => item,
        uses: [api],
        retry: { attempts: 5, initialDelay: "10ms" },
      },
      () => {
        calls += 1;
        if (calls < 9) throw Object.assign(new Error("reset"), { code: "ECONNRESET" });
        return 1;
      },
    );
    const { clock, mill, start } = await setup(kind, pipeline("p", { stages: [rows] }));
    const run = await start();
    await clock.advance(3_000);

    const { items } = await mill.items("1", "rows", { states: ["waiting"] });
    const why = await mill.why("1", "rows", items[0]?.key);

    expect(why.blockers).toMatchObject([{ kind: "budget", name: "api" }]);
    expect(why.summary).toContain(
      'the retry budget of resource "api" is used up: its retries are held to a share of its first tries; attempt ',
    );
    expect(items[0]?.attempts).toBeGreaterThan(0);
    for (let times = 0; times < 20; times += 1) await clock.advance(20_000);
    expect((await run.result()).state).toBe("succeeded");
  });

  test("of many items that wait at most 100 have a row, and nothing is told of short waits", async () => {
    const gate = openAtEnd();
    const api = resource("api", { limit: 1 });
    const over = Array.from({ length: 300 }, (_, index) => index);
    const rows = map(
      "rows",
      { over, key: (item) => `row-${item}`, uses: [api] },
      () => gate.opened,
    );
    const { clock, mill, told, start } = await setup(kind, pipeline("p", { stages: [rows] }));
    const run = await start();
    await clock.advance(990);
    const early = await countRows(mill, "1", "rows");
    await clock.advance(3_000);

    expect([early, await countRows(mill, "1", "rows")]).toEqual([0, 100]);
    const waits = told.filter(({ type }) => type === "item.waiting");
    expect(waits).toHaveLength(100);
    expect(waits[0]?.data).toMatchObject({ waiting: 299 });
    gate.open();
    await clock.advance(100);
    expect((await run.result()).state).toBe("succeeded");
    expect(await countRows(mill, "1", "rows")).toBe(0);
  });

  test("a queued run that is parked for a quota names it, and its wait counts when it goes on", async () => {
    const rare = resource("rare", { quota: { rate: 1, per: "60s" } });
    const first = stage("first", { uses: [rare] }, () => 1);
    const second = stage("second", { uses: [rare] }, () => 2);
    const made = pipeline("p", { stages: [first, second] });
    const { clock, mill } = await setup(kind, made);
    await mill.enqueue(made, [{ input: undefined }]);
    const control = new AbortController();
    const working = mill.work({ signal: control.signal, stopAfterMs: 0 });
    await clock.advance(3_000);

    const run = await mill.run("1");
    const why = await mill.why("1");
    const { waitsFor } = await mill.stats();

    expect([run.state, run.reason]).toEqual(["waiting", "quota"]);
    expect(why.summary).toMatch(
      /^1 is waiting since .+, parked: the quota of resource "rare", 1 per 1m, has nothing left; /,
    );
    expect(why.blockers).toMatchObject([{ kind: "quota", name: "rare", basis: "exact" }]);
    expect(why.notes[0]).toMatch(/^goes back to its queue at .+: npx millrace resume 1$/);
    expect(waitsFor).toEqual([{ kind: "quota", name: "rare", count: 1 }]);
    await clock.advance(65_000);
    expect((await mill.run("1")).state).toBe("succeeded");
    const stages = await mill.store.listStages(run.id);
    const waited = stages.find(({ waitedMs }) => "quota:rare" in waitedMs);
    expect(waited?.waitedMs["quota:rare"]).toBeGreaterThanOrEqual(59_000);
    expect(waited?.trail).toMatchObject({ past: [{ blocker: "quota:rare" }], now: null });
    expect(waited?.attempts).toBe(1);
    control.abort();
    await working;
  });

  test("what waits after a failed attempt keeps that attempt in its row, and a resume finds nothing in its way", async () => {
    const gate = openAtEnd();
    const api = resource("api", { limit: 1 });
    let failures = 0;
    const later = stage("later", {}, (_needs, ctx) => ctx.sleep("100ms"));
    const hold = stage("hold", { needs: { later }, uses: [api] }, () => gate.opened);
    const fresh = stage("fresh", { needs: { later }, uses: [api] }, () => "fresh");
    const retry = { attempts: 2, initialDelay: "1s", jitter: "none" } as const;
    const tried = stage("tried", { uses: [api], retry }, (_needs, ctx) => {
      if (ctx.attempt === 1) {
        failures += 1;
        throw new Error("once");
      }
      return ctx.attempt;
    });
    const made = pipeline("p", { stages: [later, hold, fresh, tried] });
    const { clock, mill, start } = await setup(kind, made);
    const run = await start();
    await clock.advance(5_000);
    const stored = await mill.store.listStages(run.id);
    const rows = stored.filter(({ state }) => state === "waiting");
    expect(
      rows.map(({ stage: name, state, attempts, blocker }) => [name, state, attempts, blocker]),
    ).toEqual([
      ["fresh", "waiting", 0, "limit:api"],
      ["tried", "waiting", 1, "limit:api"],
    ]);
    expect((await mill.why("1", "tried")).summary).toContain(
      "; attempt 1 failed with unknown: once.",
    );
    const stopping = run.interrupt(0);
    gate.open();
    await clock.advance(10);
    await stopping;
    await mill.resume(run.id);
    const control = new AbortController();
    const working = mill.work({ signal: control.signal, stopAfterMs: 0 });
    await clock.advance(5_000);
    expect((await mill.run(run.id)).state).toBe("succeeded");
    control.abort();
    await working;
    expect(failures).toBeGreaterThan(0);
  });
});
