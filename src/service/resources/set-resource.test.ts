import { expect, onTestFinished, test } from "vitest";
import { stage } from "../../model/stage/stage.ts";
import { makeVirtualClock, type VirtualClock } from "../../std/virtual-clock.ts";
import type { Store } from "../../storage/store.ts";
import { applyRun, createRun } from "../../testing/store-suite/fixture.ts";
import {
  makeUse,
  refused,
  release,
  releaseOf,
  returned,
  take,
  takeOf,
  toldOf,
} from "../../testing/store-suite/permits/permit-fixture.ts";
import { openMillrace, type Millrace } from "../millrace.ts";
import { pipeline } from "../pipeline.ts";
import { resource } from "./resource.ts";

const api = resource("api", { limit: 1, quota: { rate: 60, per: "1m" }, breaker: {} });
const host = resource("host", { limit: 4, breaker: {}, key: (name: string) => name });
const bare = resource("bare", { limit: 4 });

interface World {
  readonly mill: Millrace;
  readonly store: Store;
  readonly clock: VirtualClock;
}

async function setup(): Promise<World> {
  const clock = makeVirtualClock({ startAtMs: Date.UTC(2026, 6, 14, 9) });
  const uses = [api, host.for("a"), bare];
  const work = pipeline("work", { output: { it: stage("it", { uses }, () => 1) } });
  const mill = await openMillrace({ store: "memory:", clock, pipelines: [work] });
  onTestFinished(() => mill.close({ drainMs: 0 }));
  return { mill, store: mill.store, clock };
}

test("R109: a limit that is set holds at once in both directions, and takes nothing from holders", async () => {
  const { mill, store } = await setup();
  const run = await applyRun(store, createRun());
  const asked = (item: string): ReturnType<typeof takeOf> =>
    takeOf(run, item, makeUse(api.declaration.terms));
  await take(store, asked("a"));
  await refused(store, asked("b"));

  const raised = await mill.setResource("api", { limit: 3 });
  for (const item of ["b", "c"]) await take(store, asked(item));
  await refused(store, asked("d"));
  expect(raised).toMatchObject({ limit: 3, declaredLimit: 1, override: { limit: 3 } });

  const lowered = await mill.setResource("api", { limit: 1 });
  expect(lowered).toMatchObject({ limit: 1, held: 3 });
  for (const item of ["a", "b"]) {
    await release(store, releaseOf(run, item, returned()));
    await refused(store, asked("d"));
  }
  await release(store, releaseOf(run, "c", returned()));
  await take(store, asked("d"));
});

test("what one call set and the next does not name stays, until its time is over", async () => {
  const { mill, clock } = await setup();
  await mill.setResource("api", { limit: 5, actor: "ana", reason: "a good day" });
  const both = await mill.setResource("api", {
    quota: { rate: 10, per: "1s" },
    for: "1h",
    actor: "ben",
    reason: "they asked",
  });

  expect(both).toMatchObject({
    limit: 5,
    quotas: [{ rate: 10, perMs: 1_000, burst: 10, available: 10 }],
    override: {
      limit: 5,
      quotas: [{ rate: 10, perMs: 1_000, burst: 10 }],
      until: "2026-07-14T10:00:00.000Z",
      actor: "ben",
      reason: "they asked",
    },
  });
  await clock.advance(3_600_000);
  const [after] = (await mill.resources({ resource: "api" })).resources;
  expect(after).toMatchObject({ limit: 1, quotas: [{ rate: 60 }] });
  expect(after?.override).toBeUndefined();
});

test("what is set for a resource holds for its keys, and what is set for a key before that", async () => {
  const { mill } = await setup();
  await mill.setResource("host", { limit: 9 });
  await mill.setResource("host", { key: "slow", limit: 2 });

  const limitOf = async (key: string): Promise<unknown> =>
    (await mill.resources({ resource: "host", key })).resources[0]?.limit;
  expect([await limitOf("slow"), await limitOf("other")]).toEqual([2, 9]);
});

