import { expect, onTestFinished, test } from "vitest";
import type { ResourceUse } from "../../model/resource/resource.ts";
import { stage } from "../../model/stage/stage.ts";
import { makeVirtualClock, type VirtualClock } from "../../std/virtual-clock.ts";
import type { Store } from "../../storage/store.ts";
import { applyRun, createRun } from "../../testing/store-suite/fixture.ts";
import {
  called,
  makeUse,
  release,
  releaseOf,
  returned,
  take,
  takeOf,
  takeOne,
} from "../../testing/store-suite/permits/permit-fixture.ts";
import { openMillrace, type Millrace } from "../millrace.ts";
import type { OpenOptions } from "../mill/open-options.ts";
import { pipeline } from "../pipeline.ts";
import { resource } from "./resource.ts";

const api = resource("api", {
  limit: 2,
  quota: { rate: 60, per: "1m", burst: 5 },
  breaker: { threshold: 3, recovery: "10s" },
});
const host = resource("host", { limit: 4, breaker: {}, key: (name: string) => name });
const db = resource("db", { limit: 8 });

interface World {
  readonly mill: Millrace;
  readonly store: Store;
  readonly clock: VirtualClock;
}

async function setup(options: Partial<OpenOptions> = {}): Promise<World> {
  const clock = makeVirtualClock({ startAtMs: Date.UTC(2026, 6, 14, 9) });
  const uses: ResourceUse[] = [api, host.for("a.example"), db];
  const work = pipeline("work", { output: { it: stage("it", { uses }, () => 1) } });
  const mill = await openMillrace({ store: "memory:", clock, pipelines: [work], ...options });
  onTestFinished(() => mill.close({ drainMs: 0 }));
  return { mill, store: mill.store, clock };
}

/** Uses of "api" by a run, for these items. */
async function useApi({ store }: World, ...items: readonly string[]): Promise<string> {
  const run = await applyRun(store, createRun());
  for (const item of items) await take(store, takeOf(run, item, makeUse(api.declaration.terms)));
  return run.id;
}

test("what is declared is listed before anybody has used it", async () => {
  const { mill } = await setup();

  const { resources, nextCursor } = await mill.resources();

  expect(nextCursor).toBeUndefined();
  expect(resources.map(({ name, key, limit, held }) => [name, key, limit, held])).toEqual([
    ["api", undefined, 2, 0],
    ["db", undefined, 8, 0],
    ["host", undefined, 4, 0],
  ]);
  const totals = { granted: 0, succeeded: 0, failed: 0, throttled: 0, consumed: 0 };
  expect(resources[0]).toEqual({
    name: "api",
    limit: 2,
    declaredLimit: 2,
    held: 0,
    waiting: 0,
    quotas: [{ rate: 60, perMs: 60_000, burst: 5, available: 5 }],
    breaker: { state: "closed", threshold: 3, recoveryMs: 10_000, failures: 0, openings: 0 },
    totals,
    holders: [],
  });
});

test("R100 R140: a limit says who has it, who waits and how its uses ended, a quota what is left", async () => {
  const world = await setup();
  const { mill, store, clock } = world;
  const id = await useApi(world, "a", "b");
  const other = await applyRun(store, createRun());
  const waiting = makeUse(api.declaration.terms, { waitedMs: 5, waiting: 2 });
  await store.apply([{ ...takeOf(other, "c", waiting), worker: "worker-2" }]);
  await clock.advance(10);
  await release(store, releaseOf({ id, epoch: 1 }, "a", returned()));

  const [shown] = (await mill.resources({ resource: "api" })).resources;

  expect(shown).toMatchObject({
    limit: 2,
    held: 1,
    waiting: 3,
    totals: { granted: 2, succeeded: 1, failed: 0, throttled: 0, consumed: 2 },
    quotas: [{ available: 3 }],
    holders: [
      { run: id, stage: "fetch", item: "b", since: "2026-07-14T09:00:00.000Z", probe: false },
    ],
  });
});

