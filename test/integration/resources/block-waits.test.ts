// A block that waits for a resource is seen to wait, as a stage is: by whoever asks why, in events, and in what is
// stored of it. Its own code runs on, so that a row which says so much may cost nothing when its process dies.

import { describe, expect, onTestFinished, test } from "vitest";
import { map, pipeline, resource, stage, type MillraceEvent, type Pipeline } from "millrace";
import { systemMachine, type Machine } from "../../../src/std/machine.ts";
import { makeVirtualClock, type VirtualClock } from "../../../src/std/virtual-clock.ts";
import {
  makeDurableWorld,
  makeGate,
  STORES,
  type Gate,
  type StoreKind,
} from "../../support/durable/durable-world.ts";
import { passTime } from "../../support/memory-world.ts";
import { httpError } from "../../support/resources/gate-world.ts";

/** This machine, whose boot follows the virtual clock, as the clock of a store in a file follows the boot. */
function makeMachine(clock: VirtualClock): Machine {
  return {
    host: systemMachine.host,
    pid: systemMachine.pid,
    bootId: systemMachine.bootId,
    processStart: systemMachine.processStart,
    environment: systemMachine.environment,
    sharedMonotonicMs: () => 1_000 + clock.monotonicMs(),
    isGone: (owner) => systemMachine.isGone(owner),
  };
}

async function setup(kind: StoreKind, made: Pipeline) {
  const clock = makeVirtualClock();
  const world = makeDurableWorld(kind);
  const machine = makeMachine(clock);
  const open = () => world.open([made], { clock, machine });
  const gate: Gate = makeGate();
  onTestFinished(() => gate.open());
  const told: MillraceEvent[] = [];
  const onEvent = (event: MillraceEvent): void => void told.push(event);
  return { clock, open, told, onEvent };
}

