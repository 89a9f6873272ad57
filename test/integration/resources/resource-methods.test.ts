// The methods of a resource value: how it stands for runs in memory, what is set by hand, and who hears of it.

import { describe, expect, test } from "vitest";
import { map, openMillrace, pipeline, resource, stage, type ResourceChange } from "millrace";
import { virtualClock } from "millrace/testing";
import { onTestFinished } from "vitest";
import { httpError, makeGateWorld, makeOutside } from "../../support/resources/gate-world.ts";
import { passTime } from "../../support/memory-world.ts";

const items = Array.from({ length: 8 }, (_, index) => `i${index}`);

test("R109: a limit that is raised lets more in at once; a lowered one takes nothing from holders and lets nobody in before they are gone", async () => {
  const { clock, options } = makeGateWorld();
  const outside = makeOutside(clock);
  const api = resource("api", { limit: 1 });
  const work = map("work", { over: items, uses: [api], concurrency: 8 }, () => outside.call(100));
  const running = pipeline("p", { stages: [work] }).run(undefined, options);
  await clock.advance(50);
  expect([outside.now, api.stats({ clock }).waiting]).toEqual([1, 7]);

  api.setLimit(3, { clock });
  await clock.advance(0);
  expect(outside.now).toBe(3);
  expect(api.stats({ clock })).toMatchObject({ limit: 3, held: 3, waiting: 5, granted: 3 });

  api.setLimit(1, { clock });
  await clock.advance(50); // the first one ends
  expect(outside.now).toBe(2);
  await clock.advance(49);
  expect(outside.now).toBe(2);
  await clock.advance(1); // the other two end
  expect(outside.now).toBe(1);
  expect((await passTime(clock, running)).state).toBe("succeeded");
  expect(outside.most).toBe(3);
  // 8 calls: 3 of them together by 150 ms, then one after the other.
  expect(clock.monotonicMs()).toBe(150 + 5 * 100);
});

test("R109: a limit of one key, or of all keys at once, and reset puts the declared one back", async () => {
  const { clock, options } = makeGateWorld();
  const outside = makeOutside(clock);
  const host = resource("host", { limit: 1, key: (name: string) => name });
  const work = map(
    "work",
    { over: items, uses: (item) => [host.for(item < "i4" ? "a" : "b")], concurrency: 8 },
    () => outside.call(100),
  );
  const running = pipeline("p", { stages: [work] }).run(undefined, options);
  await clock.advance(50);
  expect(outside.now).toBe(2);
  host.setLimit(2, { key: "a", clock });
  await clock.advance(0);
  expect([host.stats({ key: "a", clock }).held, host.stats({ key: "b", clock }).held]).toEqual([
    2, 1,
  ]);
  host.setLimit(3, { clock });
  await clock.advance(0);
  // The limit of the key itself goes before that of all.
  expect([host.stats({ key: "a", clock }).held, host.stats({ key: "b", clock }).held]).toEqual([
    2, 3,
  ]);
  expect(host.stats({ clock })).toMatchObject({ held: 5, waiting: 3, breaker: null });
  host.reset({ clock });
  expect([host.stats({ key: "a", clock }).limit, host.stats({ key: "b", clock }).limit]).toEqual([
    1, 1,
  ]);
  expect((await passTime(clock, running)).state).toBe("succeeded");
});

test("a limit can be given to a resource that declares none, before anything runs", async () => {
  const { clock, finish } = makeGateWorld();
  const outside = makeOutside(clock);
  const api = resource("api");
  api.setLimit(2, { clock });
  const work = map("work", { over: items, uses: [api], concurrency: 8 }, () => outside.call(10));
  await finish(pipeline("p", { stages: [work] }), undefined);
  expect(outside.most).toBe(2);
});

