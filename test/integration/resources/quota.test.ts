// Quotas of resources, met by runs: how many units go in a window, who waits, who is refused, and what a server's
// Retry-After does.

import { describe, expect, test } from "vitest";
import { map, pipeline, resource, stage } from "millrace";
import { makeScene, PLACES } from "../../support/resources/gate-scene.ts";
import { httpError, makeOutside } from "../../support/resources/gate-world.ts";

const many = (count: number): readonly string[] =>
  Array.from({ length: count }, (_, at) => `i${String(at).padStart(2, "0")}`);

describe.each(PLACES)("%s", (place) => {
  test("R137: a quota starts full, refills continuously, and never holds more than its burst", async () => {
    const { finish, clock } = makeScene(place);
    const outside = makeOutside(clock);
    const api = resource("api", { quota: { rate: 10, per: "1s" } });
    const work = map("work", { over: many(15), uses: [api], concurrency: 15 }, () =>
      outside.call(0),
    );
    const made = pipeline("p", { stages: [work] });
    await finish(made);
    expect(outside.calls).toEqual([...Array<number>(10).fill(0), 100, 200, 300, 400, 500]);
    await clock.advance(10_000); // full again, and no fuller
    const fromMs = clock.monotonicMs();
    await finish(made);
    const later = outside.calls.slice(15).map((atMs) => atMs - fromMs);
    expect(later).toEqual([...Array<number>(10).fill(0), 100, 200, 300, 400, 500]);
  });

  test("R143: a bucket of 5 + 2 lets seven go at once, then one per second", async () => {
    const { finish, clock } = makeScene(place);
    const outside = makeOutside(clock);
    const api = resource("api", { quota: { rate: 1, per: "1s", burst: 7 } });
    const work = map("work", { over: many(9), uses: [api], concurrency: 9 }, () => outside.call(0));
    await finish(pipeline("p", { stages: [work] }));
    expect(outside.calls).toEqual([0, 0, 0, 0, 0, 0, 0, 1_000, 2_000]);
  });

  test("R148: a slow rate is honoured: one per 3 s is one every 3 s", async () => {
    const { finish, clock } = makeScene(place);
    const outside = makeOutside(clock);
    const api = resource("api", { quota: { rate: 1, per: "3s" } });
    const work = map("work", { over: many(3), uses: [api], concurrency: 3 }, () => outside.call(0));
    await finish(pipeline("p", { stages: [work] }));
    expect(outside.calls).toEqual([0, 3_000, 6_000]);
  });

  test("R147: two windows of one key both hold", async () => {
    const { finish, clock } = makeScene(place);
    const outside = makeOutside(clock);
    const quota = [
      { rate: 2, per: "1s" },
      { rate: 5, per: "60s" },
    ] as const;
    const api = resource("api", { quota });
    const work = map("work", { over: many(6), uses: [api], concurrency: 6 }, () => outside.call(0));
    await finish(pipeline("p", { stages: [work] }));
    // Two at once, one each half second, and of the hour's five the sixth when one of them has come back.
    expect(outside.calls).toEqual([0, 0, 500, 1_000, 1_500, 12_000]);
  });

  test("R144: a use that would wait longer than maxWait is refused at once, and the time is told", async () => {
    const { finish, clock } = makeScene(place);
    const outside = makeOutside(clock);
    const api = resource("api", { quota: { rate: 1, per: "60s", maxWait: "100ms" } });
    const one = stage("one", { uses: [api] }, () => outside.call(0));
    const two = stage("two", { uses: [api] }, () => outside.call(0));
    const result = await finish(pipeline("p", { stages: [one, two] }));
    expect([result.state, clock.monotonicMs(), outside.calls.length]).toEqual(["failed", 0, 1]);
    expect(result.errors[0]?.error.message).toContain(
      'a quota of resource "api" would let it wait 1m, longer than its maxWait',
    );
  });

  test("R149: cost and maxWait may be set per use, and a use that costs 0 is free", async () => {
    const { finish, clock } = makeScene(place);
    const outside = makeOutside(clock);
    const api = resource("api", { quota: { rate: 10, per: "10s" } });
    const whole = stage("whole", { uses: [api.with({ cost: 10 })] }, () => outside.call(0));
    const head = stage("head", { needs: { whole }, uses: [api.with({ cost: 0 })] }, () =>
      outside.call(0),
    );
    const hurried = stage(
      "hurried",
      { needs: { head }, critical: false, uses: [api.with({ maxWait: "200ms" })] },
      () => outside.call(0),
    );
    const patient = stage("patient", { needs: { head }, uses: [api.with({ cost: 2 })] }, () =>
      outside.call(0),
    );
    const result = await finish(pipeline("p", { stages: [whole, head, hurried, patient] }));
    expect(outside.calls).toEqual([0, 0, 2_000]);
    expect(result.stages["hurried"]?.state).toBe("failed");
  });

  test("R149: what a use costs may depend on its input, by key", async () => {
    const { finish, clock } = makeScene(place);
    const outside = makeOutside(clock);
    const host = resource("host", {
      key: (request: { host: string; bytes: number }) => request.host,
      quota: { rate: 10, per: "1s", cost: ({ bytes }) => bytes },
    });
    const over = [
      { host: "a", bytes: 10 },
      { host: "a", bytes: 5 },
      { host: "b", bytes: 5 },
      { host: "b", bytes: 5 },
    ];
    const work = map(
      "work",
      {
        over: over.map((one, at) => ({ ...one, at })),
        key: ({ at }) => `i${at}`,
        concurrency: 4,
        uses: (one) => [host.for(one)],
      },
      () => outside.call(0),
    );
    await finish(pipeline("p", { stages: [work] }));
    expect(outside.calls).toEqual([0, 0, 0, 500]);
  });

  test("R132 R152: Retry-After pauses the key for everybody, in seconds or as a date, and maxDelay does not cut it", async () => {
    const { finish, clock } = makeScene(place);
    const host = resource("host", {
      key: (name: string) => name,
      quota: { rate: 1_000, per: "1s" },
    });
    const calls = new Map<string, number[]>();
    const retry = { attempts: 2, initialDelay: 1, maxDelay: "100ms", jitter: "none" } as const;
    const work = map(
      "work",
      {
        over: ["a1", "a2", "b1", "d1", "d2"],
        concurrency: 5,
        retry,
        uses: (item) => [host.for(item.slice(0, 1))],
      },
      async (item, _needs, ctx) => {
        const list = calls.get(item) ?? [];
        calls.set(item, [...list, clock.monotonicMs()]);
        await clock.sleep(item === "a2" || item === "d2" ? 10 : 5);
        if (list.length > 0 || ctx.attempt > 1) return;
        if (item === "a1") throw httpError(429, { "retry-after": "20" });
        const date = new Date(clock.wallMs()).toUTCString();
        const later = new Date(clock.wallMs() + 30_000).toUTCString();
        if (item === "d1") throw httpError(503, { "retry-after": later, date });
      },
    );
    const after = map("after", { over: work, concurrency: 5, uses: () => [host.for("a")] }, () => {
      calls.set("after", [...(calls.get("after") ?? []), clock.monotonicMs()]);
    });
    const result = await finish(pipeline("p", { stages: [work, after] }));
    expect(result.state).toBe("succeeded");
    expect(calls.get("a1")?.[0]).toBe(0);
    expect(calls.get("a1")?.[1]).toBeGreaterThanOrEqual(20_005);
    expect(calls.get("d1")?.[1]).toBeGreaterThanOrEqual(30_005);
    // Others of that host wait as well; other hosts do not.
    expect(Math.min(...(calls.get("after") ?? []))).toBeGreaterThanOrEqual(20_005);
    expect(calls.get("b1")).toEqual([0]);
  });

  test("what a server says is used up is used up for everybody until its reset, and never looser than declared", async () => {
    const { finish, clock } = makeScene(place);
    const outside = makeOutside(clock);
    const api = resource("api", { limit: 9 });
    const host = resource("host", {
      key: (name: string) => name,
      quota: { rate: 10, per: "1s", burst: 5 },
    });
    const first = map(
      "first",
      { over: ["a", "b"], uses: (item) => [api, host.for(item)] },
      (item) => {
        const reset = item === "a" ? "30" : "0";
        return outside.call(
          0,
          httpError(404, { "ratelimit-remaining": "0", "ratelimit-reset": reset }),
        );
      },
    );
    const onItemFailure = "continue";
    const calls = new Map<string, number[]>();
    const rest = map(
      "rest",
      {
        over: ["a1", "a2", "b1", "b2"],
        uses: (item) => [api, host.for(item.slice(0, 1))],
        needs: { first },
        trigger: "all_done",
        onItemFailure,
      },
      (item) => void calls.set(item, [clock.monotonicMs()]),
    );
    await finish(pipeline("p", { stages: [first, rest], failFast: false }));
    expect(Object.fromEntries(calls)).toEqual({
      a1: [30_000],
      a2: [30_100],
      b1: [0],
      b2: [0],
    });
  });

  test("R141: one unit is taken per attempt of an item, just before it starts", async () => {
    const { finish, clock } = makeScene(place);
    const outside = makeOutside(clock);
    const api = resource("api", { quota: { rate: 1, per: "1s", burst: 3 } });
    const gap = stage("gap", {}, () => clock.sleep(5_000));
    // It is ready to be worked on for 5 s, and debited when it starts: the fourth waits a second from then.
    const work = map("work", { over: many(4), needs: { gap }, uses: [api], concurrency: 4 }, () =>
      outside.call(0),
    );
    await finish(pipeline("p", { stages: [gap, work] }));
    expect(outside.calls).toEqual([5_000, 5_000, 5_000, 6_000]);
  });

  test("a quota that several stages and runs share holds over all of them together", async () => {
    const scene = makeScene(place);
    const { clock } = scene;
    const outside = makeOutside(clock);
    const api = resource("api", { quota: { rate: 2, per: "1s" } });
    const one = stage("one", { uses: [api] }, () => outside.call(0));
    const two = stage("two", { uses: [api] }, () => outside.call(0));
    const made = pipeline("p", { stages: [one, two] });
    await scene.open([made]);
    const first = await scene.start(made);
    const second = await scene.start(made);
    await clock.advance(1_000);
    expect((await Promise.all([first.result, second.result])).map(({ state }) => state)).toEqual([
      "succeeded",
      "succeeded",
    ]);
    expect(outside.calls).toEqual([0, 0, 500, 1_000]);
  });
});