describe.each(STORES)("on %s", (kind) => {
  test("R151: why of a stage whose block waits names the resource, its holder and the block", async () => {
    const gate = makeGate();
    onTestFinished(() => gate.open());
    const api = resource("api", { limit: 1 });
    const holds = stage("holds", { uses: [api] }, () => gate.opened);
    const work = stage("work", {}, (_needs, ctx) => ctx.use(api, () => "done"));
    const made = pipeline("p", { stages: [holds, work] });
    const { clock, open, told, onEvent } = await setup(kind, made);
    const mill = await open();
    const run = await mill.start(made, undefined, { onEvent });
    await clock.advance(2_500);

    const why = await mill.why("1", "work");

    expect(why.state).toBe("waiting");
    expect(why.summary).toMatch(
      /^1\/work is waiting since .+Z \(2.5s\): 1 of 1 permits of resource "api" are held; attempt 1 waits inside a block\.$/,
    );
    expect(why.blockers).toMatchObject([{ kind: "limit", name: "api", holders: ["1/holds"] }]);
    expect((await mill.why("1")).blockers).toMatchObject([{ kind: "limit", name: "api" }]);
    expect(told.find(({ type }) => type === "stage.waiting")).toMatchObject({
      stage: "work",
      attempt: 1,
      data: { blocker: "limit:api", resource: "api", ahead: 0, inBlock: true },
    });
    gate.open();
    const { state, stages } = await passTime(clock, run.result());
    expect([state, stages["work"]?.attempts]).toEqual(["succeeded", 1]);
    expect(stages["work"]?.waitedMs).toEqual({ "limit:api": 2_500 });
    const row = await mill.store.findStage(run.id, "work");
    expect(row).toMatchObject({ state: "succeeded", blocker: null, trail: { now: null } });
    expect(row?.trail?.past.map(({ blocker, fromMs, toMs }) => [blocker, toMs - fromMs])).toEqual([
      ["limit:api", 2_500],
    ]);
    const starts = told.filter(({ type, stage: of }) => type === "stage.started" && of === "work");
    expect(starts).toHaveLength(2);
  });

  test("a block that has its permit runs again, whatever its row still says", async () => {
    const [first, second] = [makeGate(), makeGate()];
    onTestFinished(() => [first, second].forEach((gate) => gate.open()));
    const api = resource("api", { limit: 1 });
    const holds = stage("holds", { uses: [api] }, () => first.opened);
    const work = stage("work", {}, (_needs, ctx) => ctx.use(api, () => second.opened));
    const made = pipeline("p", { stages: [holds, work] });
    const { clock, open } = await setup(kind, made);
    const mill = await open();
    const run = await mill.start(made, undefined);
    await clock.advance(2_500);
    first.open();
    await clock.advance(2_500);
    expect((await mill.why("1", "work")).summary).toMatch(/^1\/work is running/);
    second.open();
    expect((await passTime(clock, run.result())).state).toBe("succeeded");
  });

  test("items whose blocks wait are seen with their place in line", async () => {
    const gate = makeGate();
    onTestFinished(() => gate.open());
    const api = resource("host", { limit: 1, key: (name: string) => name });
    const rows = map("rows", { over: ["a", "b", "c"], key: (item) => item }, (item, _needs, ctx) =>
      ctx.use(api.for("example.com"), () => gate.opened.then(() => item)),
    );
    const made = pipeline("p", { stages: [rows] });
    const { clock, open } = await setup(kind, made);
    const mill = await open();
    const run = await mill.start(made, undefined);
    await clock.advance(2_500);

    const why = await mill.why("1", "rows", "c");

    expect(why.state).toBe("waiting");
    expect(why.summary).toContain("; attempt 1 waits inside a block");
    expect(why.blockers).toMatchObject([
      { kind: "limit", name: "host/example.com", key: "example.com", ahead: 1 },
    ]);
    expect((await mill.why("1", "rows", "a")).state).toBe("running");
    gate.open();
    expect((await passTime(clock, run.result())).state).toBe("succeeded");
    const { items } = await mill.items("1", "rows");
    expect(items.map(({ attempts, state }) => [attempts, state])).toEqual([
      [1, "succeeded"],
      [1, "succeeded"],
      [1, "succeeded"],
    ]);
  });

  test("what may not be repeated keeps its stored start while its block waits", async () => {
    const gate = makeGate();
    onTestFinished(() => gate.open());
    const api = resource("api", { limit: 1 });
    const holds = stage("holds", { uses: [api] }, () => gate.opened);
    const work = stage("work", { idempotent: false }, (_needs, ctx) => ctx.use(api, () => "done"));
    const made = pipeline("p", { stages: [holds, work] });
    const { clock, open } = await setup(kind, made);
    const mill = await open();
    const run = await mill.start(made, undefined);
    await clock.advance(2_500);
    expect(await mill.store.findStage(run.id, "work")).toMatchObject({
      state: "running",
      attempts: 1,
      blocker: "limit:api",
    });
    const why = await mill.why("1", "work");
    expect([why.state, why.blockers[0]?.name]).toEqual(["waiting", "api"]);
    gate.open();
    expect((await passTime(clock, run.result())).state).toBe("succeeded");
  });

  test("R127: a block that its breaker would hold up beyond the deadline fails at once", async () => {
    const api = resource("api", { breaker: { threshold: 1, recovery: "1h" } });
    let inside = 0;
    const breaks = stage("breaks", { uses: [api], critical: false }, () => {
      throw httpError(500);
    });
    const work = stage("work", { needs: { breaks }, deadline: "10s" }, (_needs, ctx) =>
      ctx.use(api, () => {
        inside += 1;
      }),
    );
    const made = pipeline("p", { stages: [breaks, work] });
    const { clock, open } = await setup(kind, made);
    const mill = await open();
    const run = await mill.start(made, undefined);
    const { stages } = await passTime(clock, run.result());
    expect(stages["work"]?.error).toMatchObject({
      class: "deadline",
      message:
        'a block of "work" cannot start before its deadline: the breaker of resource "api" is open',
    });
    expect(inside).toBe(0);
  });
});

test("a run that is interrupted while a block waits begins its attempt anew", async () => {
  const gate = makeGate();
  onTestFinished(() => gate.open());
  const api = resource("api", { limit: 1 });
  const holds = stage("holds", { uses: [api] }, () => gate.opened);
  let calls = 0;
  const work = stage("work", { retry: 1 }, (_needs, ctx) => {
    calls += 1;
    return ctx.use(api, () => "done");
  });
  const made = pipeline("p", { stages: [holds, work] });
  const { clock, open } = await setup("sqlite", made);
  const before = await open();
  const run = await before.start(made, undefined);
  await clock.advance(2_500);
  expect(await before.store.findStage(run.id, "work")).toMatchObject({
    state: "waiting",
    attempts: 0,
    blocker: "limit:api",
  });
  const closed = before.close({ drainMs: 0 });
  await clock.advance(10_000);
  await closed;
  gate.open();
  const mill = await open();
  const again = await mill.resume(run.id, { here: true });
  const { state, stages } = await passTime(clock, again.result());
  expect([state, stages["work"]?.attempts, calls]).toEqual(["succeeded", 1, 2]);
});
