// Chapter: quotas. In any window W at most `burst + W / interval` units are taken, by all processes together, and what
// cannot be waited for is refused for good.

import assert from "node:assert/strict";
import type { QuotaDeclared } from "../../../model/resource/resource.ts";
import { makeSeededRandom } from "../../../std/random.ts";
import type { Store } from "../../../storage/store.ts";
import { applyRun, createRun, type Held } from "../fixture.ts";
import type { StoreBench, StoreCase } from "../suite.ts";
import {
  ask,
  getResource,
  give,
  makeScene,
  makeTerms,
  makeUse,
  order,
  perSecond,
  refused,
  take,
  takeOf,
} from "./permit-fixture.ts";

interface Debit {
  readonly atMs: number;
  readonly units: number;
}

/** Cases about quotas. */
export const quotaCases: readonly StoreCase[] = [
  {
    name: "several workers together stay within the burst and the rate, in every window there is",
    run: async (make) => {
      for (const seed of [1, 2, 3]) {
        const bench = await make();
        await drain(bench, [bench.store], seed);
      }
    },
  },
  {
    name: "R146: 50 takers in four processes stay within the burst and the rate, in every window there is",
    needs: ({ shared }) => shared,
    run: async (make) => {
      const bench = await make();
      const others = await Promise.all([bench.open(), bench.open(), bench.open()]);
      await drain(bench, [bench.store, ...others], 4);
    },
  },
  {
    name: "R147: several windows of one key all hold, and the one that binds says when to ask again",
    run: async (make) => {
      const { store, advance, run } = await makeScene(make);
      const quotas = [perSecond(2), { rate: 3, perMs: 60_000, burst: 3, maxWaitMs: null }];
      const use = makeUse(makeTerms({ quotas }));
      const first = await take(store, takeOf(run, "a", use));
      assert.deepEqual([first.room, first.roomBy], [1, "quota"]);
      await take(store, takeOf(run, "b", use));
      const soon = await refused(store, takeOf(run, "c", use));
      assert.deepEqual(
        [soon.refusal.because, soon.refusal.untilMs, soon.refusal.final],
        ["quota", store.nowMs() + 500, false],
      );
      await advance(500);
      await take(store, takeOf(run, "c", use));
      await advance(500);
      const late = await refused(store, takeOf(run, "d", use));
      // Since the first one 1 s of the 20 s has passed that pay for one unit.
      assert.equal(late.refusal.untilMs, store.nowMs() + 19_000);
      await advance(18_999);
      await refused(store, takeOf(run, "d", use));
      await advance(1);
      await take(store, takeOf(run, "d", use));
    },
  },
  {
    name: "a use costs what it says in each window, and one of cost 0 is free",
    run: async (make) => {
      const { store, run } = await makeScene(make);
      const terms = makeTerms({ quotas: [perSecond(5), perSecond(10)] });
      const ofCosts = (...costs: readonly number[]) => makeUse(terms, { costs });
      const first = await take(store, takeOf(run, "a", ofCosts(2, 3)));
      assert.equal(first.room, 1);
      await refused(store, takeOf(run, "b", ofCosts(4, 1)));
      await refused(store, takeOf(run, "b", ofCosts(1, 8)));
      await take(store, takeOf(run, "b", ofCosts(3, 7)));
      await refused(store, takeOf(run, "c", makeUse(terms)));
      await take(store, takeOf(run, "c", ofCosts(0, 0)));
      const { totals } = await getResource(store);
      assert.deepEqual([totals.granted, totals.consumed, totals.throttled], [3, 15, 0]);
    },
  },
  {
    name: "a wait that would be too long is refused for good and counted as throttled, and nobody waits then",
    run: async (make) => {
      const { store, advance, run } = await makeScene(make);
      const terms = makeTerms({ quotas: [perSecond(1, { maxWaitMs: 100 })] });
      await take(store, takeOf(run, "a", makeUse(terms)));
      const { refusal } = await refused(store, takeOf(run, "b", makeUse(terms)));
      assert.deepEqual([refusal.final, refusal.untilMs], [true, store.nowMs() + 1_000]);
      const own = makeUse(terms, { maxWaitMs: 2_000 });
      assert.equal((await refused(store, takeOf(run, "c", own))).refusal.final, false);
      const never = makeUse(terms, { costs: [2], maxWaitMs: 2_000 });
      assert.equal((await refused(store, takeOf(run, "d", never))).refusal.final, true);
      const { totals, waiting } = await getResource(store);
      // Only the one that may wait does so; the last one to ask is gone for good and waits no more.
      assert.deepEqual([totals.throttled, totals.consumed, waiting], [2, 1, 0]);

      await advance(1_000);
      await take(store, { ...takeOf(run, "e", makeUse(terms)), worker: "worker-2" });
    },
  },
  {
    name: "an override of quotas holds at once for all, until it lapses",
    run: async (make) => {
      const { store, advance, run } = await makeScene(make);
      const use = makeUse(makeTerms({ quotas: [perSecond(1)] }));
      await take(store, takeOf(run, "a", use));
      await refused(store, takeOf(run, "b", use));
      const quotas = [perSecond(3, { burst: 6 })];
      const change = { kind: "override", limit: null, quotas, forMs: 500 } as const;
      await give(store, order(change));
      await take(store, takeOf(run, "b", use));
      await advance(500);
      const { refusal } = await refused(store, takeOf(run, "c", use));
      assert.equal(refusal.because, "quota");
    },
  },
  {
    name: "what was taken is taken for whoever opens the store again",
    needs: ({ shared }) => shared,
    run: async (make) => {
      const { store, open, advance, run } = await makeScene(make);
      const use = makeUse(makeTerms({ quotas: [perSecond(1, { perMs: 3_000 })] }));
      await take(store, takeOf(run, "a", use));
      await store.close();
      await advance(2_999);
      const again = await open();
      await refused(again, takeOf(run, "b", use));
      await advance(1);
      await take(again, takeOf(run, "b", use));
    },
  },
];

