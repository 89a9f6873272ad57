// Limits and quotas that several real processes share through one file: what was declared holds for all of them
// together, judged from the log of the calls that they made.

import assert from "node:assert/strict";
import { describe, expect, test } from "vitest";
import { makeResourceWorld, type LoggedCall } from "../support/resources/resource-host.ts";

function names(prefix: string, count: number): readonly string[] {
  return Array.from({ length: count }, (_, index) => `${prefix}${index}`);
}

/** Most calls that were under way at once: each is noted as begun when it has its permit, as ended while it has it. */
function findMost(log: readonly LoggedCall[]): number {
  let under = 0;
  let most = 0;
  for (const { what } of log) {
    under += what === "begin" ? 1 : -1;
    most = Math.max(most, under);
  }
  return most;
}

describe("processes that share a quota", () => {
  test("R146 R153: fifty calls of two stages in four of them stay within it in any window", async () => {
    const [rate, burst] = [25, 5];
    const world = await makeResourceWorld({ quota: { rate, per: "1s", burst } });
    const callers = await world.startMany(4);
    await Promise.all(
      callers.map(async (caller, index) => {
        const run = await caller.call(names(`p${index}-`, 13), 0, index % 2 ? "left" : "right");
        expect((await caller.ended(run)).state).toBe("succeeded");
      }),
    );
    const begun = world.readLog().filter(({ what }) => what === "begin");
    expect(begun.length).toBe(52);
    expect(new Set(begun.map(({ pid }) => pid)).size).toBe(4);
    // A call is noted a little after it was granted: by so much a window may have more in it.
    const lateMs = 300;
    const times = begun.map(({ atMs }) => atMs).toSorted((left, right) => left - right);
    for (const [first, fromMs] of times.entries()) {
      for (const [last, untilMs] of times.entries()) {
        if (last < first) continue;
        const allowed = burst + ((untilMs - fromMs + lateMs) * rate) / 1_000;
        assert.ok(
          last - first + 1 <= allowed,
          `${last - first + 1} calls in ${untilMs - fromMs} ms, allowed were ${allowed}`,
        );
      }
    }
    const tookMs = (times.at(-1) ?? 0) - (times[0] ?? 0);
    expect(tookMs).toBeGreaterThanOrEqual(((52 - burst) * 1_000) / rate - lateMs);
    const [view] = (await world.mill.resources()).resources;
    expect(view?.totals).toMatchObject({ granted: 52, consumed: 52 });
    expect(await world.resource()).toEqual({ held: 0, waiting: 0 });
  });
});

