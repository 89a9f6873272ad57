import assert from "node:assert/strict";
import fc from "fast-check";
import { expect, test } from "vitest";
import { isMillraceError, type MillraceError } from "../../model/errors.ts";
import { makeVirtualClock, type VirtualClock } from "../../std/virtual-clock.ts";
import { quota, type Quota, type QuotaSettings, type TakeOptions } from "./quota.ts";

function world(settings: Partial<QuotaSettings> = {}): { clock: VirtualClock; tokens: Quota } {
  const clock = makeVirtualClock();
  const tokens = quota({ name: "api", rate: 10, per: "1s", ...settings, clock });
  return { clock, tokens };
}

async function refusal(promise: Promise<unknown>): Promise<MillraceError> {
  const error = await promise.then(
    () => assert.fail("it was granted"),
    (thrown: unknown) => thrown,
  );
  assert(isMillraceError(error), String(error));
  return error;
}

/** Takes one after the other at once; when each was granted, in the order of the grants. */
async function takeAll(
  { clock, tokens }: { clock: VirtualClock; tokens: Quota },
  count: number,
  options: TakeOptions = {},
): Promise<readonly number[]> {
  const grantedMs: number[] = [];
  const order: number[] = [];
  const taken = Array.from({ length: count }, async (_, index) => {
    await tokens.take(1, options);
    grantedMs.push(clock.monotonicMs());
    order.push(index);
  });
  await clock.advance(3_600_000);
  await Promise.all(taken);
  expect(order).toEqual(order.toSorted((left, right) => left - right));
  expect(clock.pendingTimers).toBe(0);
  return grantedMs;
}

test("R137: 10 per second start full and refill evenly: 15 calls take half a second", async () => {
  const grantedMs = await takeAll(world(), 15);
  expect(grantedMs).toEqual([...Array.from({ length: 10 }, () => 0), 100, 200, 300, 400, 500]);
});

test("R138: without waiting a take is refused at once and counts as throttled", async () => {
  const { tokens, clock } = world({ rate: 2 });
  await tokens.take(1, { wait: false });
  await tokens.take(1, { wait: false });
  const error = await refusal(tokens.take(1, { wait: false }));
  expect(error.code).toBe("QUOTA_EXCEEDED");
  expect(error.message).toBe(
    'Quota "api" has no 1 unit now: the wait would be 500ms, and it was not to wait; waited 0ms.',
  );
  expect(tokens.stats()).toEqual({ available: 0, consumed: 2, throttled: 1, waiting: 0 });
  expect(clock.pendingTimers).toBe(0);
});

test("R139: a cost above the burst and a rate of 0 are refused at once", async () => {
  const { tokens, clock } = world({ rate: 5 });
  const error = await refusal(tokens.take(6));
  expect([error.code, error.message]).toEqual([
    "USE_INVALID",
    'Quota "api": expected 0 to 5 units; got 6.',
  ]);
  expect(clock.pendingTimers).toBe(0);
  expect(() => world({ rate: 0 })).toThrow(/^The quota "api" cannot be made: quota\.rate: /);
  for (const units of [-1, Number.NaN, Infinity])
    expect((await refusal(tokens.take(units))).code).toBe("USE_INVALID");
  expect(tokens.stats().consumed).toBe(0);
});

test("its figures are available, consumed and throttled", async () => {
  const { tokens, clock } = world();
  await tokens.take(4);
  expect(tokens.stats()).toEqual({ available: 6, consumed: 4, throttled: 0, waiting: 0 });
  await clock.advance(200);
  expect(tokens.stats().available).toBe(8);
  const waiting = tokens.take(10);
  expect(tokens.stats().waiting).toBe(1);
  await clock.advance(200);
  await waiting;
  expect(tokens.stats()).toEqual({ available: 0, consumed: 14, throttled: 0, waiting: 0 });
});

test("R143: a bucket of 5 with 2 more as a burst lets seven go at once, then one a second", async () => {
  const grantedMs = await takeAll(world({ rate: 1, per: "1s", burst: 7 }), 10);
  expect(grantedMs).toEqual([0, 0, 0, 0, 0, 0, 0, 1_000, 2_000, 3_000]);
});

test("R144 R149: a wait that would be longer than maxWait, or than this take allows, is refused at once and told", async () => {
  const { tokens, clock } = world({ rate: 1, per: "60s", maxWait: "100ms" });
  await tokens.take();
  const error = await refusal(tokens.take());
  expect(error.message).toContain("the wait would be 1m, longer than 100ms; waited 0ms.");
  expect(error.details).toMatchObject({ waitedMs: 0, waitMs: 60_000 });
  expect(clock.monotonicMs()).toBe(0);

  const slow = world({ rate: 10, burst: 1 });
  await slow.tokens.take();
  const second = slow.tokens.take(1, { wait: "200ms" });
  const third = slow.tokens.take(1, { wait: "200ms" });
  expect((await refusal(slow.tokens.take(1, { wait: "200ms" }))).code).toBe("QUOTA_EXCEEDED");
  await slow.clock.advance(200);
  expect([(await second).waitedMs, (await third).waitedMs]).toEqual([100, 200]);
});