describe.each(PLACES.slice(1))("%s", (place) => {
  test("R145 R141: what comes from the cache takes no permit and no unit", async () => {
    const scene = makeScene(place);
    const { clock, finish } = scene;
    const outside = makeOutside(clock);
    const api = resource("api", { limit: 1, quota: { rate: 1, per: "1h", burst: 3 } });
    const work = map("work", { over: many(3), uses: [api], cache: true, concurrency: 3 }, (item) =>
      outside.call(1, item),
    );
    const made = pipeline("p", { stages: [work] });
    const mill = await scene.open([made]);
    const unitsOf = async (): Promise<unknown> => {
      const page = await mill?.resources();
      return page?.resources.map(({ quotas, totals }) => [quotas[0]?.available, totals.consumed]);
    };
    await finish(made);
    expect(await unitsOf()).toEqual([[0, 3]]);
    const again = await finish(made);
    expect(again.state).toBe("succeeded");
    expect(outside.calls).toHaveLength(3);
    expect(await unitsOf()).toEqual([[0, 3]]);
  });
});

test("R138 R141: in memory the stats tell of units and refusals", async () => {
  const { finish, clock } = makeScene("in memory");
  const outside = makeOutside(clock);
  const api = resource("api", { quota: { rate: 2, per: "1h", maxWait: 0 } });
  const work = map(
    "work",
    { over: many(3), uses: [api], concurrency: 3, onItemFailure: "continue" },
    () => outside.call(0),
  );
  await finish(pipeline("p", { stages: [work] }));
  expect(outside.calls).toHaveLength(2);
  expect(api.stats({ clock })).toMatchObject({ available: [0], consumed: 2, throttled: 1 });
});
