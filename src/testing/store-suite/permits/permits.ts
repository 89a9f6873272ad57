// Chapter: permits. Limits hold whatever is asked and by whomever, an attempt gets all that it asks for or nothing, and
// what it holds goes with the epoch of its run.

import assert from "node:assert/strict";
import { LEASE_GRACE_MS_DEFAULT } from "../../../model/defaults.ts";
import type { RunRecord } from "../../../model/run.ts";
import type { Write } from "../../../storage/write.ts";
import {
  apply,
  applyAll,
  applyRun,
  claimRun,
  createRun,
  endRun,
  getRun,
  interruptRun,
  LEASE_MS,
  makeOwner,
  moveRun,
  reclaimRun,
  requestCancel,
} from "../fixture.ts";
import type { StoreCase } from "../suite.ts";
import { hammer } from "./hammer.ts";
import {
  ask,
  getResource,
  give,
  limitOf,
  makeScene,
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
} from "./permit-fixture.ts";

const TWO = makeTerms({ limit: 2 });
const USE_ONE = makeUse(ONE);
const USE_TWO = makeUse(TWO);
const MODEL = makeTerms({ name: "model", limit: 1 });

/** Every way in which an owner loses its run, or gives it up. */
const LEAVINGS: readonly (readonly [
  name: string,
  leave: (run: RunRecord) => Write,
  foreground?: boolean,
])[] = [
  ["reclaimed", (run) => reclaimRun(run)],
  ["reclaimed for the last time", (run) => reclaimRun(run, { attemptsMax: 1 })],
  ["interrupted", (run) => interruptRun(run), true],
  ["cancelled by force", (run) => ({ ...requestCancel(run.id), forceEpoch: run.epoch })],
  ["parked", (run) => moveRun(run, "waiting", { reason: "retry", wakeAtMs: 9_000 })],
  ["returned", (run) => moveRun(run, "queued")],
  ["ended", (run) => endRun(run, "succeeded")],
  ["failed", (run) => endRun(run, "failed")],
  ["taken by another owner", (run) => claimRun(run)],
  ["queued by whoever took it", (run) => claimRun(run, { claim: null })],
];

