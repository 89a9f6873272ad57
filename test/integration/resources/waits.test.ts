// Those who wait for a resource: how long they may, that whatever ends them ends their wait at once, and that nothing
// of them is left behind.

import { describe, expect, test } from "vitest";
import { map, pipeline, resource, stage } from "millrace";
import { makeScene, PLACES } from "../../support/resources/gate-scene.ts";
import { httpError, makeOutside } from "../../support/resources/gate-world.ts";
import { passTime } from "../../support/memory-world.ts";

const many = (count: number): readonly string[] =>
  Array.from({ length: count }, (_, at) => `i${String(at).padStart(2, "0")}`);

describe.each(PLACES)("%s", (place) => {
  test("queueTimeout: a stage that waits longer for its resource fails as a timeout, without having been called", async () => {
    const { finish, clock } = makeScene(place);
    const outside = makeOutside(clock);
    const api = resource("api", { limit: 1 });
    const long = stage("long", { uses: [api] }, () => outside.call(10_000));
    const hasty = stage("hasty", { uses: [api], queueTimeout: "2s", critical: false }, () =>
      outside.call(1),
    );
    const ends: Record<string, number> = {};
    const after = stage("after", { needs: { hasty }, trigger: "all_done" }, () => {
      ends["after"] = clock.monotonicMs();
    });
    const result = await finish(pipeline("p", { stages: [long, hasty, after] }));
    expect(result.stages["hasty"]).toMatchObject({ state: "failed", attempts: 0 });
    expect(result.stages["hasty"]?.error?.class).toBe("timeout");
    expect(ends["after"]).toBe(2_000);
    expect(outside.calls).toEqual([0]);
  });

  test("a deadline ends a stage that waits, of the stage and of the run", async () => {
    const scene = makeScene(place);
    const { clock } = scene;
    const outside = makeOutside(clock);
    const api = resource("api", { limit: 1 });
    const holder = pipeline("holder", {
      stages: [stage("long", { uses: [api] }, () => outside.call(10_000))],
    });
    const own = pipeline("own", {
      stages: [stage("late", { uses: [api], deadline: "2s" }, () => outside.call(1))],
    });
    const whole = pipeline("whole", {
      deadline: "3s",
      stages: [stage("late", { uses: [api] }, () => outside.call(1))],
    });
    await scene.open([holder, own, whole]);
    const held = await scene.start(holder);
    const [one, two] = [await scene.start(own), await scene.start(whole)];
    const late = await passTime(clock, one.result);
    expect([late.state, late.errors[0]?.error.class, clock.monotonicMs()]).toEqual([
      "failed",
      "deadline",
      2_000,
    ]);
    const over = await passTime(clock, two.result);
    expect([over.state, clock.monotonicMs()]).toEqual(["failed", 3_000]);
    await passTime(clock, held.result);
    expect(outside.calls).toEqual([0]);
  });

  test("cancel: who waits leaves at once, and the next one in line gets the permit", async () => {
    const scene = makeScene(place);
    const { clock } = scene;
    const outside = makeOutside(clock);
    const api = resource("api", { limit: 1 });
    const make = (name: string): ReturnType<typeof pipeline> =>
      pipeline(name, { stages: [stage("work", { uses: [api] }, () => outside.call(1_000))] });
    const [first, second, third] = [make("first"), make("second"), make("third")];
    await scene.open([first, second, third]);
    const one = await scene.start(first);
    const two = await scene.start(second);
    const three = await scene.start(third);
    await clock.advance(500);
    two.cancel();
    await clock.advance(0);
    expect((await two.result).state).toBe("cancelled");
    expect(clock.monotonicMs()).toBe(500);
    await passTime(clock, Promise.all([one.result, three.result]));
    expect(outside.calls).toEqual([0, 1_000]);
  });

  test("cancel: a run whose items wait in many lines ends at once", async () => {
    const scene = makeScene(place);
    const { clock } = scene;
    const outside = makeOutside(clock);
    const host = resource("host", { limit: 1, key: (name: string) => name });
    const work = map(
      "work",
      { over: many(40), concurrency: 40, uses: (item) => [host.for(item.slice(2))] },
      (_item, _needs, ctx) => outside.call(60_000, "done", ctx.signal),
    );
    const started = await scene.start(pipeline("p", { stages: [work] }));
    await clock.advance(100);
    expect(outside.now).toBe(10);
    started.cancel();
    const result = await passTime(clock, started.result);
    expect([result.state, clock.monotonicMs(), outside.now]).toEqual(["cancelled", 100, 0]);
  });

  test("failFast: a failure elsewhere cancels what waits", async () => {
    const { finish, clock } = makeScene(place);
    const outside = makeOutside(clock);
    const api = resource("api", { limit: 1 });
    const long = stage("long", { uses: [api] }, () => outside.call(5_000));
    const waits = stage("waits", { uses: [api] }, () => outside.call(1));
    const fails = stage("fails", {}, async () => {
      await clock.sleep(1_000);
      throw new Error("no");
    });
    const result = await finish(pipeline("p", { stages: [long, waits, fails] }));
    expect(result.state).toBe("failed");
    expect(result.stages["waits"]?.state).toBe("cancelled");
    expect(outside.calls).toEqual([0]);
  });

  test("stopAfter: a map that stops early asks for nothing more, and its waiting items leave the line", async () => {
    const { finish, clock } = makeScene(place);
    const [outside, other] = [makeOutside(clock), makeOutside(clock)];
    const api = resource("api", { limit: 1 });
    const work = map(
      "work",
      {
        over: many(20),
        uses: [api],
        concurrency: 20,
        onItemFailure: "continue",
        stopAfter: { inARow: 2 },
        critical: false,
      },
      () => outside.call(10, httpError(404)),
    );
    const gap = stage("gap", {}, () => clock.sleep(5));
    const late = stage("late", { needs: { gap }, uses: [api] }, () => other.call(1));
    const result = await finish(pipeline("p", { stages: [work, gap, late] }));
    expect(result.stages["work"]?.state).toBe("failed");
    expect(outside.calls).toHaveLength(2);
    expect(other.calls).toEqual([20]);
  });

  test("an item that fails ends its map, and those that wait are cancelled with it", async () => {
    const { finish, clock } = makeScene(place);
    const outside = makeOutside(clock);
    const api = resource("api", { limit: 2 });
    const work = map("work", { over: many(10), uses: [api], concurrency: 10 }, (item) =>
      outside.call(item === "i00" ? 10 : 100, item === "i00" ? new Error("no") : "done"),
    );
    const result = await finish(pipeline("p", { stages: [work] }));
    expect(result.state).toBe("failed");
    // One more got in with the permit of the one that failed, at most.
    expect(outside.calls.length).toBeLessThanOrEqual(3);
  });

  test("the timeout of an attempt begins when it has its resources", async () => {
    const { finish, clock } = makeScene(place);
    const outside = makeOutside(clock);
    const api = resource("api", { limit: 1 });
    const work = map(
      "work",
      { over: many(3), uses: [api], concurrency: 3, timeout: "1500ms" },
      () => outside.call(1_000),
    );
    expect((await finish(pipeline("p", { stages: [work] }))).state).toBe("succeeded");
    expect(clock.monotonicMs()).toBe(3_000);
  });

  test("an attempt that is timed out gives its permit back", async () => {
    const { finish, clock } = makeScene(place);
    const outside = makeOutside(clock);
    const api = resource("api", { limit: 1 });
    const one = stage("one", { uses: [api], timeout: "1s", critical: false }, (_needs, ctx) =>
      outside.call(60_000, "late", ctx.signal),
    );
    const two = stage("two", { uses: [api] }, () => outside.call(1));
    await finish(pipeline("p", { stages: [one, two] }));
    expect(outside.calls).toEqual([0, 1_000]);
  });

  test("an attempt that does not stop when it is timed out keeps its permit until its slot is taken from it", async () => {
    const scene = makeScene(place);
    const { clock } = scene;
    const outside = makeOutside(clock);
    const api = resource("api", { limit: 1 });
    const one = stage("one", { uses: [api], timeout: "1s", critical: false }, () =>
      clock.sleep(600_000),
    );
    const two = stage("two", { uses: [api] }, () => outside.call(1));
    const result = await scene.finish(pipeline("p", { stages: [one, two] }));
    expect(result.stages["two"]?.state).toBe("succeeded");
    expect(outside.calls[0]).toBeGreaterThanOrEqual(1_000);
    expect(outside.calls[0]).toBeLessThan(600_000);
  });

  test("retryBudget: retries beyond the budget wait, and never fail", async () => {
    const { finish, clock } = makeScene(place);
    const outside = makeOutside(clock);
    const api = resource("api", { retryBudget: { share: 0, minPerSecond: 0.1 } });
    const retry = { attempts: 3, initialDelay: 1, maxDelay: 1, jitter: "none" } as const;
    const work = map(
      "work",
      { over: many(3), uses: [api], concurrency: 3, retry },
      (item, _needs, ctx) => outside.call(1, ctx.attempt < 3 ? httpError(500) : item),
    );
    const result = await finish(pipeline("p", { stages: [work] }));
    expect(result.state).toBe("succeeded");
    // Three first tries, then one retry in ten seconds: six of them.
    expect(outside.calls).toHaveLength(9);
    const retries = outside.calls.slice(3);
    for (const [index, atMs] of retries.entries()) {
      const before = retries[index - 1];
      if (before !== undefined) expect(atMs - before).toBeGreaterThanOrEqual(9_000);
    }
  });

  test("R97: those who wait for one key do not hold up those of another, nor stages without resources", async () => {
    const { finish, clock } = makeScene(place);
    const [blocked, good, free] = [makeOutside(clock), makeOutside(clock), makeOutside(clock)];
    const host = resource("host", { limit: 1, key: (name: string) => name });
    const work = map(
      "work",
      {
        over: [...many(8).map((at) => `slow-${at}`), "good-1"],
        concurrency: 2,
        uses: (item) => [host.for(item.split("-")[0] ?? "")],
      },
      (item) => (item.startsWith("slow") ? blocked.call(1_000) : good.call(1)),
    );
    const plain = stage("plain", {}, () => free.call(1));
    await finish(pipeline("p", { stages: [work, plain] }), { concurrency: 2 });
    // Both slots are taken at first, by the one that is let in and by the good one.
    expect([good.calls, free.calls]).toEqual([[0], [1]]);
    expect(blocked.most).toBe(1);
  });
});