/** Takes by a seed, of any store in turn; then counts what was granted in every window. */
async function drain(bench: StoreBench, stores: readonly Store[], seed: number): Promise<void> {
  const dice = makeSeededRandom(seed);
  const quotas = [perSecond(7, { burst: 4 }), { rate: 9, perMs: 5_000, burst: 6, maxWaitMs: null }];
  const terms = makeTerms({ quotas });
  const debits: Debit[] = [];
  const run = await applyRun(bench.store, createRun());
  for (let taker = 0; taker < 50; taker += 1) {
    const store = stores[taker % stores.length] ?? bench.store;
    const units = 1 + Math.floor(dice.float() * 2);
    // Who need not wait stands in nobody's way.
    const use = makeUse(terms, { costs: [units, units], maxWaitMs: 0 });
    if (await isGranted(store, run, { item: `${taker}`, use }))
      debits.push({ atMs: store.nowMs(), units });
    await bench.advance(Math.floor(dice.float() * 300));
  }
  assert.ok(debits.length > 10, `${debits.length} were granted`);
  for (const quota of quotas) assertWithin(quota, debits);
  const { totals } = await getResource(bench.store);
  assert.equal(totals.consumed, 2 * debits.reduce((sum, { units }) => sum + units, 0));
}

async function isGranted(
  store: Store,
  run: Held,
  { item, use }: { readonly item: string; readonly use: ReturnType<typeof makeUse> },
): Promise<boolean> {
  const write = { ...takeOf(run, item, use), worker: `worker-${item}` };
  return (await ask(store, write)).kind === "permitted";
}

function assertWithin({ rate, perMs, burst }: QuotaDeclared, debits: readonly Debit[]): void {
  for (const [first, { atMs: fromMs }] of debits.entries()) {
    let units = 0;
    for (const debit of debits.slice(first)) {
      units += debit.units;
      const allowed = burst + ((debit.atMs - fromMs) * rate) / perMs;
      assert.ok(units <= allowed, `${units} units in ${debit.atMs - fromMs} ms`);
    }
  }
}