test("R140: uses that would wait too long are counted as throttled", async () => {
  const world = await setup();
  const run = await applyRun(world.store, createRun());
  const use = makeUse(api.declaration.terms, { costs: [5], maxWaitMs: 1 });
  await take(world.store, takeOf(run, "a", use));
  await world.store.apply([takeOf(run, "b", use)]);

  const [shown] = (await world.mill.resources({ resource: "api" })).resources;

  expect(shown?.totals).toMatchObject({ granted: 1, throttled: 1, consumed: 5 });
  expect(shown?.quotas[0]?.available).toBe(0);
});

test("R126: a breaker says its state since when, its settings, and what failed last", async () => {
  const { mill, store, clock } = await setup({ resources: { api: { breaker: { threshold: 1 } } } });
  const run = await applyRun(store, createRun());
  const permit = await takeOne(store, takeOf(run, "a", makeUse(api.declaration.terms)));
  await clock.advance(1_000);
  await release(store, releaseOf(run, "a", called("failure", permit)));
  await clock.advance(4_000);
  const shown = async (): Promise<unknown> => (await mill.resources()).resources[0];

  expect(await shown()).toMatchObject({
    lastFailureAt: "2026-07-14T09:00:01.000Z",
    totals: { granted: 1, succeeded: 0, failed: 1 },
    breaker: {
      state: "open",
      failures: 1,
      threshold: 1,
      recoveryMs: 10_000,
      openings: 1,
      since: "2026-07-14T09:00:01.000Z",
      sinceMs: 4_000,
      openUntil: "2026-07-14T09:00:11.000Z",
    },
  });

  await clock.advance(7_500);
  expect(await shown()).toMatchObject({
    breaker: { state: "half_open", since: "2026-07-14T09:00:11.000Z", sinceMs: 1_500 },
  });
});

test("keys of a resource are listed apart, each under what is declared, and one may be asked for", async () => {
  const { mill, store } = await setup({ resources: { host: { limits: { slow: 1 } } } });
  const run = await applyRun(store, createRun());
  for (const key of ["slow", "b/c"])
    await take(store, takeOf(run, key, makeUse(host.declaration.terms, { key })));

  const { resources } = await mill.resources({ resource: "host" });
  expect(resources.map(({ key, limit }) => [key, limit])).toEqual([
    ["b/c", 4],
    ["slow", 1],
  ]);
  const one = await mill.resources({ resource: "host", key: "new" });
  expect(one.resources).toMatchObject([{ name: "host", key: "new", limit: 4, held: 0 }]);
});

test("pages follow each other in order of name and key, each line once", async () => {
  const { mill, store } = await setup();
  const run = await applyRun(store, createRun());
  for (const key of ["c", "a", "b"])
    await take(store, takeOf(run, key, makeUse(host.declaration.terms, { key })));

  const seen: string[] = [];
  let cursor: string | undefined;
  do {
    const page = await mill.resources({ limit: 2, ...(cursor === undefined ? {} : { cursor }) });
    expect(page.resources.length).toBeLessThanOrEqual(2);
    seen.push(...page.resources.map(({ name, key }) => `${name}/${key ?? ""}`));
    cursor = page.nextCursor;
  } while (cursor !== undefined);

  expect(seen).toEqual(["api/", "db/", "host/a", "host/b", "host/c"]);
  await expect(mill.resources({ cursor: "!" })).rejects.toMatchObject({ code: "OPTION_INVALID" });
  await expect(mill.resources({ limit: 0 })).rejects.toMatchObject({ code: "OPTION_INVALID" });
});

test("what only others declare is known from its last use", async () => {
  const { mill, store } = await setup({ pipelines: [] });
  expect((await mill.resources()).resources).toEqual([]);
  const run = await applyRun(store, createRun());
  await take(store, takeOf(run, "a", makeUse(db.declaration.terms)));

  expect((await mill.resources({ resource: "db" })).resources).toMatchObject([
    { name: "db", limit: 8, held: 1 },
  ]);
});

test("an unknown name is refused with the nearest, a key where there are none as well", async () => {
  const { mill } = await setup();

  await expect(mill.resources({ resource: "hots" })).rejects.toMatchObject({
    code: "RESOURCE_UNKNOWN",
    hint: 'did you mean "host"?',
  });
  await expect(mill.resources({ resource: "api", key: "a" })).rejects.toMatchObject({
    code: "USE_INVALID",
    message: 'Resource "api" has no keys; got "a".',
  });
});
