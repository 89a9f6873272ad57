// Chapter: take-over. A new run that begins with another run's checkpoints.

import assert from "node:assert/strict";
import type { TakenStage } from "../../storage/write.ts";
import {
  applyAll,
  applyRun,
  createRun,
  encoded,
  FAILED,
  FAILED_ITEM,
  makeRetry,
  PENDING,
  putItem,
  putMemo,
  putStage,
} from "./fixture.ts";
import type { StoreCase } from "./suite.ts";

/** Cases about taking checkpoints over. */
export const takeOverCases: readonly StoreCase[] = [
  {
    name: "successes and skips are taken over whole, as checkpoints",
    run: async (make) => {
      const { store } = await make();
      const from = await applyRun(store, createRun());
      const state = [{ key: "k", stage: "fetch", value: encoded(1) }];
      const success = putStage(from, { stage: "fetch", itemCount: 2 }, { state });
      const skip = putStage(from, { stage: "skip", state: "skipped", via: null, reason: "branch" });
      const item = putItem(from, { key: "a" });
      const failed = putItem(from, { key: "b", ...FAILED_ITEM });
      await applyAll(
        store,
        item,
        failed,
        putItem(from, { key: "c", ...FAILED_ITEM, state: "waiting" }),
        putMemo(from, { stage: "fetch", item: "a", name: "m" }, 1),
        success,
        skip,
        putStage(from, { stage: "left" }),
      );
      const stages = [whole("fetch"), whole("skip"), whole("absent")];
      const run = await applyRun(store, createRun({}, { takeOver: { from: from.id, stages } }));

      const taken = await store.loadCheckpoints(run.id);
      assert.deepEqual(taken.stages, [{ ...success.record, via: "checkpoint" }, skip.record]);
      const items = [{ ...item.record, via: "checkpoint" }, failed.record];
      assert.deepEqual(taken.items, new Map([["fetch", items]]));
      assert.deepEqual(taken.state, state);
      const memo = { runId: run.id, stage: "fetch", item: "a", name: "m" };
      assert.equal(await store.findMemo(memo), encoded(1));
      const counts = { succeeded: 1, failed: 1 };
      assert.deepEqual(await store.countItems(run.id), new Map([["fetch", counts]]));
      assert.deepEqual((await store.findStage(from.id, "fetch"))?.via, "run");
      assert.deepEqual((await store.countItems(from.id)).get("fetch"), { ...counts, waiting: 1 });
    },
  },
  {
    name: "a stage that did not end well is not taken over whole",
    run: async (make) => {
      const { store } = await make();
      const from = await applyRun(store, createRun());
      await applyAll(
        store,
        putItem(from, { key: "a" }),
        putStage(from, { stage: "fetch", ...FAILED }),
        putStage(from, { stage: "open", ...PENDING }),
      );
      const stages = [whole("fetch"), whole("open")];
      const run = await applyRun(store, createRun({}, { takeOver: { from: from.id, stages } }));

      assert.deepEqual(await store.listStages(run.id), []);
      assert.deepEqual(await store.countItems(run.id), new Map());
    },
  },
  {
    name: "of a stage that failed its successful items can be taken over, and the rest is done again",
    run: async (make) => {
      const { store } = await make();
      const from = await applyRun(store, createRun());
      const state = [{ key: "k", stage: "fetch", value: encoded(1) }];
      await applyAll(
        store,
        putItem(from, { key: "a", index: 0 }, { state }),
        putItem(from, { key: "b", index: 1, ...FAILED_ITEM }, { retry: makeRetry({ item: "b" }) }),
        putItem(from, { key: "c", index: 2, ...FAILED_ITEM, state: "skipped" }),
        putStage(from, { stage: "fetch", ...FAILED }),
      );
      const stages = [{ stage: "fetch", mode: "items" }] as const;
      const run = await applyRun(store, createRun({}, { takeOver: { from: from.id, stages } }));

      assert.equal(await store.findStage(run.id, "fetch"), undefined);
      const items = await store.listItems({ runId: run.id, stage: "fetch", limit: 10 });
      assert.deepEqual(
        items.map((item) => [item.key, item.via]),
        [["a", "checkpoint"]],
      );
      assert.deepEqual(await store.listState(run.id), state);
      assert.deepEqual(await store.listRetries(run.id, "fetch", "b"), []);
      await applyAll(store, putItem(run, { key: "b", index: 1 }));
      assert.deepEqual((await store.countItems(run.id)).get("fetch"), { succeeded: 2 });
    },
  },
  {
    name: "a stage to be rechecked is pending, with its output, versions and the successes of its items",
    run: async (make) => {
      const { store } = await make();
      const from = await applyRun(store, createRun());
      const success = putStage(from, { stage: "fetch", itemCount: 2 });
      await applyAll(
        store,
        putItem(from, { key: "a" }),
        putItem(from, { key: "b", ...FAILED_ITEM }),
        success,
        putStage(from, { stage: "left", ...FAILED }),
      );
      const stages = (["fetch", "left"] as const).map(recheck);
      const run = await applyRun(store, createRun({}, { takeOver: { from: from.id, stages } }));

      const pending = { ...success.record, via: "checkpoint", state: "pending" };
      assert.deepEqual(await store.listStages(run.id), [pending]);
      assert.deepEqual((await store.countItems(run.id)).get("fetch"), { succeeded: 1 });
      await applyAll(store, putStage(run, { stage: "fetch" }));
      assert.equal((await store.findStage(run.id, "fetch"))?.state, "succeeded");
    },
  },
  {
    name: "a run that nobody made gives nothing",
    run: async (make) => {
      const { store } = await make();
      const stages = [whole("fetch")];
      const run = await applyRun(store, createRun({}, { takeOver: { from: "none", stages } }));

      assert.deepEqual(await store.listStages(run.id), []);
    },
  },
];

function recheck(stage: string): TakenStage {
  return { stage, mode: "recheck" };
}

function whole(stage: string): TakenStage {
  return { stage, mode: "whole" };
}