test("R118 R125: a tripped breaker lets nothing go until its time, a reset at once, and both are told with who and why", async () => {
  const { clock, finish } = makeGateWorld();
  const outside = makeOutside(clock);
  const changes: ResourceChange[] = [];
  const api = resource("api", {
    breaker: { recovery: "30s" },
    onChange: (change) => changes.push(change),
  });
  const work = stage("work", { uses: [api] }, () => outside.call(1));
  const made = pipeline("p", { stages: [work] });

  api.trip("a planned outage", "10m", { clock });
  const refused = await finish(made, undefined);
  expect(refused.state).toBe("failed");
  expect(refused.errors[0]?.error.message).toContain('the breaker of resource "api" is open');
  expect(outside.calls).toEqual([]);
  expect(api.stats({ clock }).breaker).toMatchObject({
    state: "open",
    openUntilMs: clock.wallMs() + 600_000,
  });

  api.reset({ clock });
  expect(api.stats({ clock }).breaker).toMatchObject({ state: "closed", openUntilMs: null });
  expect((await finish(made, undefined)).state).toBe("succeeded");
  const common = { resource: "api", key: null, kind: "breaker", actor: "program" };
  expect(changes).toMatchObject([
    { ...common, from: "closed", to: "open", reason: "a planned outage" },
    { ...common, from: "open", to: "closed", reason: "by hand" },
  ]);
  expect(changes[0]?.untilMs).toBe(clock.wallMs() - 1 + 600_000);

  api.trip("once more", new Date(clock.wallMs() + 1_000), { clock });
  await clock.advance(1_000);
  expect(api.stats({ clock }).breaker?.state).toBe("half_open");
  expect((await finish(made, undefined)).state).toBe("succeeded");
  expect(api.stats({ clock }).breaker?.state).toBe("closed");
});

describe("R125: a listener that fails changes nothing for callers", () => {
  test.each<readonly [string, () => unknown]>([
    ["throws", () => assertNever()],
    ["rejects", () => Promise.reject(new Error("not my day"))],
  ])("%s", async (_name, listener) => {
    const { clock, finish } = makeGateWorld();
    const outside = makeOutside(clock);
    let heard = 0;
    const api = resource("api", {
      breaker: { threshold: 1, recovery: "1s" },
      onChange: () => {
        heard += 1;
        return listener() as undefined;
      },
    });
    const work = stage(
      "work",
      { uses: [api], retry: { attempts: 2, initialDelay: "2s", jitter: "none" } },
      (_needs, ctx) => outside.call(1, ctx.attempt === 1 ? httpError(500) : "done"),
    );
    const result = await finish(pipeline("p", { stages: [work] }), undefined);
    expect(result.state).toBe("succeeded");
    expect(heard).toBe(3); // opened, half open, closed
  });
});

function assertNever(): never {
  throw new Error("a listener that throws");
}

test("a listener may set the resource of which it hears", async () => {
  const { clock, finish } = makeGateWorld();
  const outside = makeOutside(clock);
  const api = resource("api", {
    breaker: { threshold: 2, recovery: "1h", whenOpen: "wait" },
    onChange: ({ to }) => {
      if (to === "open") api.reset({ clock });
    },
  });
  let failures = 2;
  const work = map("work", { over: items, uses: [api], retry: 2 }, () =>
    outside.call(1, failures-- > 0 ? httpError(500) : "done"),
  );
  expect((await finish(pipeline("p", { stages: [work] }), undefined)).state).toBe("succeeded");
  expect(clock.monotonicMs()).toBeLessThan(60_000);
});

test("changes of limits say what was declared and what holds", async () => {
  const clock = virtualClock();
  const changes: ResourceChange[] = [];
  const host = resource("host", {
    limit: { default: 4, keys: { slow: 1 } },
    key: (name: string) => name,
    onChange: (change) => changes.push(change),
  });
  host.setLimit(2, { key: "slow", clock });
  host.setLimit(9, { clock });
  host.reset({ clock });
  await clock.advance(0);
  expect(changes.map(({ key, kind, from, to }) => [key, kind, from, to])).toEqual([
    ["slow", "limit", "1", "2"],
    [null, "limit", "4", "9"],
    ["slow", "limit", "set", "declared"],
    [null, "limit", "set", "declared"],
  ]);
});