test("R125: a trip and a reset are events with who and why, a second reset is none", async () => {
  const { mill, store, clock } = await setup();
  const order = { key: "a", actor: "ana", reason: "they are moving" };
  const open = await mill.tripResource("host", order);
  await clock.advance(1_000);
  const closed = await mill.resetResource("host", order);
  await mill.resetResource("host", order);

  expect(open.breaker).toMatchObject({
    state: "open",
    openUntil: "2026-07-14T10:00:00.000Z",
    forced: { until: "2026-07-14T10:00:00.000Z", actor: "ana", reason: "they are moving" },
  });
  expect(closed.breaker).toMatchObject({ state: "closed", since: "2026-07-14T09:00:01.000Z" });
  const by = { resource: "host", key: "a", actor: "ana", reason: "they are moving" };
  expect(await toldOf(store)).toEqual([
    ["breaker.opened", { ...by, from: "closed", to: "open", untilMs: Date.UTC(2026, 6, 14, 10) }],
    ["breaker.closed", { ...by, from: "open", to: "closed" }],
  ]);
});

test("a reset without a key lifts what was set for any key", async () => {
  const { mill } = await setup();
  await mill.setResource("host", { limit: 9 });
  await mill.setResource("host", { key: "a", limit: 2 });
  await mill.tripResource("host", { key: "b", for: "5m" });

  await mill.resetResource("host");

  const { resources } = await mill.resources({ resource: "host" });
  expect(resources.map(({ key, limit, breaker }) => [key, limit, breaker?.state])).toEqual([
    ["a", 4, "closed"],
    ["b", 4, "closed"],
  ]);
  expect(resources.map(({ override }) => override)).toEqual([undefined, undefined]);
});

test("a resource that was only set by hand, and reset, is listed as one that nobody has used", async () => {
  const { mill } = await setup();
  const before = await mill.resources();
  await mill.setResource("host", { limit: 9 });
  expect((await mill.resources({ resource: "host" })).resources).toMatchObject([{ limit: 9 }]);

  await mill.resetResource("host");

  expect(await mill.resources()).toEqual(before);
});

const IMPOSSIBLE: readonly (readonly [options: object, message: string])[] = [
  [{}, 'Nothing is to be set for resource "api".'],
  [
    { limit: 0 },
    'Resource "api" cannot be set so: limit: expected a whole number from 1 to 10000; got 0.',
  ],
  [{ limit: -1 }, "got -1"],
  [{ limit: Number.NaN }, "got NaN"],
  [{ limit: Infinity }, "got Infinity"],
  [{ limit: "8" }, 'got "8"'],
  [{ limit: 1, quota: { rate: 0, per: "1m" } }, "quota.rate: expected a number"],
  [{ quota: { rate: 1, per: "60" } }, "quota.per: expected"],
  [{ quota: { rate: 1 } }, "quota.per: expected a duration"],
  [{ limit: 1, for: "soon" }, 'Time of an order for resource "api"'],
  [{ limit: 1, for: 0 }, "expected 1 ms to 366 days; got 0"],
  [{ limit: 1, reason: "" }, "The reason of an order has 1 to 500 characters; got 0."],
];

test.each(IMPOSSIBLE)(
  "impossible values are refused, and nothing is set: %j",
  async (options, text) => {
    const { mill, store } = await setup();

    await expect(mill.setResource("api", options)).rejects.toMatchObject({
      code: "OPTION_INVALID",
      message: expect.stringContaining(text),
    });
    expect(await store.listResources({ limit: 10 })).toEqual([]);
  },
);

test("a name that nobody knows, a key where there is none and a breaker that is none are refused", async () => {
  const { mill } = await setup();
  const fault = async (deed: Promise<unknown>): Promise<unknown> =>
    deed.catch((error: unknown) => error);

  expect(await fault(mill.setResource("apo", { limit: 1 }))).toMatchObject({
    code: "RESOURCE_UNKNOWN",
    hint: 'did you mean "api"?',
  });
  expect(await fault(mill.resetResource("zzzzzz"))).toMatchObject({
    code: "RESOURCE_UNKNOWN",
    hint: "known: api, bare, host",
  });
  expect(await fault(mill.setResource("api", { key: "a", limit: 1 }))).toMatchObject({
    code: "USE_INVALID",
  });
  expect(await fault(mill.tripResource("host"))).toMatchObject({
    code: "USE_INVALID",
    message: 'Resource "host" has a breaker for each key.',
  });
  expect(await fault(mill.tripResource("bare"))).toMatchObject({
    code: "OPTION_INVALID",
    message: 'Resource "bare" has no breaker to be opened.',
  });
});
