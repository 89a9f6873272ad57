// What real processes leave behind when they are killed: permits and probes go back, breakers and pauses stay.

import assert from "node:assert/strict";
import { describe, expect, test } from "vitest";
import { makeResourceWorld } from "../support/resources/resource-host.ts";

/** What a busy machine may add to the two seconds in which the dead are found on their own host, ms; without that it
 *  would be the lease that ends, after half a minute. */
const FOUND_MS = 2_000 + 4_000;

describe("a process that is killed", () => {
  test("gives its permits back at once: those of a run in the foreground", async () => {
    const world = await makeResourceWorld({ limit: 2 });
    const [one, two] = await world.startMany(2);
    assert.ok(one !== undefined && two !== undefined);
    await one.call(["a", "b"], null);
    await world.untilBegun(2);
    const waiting = await two.call(["c", "d"], 0);
    await world.until(async () => (await world.resource()).waiting === 2);
    const diedMs = performance.now();
    await one.die();
    expect((await two.ended(waiting)).state).toBe("succeeded");
    expect(performance.now() - diedMs).toBeLessThan(FOUND_MS);
    expect(await world.resource()).toEqual({ held: 0, waiting: 0 });
  });

  test("gives its permits back at once: those of a run of a queue, which goes on elsewhere", async () => {
    const world = await makeResourceWorld({ limit: 1 });
    const { mill, pipelines } = world;
    const [one, two] = await world.startMany(2);
    assert.ok(one !== undefined && two !== undefined);
    const entries = [{ input: { names: ["a"], lastsMs: null } }];
    const [queued] = (await mill.enqueue(pipelines.left, entries)).runs;
    one.tell({ kind: "work", concurrency: 1, drain: false });
    await world.untilBegun(1);
    const waiting = await two.call(["b"], 0);
    await world.until(async () => (await world.resource()).waiting === 1);
    const diedMs = performance.now();
    await one.die();
    expect((await two.ended(waiting)).state).toBe("succeeded");
    expect(performance.now() - diedMs).toBeLessThan(FOUND_MS);
    world.go("a");
    two.tell({ kind: "work", concurrency: 1, drain: false });
    await world.until(async () => (await mill.run(queued?.run.id ?? "")).state === "succeeded");
    expect(world.begun()).toEqual(["a", "b", "a"]);
    expect(await world.resource()).toEqual({ held: 0, waiting: 0 });
  });

  test("R120 R122: of three one probes; killed, it gives its place back, and the next call is a new probe", async () => {
    const world = await makeResourceWorld({
      breaker: { threshold: 1, recovery: "300ms", whenOpen: "wait" },
    });
    const all = await world.startMany(3);
    const [first] = all;
    assert.ok(first !== undefined);
    await first.ended(await first.call(["fails"], 0));
    const breakerOf = async (): Promise<string | undefined> =>
      (await world.mill.resources()).resources[0]?.breaker?.state;
    expect(await breakerOf()).toBe("open");
    for (const [index, caller] of all.entries()) await caller.call([`probe${index}`], null);
    await world.untilBegun(2);
    await world.until(async () => (await world.resource()).waiting === 2);
    expect(await breakerOf()).toBe("half_open");
    const prober = world.readLog().at(-1);
    expect(world.begun().length).toBe(2);
    const dead = all.find(({ pid }) => pid === prober?.pid);
    const diedMs = performance.now();
    await dead?.die();
    await world.untilBegun(3);
    expect(performance.now() - diedMs).toBeLessThan(FOUND_MS);
    expect(await breakerOf()).toBe("half_open");
    expect(await world.resource()).toMatchObject({ held: 1 });
    world.go("probe0", "probe1", "probe2");
    await world.untilBegun(4);
    await world.until(async () => (await world.resource()).held === 0);
    expect(await breakerOf()).toBe("closed");
  });
});

describe("what a process learned of an outside thing", () => {
  test("R135: a breaker that is open refuses calls of another process, and after a restart", async () => {
    const world = await makeResourceWorld({
      breaker: { threshold: 2, recovery: "10m", whenOpen: "fail" },
    });
    const [one, two] = await world.startMany(2);
    assert.ok(one !== undefined && two !== undefined);
    await one.ended(await one.call(["fails1", "fails2"], 0));
    expect(world.begun().length).toBe(2);
    const refused = await two.ended(await two.call(["b"], 0));
    expect(refused).toMatchObject({ state: "failed" });
    await one.die();
    await two.die();
    const again = await world.start();
    const run = await again.call(["c"], 0);
    expect(await again.ended(run)).toMatchObject({ state: "failed" });
    const item = await world.mill.store.findItem(run, "left-calls", "c");
    expect(item?.failure).toMatchObject({ class: "breaker-open" });
    expect(item?.failure?.message).toContain('the breaker of resource "api" is open');
    expect(world.begun().length).toBe(2);
    await world.mill.resetResource("api", { reason: "it is there again" });
    expect(await again.ended(await again.call(["d"], 0))).toMatchObject({ state: "succeeded" });
  });

  test("R135: a pause that was asked for holds back calls of another process, and after a restart", async () => {
    const world = await makeResourceWorld({ quota: { rate: 1_000, per: "1s" } });
    const [one, two] = await world.startMany(2);
    assert.ok(one !== undefined && two !== undefined);
    await one.call(["throttled"], 0);
    await world.until(async () => {
      const [view] = (await world.mill.resources()).resources;
      return view?.pausedUntil !== undefined;
    });
    await two.call(["b"], 0);
    await world.until(async () => (await world.resource()).waiting >= 1);
    await one.die();
    await two.die();
    const again = await world.start();
    const run = await again.call(["c"], 0);
    await world.until(async () => {
      const why = await world.mill.why(run, "left-calls", "c").catch(() => null);
      return why?.blockers[0] !== undefined;
    });
    expect(world.begun()).toEqual(["throttled"]);
    await world.mill.resetResource("api", { reason: "they said it is over" });
    expect(await again.ended(run)).toMatchObject({ state: "succeeded" });
    expect(world.begun()).toEqual(["throttled", "c"]);
  });
});
