// Chapter: parked runs. Who waits in a queue for room in a key goes back to it in the transaction that makes room, as
// many as there is room for, those first that are claimed first.

import assert from "node:assert/strict";
import type { NewRun } from "../../../storage/write.ts";
import type { ParkedFor } from "../../../storage/permits/parked-runs.ts";
import type { RunRecord } from "../../../model/run.ts";
import type { Store } from "../../../storage/store.ts";
import {
  apply,
  applyAll,
  applyClaim,
  applyRun,
  claimNext,
  claimRun,
  createRun,
  getRun,
  moveRun,
  reclaimRun,
  requestCancel,
} from "../fixture.ts";
import type { StoreCase } from "../suite.ts";
import {
  BREAKER,
  called,
  getResource,
  give,
  limitOf,
  makeTerms,
  makeUse,
  ONE,
  order,
  perSecond,
  refused,
  release,
  releaseOf,
  returned,
  take,
  takeOf,
  takeOne,
} from "./permit-fixture.ts";

/** Far beyond what any case waits. */
const LATER_MS = 3_600_000;

const forKey = (key: string = "", isTimed: boolean = false): ParkedFor => ({
  resource: "api",
  key,
  isTimed,
});

/** A run that is parked for these keys; by default for "api". */
async function park(
  store: Store,
  { waitsFor = [forKey()], ...run }: Partial<NewRun> & { readonly waitsFor?: ParkedFor[] } = {},
): Promise<RunRecord> {
  const made = await applyRun(store, createRun(run));
  const wakeAtMs = store.nowMs() + LATER_MS;
  await applyAll(store, moveRun(made, "waiting", { reason: "limit", wakeAtMs, waitsFor }));
  return made;
}

async function parkMany(store: Store, count: number): Promise<readonly RunRecord[]> {
  const runs: RunRecord[] = [];
  for (let made = 0; made < count; made += 1) runs.push(await park(store));
  return runs;
}

async function statesOf(store: Store, runs: readonly RunRecord[]): Promise<string> {
  const found = await Promise.all(runs.map(({ id }) => getRun(store, id)));
  return found
    .map(({ state }) => (state === "queued" ? "q" : state === "waiting" ? "w" : state))
    .join("");
}

/** A run whose items hold so many permits of a key. */
async function hold(store: Store, { terms = ONE, key = "", count = 1 } = {}): Promise<RunRecord> {
  const run = await applyRun(store, createRun());
  for (let item = 0; item < count; item += 1)
    await take(store, takeOf(run, `i${item}`, makeUse(terms, { key })));
  return run;
}

