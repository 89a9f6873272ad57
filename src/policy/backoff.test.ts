import fc from "fast-check";
import { expect, test } from "vitest";
import type { Jitter, RetryPolicy } from "../model/retry.ts";
import { makeSeededRandom, type Random } from "../std/random.ts";
import { computeDelayMs } from "./backoff.ts";

function policyOf(parts: Partial<RetryPolicy>): RetryPolicy {
  return {
    attempts: 5,
    initialDelayMs: 1_000,
    factor: 2,
    delayMsMax: 60_000,
    jitter: "none",
    retryOn: null,
    rules: [],
    ...parts,
  };
}

function diceOf(value: number): Random {
  return { float: () => value, bytes: (count) => new Uint8Array(count) };
}

function waits(policy: RetryPolicy, random: Random, failures: readonly number[]): number[] {
  return failures.map((count) => computeDelayMs(policy, count, { random }));
}

test("R72: without jitter, 100 ms and at most 300 ms wait 100, 200, 300 and 300 ms", () => {
  const policy = policyOf({ initialDelayMs: 100, delayMsMax: 300 });
  expect(waits(policy, diceOf(0.9), [1, 2, 3, 4])).toEqual([100, 200, 300, 300]);
});

test("R73: none and 0 are exact, a fraction varies within its bounds, full spreads over the range", () => {
  const counts = Array.from({ length: 1_000 }, () => 2);
  const random = makeSeededRandom(7);
  for (const jitter of ["none", 0] as const) {
    expect(new Set(waits(policyOf({ jitter }), random, counts))).toEqual(new Set([2_000]));
  }
  const fraction = waits(policyOf({ jitter: 0.2, delayMsMax: 2_100 }), random, counts);
  expect(Math.min(...fraction)).toBeGreaterThanOrEqual(1_600);
  expect(Math.max(...fraction)).toBe(2_100);
  expect(new Set(fraction).size).toBeGreaterThan(100);
  const full = waits(policyOf({ jitter: "full" }), random, counts);
  expect(Math.min(...full)).toBeLessThan(100);
  expect(Math.max(...full)).toBeGreaterThan(1_900);
  expect(Math.max(...full)).toBeLessThanOrEqual(2_000);
});

test.each<[Jitter, number, number]>([
  ["full", 0, 4_000],
  ["equal", 2_000, 4_000],
  [0.5, 2_000, 6_000],
  [1, 0, 8_000],
  ["none", 4_000, 4_000],
])("jitter %s after three failures is from %i to %i ms", (jitter, low, high) => {
  const policy = policyOf({ jitter });
  const justBelowOne = 1 - 2 ** -53;
  expect(computeDelayMs(policy, 3, { random: diceOf(0) })).toBe(low);
  expect(computeDelayMs(policy, 3, { random: diceOf(justBelowOne) })).toBe(high);
});

test("decorrelated waits grow from the wait before, whatever the count of failures", () => {
  const policy = policyOf({ jitter: "decorrelated" });
  const delay = (dice: number, previousMs?: number): number =>
    computeDelayMs(policy, 9, {
      random: diceOf(dice),
      ...(previousMs === undefined ? {} : { previousMs }),
    });
  expect(delay(0.5)).toBe(2_000);
  expect(delay(0, 8_000)).toBe(1_000);
  expect(delay(0.5, 8_000)).toBe(12_500);
  expect(delay(0.999, 50_000)).toBe(60_000);
  expect(delay(0.5, 0)).toBe(2_000);
});

test("the cap comes before the spread: at the cap, full jitter still reaches down to nothing", () => {
  const policy = policyOf({ jitter: "full" });
  expect(computeDelayMs(policy, 20, { random: diceOf(0) })).toBe(0);
  expect(computeDelayMs(policy, 20, { random: diceOf(0.5) })).toBe(30_000);
});

test("growth ends after thirty failures and can never reach infinity or NaN", () => {
  const endless = policyOf({ initialDelayMs: 0, factor: Number.MAX_VALUE });
  expect(computeDelayMs(endless, 1_000, { random: diceOf(0) })).toBe(0);
  const steep = policyOf({ factor: Number.MAX_VALUE });
  expect(computeDelayMs(steep, 1_000, { random: diceOf(0) })).toBe(60_000);
  const slow = policyOf({ initialDelayMs: 1, factor: 1.1, delayMsMax: 10_000_000 });
  expect(computeDelayMs(slow, 1_000, { random: diceOf(0) })).toBe(Math.round(1.1 ** 30));
});

test("without a cap a wait is at most what a duration may be", () => {
  const policy = policyOf({ delayMsMax: null, factor: 1, initialDelayMs: 5_000 });
  expect(computeDelayMs(policy, 4, { random: diceOf(0) })).toBe(5_000);
  const steep = policyOf({ delayMsMax: null, factor: 1e300 });
  expect(computeDelayMs(steep, 4, { random: diceOf(0) })).toBe(366 * 24 * 3_600_000);
});

test("no failure yet counts as one", () => {
  expect(computeDelayMs(policyOf({}), 0, { random: diceOf(0) })).toBe(1_000);
});

test("every wait is a whole number of ms from 0 to the cap", () => {
  const jitter = fc.oneof(
    fc.constantFrom<Jitter>("full", "equal", "decorrelated", "none"),
    fc.double({ min: 0, max: 1, noNaN: true }),
  );
  fc.assert(
    fc.property(
      fc.record({
        initialDelayMs: fc.nat(10_000_000),
        factor: fc.double({ min: 1, noNaN: true }),
        delayMsMax: fc.oneof(fc.constant(null), fc.nat(10_000_000)),
        jitter,
      }),
      fc.nat(2_000),
      fc.record({ seed: fc.integer(), previousMs: fc.nat(10_000_000) }),
      (parts, failures, { seed, previousMs }) => {
        const random = makeSeededRandom(seed);
        const delayMs = computeDelayMs(policyOf(parts), failures, { random, previousMs });
        expect(Number.isSafeInteger(delayMs)).toBe(true);
        expect(delayMs).toBeGreaterThanOrEqual(0);
        expect(delayMs).toBeLessThanOrEqual(parts.delayMsMax ?? 366 * 24 * 3_600_000);
      },
    ),
  );
});

test("without jitter a wait never gets shorter with more failures", () => {
  fc.assert(
    fc.property(
      fc.nat(10_000),
      fc.double({ min: 1, max: 10, noNaN: true }),
      (initialDelayMs, factor) => {
        const policy = policyOf({ initialDelayMs, factor });
        const delays = waits(policy, diceOf(0), [1, 2, 3, 4, 5, 30, 31, 32, 100]);
        expect(delays).toEqual(delays.toSorted((left, right) => left - right));
      },
    ),
  );
});