test("a limit or quota that is set over another one says which held until then", async () => {
  const clock = virtualClock();
  const changes: ResourceChange[] = [];
  const api = resource("api", { limit: 8, onChange: (change) => changes.push(change) });
  const host = resource("host", {
    limit: { default: 4, keys: { slow: 1 } },
    key: (name: string) => name,
    onChange: (change) => changes.push(change),
  });
  api.setLimit(2, { clock });
  api.setLimit(5, { clock });
  api.reset({ clock });
  api.setLimit(6, { clock });
  host.setLimit(3, { clock });
  host.setLimit(2, { key: "slow", clock });
  await clock.advance(0);
  const limits = changes.filter(({ to }) => to !== "declared");
  expect(limits.map(({ resource: name, from, to }) => [name, from, to])).toEqual([
    ["api", "8", "2"],
    ["api", "2", "5"],
    ["api", "8", "6"],
    ["host", "4", "3"],
    ["host", "3", "2"],
  ]);
});

test("of what is set in a store beside what stood, only what changed is heard", async () => {
  const clock = virtualClock();
  const changes: ResourceChange[] = [];
  const api = resource("api", {
    limit: 8,
    quota: { rate: 60, per: "1m" },
    onChange: (change) => changes.push(change),
  });
  const made = pipeline("p", { stages: [stage("it", { uses: [api] }, () => 1)] });
  const mill = await openMillrace({ store: "memory:", clock, pipelines: [made] });
  onTestFinished(() => mill.close({ drainMs: 0 }));
  await mill.setResource("api", { limit: 2 });
  await mill.setResource("api", { quota: { rate: 10, per: "1m" } });
  await mill.setResource("api", { quota: { rate: 5, per: "1m" } });
  await clock.advance(0);
  expect(changes.map(({ kind, from, to }) => [kind, from, to])).toEqual([
    ["limit", "8", "2"],
    ["quota", "60/1m", "10/1m"],
    ["quota", "10/1m", "5/1m"],
  ]);
});

test("settings of keys are refused where there are none", () => {
  expect(() =>
    resource("api", { limit: { keys: { a: 1 } }, breaker: { keys: { b: { threshold: 2 } } } }),
  ).toThrow(
    expect.objectContaining({
      code: "DEFINITION_INVALID",
      message: expect.stringMatching(
        /resources\.api\.limit\.keys: expected no settings of keys.*; got "a"[^]*resources\.api\.breaker\.keys: .*"b"/,
      ),
    }),
  );
});

test("impossible orders are refused and change nothing", () => {
  const clock = virtualClock();
  const api = resource("api", { limit: 3 });
  const host = resource("host", { breaker: {}, key: (name: string) => name });
  for (const limit of [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 10_001, "3" as never])
    expect(() => api.setLimit(limit, { clock })).toThrow("whole number from 1 to 10000");
  expect(() => api.setLimit(2, { key: "a", clock })).toThrow('Resource "api" has no keys.');
  expect(() => api.trip("why", "1m", { clock })).toThrow('Resource "api" has no breaker to open.');
  expect(() => host.trip("why", "1m", { clock })).toThrow("a breaker for each key");
  expect(() => host.setLimit(2, { key: "", clock })).toThrow('no key ""');
  for (const until of ["soon", -5, 0, Number.NaN, new Date(Number.NaN), new Date(0)])
    expect(() => host.trip("why", until as never, { key: "a", clock })).toThrow("366 days");
  expect(api.stats({ clock })).toMatchObject({ limit: 3, held: 0, waiting: 0, granted: 0 });
  expect(host.stats({ key: "a", clock }).breaker?.state).toBe("closed");
});

test("two resources of one name are two resources in memory", async () => {
  const { clock, finish } = makeGateWorld();
  const outside = makeOutside(clock);
  const one = resource("api", { limit: 1 });
  const other = resource("api", { limit: 1 });
  const left = stage("left", { uses: [one] }, () => outside.call(10));
  const right = stage("right", { uses: [other] }, () => outside.call(10));
  await finish(pipeline("p", { stages: [left, right] }), undefined);
  expect(outside.most).toBe(2);
  expect([one.stats({ clock }).granted, other.stats({ clock }).granted]).toEqual([1, 1]);
});

