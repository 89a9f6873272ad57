import fc from "fast-check";
import { expect, test } from "vitest";
import { makeSeededRandom, type Random, systemRandom } from "./random.ts";

function throwDice(random: Random, count: number): number[] {
  return Array.from({ length: count }, () => random.float());
}

test("the same seed gives the same throws, and another seed gives others", () => {
  fc.assert(
    fc.property(fc.double({ noNaN: true, min: -1e15, max: 1e15 }), (seed) => {
      const throws = throwDice(makeSeededRandom(seed), 8);
      expect(throwDice(makeSeededRandom(seed), 8)).toEqual(throws);
      expect(throwDice(makeSeededRandom(seed + 1), 8)).not.toEqual(throws);
    }),
  );
});

test("seeds that differ only above 32 bits, in the sign or in the fraction are other seeds", () => {
  const seeds = [0, 0.5, 0.25, -1, 1, 2 ** 32, 2 ** 33, -(2 ** 32)];
  expect(new Set(seeds.map((seed) => makeSeededRandom(seed).float())).size).toBe(seeds.length);
});

test("the throws of a seed never change: recorded failing seeds depend on them", () => {
  const random = makeSeededRandom(7);
  expect([...random.bytes(6)]).toMatchInlineSnapshot(`
    [
      199,
      33,
      238,
      231,
      218,
      109,
    ]
  `);
  expect(throwDice(random, 2)).toMatchInlineSnapshot(`
    [
      0.4312871951878605,
      0.7341154326492552,
    ]
  `);
});

test.each([
  ["system", systemRandom],
  ["seeded", makeSeededRandom(1)],
] as const)("the %s dice spread evenly over [0, 1)", (_, random) => {
  const buckets = Array.from({ length: 10 }, () => 0);
  for (const float of throwDice(random, 20_000)) {
    const bucket = Math.floor(float * 10);
    buckets[bucket] = (buckets[bucket] ?? NaN) + 1;
  }
  expect(buckets).toHaveLength(10);
  // 2000 expected, standard deviation 42: a fair die leaves this range once in 10^12 runs.
  for (const count of buckets) expect(Math.abs(count - 2000)).toBeLessThan(320);
});

test.each([
  ["system", systemRandom],
  ["seeded", makeSeededRandom(1)],
] as const)(
  "the %s dice give as many bytes as asked, each time fresh and owned by the caller",
  (_, random) => {
    for (const count of [0, 1, 3, 16, 4096, 5000]) expect(random.bytes(count)).toHaveLength(count);
    const first = random.bytes(16);
    const copy = first.slice();
    for (let round = 0; round < 600; round++) expect(random.bytes(16)).not.toEqual(copy);
    expect(first).toEqual(copy);
  },
);

test("every bit of the bytes is used", () => {
  for (const random of [systemRandom, makeSeededRandom(2)]) {
    const bytes = random.bytes(4096);
    expect(bytes.reduce((seen, byte) => seen | byte)).toBe(255);
    expect(bytes.reduce((seen, byte) => seen & byte)).toBe(0);
  }
});
