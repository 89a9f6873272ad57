// How often, and how long in all, an open breaker may defer one stage or item before it fails.

import { describe, expect, onTestFinished, test } from "vitest";
import { map, pipeline, resource, stage } from "millrace";
import { makeVirtualClock } from "../../../src/std/virtual-clock.ts";
import { makeDurableWorld } from "../../support/durable/durable-world.ts";
import { makeScene, PLACES } from "../../support/resources/gate-scene.ts";
import { httpError, makeOutside } from "../../support/resources/gate-world.ts";

const SECOND_MS = 1_000;

describe.each(PLACES)("%s", (place) => {
  test("what would be deferred for more than 24 hours fails at once, and says so", async () => {
    const { finish, clock } = makeScene(place);
    const outside = makeOutside(clock);
    const api = resource("api", {
      breaker: { threshold: 1, recovery: "25h", whenOpen: "wait" },
    });
    const breaks = stage("breaks", { uses: [api], critical: false }, () =>
      outside.call(1, httpError(500)),
    );
    const late = map(
      "late",
      { needs: { breaks }, over: ["a"], key: (item) => item, uses: [api] },
      () => outside.call(1),
    );
    const inside = stage("inside", { needs: { breaks }, retry: 3 }, (_needs, ctx) =>
      ctx.use(api, () => outside.call(1)),
    );
    const result = await finish(pipeline("p", { stages: [breaks, late, inside], failFast: false }));
    expect(clock.monotonicMs()).toBe(1);
    const [item] = result.errors.filter((error) => error.stage === "late");
    expect(item?.error).toMatchObject({
      class: "deferral-exhausted",
      message:
        'Item "a" of "late" waits no longer for the breaker of resource "api": it was deferred 0 times, 0ms in all, and nothing is for more than 50 times or 1d.',
    });
    expect(result.stages["inside"]?.error).toMatchObject({ class: "deferral-exhausted" });
    expect(outside.calls).toHaveLength(1);
  });
});

// Time that is looked at every few ms, as that of a file is, would take too long.
describe.each(PLACES.filter((place) => place !== "on SQLite"))("%s", (place) => {
  test("deferrals add up to 24 hours over all attempts", async () => {
    const { finish, clock } = makeScene(place);
    const outside = makeOutside(clock);
    const api = resource("api", { breaker: { threshold: 1, recovery: "20h", whenOpen: "wait" } });
    const retry = { attempts: 5, initialDelay: 1, maxDelay: 1 } as const;
    const work = stage("work", { uses: [api], retry }, () => outside.call(1, httpError(500)));
    const result = await finish(pipeline("p", { stages: [work] }));
    expect(outside.calls).toHaveLength(2);
    expect(result.stages["work"]?.error?.class).toBe("deferral-exhausted");
    expect(result.stages["work"]?.error?.message).toContain("it was deferred once, 20h in all");
  });

  test("the fifty-first deferral fails", async () => {
    const { finish, clock } = makeScene(place);
    const outside = makeOutside(clock);
    const api = resource("api", { breaker: { threshold: 1, recovery: 100, whenOpen: "wait" } });
    const retry = { attempts: 60, initialDelay: 1, maxDelay: 1, jitter: "none" } as const;
    const work = stage("work", { uses: [api], retry }, () => outside.call(1, httpError(500)));
    const result = await finish(pipeline("p", { stages: [work] }));
    expect(outside.calls).toHaveLength(51);
    expect(result.stages["work"]).toMatchObject({
      attempts: 51,
      error: { class: "deferral-exhausted" },
    });
  });
});

test("deferrals count on where the run gives its place back, also before its first attempt", async () => {
  const clock = makeVirtualClock();
  const api = resource("api", { breaker: { threshold: 1, recovery: "30s" } });
  let calls = 0;
  const count = (): number => (calls += 1);
  const work = stage("work", { uses: [api] }, count);
  const rows = map("rows", { over: ["a"], key: (item) => item, uses: [api] }, count);
  const made = pipeline("p", { stages: [work, rows], failFast: false });
  const mill = await makeDurableWorld("memory").open([made], { clock });
  onTestFinished(() => mill.close({ drainMs: 0 }));
  const trip = () => mill.tripResource("api", { reason: "broken", for: "40s" });
  await trip();
  const { runs } = await mill.enqueue(made, [{ key: "k", input: undefined }]);
  const control = new AbortController();
  const worker = mill.work({ signal: control.signal, stopAfterMs: 0 });
  for (let times = 0; times < 60; times += 1) {
    await clock.advance(30 * SECOND_MS);
    await trip();
  }
  const id = runs[0]?.run.id ?? "";
  expect((await mill.run(id)).state).toBe("failed");
  expect(calls).toBe(0);
  const record = await mill.store.findStage(id, "work");
  expect(record).toMatchObject({
    state: "failed",
    attempts: 0,
    failure: { class: "deferral-exhausted" },
  });
  expect(record?.failure?.message).toContain("it was deferred 50 times");
  expect(record?.waitedMs).toEqual({ "breaker:api": expect.any(Number) });
  const item = await mill.store.findItem(id, "rows", "a");
  expect(item).toMatchObject({ state: "failed", failure: { class: "deferral-exhausted" } });
  control.abort();
  await worker;
});
