// Chapter: claims. Who owns a run, and what a resume sets back.

import assert from "node:assert/strict";
import type { StateEntry } from "../../model/checkpoint.ts";
import {
  apply,
  applyAll,
  applyRun,
  claimRun,
  createRun,
  encoded,
  endRun,
  FAILED_ITEM,
  getRun,
  inline,
  interruptRun,
  LEASE_MS,
  makeFailure,
  makeOwner,
  makeRetry,
  moveRun,
  PENDING,
  putItem,
  putMemo,
  putStage,
  refusalOf,
  WAITING,
  requestCancel,
} from "./fixture.ts";
import type { StoreCase } from "./suite.ts";

/** Cases about claims. */
export const claimCases: readonly StoreCase[] = [
  {
    name: "a claim raises the epoch, takes the lease and starts the run",
    run: async (make) => {
      const { store, advance } = await make();
      const queued = await applyRun(store, createRun({}, { claim: null }));
      await advance(1_000);
      const run = await applyRun(
        store,
        claimRun(queued, {
          definitionHash: "hash-2",
          definitionJson: "2",
          settings: { concurrency: 2 },
        }),
      );

      assert.deepEqual(await getRun(store, queued.id), run);
      assert.partialDeepStrictEqual(run, {
        id: queued.id,
        number: queued.number,
        state: "running",
        epoch: 1,
        crashes: 0,
        resumes: 0,
        definitionHash: "hash-2",
        settings: { concurrency: 2 },
      });
      assert.deepEqual(run.lease?.owner, makeOwner("worker-2"));
      assert.equal(run.lease?.expiresAtMs, (run.startedAtMs ?? 0) + LEASE_MS);
      assert.ok((run.startedAtMs ?? 0) >= queued.queuedAtMs + 1_000);
      assert.equal(await store.findDefinition("hash-2"), "2");
    },
  },
  {
    name: "a claim without an owner queues the run for whoever works, out of the foreground",
    run: async (make) => {
      const { store } = await make();
      const run = await applyRun(store, createRun({ foreground: true }));
      await applyAll(store, endRun(run, "failed"));
      const queued = await applyRun(store, claimRun(run, { claim: null, reopen: true }));

      assert.deepEqual(await getRun(store, run.id), queued);
      assert.partialDeepStrictEqual(queued, {
        state: "queued",
        foreground: false,
        lease: null,
        epoch: 2,
        resumes: 1,
        endedAtMs: null,
      });
      const late = await apply(store, putStage(run, { stage: "a" }));
      assert.equal(late.kind, "lease-lost");
      const taken = await applyRun(store, claimRun(queued, { foreground: true }));
      assert.partialDeepStrictEqual(taken, { state: "running", foreground: true, epoch: 3 });
      const refusal = await refusalOf(store, moveRun(taken, "queued"));
      assert.match(refusal, /foreground/);
      const left = await applyRun(store, interruptRun(taken));
      assert.equal(left.state, "waiting");
    },
  },
  {
    name: "of two that claim one run, one wins",
    run: async (make) => {
      const { store } = await make();
      const queued = await applyRun(store, createRun({}, { claim: null }));
      const [first, second] = await store.apply([claimRun(queued), claimRun(queued)]);

      assert.equal(first?.kind, "done");
      assert.equal(second?.kind, "conflict");
      assert.equal((await getRun(store, queued.id)).epoch, 1);
    },
  },
  {
    name: "a claim is refused in another state than expected, and says which",
    run: async (make) => {
      const { store } = await make();
      const run = await applyRun(store, createRun());
      const reason = await refusalOf(store, claimRun(run, { from: ["queued", "waiting"] }));

      assert.match(reason, /"running".*"queued" or "waiting"/);
      assert.deepEqual(await getRun(store, run.id), run);
    },
  },
  {
    name: "a run that nobody made cannot be claimed",
    run: async (make) => {
      const { store } = await make();
      const result = await apply(store, claimRun({ id: "none", epoch: 0 }));

      assert.equal(result.kind === "conflict" && result.run, null);
    },
  },
  {
    name: "a lost owner's run is taken over under the next epoch, and the loss is counted",
    run: async (make) => {
      const { store } = await make();
      const run = await applyRun(store, createRun());
      const taken = await applyRun(store, claimRun(run, { crashed: true }));

      assert.partialDeepStrictEqual(taken, { state: "running", epoch: 2, crashes: 1, resumes: 0 });
      assert.equal(taken.startedAtMs, run.startedAtMs);
      assert.equal(taken.lease?.owner.worker, "worker-2");
    },
  },
  {
    name: "whoever lost its run changes nothing of it any more",
    run: async (make) => {
      const { store } = await make();
      const run = await applyRun(store, createRun());
      const taken = await applyRun(store, claimRun(run));
      const zombie = [
        putStage(run, { stage: "a" }),
        putItem(run, { key: "k" }),
        putMemo(run, { stage: "a", item: null, name: "m" }, 1),
        { kind: "tell", runId: run.id, epoch: run.epoch, events: [{ type: "stage.logged" }] },
        { kind: "drop-items", runId: run.id, epoch: run.epoch, stage: "a", keys: [], events: [] },
        endRun(run, "succeeded"),
      ] as const;
      const results = await store.apply(zombie);

      assert.deepEqual(
        results.map((result) => result.kind),
        zombie.map(() => "lease-lost"),
      );
      assert.deepEqual(await getRun(store, run.id), taken);
      assert.deepEqual(await store.listStages(run.id), []);
      assert.deepEqual(await store.listEvents({ runId: run.id, after: 0, limit: 10 }), []);
    },
  },
  {
    name: "R204: a resume keeps the id, counts itself and clears how the run ended",
    run: async (make) => {
      const { store } = await make();
      const run = await applyRun(store, createRun());
      await applyAll(store, requestCancel(run.id), {
        ...endRun(run, "failed"),
        reason: "stage a failed",
      });
      const ended = await getRun(store, run.id);
      assert.equal(ended.cancelReason, "no longer wanted");
      const resumed = await applyRun(store, claimRun(ended, { reopen: true }));

      assert.deepEqual(resumed, {
        ...run,
        state: "running",
        epoch: 2,
        resumes: 1,
        lease: resumed.lease,
        updatedAtMs: resumed.updatedAtMs,
      });
      assert.equal(resumed.lease?.owner.worker, "worker-2");
    },
  },
  {
    name: "only a resume takes a run that is over",
    run: async (make) => {
      const { store } = await make();
      const run = await applyRun(store, createRun());
      await applyAll(store, endRun(run, "failed"));

      assert.match(await refusalOf(store, claimRun(run)), /resume.*"failed"/);
    },
  },
  {
    name: "what succeeded or was skipped is final, and the refusal names both states",
    run: async (make) => {
      const { store } = await make();
      for (const state of ["succeeded", "skipped"] as const) {
        const run = await applyRun(store, createRun());
        await applyAll(store, endRun(run, state));
        const reason = await refusalOf(store, claimRun(run, { from: [state], reopen: true }));

        assert.equal(reason, `A run cannot move from "${state}" to "running".`);
      }
    },
  },
  {
    name: "an open reset sets back a stage, its failed items and those that wait, and keeps successes, outputs and state",
    run: async (make) => {
      const { store } = await make();
      const run = await applyRun(store, createRun());
      const wait = { waitedMs: { retry: 50 }, reason: "why", blocker: "db", dueAtMs: 9 };
      const told = { failure: makeFailure("no"), attempts: 3, ...wait };
      await applyAll(
        store,
        putItem(run, { key: "a", index: 0 }, { state: [entry("seen", "fetch")] }),
        putItem(
          run,
          { key: "b", index: 1, ...FAILED_ITEM, ...told },
          { retry: makeRetry({ item: "b" }) },
        ),
        putItem(run, { key: "c", index: 2, ...FAILED_ITEM, state: "cancelled" }),
        putItem(run, { key: "d", index: 3, ...FAILED_ITEM, state: "skipped" }),
        putItem(run, { key: "e", index: 4, ...WAITING }),
        putMemo(run, { stage: "fetch", item: "b", name: "m" }, 1),
        putStage(run, {
          stage: "fetch",
          state: "failed",
          via: "run",
          itemCount: 5,
          ...told,
          metrics: { rows: 1 },
          cpuMs: 1,
          peakBytes: 2,
          output: inline("kept"),
        }),
        putStage(run, { stage: "slow", ...WAITING }),
        endRun(run, "failed"),
      );
      const resetStages = [
        { stage: "fetch", mode: "open" },
        { stage: "slow", mode: "open" },
        { stage: "absent", mode: "open" },
      ] as const;
      await applyAll(store, claimRun(run, { reopen: true, resetStages }));

      assert.deepEqual(await store.findStage(run.id, "fetch"), {
        ...putStage(run, { stage: "fetch" }).record,
        state: "pending",
        via: null,
        attempts: 0,
        output: inline("kept"),
        itemCount: 5,
        startedAtMs: null,
        endedAtMs: null,
        durationMs: null,
      });
      const items = await store.listItems({ runId: run.id, stage: "fetch", limit: 10 });
      assert.deepEqual(
        items.map((item) => item.state),
        ["succeeded", "pending", "pending", "skipped", "pending"],
      );
      assert.deepEqual(items[1], putItem(run, { key: "b", index: 1, ...PENDING }).record);
      assert.deepEqual(items[4], putItem(run, { key: "e", index: 4, ...PENDING }).record);
      assert.deepEqual(
        await store.findStage(run.id, "slow"),
        putStage(run, { stage: "slow", ...PENDING }).record,
      );
      assert.deepEqual((await store.countItems(run.id)).get("fetch"), {
        succeeded: 1,
        pending: 3,
        skipped: 1,
      });
      assert.equal((await store.listState(run.id)).length, 1);
      assert.equal((await store.listRetries(run.id, "fetch", "b")).length, 1);
      const memo = { runId: run.id, stage: "fetch", item: "b", name: "m" };
      assert.equal(await store.findMemo(memo), encoded(1));
      assert.equal(await store.findStage(run.id, "absent"), undefined);
    },
  },
  {
    name: "a keep reset changes the state of a stage, and nothing else",
    run: async (make) => {
      const { store } = await make();
      const run = await applyRun(store, createRun());
      const put = putStage(run, { stage: "fetch", metrics: { rows: 1 }, itemCount: 1 });
      const item = putItem(run, { key: "a", ...FAILED_ITEM });
      await applyAll(store, item, put, moveRun(run, "waiting", { reason: "interrupted" }));
      const resetStages = [{ stage: "fetch", mode: "keep" }] as const;
      await applyAll(store, claimRun(run, { reopen: true, resetStages }));

      assert.deepEqual(await store.findStage(run.id, "fetch"), { ...put.record, state: "pending" });
      assert.deepEqual(await store.findItem(run.id, "fetch", "a"), item.record);
    },
  },
  {
    name: "a drop reset deletes a stage with its items, memos and state, and no other",
    run: async (make) => {
      const { store } = await make();
      const run = await applyRun(store, createRun());
      for (const stage of ["fetch", "fetch2"]) {
        await applyAll(
          store,
          putItem(run, { stage, key: "a" }, { retry: makeRetry({ stage, item: "a" }) }),
          putItem(run, { stage, key: "b", ...FAILED_ITEM }),
          putMemo(run, { stage, item: "a", name: "m" }, 1),
          putMemo(run, { stage, item: null, name: "m" }, 1),
          putStage(run, { stage }, { state: [entry(`of-${stage}`, stage)] }),
        );
      }
      const resetStages = [{ stage: "fetch", mode: "drop" }] as const;
      await applyAll(store, claimRun(run, { resetStages }));

      const left = await store.loadCheckpoints(run.id);
      assert.deepEqual(
        left.stages.map((stage) => stage.stage),
        ["fetch2"],
      );
      assert.deepEqual([...left.items.keys()], ["fetch2"]);
      assert.deepEqual(
        left.state.map((entry) => entry.key),
        ["of-fetch2"],
      );
      assert.deepEqual(
        await store.countItems(run.id),
        new Map([["fetch2", { succeeded: 1, failed: 1 }]]),
      );
      const memo = { runId: run.id, stage: "fetch", item: "a", name: "m" };
      assert.equal(await store.findMemo(memo), undefined);
      assert.equal(await store.findMemo({ ...memo, item: null }), undefined);
      assert.equal(await store.findMemo({ ...memo, stage: "fetch2" }), encoded(1));
      assert.equal((await store.listRetries(run.id, "fetch", "a")).length, 1);
    },
  },
];

function entry(key: string, stage: string): StateEntry {
  return { key, stage, value: encoded(key) };
}
