import assert from "node:assert/strict";
import { expect, test } from "vitest";
import { isMillraceError, type MillraceError } from "../../model/errors.ts";
import { makeVirtualClock, type VirtualClock } from "../../std/virtual-clock.ts";
import { limiter, type HeldPermit, type Limiter, type LimiterSettings } from "./limiter.ts";

function world(settings: LimiterSettings = {}): { clock: VirtualClock; places: Limiter } {
  const clock = makeVirtualClock();
  return { clock, places: limiter({ name: "hosts", limit: 1, ...settings, clock }) };
}

async function faultOf(promise: Promise<unknown>): Promise<MillraceError> {
  const error = await promise.then(
    () => assert.fail("it was granted"),
    (thrown: unknown) => thrown,
  );
  assert(isMillraceError(error), String(error));
  return error;
}

function mustHave(permit: HeldPermit | undefined): HeldPermit {
  assert(permit !== undefined, "there was no permit");
  return permit;
}

test("R105: never more at once under a key than its limit, and keys do not mind each other", async () => {
  const { places } = world({ limit: 2, keys: { slow: 1 } });
  let running = 0;
  let most = 0;
  const work = async (): Promise<void> => {
    running += 1;
    most = Math.max(most, running);
    await Promise.resolve();
    running -= 1;
  };
  await Promise.all(Array.from({ length: 20 }, () => places.run("a", work)));
  expect(most).toBe(2);
  const slow = mustHave(places.tryAcquire("slow"));
  expect(places.tryAcquire("slow")).toBeUndefined();
  expect(await places.run("a", () => "beside it")).toBe("beside it");
  slow.release();
});

test("R110: a permit is had with a time limit, whose end tells who holds how many", async () => {
  const { places, clock } = world();
  const held = await places.acquire("a");
  const late = faultOf(places.acquire("a", { timeout: "2s" }));
  const intime = places.acquire("a", { timeout: "3s" });
  await clock.advance(2_000);
  const error = await late;
  expect([error.code, error.retryable]).toEqual(["LIMIT_TIMEOUT", true]);
  expect(error.message).toBe(
    'Limiter "hosts" gave no permit for "a" within 2s: 1 of 1 are held under this key, 2 waiting.',
  );
  held.release();
  expect((await intime).key).toBe("a");
  expect(clock.pendingTimers).toBe(0);
  (await intime).release();
  expect(places.stats("a")).toMatchObject({ running: 0, waiting: 0 });
});

test("R110: a permit is had without waiting, and never before those who wait", async () => {
  const { places } = world();
  const first = mustHave(places.tryAcquire("a"));
  const waiting = places.acquire("a");
  expect(places.tryAcquire("a")).toBeUndefined();
  first.release();
  expect(places.tryAcquire("a")).toBeUndefined();
  (await waiting).release();
  mustHave(places.tryAcquire("a")).release();
});

test("R110: a permit is released once; the second time is an error and frees nothing", async () => {
  const { places } = world();
  const first = mustHave(places.tryAcquire("a"));
  first.release();
  const second = mustHave(places.tryAcquire("a"));
  let fault: unknown;
  try {
    first.release();
  } catch (error) {
    fault = error;
  }
  assert(isMillraceError(fault));
  expect(fault.code).toBe("USE_INVALID");
  expect(places.tryAcquire("a")).toBeUndefined();
  second.release();
  {
    using permit = mustHave(places.tryAcquire("a"));
    expect(permit.key).toBe("a");
  }
  {
    using permit = mustHave(places.tryAcquire("a"));
    permit.release("failed");
  }
  expect(places.stats("a")).toMatchObject({ running: 0, succeeded: 3, failed: 1 });
});

test("the figures of a key are running, waiting, succeeded, failed, total and limit", async () => {
  const { places } = world({ limit: 1 });
  await places.run("a", () => "fine");
  await expect(places.run("a", () => Promise.reject(new Error("no")))).rejects.toThrow("no");
  const held = await places.acquire("a");
  const waiting = places.acquire("a");
  expect(places.stats("a")).toEqual({
    running: 1,
    waiting: 1,
    succeeded: 1,
    failed: 1,
    total: 2,
    limit: 1,
  });
  held.release();
  (await waiting).release();
});

