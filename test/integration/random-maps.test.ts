// Random chains of maps on virtual time: items that work, fail, skip, or fail a few times first, with random
// durations, limits and tolerance, against what the written rules say of every item and stage.

import fc from "fast-check";
import { expect, test } from "vitest";
import { definePipeline, skip, type Context, type RunResult } from "millrace";
import { makeMemoryWorld } from "../support/memory-world.ts";

/** What an item does in one map: `failures` first, then this. */
interface RandomItem {
  readonly failures: number;
  readonly finally: "succeed" | "skip" | "fail";
  readonly ms: number;
}

interface RandomMap {
  readonly concurrency: number;
  readonly attempts: number;
  readonly delayMs: number;
  readonly tolerate: number | null;
  readonly minSuccess: number;
  readonly items: readonly RandomItem[];
}

interface RandomChain {
  readonly maps: readonly RandomMap[];
  /** The last one ends with its first failure. */
  readonly strictEnd: boolean;
}

const item = fc.record({
  failures: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat(3) }),
  finally: fc.oneof(
    { weight: 4, arbitrary: fc.constant("succeed" as const) },
    { weight: 1, arbitrary: fc.constantFrom("skip" as const, "fail" as const) },
  ),
  ms: fc.integer({ min: 1, max: 30 }),
});

const chains: fc.Arbitrary<RandomChain> = fc.nat({ max: 8 }).chain((size) =>
  fc.record({
    maps: fc.array(
      fc.record({
        concurrency: fc.integer({ min: 1, max: 4 }),
        attempts: fc.integer({ min: 1, max: 3 }),
        delayMs: fc.nat({ max: 20 }),
        tolerate: fc.option(fc.nat({ max: 3 }), { freq: 2 }),
        minSuccess: fc.nat({ max: 2 }),
        items: fc.array(item, { minLength: size, maxLength: size }),
      }),
      { minLength: 1, maxLength: 3 },
    ),
    strictEnd: fc.boolean(),
  }),
);

type ItemState = "succeeded" | "failed" | "skipped" | "upstream_failed";

/** How an item ends in its map, if its turn comes. */
function endOf({ failures, finally: end }: RandomItem, attempts: number): ItemState {
  if (failures >= attempts || end === "fail") return "failed";
  return end === "skip" ? "skipped" : "succeeded";
}

function callsOf({ failures, finally: end }: RandomItem, attempts: number): number {
  return end === "fail" ? attempts : Math.min(failures + 1, attempts);
}

interface Expected {
  readonly state: "succeeded" | "failed" | "upstream_failed";
  readonly items: readonly ItemState[];
}

function isStrict({ maps, strictEnd }: RandomChain, index: number): boolean {
  return strictEnd && index === maps.length - 1;
}

function expectMaps(chain: RandomChain): readonly Expected[] {
  const expected: Expected[] = [];
  for (const [index, map] of chain.maps.entries()) {
    const above = expected[index - 1];
    const items = map.items.map((one, at): ItemState => {
      const before = above?.items[at] ?? "succeeded";
      if (before === "succeeded") return endOf(one, map.attempts);
      return before === "skipped" ? "skipped" : "upstream_failed";
    });
    const count = (state: ItemState): number => items.filter((one) => one === state).length;
    const failed = isStrict(chain, index)
      ? count("failed") + count("upstream_failed") > 0
      : items.length > 0 &&
        (count("succeeded") < map.minSuccess || count("failed") > (map.tolerate ?? Infinity));
    const isBehind = above !== undefined && above.state !== "succeeded";
    // A map with no failure of its own is behind the one it follows, whenever it began.
    const isOwn = failed && (!isBehind || count("failed") > 0);
    expected.push({ state: isOwn ? "failed" : isBehind ? "upstream_failed" : "succeeded", items });
  }
  return expected;
}

interface Seen {
  readonly calls: number[][];
  most: number[];
  overlaps: number;
}

