// Chapter: crashes. What may have taken the owner of a run along, and when that is forgotten.

import assert from "node:assert/strict";
import type { Store } from "../../../storage/store.ts";
import {
  apply,
  applyAll,
  applyClaim,
  applyRun,
  claimNext,
  claimRun,
  endRun,
  FAILED_ITEM,
  getRun,
  putItem,
  putStage,
  queueRun,
  reclaimRun,
  resetStages,
} from "../fixture.ts";
import type { StoreCase } from "../suite.ts";
import { claimOne } from "./queue-fixture.ts";

/** Crashes of a run, without their words. */
async function listCounts(store: Store, run: string): Promise<readonly unknown[]> {
  const found = await store.listCrashes(run);
  assert.deepEqual((await store.loadCheckpoints(run)).crashes, found);
  return found.map(({ stage, item, crashes, isolated }) => [stage, item, crashes, isolated]);
}

/** Cases about what may have taken an owner along. */
export const crashCases: readonly StoreCase[] = [
  {
    name: "the suspects of a lost claim get a crash each, and one that names nobody is kept apart",
    run: async (make) => {
      const { store } = await make();
      await applyAll(store, queueRun());
      const first = await claimOne(store);
      const a = { stage: "a", item: null, isolated: false };
      const key = { stage: "a", item: "k/1", isolated: false };
      await applyRun(store, reclaimRun(first, { suspects: [key, a], reason: "its host burned" }));
      assert.deepEqual(await listCounts(store, first.id), [
        ["a", null, 1, 0],
        ["a", "k/1", 1, 0],
      ]);
      assert.equal((await store.listCrashes(first.id))[0]?.reason, "its host burned");
      await applyRun(store, reclaimRun(await claimOne(store)));
      const third = await claimOne(store);
      await applyRun(store, reclaimRun(third, { suspects: [a], attemptsMax: 9 }));
      assert.deepEqual(await listCounts(store, first.id), [
        [null, null, 1, 0],
        ["a", null, 2, 0],
        ["a", "k/1", 1, 0],
      ]);
      assert.deepEqual(await store.listCrashes("none"), []);
    },
  },
  {
    name: "who crashes alone answers for what named nobody, while there was no progress",
    run: async (make) => {
      const { store } = await make();
      await applyAll(store, queueRun(), queueRun());
      for (const hasProgress of [false, true]) {
        const run = await claimOne(store, 2);
        if (hasProgress) await applyAll(store, putStage(run, { stage: "b" }));
        const crash = {
          kind: "put-crash",
          runId: run.id,
          epoch: run.epoch,
          stage: "a",
          item: null,
          reason: "killed",
          events: [],
        } as const;
        await applyAll(store, crash);
        assert.deepEqual(await listCounts(store, run.id), [["a", null, hasProgress ? 1 : 3, 1]]);
        // It costs the run nothing.
        const attempts = hasProgress ? 0 : 2;
        assert.partialDeepStrictEqual(await getRun(store, run.id), { attempts, crashes: 2 });
        const late = { ...crash, epoch: run.epoch - 1 };
        assert.equal((await apply(store, late)).kind, "lease-lost");
        await applyAll(store, endRun(run, "failed"));
      }
    },
  },
  {
    name: "crashes go with what is done from nothing, and with the wish to try an ended run again",
    run: async (make) => {
      const { store } = await make();
      await applyAll(store, queueRun());
      const lost = await claimOne(store);
      const suspects = [
        { stage: "a", item: null, isolated: false },
        { stage: "fetch", item: "k", isolated: false },
        { stage: "fetch", item: "l", isolated: false },
      ];
      await applyRun(store, reclaimRun(lost, { suspects }));
      const run = await claimOne(store);
      await applyAll(store, putItem(run, { key: "k", ...FAILED_ITEM }), {
        kind: "drop-items",
        runId: run.id,
        epoch: run.epoch,
        stage: "fetch",
        keys: ["k"],
        events: [],
      });
      assert.deepEqual(await listCounts(store, run.id), [
        ["a", null, 1, 0],
        ["fetch", "l", 1, 0],
      ]);
      await applyAll(store, resetStages(run, { stage: "fetch", mode: "drop" }));
      assert.deepEqual(await listCounts(store, run.id), [["a", null, 1, 0]]);
      await applyAll(store, endRun(run, "failed"));
      const failed = await getRun(store, run.id);
      assert.equal(failed.crashes, 1);
      const again = await applyRun(store, claimRun(failed, { reopen: true, claim: null }));
      assert.partialDeepStrictEqual(again, { state: "queued", attempts: 0, crashes: 0 });
      assert.deepEqual(await listCounts(store, run.id), []);
    },
  },
  {
    name: "a run that is tried again later waits until then, and begins in its turn",
    run: async (make) => {
      const { store, advance } = await make();
      await applyAll(store, queueRun());
      const run = await claimOne(store);
      await applyAll(store, endRun(run, "failed"));
      const failed = await getRun(store, run.id);
      const later = { reopen: true, claim: null, delayMs: 1_000 };
      const waiting = await applyRun(store, claimRun(failed, later));
      const dueAtMs = waiting.updatedAtMs + 1_000;
      assert.partialDeepStrictEqual(waiting, { state: "waiting", reason: "due", dueAtMs });
      assert.equal(waiting.wakeAtMs, dueAtMs);
      assert.deepEqual(await applyClaim(store, claimNext()), []);
      await advance(1_000);
      await store.apply([{ kind: "wake-runs", limit: 10 }]);
      assert.partialDeepStrictEqual(await claimOne(store), { id: run.id, attempts: 0 });
    },
  },
];