test("R109: a raised limit lets waiters in at once, a lowered one takes nothing from holders", async () => {
  const { places } = world({ limit: 1 });
  const got: HeldPermit[] = [];
  const asked = Array.from({ length: 6 }, () =>
    places.acquire("a").then((permit) => got.push(permit)),
  );
  await Promise.resolve();
  places.setLimit("a", 3);
  await Promise.all(asked.slice(0, 3));
  expect(got.length).toBe(3);
  places.setLimit("a", 1);
  got[0]?.release();
  got[1]?.release();
  await new Promise((resolve) => world().clock.defer(() => resolve(null)));
  expect(places.stats("a")).toMatchObject({ running: 1, waiting: 3 });
  got[2]?.release();
  await asked[3];
  expect(places.stats("a")).toMatchObject({ running: 1, waiting: 2 });
  places.setLimit("a", null);
  expect(places.stats("a").limit).toBe(1);
});

test("a busy key does not keep another one from its turn", async () => {
  const { places } = world({ limit: 10, total: 1 });
  const first = await places.acquire("busy");
  const order: string[] = [];
  const run = (key: string): Promise<number> => places.run(key, () => order.push(key));
  const all = [...Array.from({ length: 5 }, () => run("busy")), run("quiet")];
  first.release();
  await Promise.all(all);
  expect(order.indexOf("quiet")).toBeLessThan(2);
});

test("priority goes first among those who wait for a key", async () => {
  const { places } = world();
  const first = await places.acquire("a");
  const order: string[] = [];
  const all = [
    places.run("a", () => order.push("plain")),
    places.run("a", () => order.push("urgent"), { priority: 5 }),
  ];
  first.release();
  await Promise.all(all);
  expect(order).toEqual(["urgent", "plain"]);
});

test("an abort leaves the line at once and takes nothing along", async () => {
  const { places, clock } = world();
  const held = await places.acquire("a");
  const controller = new AbortController();
  const reason = new Error("enough");
  const { signal } = controller;
  const leaving = places.run("a", () => "never", { signal, timeout: "1h" });
  const behind = places.run("a", () => "went");
  controller.abort(reason);
  expect(await leaving.catch((error: unknown) => error)).toBe(reason);
  expect(clock.pendingTimers).toBe(0);
  expect(places.stats("a").waiting).toBe(1);
  held.release();
  expect(await behind).toBe("went");
  expect(await places.acquire("a", { signal }).catch((error: unknown) => error)).toBe(reason);
  expect(places.stats("a").running).toBe(0);
});

test("work that throws, at once or later, gives its place back", async () => {
  const { places } = world();
  const sync = places.run("a", () => {
    throw new Error("sync");
  });
  await expect(sync).rejects.toThrow("sync");
  expect(places.stats("a")).toMatchObject({ running: 0, failed: 1 });
});

test("impossible limits and keys are refused at once", async () => {
  for (const make of [{ limit: 0 }, { total: 1.5 }, { keys: { a: -1 } }, { idleKeysMax: 3 }])
    expect(() => limiter(make)).toThrow(/expected a whole number/);
  const misspelt = { limits: 3, total: 1 };
  expect(() => limiter(misspelt)).toThrow(/did you mean "limit"/);
  const { places } = world();
  expect((await faultOf(places.acquire(""))).code).toBe("USE_INVALID");
  expect((await faultOf(places.run("a\n", () => "never"))).code).toBe("USE_INVALID");
  expect(() => places.setLimit("a", 0)).toThrow(/expected a whole number/);
});

test("R111: of 200,000 keys the 100,000 used last are remembered, and those in use for as long as they are", async () => {
  const { places } = world();
  const held = mustHave(places.tryAcquire("held"));
  for (let index = 0; index < 200_000; index += 1) {
    places.tryAcquire(`key ${index}`)?.release();
    if (index === 150_000) expect(places.keys).toBe(100_001);
  }
  expect(places.keys).toBe(100_001);
  expect(places.stats("key 0").total).toBe(0);
  expect(places.stats("key 199999").total).toBe(1);
  expect(places.stats("held").running).toBe(1);
  held.release();
});
