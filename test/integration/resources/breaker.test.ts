// Breakers of resources, met by runs: when they open, who may go while they are open, and how they close.

import { describe, expect, test } from "vitest";
import { map, pipeline, resource, stage } from "millrace";
import { makeScene, PLACES } from "../../support/resources/gate-scene.ts";
import { httpError, makeOutside } from "../../support/resources/gate-world.ts";
import { passTime } from "../../support/memory-world.ts";

const many = (count: number): readonly string[] =>
  Array.from({ length: count }, (_, at) => `i${String(at).padStart(2, "0")}`);
const BREAKERS = ["breaker.opened", "breaker.half_opened", "breaker.closed"] as const;

describe.each(PLACES)("%s", (place) => {
  test('R118 R124: with "fail" nothing is called while it is open, the error names it, and its opening is one event', async () => {
    const { finish, clock, told } = makeScene(place);
    const outside = makeOutside(clock);
    const api = resource("api", { breaker: { threshold: 3, whenOpen: "fail" } });
    const work = map(
      "work",
      { over: many(8), uses: [api], concurrency: 1, onItemFailure: "continue" },
      () => outside.call(1, httpError(500)),
    );
    const result = await finish(pipeline("p", { stages: [work] }));
    expect(outside.calls).toHaveLength(3);
    const refused = result.errors.filter(({ error }) => error.class === "breaker-open");
    expect(refused).toHaveLength(5);
    expect(refused[0]?.error.message).toContain(
      'the breaker of resource "api" is open for another',
    );
    expect(told("breaker.opened").map(({ data }) => data)).toMatchObject([
      { resource: "api", from: "closed", to: "open", untilMs: clock.wallMs() + 30_000 },
    ]);
    expect(BREAKERS.flatMap((type) => told(type))).toHaveLength(1);
  });

  test('R118 R119 R121 R124: with "wait" nothing is attempted until the opening is over; then one call is a probe, and its success closes it', async () => {
    const { start, clock, told } = makeScene(place);
    const outside = makeOutside(clock);
    const api = resource("api", {
      limit: 1,
      breaker: { threshold: 2, recovery: "30s", whenOpen: "wait" },
    });
    const work = map(
      "work",
      { over: many(5), uses: [api], concurrency: 5, onItemFailure: "continue" },
      (item) => outside.call(1_000, item < "i02" ? httpError(500) : "fine"),
    );
    const started = await start(pipeline("p", { stages: [work] }));
    await clock.advance(2_000);
    expect(told("breaker.opened")).toHaveLength(1);
    await clock.advance(29_999);
    expect(outside.calls).toHaveLength(2);
    await clock.advance(1);
    expect(outside.now).toBe(1); // the probe
    const result = await passTime(clock, started.result);
    expect(result.state).toBe("succeeded");
    // The second one after it counts for the second of the ramp.
    expect(outside.calls).toEqual([0, 1_000, 32_000, 33_000, 34_000]);
    expect(result.stages["work"]?.attempts).toBe(5);
    const moves = BREAKERS.flatMap((type) => told(type)).map(({ data }) => [
      data?.["from"],
      data?.["to"],
    ]);
    expect(moves).toEqual([
      ["closed", "open"],
      ["open", "half_open"],
      ["half_open", "closed"],
    ]);
  });

  test("R119 R121: a probe that fails opens it for longer, and that for no more than ten minutes", async () => {
    const { finish, clock, told } = makeScene(place);
    const outside = makeOutside(clock);
    // The file is looked at every few ms of these waits: there the openings are shorter.
    const recoveryMs = place === "on SQLite" ? 500 : 30_000;
    const api = resource("api", {
      breaker: { threshold: 1, recovery: recoveryMs, whenOpen: "wait" },
    });
    const retry = { attempts: 8, initialDelay: 1, maxDelay: 1, jitter: "none" } as const;
    const work = stage("work", { uses: [api], retry }, () => outside.call(1, httpError(500)));
    await finish(pipeline("p", { stages: [work] }));
    expect(outside.calls).toHaveLength(8);
    const opened = told("breaker.opened").map(({ data, atMs }) => Number(data?.["untilMs"]) - atMs);
    expect(opened).toHaveLength(8);
    expect(opened[0]).toBe(recoveryMs);
    expect(opened[1]).toBeGreaterThan(recoveryMs);
    for (const [index, openMs] of opened.entries()) {
      const grownMs = Math.min(600_000, recoveryMs * 2 ** index);
      expect(openMs).toBeGreaterThanOrEqual(Math.max(recoveryMs, grownMs / 2));
      expect(openMs).toBeLessThanOrEqual(grownMs);
    }
  });

  test("R120: while a probe runs, others are refused with a message that says so", async () => {
    const scene = makeScene(place);
    const { clock, start } = scene;
    const outside = makeOutside(clock);
    const api = resource("api", { breaker: { threshold: 1, recovery: "10s", whenOpen: "fail" } });
    const fails = pipeline("fails", {
      stages: [stage("work", { uses: [api] }, () => outside.call(1, httpError(500)))],
    });
    const slow = pipeline("slow", {
      stages: [stage("work", { uses: [api] }, () => outside.call(5_000))],
    });
    await scene.open([fails, slow]);
    await passTime(clock, (await start(fails)).result);
    await clock.advance(10_000);
    const probe = await start(slow);
    const second = await passTime(clock, (await start(slow)).result);
    expect(second.state).toBe("failed");
    expect(second.errors[0]?.error.message).toBe(
      '"work" was not let in: the breaker of resource "api" is half_open, and its probe is running.',
    );
    expect((await passTime(clock, probe.result)).state).toBe("succeeded");
    expect(outside.calls).toHaveLength(2);
  });

  test("R122: a probe that is cancelled gives its place back: the next call is a new probe", async () => {
    const scene = makeScene(place);
    const { clock, start, told } = scene;
    const outside = makeOutside(clock);
    const api = resource("api", { breaker: { threshold: 1, recovery: "10s", whenOpen: "wait" } });
    const make = (name: string, ms: number, answer?: unknown): ReturnType<typeof pipeline> =>
      pipeline(name, {
        stages: [
          stage("work", { uses: [api] }, (_needs, ctx) => outside.call(ms, answer, ctx.signal)),
        ],
      });
    const [fails, slow, quick] = [
      make("fails", 1, httpError(500)),
      make("slow", 60_000),
      make("quick", 1),
    ];
    await scene.open([fails, slow, quick]);
    await passTime(clock, (await start(fails)).result);
    await clock.advance(10_000);
    const probe = await start(slow);
    const next = await start(quick);
    await clock.advance(1_000);
    expect(outside.now).toBe(1);
    probe.cancel();
    await clock.advance(0);
    expect((await passTime(clock, next.result)).state).toBe("succeeded");
    expect((await probe.result).state).toBe("cancelled");
    // It went at once: nobody waited for the permit of the cancelled probe to expire.
    expect(outside.calls.at(-1)).toBe(11_001);
    expect(told("breaker.closed")).toHaveLength(1);
  });

  test("R123: classes that are excluded do not count", async () => {
    const { finish, clock, told } = makeScene(place);
    const outside = makeOutside(clock);
    const api = resource("api", {
      breaker: { threshold: 1, exclude: ["server"], whenOpen: "fail" },
    });
    const own = resource("own", {
      breaker: {
        threshold: 1,
        whenOpen: "fail",
        exclude: (error) => error instanceof Error && error.message.includes("500"),
      },
    });
    const work = map(
      "work",
      { over: many(4), uses: [api, own], concurrency: 1, onItemFailure: "continue" },
      () => outside.call(1, httpError(500)),
    );
    await finish(pipeline("p", { stages: [work] }));
    expect(outside.calls).toHaveLength(4);
    expect(told("breaker.opened")).toEqual([]);
  });

  test("R127: a deadline before the end of the opening fails the run at once with one error that names the breaker", async () => {
    const scene = makeScene(place);
    const { clock, start } = scene;
    const outside = makeOutside(clock);
    const api = resource("api", { breaker: { threshold: 1, recovery: "30s", whenOpen: "wait" } });
    const fails = pipeline("fails", {
      stages: [stage("work", { uses: [api] }, () => outside.call(1, httpError(500)))],
    });
    const hurried = pipeline("hurried", {
      deadline: "10s",
      stages: [stage("work", { uses: [api] }, () => outside.call(1))],
    });
    const patient = pipeline("patient", {
      stages: [stage("work", { uses: [api] }, () => outside.call(1))],
    });
    await scene.open([fails, hurried, patient]);
    await passTime(clock, (await start(fails)).result);
    const late = await passTime(clock, (await start(hurried)).result);
    expect([late.state, late.errors.length, clock.monotonicMs()]).toEqual(["failed", 1, 1]);
    expect(late.errors[0]?.error.message).toContain('the breaker of resource "api" is open');
    const waits = await start(patient);
    expect((await passTime(clock, waits.result)).state).toBe("succeeded");
    expect(outside.calls).toEqual([0, 30_001]);
  });

  test("R129: failures of different stages open one shared breaker; it recovers by time and is reset by success", async () => {
    const { finish, clock, told } = makeScene(place);
    const outside = makeOutside(clock);
    const shared = resource("shared", {
      limit: 1,
      breaker: { threshold: 3, recovery: "60s", whenOpen: "wait" },
    });
    const stages = ["u", "v", "w", "x"].map((id) =>
      stage(id, { uses: [shared], critical: false }, () =>
        outside.call(1, id === "x" ? "fine" : httpError(500)),
      ),
    );
    await finish(pipeline("p", { stages }));
    expect(outside.calls).toEqual([0, 1, 2, 60_003]);
    expect(told("breaker.opened")).toHaveLength(1);
    expect(told("breaker.closed")).toHaveLength(1);
  });

  test("R130 R136: each key has a breaker of its own, and its own settings before those of all", async () => {
    const { finish, clock } = makeScene(place);
    const calls = new Map<string, number>();
    const host = resource("host", {
      key: (name: string) => name,
      breaker: { threshold: 4, whenOpen: "fail", keys: { weak: { threshold: 1 } } },
    });
    const over = ["dead", "weak", "good"].flatMap((name) => many(6).map((at) => `${name}-${at}`));
    const work = map(
      "work",
      {
        over,
        concurrency: 1,
        onItemFailure: "continue",
        uses: (item) => [host.for(item.split("-")[0] ?? "")],
      },
      async (item) => {
        const name = item.split("-")[0] ?? "";
        calls.set(name, (calls.get(name) ?? 0) + 1);
        await clock.sleep(1);
        if (name !== "good") throw httpError(502);
      },
    );
    const result = await finish(pipeline("p", { stages: [work] }));
    expect(Object.fromEntries(calls)).toEqual({ dead: 4, weak: 1, good: 6 });
    const refused = result.errors.filter(({ error }) => error.class === "breaker-open");
    expect(refused[0]?.error.message).toContain('resource "host/dead"');
  });

  test.each<readonly [readonly (number | string)[], number]>([
    // Alive: a reply of the other side sets the count to 0.
    [[500, 500, 404, 500, 500, 410, 500, 500, 451, 500, 500], 11],
    // Ignored: the count stands.
    [[500, 500, 401, 403, 500, 500], 5],
    // Counted: timeouts, servers, and the network.
    [[408, 500, "ECONNREFUSED", 500], 3],
    [[504, "ECONNRESET", 503, 500], 3],
  ])("R131: of the answers %j, %i are called with a threshold of 3", async (answers, called) => {
    const { finish, clock } = makeScene(place);
    const outside = makeOutside(clock);
    const api = resource("api", { breaker: { threshold: 3, whenOpen: "fail" } });
    const over = answers.map((answer, at) => ({ answer, at }));
    const work = map(
      "work",
      { over, key: ({ at }) => `i${at}`, uses: [api], concurrency: 1, onItemFailure: "continue" },
      ({ answer }) =>
        outside.call(
          1,
          typeof answer === "number"
            ? httpError(answer)
            : Object.assign(new Error(answer), { code: answer }),
        ),
    );
    await finish(pipeline("p", { stages: [work] }));
    expect(outside.calls).toHaveLength(called);
  });

  test("R133: a share of failures in a window opens it, and failures in a row alone do only without one", async () => {
    const { finish, clock, told } = makeScene(place);
    const outside = makeOutside(clock);
    const ratio = { of: 0.5, window: "10s", minCalls: 4 } as const;
    const api = resource("api", { breaker: { threshold: 100, ratio, whenOpen: "fail" } });
    const work = map(
      "work",
      { over: many(8), uses: [api], concurrency: 1, onItemFailure: "continue" },
      (item) => outside.call(1, Number(item.slice(1)) % 2 === 0 ? httpError(500) : "fine"),
    );
    await finish(pipeline("p", { stages: [work] }));
    // fail, fine, fail, fine: half of four.
    expect(outside.calls).toHaveLength(4);
    expect(told("breaker.opened")).toHaveLength(1);
  });

  test("R134: with two successes needed, one keeps it half open", async () => {
    const { finish, clock, told } = makeScene(place);
    const outside = makeOutside(clock);
    const api = resource("api", {
      breaker: { threshold: 1, recovery: "1s", successes: 2, whenOpen: "wait" },
    });
    const work = map(
      "work",
      { over: many(3), uses: [api], concurrency: 1, onItemFailure: "continue" },
      (item) => outside.call(10, item === "i00" ? httpError(500) : "fine"),
    );
    await finish(pipeline("p", { stages: [work] }));
    expect(told("breaker.half_opened")).toHaveLength(1);
    const startMs = Date.UTC(2026, 0, 1);
    expect(told("breaker.closed").map(({ atMs }) => atMs - startMs)).toEqual([1_030]);
  });
});
