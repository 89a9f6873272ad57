// Chapter: resets. Stages that are set back under a lease.

import assert from "node:assert/strict";
import {
  apply,
  applyAll,
  applyRun,
  endRun,
  FAILED_ITEM,
  putItem,
  putMemo,
  putStage,
  queueRun,
  reclaimRun,
  resetStages,
} from "../fixture.ts";
import type { StoreCase } from "../suite.ts";
import { claimOne } from "./queue-fixture.ts";

/** Cases about stages that are set back under a lease. */
export const resetCases: readonly StoreCase[] = [
  {
    name: "stages are set back under a lease, each in its way",
    run: async (make) => {
      const { store } = await make();
      await applyAll(store, queueRun());
      const run = await claimOne(store);
      for (const stage of ["open", "keep", "drop"]) {
        await applyAll(
          store,
          putItem(run, { stage, key: "good" }),
          putItem(run, { stage, key: "bad", ...FAILED_ITEM }),
          putMemo(run, { stage, item: "good", name: "m" }, stage),
          putStage(run, { stage }),
        );
      }
      await applyAll(
        store,
        resetStages(
          run,
          { stage: "open", mode: "open" },
          { stage: "keep", mode: "keep" },
          { stage: "drop", mode: "drop" },
          { stage: "none", mode: "open" },
        ),
      );

      const stages = await store.listStages(run.id);
      assert.deepEqual(
        stages.map(({ stage, state }) => [stage, state]),
        [
          ["keep", "pending"],
          ["open", "pending"],
        ],
      );
      assert.deepEqual(
        await store.countItems(run.id),
        new Map([
          ["keep", { succeeded: 1, failed: 1 }],
          ["open", { succeeded: 1, pending: 1 }],
        ]),
      );
      const memo = { runId: run.id, item: "good", name: "m" };
      assert.equal(await store.findMemo({ ...memo, stage: "drop" }), undefined);
      assert.notEqual(await store.findMemo({ ...memo, stage: "open" }), undefined);
      assert.equal((await apply(store, putStage(run, { stage: "open" }))).kind, "done");
    },
  },
  {
    name: "who lost its run sets nothing back",
    run: async (make) => {
      const { store } = await make();
      await applyAll(store, queueRun());
      const run = await claimOne(store);
      await applyAll(store, putStage(run, { stage: "a" }));
      const reset = { stage: "a", mode: "drop" } as const;
      const early = { id: run.id, epoch: run.epoch + 1 };
      assert.equal((await apply(store, resetStages(early, reset))).kind, "lease-lost");
      const lost = resetStages({ id: "none", epoch: 1 }, reset);
      assert.equal((await apply(store, lost)).kind, "lease-lost");

      await applyRun(store, reclaimRun(run));
      for (const epoch of [run.epoch, run.epoch + 1]) {
        const late = resetStages({ id: run.id, epoch }, reset);
        assert.equal((await apply(store, late)).kind, "lease-lost");
      }
      const taken = await claimOne(store);
      assert.equal((await apply(store, resetStages(run, reset))).kind, "lease-lost");
      assert.equal((await store.findStage(run.id, "a"))?.state, "succeeded");
      await applyAll(store, resetStages(taken, reset), endRun(taken, "succeeded"));
      assert.equal(await store.findStage(run.id, "a"), undefined);
    },
  },
];
