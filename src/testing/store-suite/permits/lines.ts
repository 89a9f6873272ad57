// Chapter: lines. Each process says who waits in it and since when; whoever has waited clearly longer goes first, and
// who is silent holds up nobody.

import assert from "node:assert/strict";
import type { RunRecord } from "../../../model/run.ts";
import type { TakePermitsWrite } from "../../../storage/permits/permit-write.ts";
import type { Store } from "../../../storage/store.ts";

import type { StoreCase, StoreMaker } from "../suite.ts";
import {
  getResource,
  give,
  limitOf,
  makeScene,
  makeTerms,
  makeUse,
  ONE,
  order,
  type PermitScene,
  refused,
  release,
  releaseOf,
  returned,
  take,
  takeOf,
} from "./permit-fixture.ts";

interface Asking {
  readonly worker: string;
  readonly item: string;
  readonly waitedMs?: number;
  readonly waiting?: number;
}

/** One that asks for the single permit, and for how long it has waited. */
function asks(run: RunRecord, { worker, item, ...use }: Asking): TakePermitsWrite {
  return { ...takeOf(run, item, makeUse(ONE, use)), worker };
}

/** A run whose item "held" has the only permit. */
async function makeHeld(make: StoreMaker): Promise<PermitScene> {
  const scene = await makeScene(make);
  await take(scene.store, asks(scene.run, { worker: "one", item: "held" }));
  return scene;
}

async function waitingOf(store: Store): Promise<number> {
  const [record] = await store.listResources({ limit: 10 });
  assert.equal(record?.waiting, (await getResource(store)).waiting);
  return record?.waiting ?? 0;
}

/** Cases about who goes first. */
export const lineCases: readonly StoreCase[] = [
  {
    name: "the head of another process that has waited clearly longer goes first",
    run: async (make) => {
      const { store, advance, run } = await makeHeld(make);
      await refused(store, asks(run, { worker: "two", item: "old" }));
      await advance(101);
      await release(store, releaseOf(run, "held", returned()));
      const { refusal, inTurn } = await refused(store, asks(run, { worker: "one", item: "new" }));
      assert.deepEqual(
        [inTurn, refusal.because, refusal.index, refusal.untilMs, refusal.final],
        [true, "limit", 0, null, false],
      );
      await take(store, asks(run, { worker: "two", item: "old", waitedMs: 101 }));
      await release(store, releaseOf(run, "old", returned()));
      await take(store, asks(run, { worker: "one", item: "new", waitedMs: 1 }));
    },
  },
  {
    name: "one that has waited about as long does not go before who asks, nor does one of the same process",
    run: async (make) => {
      for (const [worker, ms] of [
        ["two", 100],
        ["one", 900],
      ] as const) {
        const { store, advance, run } = await makeHeld(make);
        await refused(store, asks(run, { worker, item: "old" }));
        await advance(ms);
        await release(store, releaseOf(run, "held", returned()));
        await take(store, asks(run, { worker: "one", item: "new" }));
      }
    },
  },
  {
    name: "a process that is silent for three seconds holds up nobody",
    run: async (make) => {
      const { store, advance, run } = await makeHeld(make);
      await refused(store, asks(run, { worker: "two", item: "old", waiting: 4 }));
      await release(store, releaseOf(run, "held", returned()));
      await advance(2_999);
      await refused(store, asks(run, { worker: "one", item: "new" }));
      assert.equal(await waitingOf(store), 6);
      await advance(1);
      await take(store, asks(run, { worker: "one", item: "new", waitedMs: 1 }));
      assert.equal(await waitingOf(store), 0);
    },
  },
  {
    name: "who waits is counted over all processes, as they last said, and who is granted waits no more",
    run: async (make) => {
      const { store, advance, run } = await makeHeld(make);
      assert.equal(await waitingOf(store), 0);
      await refused(store, asks(run, { worker: "one", item: "a", waiting: 2 }));
      await refused(store, asks(run, { worker: "two", item: "b" }));
      assert.equal(await waitingOf(store), 4);
      await release(store, releaseOf(run, "held", returned()));
      await advance(1_000);
      await take(store, asks(run, { worker: "one", item: "a", waitedMs: 1_000, waiting: 2 }));
      assert.equal(await waitingOf(store), 3);
      await release(store, releaseOf(run, "a", returned()));
      await take(store, asks(run, { worker: "two", item: "b", waitedMs: 1_000 }));
      assert.equal(await waitingOf(store), 2);
    },
  },
  {
    name: "of a key that was only asked for the waiters are counted, too",
    run: async (make) => {
      const { store, run } = await makeScene(make);
      await give(store, order(limitOf(0)));
      const use = makeUse(makeTerms({ keyed: true, limit: 1 }), { key: "k", waiting: 1 });
      await refused(store, takeOf(run, "a", use));
      const { waiting, totals, terms } = await getResource(store, "k");
      assert.deepEqual([waiting, totals.granted, terms], [2, 0, null]);
      const { waiting: answered } = await give(store, order(limitOf(0), { key: "k" }));
      assert.equal(answered, 2);
    },
  },
  {
    name: "whoever waits for one of two resources stands in no line of the other",
    run: async (make) => {
      const { store, advance, run } = await makeHeld(make);
      const model = makeTerms({ name: "model", limit: 1 });
      const both = [makeUse(ONE), makeUse(model)];
      await refused(store, { ...takeOf(run, "both", ...both), worker: "two" });
      await advance(1_000);
      await take(store, { ...takeOf(run, "model", makeUse(model)), worker: "one" });
    },
  },
];