test("R149: a cost of 0 is free", async () => {
  const { tokens } = world({ rate: 1 });
  await tokens.take();
  expect(await tokens.take(0, { wait: false })).toEqual({ units: 0, waitedMs: 0 });
  expect(tokens.stats().consumed).toBe(1);
});

test("R145: units that were not used are given back, never above the burst, and never more than were taken", async () => {
  const { tokens, clock } = world();
  await tokens.take(3);
  await clock.advance(50);
  tokens.refund(3);
  expect(tokens.stats()).toMatchObject({ available: 10, consumed: 0 });
  await tokens.take(10);
  await clock.advance(500);
  tokens.refund(10);
  expect(tokens.stats().available).toBe(10);
  expect(() => tokens.refund(1)).toThrow('Quota "api": expected 0 to 0 units; got 1.');
  expect(tokens.stats().available).toBe(10);
});

test("R145: what is given back goes to who waits", async () => {
  const { tokens, clock } = world({ rate: 1, per: "1h" });
  await tokens.take();
  const waiting = tokens.take();
  tokens.refund();
  expect(await waiting).toEqual({ units: 1, waitedMs: 0 });
  expect(clock.pendingTimers).toBe(0);
});

test("R147: several windows all hold", async () => {
  const clock = makeVirtualClock();
  const windows = [
    { rate: 2, per: "1s" },
    { rate: 5, per: "1h" },
  ] as const;
  const tokens = quota({ windows, clock });
  const grantedMs = await takeAll({ clock, tokens }, 6);
  expect(grantedMs).toEqual([0, 0, 500, 1_000, 1_500, 720_000]);
});

test("R148: one per 3 s means one every 3 s", async () => {
  expect(await takeAll(world({ rate: 1, per: "3s" }), 3)).toEqual([0, 3_000, 6_000]);
});

test("an abort ends a wait at once with nothing taken, and those behind move up", async () => {
  const { tokens, clock } = world({ rate: 1, per: "1s" });
  await tokens.take();
  const controller = new AbortController();
  const leaving = tokens.take(1, { signal: controller.signal });
  const behind = tokens.take();
  const reason = new Error("enough");
  controller.abort(reason);
  expect(await leaving.catch((error: unknown) => error)).toBe(reason);
  await clock.advance(1_000);
  expect((await behind).waitedMs).toBe(1_000);
  expect(tokens.stats()).toMatchObject({ consumed: 2, waiting: 0 });
  const signal = AbortSignal.abort(reason);
  expect(await tokens.take(1, { signal }).catch((error: unknown) => error)).toBe(reason);
});

test("after one of the line has left, a wait is foreseen without it", async () => {
  const { tokens, clock } = world({ rate: 1, per: "1s" });
  await tokens.take();
  const controller = new AbortController();
  const leaving = tokens.take(1, { signal: controller.signal });
  const staying = tokens.take();
  expect((await refusal(tokens.take(1, { wait: "2s" }))).details?.["waitMs"]).toBe(3_000);
  controller.abort(new Error("enough"));
  await expect(leaving).rejects.toThrow("enough");
  const last = tokens.take(1, { wait: "2s" });
  await clock.advance(2_000);
  expect([(await staying).waitedMs, (await last).waitedMs]).toEqual([1_000, 2_000]);
});

interface Take {
  readonly gapMs: number;
  readonly units: number;
  readonly waitMs: number | null;
  readonly abortAfterMs: number | null;
}

const takes = fc.array(
  fc.record<Take>({
    gapMs: fc.nat(400),
    units: fc.integer({ min: 1, max: 5 }),
    waitMs: fc.option(fc.nat(2_000)),
    abortAfterMs: fc.option(fc.nat(500), { freq: 4 }),
  }),
  { maxLength: 30 },
);

test("no window lets more pass than burst and rate, the order is kept, and no wait is longer than allowed", async () => {
  await fc.assert(
    fc.asyncProperty(takes, async (plan) => {
      const { tokens, clock } = world({ rate: 7, burst: 5 });
      const granted: { index: number; atMs: number; units: number }[] = [];
      for (const [index, { gapMs, units, waitMs, abortAfterMs }] of plan.entries()) {
        await clock.advance(gapMs);
        const controller = new AbortController();
        if (abortAfterMs !== null) clock.setTimer(abortAfterMs, () => controller.abort());
        void tokens.take(units, { wait: waitMs ?? true, signal: controller.signal }).then(
          ({ waitedMs }) => {
            assert(waitMs === null || waitedMs <= waitMs);
            granted.push({ index, atMs: clock.monotonicMs(), units });
          },
          () => undefined,
        );
      }
      await clock.advance(1_000_000);
      for (const [at, { index, atMs }] of granted.entries()) {
        assert(index >= (granted[at - 1]?.index ?? 0), "out of order");
        let units = 0;
        for (const other of granted.slice(at)) {
          units += other.units;
          assert(units <= 5 + ((other.atMs - atMs) * 7) / 1_000 + 1e-6, "too many");
        }
      }
      expect(tokens.stats().consumed).toBe(granted.reduce((sum, { units }) => sum + units, 0));
      expect(tokens.stats().waiting + clock.pendingTimers).toBe(0);
    }),
    { numRuns: 100 },
  );
});