test("R124 R125: onChange hears the breaker of durable runs in their process, and one that throws harms nobody", async () => {
  const clock = virtualClock();
  const changes: ResourceChange[] = [];
  const api = resource("api", {
    breaker: { threshold: 1, recovery: "1s" },
    onChange: (change) => {
      changes.push(change);
      throw new Error("a listener that throws");
    },
  });
  const outside = makeOutside(clock);
  const work = stage(
    "work",
    { uses: [api], retry: { attempts: 2, initialDelay: "2s", jitter: "none" } },
    (_needs, ctx) => outside.call(1, ctx.attempt === 1 ? httpError(500) : "done"),
  );
  const made = pipeline("p", { stages: [work] });
  const mill = await openMillrace({ store: "memory:", pipelines: [made], clock });
  onTestFinished(() => mill.close({ drainMs: 0 }));
  const result = await passTime(
    clock,
    mill.start(made, undefined).then((handle) => handle.result()),
  );
  expect(result.state).toBe("succeeded");
  expect(changes.map(({ from, to, actor }) => [from, to, actor])).toEqual([
    ["closed", "open", "breaker"],
    ["open", "half_open", "breaker"],
    ["half_open", "closed", "breaker"],
  ]);
});

test("R109 R125: what is set, tripped and reset on a store takes effect at once in its process, and onChange hears it", async () => {
  const clock = virtualClock();
  const outside = makeOutside(clock);
  const changes: ResourceChange[] = [];
  const api = resource("api", {
    limit: 1,
    breaker: {},
    onChange: (change) => changes.push(change),
  });
  const work = map("work", { over: items, uses: [api], concurrency: 8 }, () => outside.call(100));
  const made = pipeline("p", { stages: [work] });
  const mill = await openMillrace({ store: "memory:", pipelines: [made], clock });
  onTestFinished(() => mill.close({ drainMs: 0 }));
  const handle = await passTime(clock, mill.start(made, undefined));
  await clock.advance(50);
  expect(outside.now).toBe(1);
  await mill.setResource("api", { limit: 3, actor: "ada", reason: "a holiday" });
  await clock.advance(0);
  expect([outside.now, clock.monotonicMs()]).toEqual([3, 50]);
  await mill.tripResource("api", { for: "1h" });
  await clock.advance(1_000);
  expect(outside.calls).toHaveLength(3);
  await mill.resetResource("api");
  await clock.advance(0);
  expect(outside.now).toBe(1);
  expect((await passTime(clock, handle.result())).state).toBe("succeeded");
  expect(changes.map(({ kind, from, to, actor }) => [kind, from, to, actor])).toEqual([
    ["limit", "1", "3", "ada"],
    ["breaker", "closed", "open", "program"],
    ["limit", "set", "declared", "program"],
    ["breaker", "open", "closed", "program"],
  ]);
});

test("the resources of a pipeline's defaults hold for its stages that name none, and for no others", async () => {
  const { clock, options } = makeGateWorld();
  const house = resource("house", { limit: 1 });
  const own = resource("own", { limit: 2 });
  const plain = makeOutside(clock);
  const named = makeOutside(clock);
  const stages = [
    map("plain", { over: items, concurrency: 8 }, () => plain.call(100)),
    map("named", { over: items, concurrency: 8, uses: [own] }, () => named.call(100)),
  ];
  const running = pipeline("p", { stages, defaults: { uses: [house] } }).run(undefined, options);
  await clock.advance(50);

  expect([plain.now, named.now]).toEqual([1, 2]);
  expect([house.stats({ clock }).held, own.stats({ clock }).held]).toEqual([1, 2]);
  await clock.advance(1_000);
  expect((await running).state).toBe("succeeded");
});