function makeChain(chain: RandomChain): {
  readonly made: ReturnType<typeof definePipeline>;
  readonly seen: Seen;
} {
  const { maps } = chain;
  const seen: Seen = {
    calls: maps.map((map) => map.items.map(() => 0)),
    most: maps.map(() => 0),
    overlaps: 0,
  };
  const stages = maps.map((map, index) => {
    const working = new Set<number>();
    const run = async (_item: unknown, _needs: unknown, ctx: Context): Promise<unknown> => {
      const at = ctx.item?.index ?? -1;
      const plan = map.items[at];
      const calls = seen.calls[index];
      if (plan === undefined || calls === undefined) throw new RangeError("no such item");
      if (working.has(at)) seen.overlaps += 1;
      working.add(at);
      seen.most[index] = Math.max(seen.most[index] ?? 0, working.size);
      const call = (calls[at] = (calls[at] ?? 0) + 1);
      await ctx.sleep(plan.ms);
      working.delete(at);
      if (call <= plan.failures || plan.finally === "fail") throw new Error(`no ${at}`);
      return plan.finally === "skip" ? skip("odd") : `${index}:${at}`;
    };
    const { concurrency, attempts, delayMs, tolerate, minSuccess } = map;
    const tolerance = tolerate === null ? {} : { tolerate };
    return {
      id: `m${index}`,
      over: index === 0 ? map.items.map((_one, at) => at) : `m${index - 1}`,
      run,
      concurrency,
      retry: { attempts, initialDelay: delayMs, factor: 1, jitter: "none" },
      ...(isStrict(chain, index) ? {} : { onItemFailure: "continue", minSuccess, ...tolerance }),
    };
  });
  return { made: definePipeline({ name: "chain", failFast: false, stages }), seen };
}

function checkItems(result: RunResult, index: number, { items }: Expected): void {
  const counts = result.stages[`m${index}`]?.items;
  const count = (state: ItemState): number => items.filter((one) => one === state).length;
  expect(counts).toMatchObject({
    total: items.length,
    succeeded: count("succeeded"),
    failed: count("failed"),
    skipped: count("skipped"),
    upstream_failed: count("upstream_failed"),
    pending: 0,
    running: 0,
    waiting: 0,
    cancelled: 0,
  });
}

test("R46 R50 R51 R52: 400 random chains of maps end as the written rules say, item by item", async () => {
  const check = async (chain: RandomChain): Promise<void> => {
    const { made, seen } = makeChain(chain);
    const world = makeMemoryWorld();
    const result = await world.finish(made, undefined);
    const expected = expectMaps(chain);

    expect(chain.maps.map((_map, index) => result.stages[`m${index}`]?.state)).toEqual(
      expected.map(({ state }) => state),
    );
    for (const [index, one] of expected.entries()) {
      const map = chain.maps[index];
      if (map === undefined) continue;
      expect(seen.most[index]).toBeLessThanOrEqual(map.concurrency);
      if (isStrict(chain, index)) continue;
      checkItems(result, index, one);
      const above = expected[index - 1];
      expect(seen.calls[index]).toEqual(
        map.items.map((plan, at) =>
          (above?.items[at] ?? "succeeded") === "succeeded" ? callsOf(plan, map.attempts) : 0,
        ),
      );
    }
    checkOutcomes(result, chain, expected);
    expect(seen.overlaps).toBe(0);
    expect(world.clock.pendingTimers).toBe(0);
  };
  await fc.assert(fc.asyncProperty(chains, check), { numRuns: 400, seed: 51 });
});

/** What readers get: every outcome in order of the list, or the plain values. */
function checkOutcomes(result: RunResult, chain: RandomChain, expected: readonly Expected[]): void {
  const last = chain.maps.length - 1;
  const { state, items } = expected[last] ?? { state: "failed", items: [] };
  const output = result.output(`m${last}`);
  if (state !== "succeeded") {
    expect(output).toBeUndefined();
    return;
  }
  if (isStrict(chain, last)) {
    const values = items.flatMap((one, at) => (one === "succeeded" ? [`${last}:${at}`] : []));
    expect(output).toEqual(values);
    return;
  }
  const outcomes = items.map((one, at) => [
    at,
    one,
    one === "succeeded" ? `${last}:${at}` : undefined,
  ]);
  const list: readonly { index: number; status: string; value?: unknown }[] = Array.isArray(output)
    ? output
    : [];
  expect(list.map(({ index, status, value }) => [index, status, value])).toEqual(outcomes);
}

test("a strict map never starts an item after one has failed for good, and repeats none", async () => {
  const check = async (chain: RandomChain): Promise<void> => {
    const [map] = chain.maps;
    if (map === undefined) return;
    const world = makeMemoryWorld();
    const only = { maps: [map], strictEnd: true };
    const { made } = makeChain(only);
    await world.finish(made, undefined);

    const failedAt = world.events.findIndex(({ type }) => type === "item.failed");
    if (failedAt < 0) return;
    const after = world.events.slice(failedAt).filter(({ type }) => type === "item.started");
    expect(after).toEqual([]);
  };
  await fc.assert(fc.asyncProperty(chains, check), { numRuns: 200, seed: 50 });
});