/** Cases about parked runs. */
export const parkedCases: readonly StoreCase[] = [
  {
    name: "a release lets the first of those who are parked go back to its queue, and the next release the next one",
    run: async (make) => {
      const { store } = await make();
      const holder = await hold(store);
      const parked = await parkMany(store, 3);
      assert.equal(await statesOf(store, parked), "www");
      await release(store, releaseOf(holder, "i0", returned()));
      assert.equal(await statesOf(store, parked), "qww");
      const [first] = parked;
      assert.ok(first !== undefined);
      const woken = await getRun(store, first.id);
      assert.deepEqual(
        [woken.reason, woken.wakeAtMs, woken.epoch, woken.attempts],
        [null, null, first.epoch, 0],
      );
      const [next] = await applyClaim(store, claimNext());
      assert.equal(next?.run.id, first.id);
      assert.ok(next !== undefined);
      await take(store, takeOf(next.run, "i0", makeUse(ONE)));
      assert.equal(await statesOf(store, parked.slice(1)), "ww");
      await release(store, releaseOf(next.run, "i0", returned()));
      assert.equal(await statesOf(store, parked.slice(1)), "qw");
    },
  },
  {
    name: "of the same transaction as many go as there is room for when it ends",
    run: async (make) => {
      const { store } = await make();
      const terms = makeTerms({ limit: 3 });
      const holder = await hold(store, { terms, count: 3 });
      const parked = await parkMany(store, 4);
      await applyAll(store, ...["i0", "i1"].map((item) => releaseOf(holder, item, returned())));
      assert.equal(await statesOf(store, parked), "qqww");
    },
  },
  {
    name: "those go first that are claimed first: priority before age",
    run: async (make) => {
      const { store } = await make();
      const holder = await hold(store);
      const parked = [await park(store), await park(store, { priority: 5 }), await park(store)];
      await release(store, releaseOf(holder, "i0", returned()));
      assert.equal(await statesOf(store, parked), "wqw");
    },
  },
  {
    name: "another key lets nobody in, and one that waits for several goes for any of them, once",
    run: async (make) => {
      const { store } = await make();
      const terms = makeTerms({ limit: 1, keyed: true });
      const one = await hold(store, { terms, key: "one" });
      const two = await hold(store, { terms, key: "two" });
      const both = await park(store, { waitsFor: [forKey("one"), forKey("two")] });
      const only = await park(store, { waitsFor: [forKey("one")] });
      await release(store, releaseOf(two, "i0", returned({ key: "two" })));
      assert.equal(await statesOf(store, [both, only]), "qw");
      await release(store, releaseOf(one, "i0", returned({ key: "one" })));
      assert.equal(await statesOf(store, [both, only]), "qq");
    },
  },
  {
    name: "whoever waits no more, or was at work since, is passed over",
    run: async (make) => {
      const { store } = await make();
      const holder = await hold(store);
      const [cancelled, foreground, claimed, last] = await parkMany(store, 4);
      assert.ok(cancelled !== undefined && foreground !== undefined);
      assert.ok(claimed !== undefined && last !== undefined);
      await apply(store, requestCancel(cancelled.id));
      const here = await applyRun(store, claimRun(foreground, { foreground: true }));
      await applyAll(store, moveRun(here, "waiting", { reason: "interrupted" }));
      const again = await applyRun(store, claimRun(claimed));
      const wakeAtMs = store.nowMs() + LATER_MS;
      await applyAll(store, moveRun(again, "waiting", { reason: "retry", wakeAtMs }));
      await release(store, releaseOf(holder, "i0", returned()));
      assert.equal(await statesOf(store, [cancelled, foreground, claimed, last]), "cancelledwwq");
    },
  },
  {
    name: "an owner that is gone gives back what it held: the next one goes with the reclaim, or with the end",
    run: async (make) => {
      const { store } = await make();
      const parked = await (async () => {
        const holder = await hold(store);
        const runs = await parkMany(store, 2);
        await applyAll(store, reclaimRun(holder));
        return runs;
      })();
      assert.equal(await statesOf(store, parked), "qw");
      const [, next] = await applyClaim(store, claimNext({ limit: 2 }));
      assert.ok(next !== undefined);
      await take(store, takeOf(next.run, "i0", makeUse(ONE)));
      await applyAll(store, moveRun(next.run, "queued"));
      assert.equal(await statesOf(store, parked.slice(1)), "q");
    },
  },
  {
    name: "a limit that is raised lets in as many as there is room for, of its key or of every key",
    run: async (make) => {
      const { store } = await make();
      const terms = makeTerms({ limit: 1, keyed: true });
      await hold(store, { terms, key: "one" });
      await hold(store, { terms, key: "two" });
      const ones = [];
      for (let count = 0; count < 4; count += 1)
        ones.push(await park(store, { waitsFor: [forKey("one")] }));
      const two = await park(store, { waitsFor: [forKey("two")] });
      await give(store, order(limitOf(3), { key: "one" }));
      assert.equal(await statesOf(store, [...ones, two]), "qqwww");
      await give(store, order(limitOf(2)));
      assert.equal(await statesOf(store, [two]), "q");
      // Its own limit holds, and nobody has taken any of it yet.
      assert.equal(await statesOf(store, ones), "qqqq");
    },
  },
  {
    name: "one that is parked in the transaction that sets a resource for all its keys is let in by it",
    run: async (make) => {
      const { store } = await make();
      const run = await applyRun(store, createRun());
      const wakeAtMs = store.nowMs() + LATER_MS;
      const waitsFor = [forKey("x", true)];
      const parking = moveRun(run, "waiting", { reason: "limit", wakeAtMs, waitsFor });
      await store.apply([order(limitOf(2)), parking]);

      assert.equal((await getRun(store, run.id)).state, "queued");
    },
  },
  {
    name: "lowering a limit lets nobody in, nor does tripping a breaker",
    run: async (make) => {
      const { store } = await make();
      const terms = makeTerms({ limit: 2, breaker: BREAKER });
      await hold(store, { terms, count: 2 });
      const parked = await parkMany(store, 1);
      await give(store, order(limitOf(1)));
      await give(store, order({ kind: "trip", forMs: 1_000 }));
      assert.equal(await statesOf(store, parked), "w");
    },
  },
  {
    name: "one that knows its time stays when it is parked, and goes before it when a breaker is reset or closes",
    run: async (make) => {
      const { store, advance } = await make();
      const terms = makeTerms({ breaker: BREAKER });
      const run = await applyRun(store, createRun());
      const permit = await takeOne(store, takeOf(run, "a", makeUse(terms)));
      await release(store, releaseOf(run, "a", called("failure", permit)));
      const timed = { waitsFor: [forKey("", true)] };
      const first = await park(store, timed);
      assert.equal(await statesOf(store, [first]), "w");
      await give(store, order({ kind: "reset" }));
      assert.equal(await statesOf(store, [first]), "q");

      const next = await takeOne(store, takeOf(run, "b", makeUse(terms)));
      await release(store, releaseOf(run, "b", called("failure", next)));
      await advance(10_001);
      const probe = await takeOne(store, takeOf(run, "c", makeUse(terms)));
      assert.equal(probe.probe, true);
      const second = await park(store, timed);
      await release(store, releaseOf(run, "c", called("success", probe)));
      assert.equal(await statesOf(store, [second]), "q");
    },
  },
  {
    name: "where a quota is used up one goes and asks when its time has come",
    run: async (make) => {
      const { store } = await make();
      const terms = makeTerms({ limit: 1, quotas: [perSecond(1)] });
      const holder = await hold(store, { terms });
      const parked = await parkMany(store, 3);
      await release(store, releaseOf(holder, "i0", returned()));
      assert.equal(await statesOf(store, parked), "qww");
    },
  },
  {
    name: "room that was made before it was parked is not lost, unless somebody else waits for it",
    run: async (make) => {
      const { store } = await make();
      const holder = await hold(store);
      await release(store, releaseOf(holder, "i0", returned()));
      const early = await park(store);
      assert.equal(await statesOf(store, [early]), "q");

      await take(store, takeOf(holder, "i1", makeUse(ONE)));
      const other = await applyRun(store, createRun());
      await refused(store, { ...takeOf(other, "x", makeUse(ONE)), worker: "worker-2" });
      await release(store, releaseOf(holder, "i1", returned()));
      const late = await park(store);
      assert.equal(await statesOf(store, [late]), "w");
      await take(store, {
        ...takeOf(other, "x", makeUse(ONE, { waitedMs: 1 })),
        worker: "worker-2",
      });
      await release(store, releaseOf(other, "x", returned()));
      assert.equal(await statesOf(store, [late]), "q");
    },
  },
  {
    name: "a key that nobody has used is remembered for who is parked for it",
    run: async (make) => {
      const { store } = await make();
      const parked = await park(store, { waitsFor: [forKey("new", true)] });
      assert.equal((await getResource(store, "new")).held, 0);
      await give(store, order({ kind: "reset" }, { key: "new" }));
      assert.equal(await statesOf(store, [parked]), "q");
    },
  },
];