/** Cases about limits and what is held. */
export const permitCases: readonly StoreCase[] = [
  {
    name: "a limit is never exceeded, whatever several runs of several workers ask and give back",
    run: async (make) => {
      for (const seed of [1, 2, 3]) await hammer(await make(), seed);
    },
  },
  {
    name: "all of several resources are granted, or none, and then nothing is debited",
    run: async (make) => {
      const { store, run } = await makeScene(make);
      const paced = makeUse(makeTerms({ limit: 5, quotas: [perSecond(3)] }));
      const both = [paced, makeUse(MODEL)];
      const { permits } = await take(store, takeOf(run, "a", ...both));
      assert.equal(permits.length, 2);
      const before = await store.listResources({ limit: 10 });

      const { refusal, inTurn } = await refused(store, takeOf(run, "b", ...both));
      assert.deepEqual([refusal.index, refusal.because, inTurn], [1, "limit", false]);
      const after = await store.listResources({ limit: 10 });
      assert.deepEqual(
        after.map(({ held, totals, state }) => ({ held, totals, state })),
        before.map(({ held, totals, state }) => ({ held, totals, state })),
      );
      await release(store, releaseOf(run, "a", returned({ resource: "model" })));
      await take(store, takeOf(run, "b", ...both));
      assert.deepEqual(
        [(await getResource(store)).held, (await getResource(store, "", "model")).held],
        [2, 1],
      );
    },
  },
  {
    name: "asking again under one address grants what is held already, and changes nothing",
    run: async (make) => {
      const { store, advance, run } = await makeScene(make);
      const use = makeUse(makeTerms({ limit: 1, quotas: [perSecond(1)] }));
      const first = await take(store, takeOf(run, "a", use));
      const before = await store.listResources({ limit: 10 });
      const held = await store.listPermits(run.id, 10);
      await advance(10);

      const [again, other] = await store.apply([takeOf(run, "a", use), takeOf(run, "b", use)]);
      assert.ok(again?.kind === "permitted");
      assert.deepEqual(again.permits, first.permits);
      assert.equal(again.room, 0);
      assert.equal(other?.kind, "held-back");
      assert.deepEqual(await store.listPermits(run.id, 10), held);
      const [record] = await store.listResources({ limit: 10 });
      assert.deepEqual({ ...record, waiting: 0 }, before[0]);
    },
  },
  {
    name: "asking again is free also where there is room for another, and of what is left only who is new takes",
    run: async (make) => {
      const { store, advance, run } = await makeScene(make);
      const use = makeUse(makeTerms({ limit: 3, quotas: [perSecond(2)] }));
      const first = await take(store, takeOf(run, "a", use));
      const before = await store.listResources({ limit: 10 });
      await advance(10);
      const again = await take(store, takeOf(run, "a", use));
      assert.deepEqual([again.permits, again.room], [first.permits, 0]);
      assert.deepEqual(await store.listResources({ limit: 10 }), before);
      await take(store, takeOf(run, "b", use));
      const { held, totals } = await getResource(store);
      assert.deepEqual([held, totals.granted, totals.consumed], [2, 2, 2]);
    },
  },
  {
    name: "asking again for more than is held takes what is missing alone",
    run: async (make) => {
      const { store, run } = await makeScene(make);
      await take(store, takeOf(run, "a", USE_ONE));
      const { permits } = await take(store, takeOf(run, "a", USE_ONE, makeUse(MODEL)));
      assert.equal(permits.length, 2);
      const records = await store.listResources({ limit: 10 });
      assert.deepEqual(
        records.map(({ resource, held, totals }) => [resource, held, totals.granted]),
        [
          ["api", 1, 1],
          ["model", 1, 1],
        ],
      );
      await applyAll(store, releaseOf(run, "a", returned({ resource: "model" })));
      // What stands in the way is named by its place among all that was asked for.
      await take(store, takeOf(run, "b", makeUse(MODEL)));
      const { refusal } = await refused(store, takeOf(run, "a", USE_ONE, makeUse(MODEL)));
      assert.equal(refusal.index, 1);
    },
  },
  {
    name: "giving back twice frees one permit, and counts once",
    run: async (make) => {
      const { store, run } = await makeScene(make);
      await take(store, takeOf(run, "a", USE_TWO));
      await take(store, takeOf(run, "b", USE_TWO));
      const back = releaseOf(run, "a", returned());
      await applyAll(store, back, back);
      await release(store, back);
      await release(store, releaseOf(run, "never", returned()));

      const { held, totals } = await getResource(store);
      assert.deepEqual([held, totals.granted, totals.succeeded], [1, 2, 1]);
      const last = await take(store, takeOf(run, "c", USE_TWO));
      assert.equal(last.room, 0);
      await refused(store, takeOf(run, "d", USE_TWO));
    },
  },
  {
    name: "outcomes are counted as they are told",
    run: async (make) => {
      const { store, advance, run } = await makeScene(make);
      for (const outcome of ["success", "failure", "auth", "ignored", "cancelled"] as const) {
        await take(store, takeOf(run, "a", USE_ONE));
        await release(store, releaseOf(run, "a", returned({ outcome })));
        await advance(5);
      }
      const { totals } = await getResource(store);
      assert.deepEqual([totals.granted, totals.succeeded, totals.failed], [5, 1, 1]);
      assert.equal(totals.lastFailureAtMs, store.nowMs() - 20);
    },
  },
  {
    name: "a key has the limit of its name, any other the default, and each is counted apart",
    run: async (make) => {
      const { store, run } = await makeScene(make);
      const terms = makeTerms({ keyed: true, limit: 1, limits: { big: 2 } });
      const granted = async (key: string): Promise<number> => {
        let count = 0;
        for (const item of ["a", "b", "c"]) {
          const { kind } = await ask(store, takeOf(run, `${key} ${item}`, makeUse(terms, { key })));
          if (kind === "permitted") count += 1;
        }
        return count;
      };
      assert.deepEqual(
        [await granted("big"), await granted("small"), await granted("constructor")],
        [2, 1, 1],
      );
    },
  },
  {
    name: "R109: a limit that is raised counts at once, and lowering it takes nothing from who holds it",
    run: async (make) => {
      const { store, run } = await makeScene(make);
      const ask3 = async (): Promise<number> => {
        let count = 0;
        for (const item of ["a", "b", "c", "d"]) {
          const { kind } = await ask(store, takeOf(run, item, USE_ONE));
          if (kind === "permitted") count += 1;
        }
        return count;
      };
      assert.equal(await ask3(), 1);
      await give(store, order(limitOf(3)));
      // The first of them holds its permit already.
      assert.equal(await ask3(), 3);
      assert.equal((await give(store, order(limitOf(1)))).held, 3);
      for (const item of ["a", "b"]) {
        await release(store, releaseOf(run, item, returned()));
        await refused(store, takeOf(run, "d", USE_ONE));
      }
      await release(store, releaseOf(run, "c", returned()));
      await take(store, takeOf(run, "d", USE_ONE));
    },
  },
  {
    name: "the override of a key comes before that of the whole resource, and both before what is declared",
    run: async (make) => {
      const { store, advance, run } = await makeScene(make);
      const terms = makeTerms({ keyed: true, limit: 5, limits: { a: 4 } });
      const room = async (key: string): Promise<number> => {
        const use = makeUse(terms, { key });
        const granted = await take(store, takeOf(run, key, use));
        await release(store, releaseOf(run, key, returned({ key })));
        return granted.room + 1;
      };
      const rooms = async (): Promise<readonly number[]> => [await room("a"), await room("b")];
      assert.deepEqual(await rooms(), [4, 5]);
      await give(store, order(limitOf(2)));
      assert.deepEqual(await rooms(), [2, 2]);
      await give(store, order(limitOf(3, 1_000), { key: "a" }));
      assert.deepEqual(await rooms(), [3, 2]);
      await advance(1_000);
      assert.deepEqual(await rooms(), [2, 2]);
      await give(store, order({ kind: "reset" }));
      assert.deepEqual(await rooms(), [4, 5]);
    },
  },
  ...LEAVINGS.map(([name, leave, foreground = false]): StoreCase => ({
    name: `permits of a run that is ${name} are free in the same transaction`,
    run: async (make) => {
      const { store } = await make();
      const run = await applyRun(store, createRun({ foreground }));
      const next = await applyRun(store, createRun());
      await take(store, takeOf(run, "a", USE_ONE, makeUse(MODEL)));
      await refused(store, takeOf(next, "a", USE_ONE));

      const results = await store.apply([
        leave(run),
        takeOf(next, "a", USE_ONE, makeUse(MODEL)),
        takeOf(next, "b", USE_ONE),
      ]);
      assert.deepEqual(
        results.map(({ kind }) => kind),
        ["done", "permitted", "held-back"],
      );
      assert.deepEqual(await store.listPermits(run.id, 10), []);
      assert.equal((await getResource(store)).held, 1);
    },
  })),
  {
    name: "permits that are taken and left in one transaction are not held after it",
    run: async (make) => {
      const { store, run } = await makeScene(make);
      const results = await store.apply([takeOf(run, "a", USE_ONE), endRun(run, "succeeded")]);
      assert.deepEqual(
        results.map(({ kind }) => kind),
        ["permitted", "done"],
      );
      assert.equal((await getResource(store)).held, 0);
    },
  },
  {
    name: "who has lost its epoch gets nothing and gives nothing back",
    run: async (make) => {
      const { store, run } = await makeScene(make);
      const now = await applyRun(store, claimRun(run));
      await take(store, takeOf(now, "a", USE_TWO));
      const before = await store.listResources({ limit: 10 });
      for (const late of [takeOf(run, "b", USE_TWO), releaseOf(run, "a", returned())])
        assert.equal((await apply(store, late)).kind, "lease-lost");
      assert.deepEqual(await store.listResources({ limit: 10 }), before);
      await applyAll(store, endRun(now, "succeeded"));
      assert.equal((await apply(store, takeOf(now, "a", USE_TWO))).kind, "lease-lost");
    },
  },
  {
    name: "permits of an owner whose lease is over do not count, though nobody has taken its run back",
    run: async (make) => {
      const { store, advance } = await make();
      const gone = await applyRun(store, createRun());
      await take(store, takeOf(gone, "a", USE_ONE));
      await advance(LEASE_MS + LEASE_GRACE_MS_DEFAULT - 1);
      const next = await applyRun(store, createRun());
      await refused(store, takeOf(next, "a", USE_ONE));
      await advance(1);
      await take(store, takeOf(next, "a", USE_ONE));

      assert.equal((await getRun(store, gone.id)).state, "running");
      assert.deepEqual(await store.listPermits(gone.id, 10), []);
      await release(store, releaseOf(gone, "a", returned({ outcome: "failure" })));
      const { held, totals } = await getResource(store);
      assert.deepEqual([held, totals.failed], [1, 0]);
    },
  },
  {
    name: "one who asks for several resources passes over all that the dead hold, at once",
    run: async (make) => {
      const { store, advance } = await make();
      const gone = await applyRun(store, createRun());
      await take(store, takeOf(gone, "a", USE_ONE, makeUse(MODEL)));
      await advance(LEASE_MS + LEASE_GRACE_MS_DEFAULT);
      const next = await applyRun(store, createRun());
      await take(store, takeOf(next, "a", USE_ONE, makeUse(MODEL)));
    },
  },
  {
    name: "an owner that renews its lease keeps its permits",
    run: async (make) => {
      const { store, advance, run } = await makeScene(make);
      await take(store, takeOf(run, "a", USE_ONE));
      await advance(LEASE_MS);
      await store.renewLeases(makeOwner("worker-1"), [run], LEASE_MS);
      await advance(LEASE_MS);
      await refused(store, takeOf(await applyRun(store, createRun()), "a", USE_ONE));
    },
  },
];