describe("processes that share a limit", () => {
  test("three of them never pass it, and use all of it", async () => {
    const world = await makeResourceWorld({ limit: 2 });
    const callers = await world.startMany(3);
    await Promise.all(
      callers.map(async (caller, index) => {
        const run = await caller.call(names(`p${index}-`, 12), 10);
        expect((await caller.ended(run)).state).toBe("succeeded");
      }),
    );
    const log = world.readLog();
    expect(new Set(world.begun()).size).toBe(36);
    expect(world.begun().length).toBe(36);
    expect(findMost(log)).toBe(2);
    expect(await world.resource()).toEqual({ held: 0, waiting: 0 });
  });

  test("R151: a ceiling of five over all of them: the sixth waits, and why names it", async () => {
    const world = await makeResourceWorld({ limit: 5 });
    const [one, two] = await world.startMany(2);
    assert.ok(one !== undefined && two !== undefined);
    await one.call(["a", "b", "c"], null);
    await two.call(["d", "e"], null, "right");
    await world.untilBegun(5);
    const sixth = await world.mill.start(world.pipelines.left, { names: ["f"], lastsMs: 0 });
    await world.until(async () => (await world.resource()).waiting === 1);
    expect(await world.resource()).toEqual({ held: 5, waiting: 1 });
    const ask = () => sixth.why("left-calls", "f").catch(() => null);
    await world.until(async () => (await ask())?.blockers[0] !== undefined);
    expect((await ask())?.blockers[0]).toMatchObject({ kind: "limit" });
    expect(JSON.stringify((await ask())?.blockers[0])).toContain("api");
    expect(world.begun().length).toBe(5);
    world.go("d");
    expect((await sixth.result()).state).toBe("succeeded");
    expect(world.begun().at(-1)).toBe("f");
    world.go("a", "b", "c", "e");
  });

  test("R109: a limit that is set elsewhere holds at once, up and down, and takes nothing from holders", async () => {
    const world = await makeResourceWorld({ limit: 1 });
    const [one, two] = await world.startMany(2);
    assert.ok(one !== undefined && two !== undefined);
    const left = await one.call(names("l", 4), null);
    const right = await two.call(names("r", 4), null);
    await world.until(async () => (await world.resource()).waiting === 7);
    expect(world.begun().length).toBe(1);
    await world.mill.setResource("api", { limit: 3, reason: "more" });
    await world.untilBegun(3);
    await world.mill.setResource("api", { limit: 1, reason: "less" });
    const [first = "", second = "", third = ""] = world.begun();
    expect(await world.resource()).toMatchObject({ held: 3 });
    world.go(first, second);
    await world.until(async () => (await world.resource()).held === 1);
    expect(world.begun().length).toBe(3);
    world.go(third);
    await world.untilBegun(4);
    expect(await world.resource()).toMatchObject({ held: 1 });
    world.go(...names("l", 4), ...names("r", 4));
    expect((await one.ended(left)).state).toBe("succeeded");
    expect((await two.ended(right)).state).toBe("succeeded");
    expect(findMost(world.readLog())).toBe(3);
  });

  test("a process that comes to another's long line gets its turn, however many come after it", async () => {
    const world = await makeResourceWorld({ limit: 1 });
    const [long, late] = await world.startMany(2);
    assert.ok(long !== undefined && late !== undefined);
    const runs = [await long.call(names("first", 40), 15)];
    await world.untilBegun(2);
    const one = await late.call(["late"], 15);
    // Who has waited a tenth of a second less counts as having waited as long.
    await world.untilBegun(world.begun().length + 20);
    for (let wave = 0; wave < 3; wave += 1)
      runs.push(await long.call(names(`wave${wave}-`, 20), 15));
    await late.ended(one);
    await Promise.all(runs.map((run) => long.ended(run)));
    const begun = world.begun();
    expect(begun.length).toBe(101);
    // All that came before it may go before it, and hardly more.
    expect(begun.indexOf("late")).toBeLessThan(60);
    expect(findMost(world.readLog())).toBe(1);
  });

  test("R108: what waits for it takes no place of a worker in another process", async () => {
    const world = await makeResourceWorld({ limit: 1 });
    const [holder, worker] = await world.startMany(2);
    assert.ok(holder !== undefined && worker !== undefined);
    await holder.call(["held"], null);
    await world.untilBegun(1);
    const { mill, pipelines } = world;
    const entries = names("q", 8).map((name) => ({ input: { names: [name], lastsMs: 0 } }));
    const queued = (await mill.enqueue(pipelines.left, entries)).runs.map(({ run }) => run.id);
    worker.tell({ kind: "work", concurrency: 8, drain: false });
    await world.until(async () => (await world.resource()).waiting === 8);
    const [other] = (await mill.enqueue(pipelines.other, [{ input: undefined }])).runs;
    await world.until(async () => (await mill.run(other?.run.id ?? "")).state === "succeeded");
    expect(world.begun()).toEqual(["held"]);
    world.go("held");
    await world.until(async () => {
      const states = await Promise.all(queued.map((run) => mill.run(run)));
      return states.every(({ state }) => state === "succeeded");
    });
    expect(world.begun().length).toBe(9);
  });
});
