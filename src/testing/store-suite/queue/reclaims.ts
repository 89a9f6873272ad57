// Chapter: reclaims. Runs of queues whose owner is gone, and the claims they may lose.

import assert from "node:assert/strict";
import {
  apply,
  applyAll,
  applyClaim,
  applyRun,
  claimNext,
  claimRun,
  createRun,
  FAILED_ITEM,
  getRun,
  interruptRun,
  makeFailure,
  makeRetry,
  moveRun,
  putItem,
  putMemo,
  putStage,
  queueRun,
  reclaimRun,
  refusalOf,
  requestCancel,
  tell,
} from "../fixture.ts";
import type { StoreCase } from "../suite.ts";
import { claimOne } from "./queue-fixture.ts";

/** Cases about runs that lost their owners. */
export const reclaimCases: readonly StoreCase[] = [
  {
    name: "a reclaimed run is queued under the next epoch, the loss is counted, its owner fenced",
    run: async (make) => {
      const { store, advance } = await make();
      await applyAll(store, queueRun());
      const run = await claimOne(store);
      await applyAll(store, putStage(run, { stage: "a" }));
      await advance(100);
      const reclaimed = { type: "run.reclaimed", data: { epoch: 2 } } as const;
      const free = await applyRun(store, reclaimRun(run, { events: [reclaimed] }));

      assert.deepEqual(free, {
        ...run,
        state: "queued",
        lease: null,
        epoch: 2,
        attempts: 1,
        crashes: 1,
        updatedAtMs: run.updatedAtMs + 100,
      });
      assert.deepEqual(await getRun(store, run.id), free);
      assert.equal((await apply(store, putStage(run, { stage: "b" }))).kind, "lease-lost");
      assert.deepEqual(await store.renewLeases(run.lease?.owner ?? failNoOwner(), [run], 1_000), [
        run.id,
      ]);
      const events = await store.listEvents({ runId: run.id, after: 0, limit: 9 });
      assert.deepEqual(
        events.map(({ seq, runSeq, type }) => [seq, runSeq, type]),
        [
          [1, 1, "run.started"],
          [2, 2, "run.reclaimed"],
        ],
      );
      assert.equal((await store.findStage(run.id, "a"))?.state, "succeeded");
      assert.deepEqual(await store.countRuns(), new Map([["crawl", { queued: 1 }]]));
      assert.partialDeepStrictEqual(await claimOne(store), { epoch: 3, attempts: 1, crashes: 1 });
    },
  },
  {
    name: "a run that lost its last claim has failed, says why, and is claimed no more",
    run: async (make) => {
      const { store, advance } = await make();
      await applyAll(store, queueRun());
      const run = await claimOne(store, 2);
      assert.partialDeepStrictEqual(run, { epoch: 5, attempts: 2, crashes: 2 });
      await advance(10);
      const failure = makeFailure("three owners were lost");
      const write = reclaimRun(run, { failure, events: [{ type: "run.reclaimed" }] });
      const failed = await applyRun(store, write);

      assert.partialDeepStrictEqual(failed, {
        state: "failed",
        reason: "three owners were lost",
        failure,
        epoch: 6,
        attempts: 3,
        crashes: 3,
        lease: null,
        endedAtMs: run.updatedAtMs + 10,
      });
      assert.deepEqual(await getRun(store, run.id), failed);
      const events = await store.listEvents({ runId: run.id, after: 0, limit: 99 });
      const [reclaimed, ended] = events.slice(-2);
      assert.equal(reclaimed?.type, "run.reclaimed");
      assert.partialDeepStrictEqual(ended, {
        type: "run.failed",
        runSeq: 5,
        data: { class: failure.class, message: failure.message },
      });
      assert.deepEqual(await applyClaim(store, claimNext()), []);
      assert.deepEqual(await store.countRuns(), new Map([["crawl", { failed: 1 }]]));
      const resumed = await applyRun(store, claimRun(failed, { reopen: true, claim: null }));
      assert.partialDeepStrictEqual(resumed, { state: "queued", attempts: 0, failure: null });
    },
  },
  {
    name: "a run that may lose no claim fails with its first",
    run: async (make) => {
      const { store } = await make();
      await applyAll(store, queueRun());
      const run = await claimOne(store);
      const failed = await applyRun(store, reclaimRun(run, { attemptsMax: 1 }));
      assert.partialDeepStrictEqual(failed, { state: "failed", attempts: 1 });
    },
  },
  {
    name: "a lost run whose end was asked for is cancelled, whatever claims it has left",
    run: async (make) => {
      const { store } = await make();
      for (const attemptsMax of [1, 3]) {
        await applyAll(store, queueRun());
        const run = await claimOne(store);
        await applyRun(store, requestCancel(run.id, "enough"));
        const ended = await applyRun(store, reclaimRun(run, { attemptsMax }));

        assert.partialDeepStrictEqual(ended, { state: "cancelled", reason: "enough", epoch: 2 });
        assert.equal(ended.failure, null);
        assert.notEqual(ended.endedAtMs, null);
        const events = await store.listEvents({ runId: run.id, after: 0, limit: 9 });
        assert.partialDeepStrictEqual(events.at(-1), {
          type: "run.cancelled",
          data: { reason: "enough" },
        });
      }
      assert.deepEqual(await store.countRuns(), new Map([["crawl", { cancelled: 2 }]]));
      assert.deepEqual(await applyClaim(store, claimNext()), []);
    },
  },
  {
    name: "only a running run of a queue is reclaimed, under the epoch that was seen",
    run: async (make) => {
      const { store } = await make();
      const queued = await applyRun(store, queueRun());
      assert.match(await refusalOf(store, reclaimRun(queued)), /"queued".*running/);
      const run = await claimOne(store);
      assert.match(await refusalOf(store, reclaimRun(queued)), /epoch is 1, 0 was expected/);
      assert.deepEqual(await getRun(store, run.id), run);

      const mine = await applyRun(store, createRun({ foreground: true }));
      assert.match(await refusalOf(store, reclaimRun(mine)), /foreground/);
      assert.match(await refusalOf(store, interruptRun(run)), /not in the foreground/);
      await applyAll(store, moveRun(run, "waiting"));
      assert.match(await refusalOf(store, reclaimRun(run)), /"waiting"/);
      const nobody = await apply(store, reclaimRun({ id: "none", epoch: 1 }));
      assert.equal(nobody.kind === "conflict" && nobody.run, null);
      assert.deepEqual(await store.countRuns(), new Map([["crawl", { running: 1, waiting: 1 }]]));
    },
  },
  {
    name: "of two that reclaim one run, one does",
    run: async (make) => {
      const { store } = await make();
      await applyAll(store, queueRun());
      const run = await claimOne(store);
      const results = await store.apply([reclaimRun(run), reclaimRun(run)]);
      assert.deepEqual(
        results.map((result) => result.kind),
        ["done", "conflict"],
      );
      assert.partialDeepStrictEqual(await getRun(store, run.id), { attempts: 1, crashes: 1 });
    },
  },
  {
    name: "a checkpoint that ended makes the losses before it forgotten; anything else does not",
    run: async (make) => {
      const { store } = await make();
      await applyAll(store, queueRun());
      const pending = { state: "waiting", endedAtMs: null } as const;
      const kept = await claimOne(store, 1);
      await applyAll(
        store,
        putStage(kept, { stage: "a", ...pending }, { retry: makeRetry({ stage: "a" }) }),
        putItem(kept, { key: "k", state: "running", endedAtMs: null }),
        putMemo(kept, { stage: "a", item: null, name: "m" }, 1),
        tell(kept, { type: "stage.logged" }),
      );
      assert.partialDeepStrictEqual(await getRun(store, kept.id), { attempts: 1, crashes: 1 });

      await applyAll(store, putItem(kept, { key: "k", ...FAILED_ITEM }));
      assert.partialDeepStrictEqual(await getRun(store, kept.id), { attempts: 0, crashes: 1 });
      const lost = await applyRun(store, reclaimRun(kept));
      assert.partialDeepStrictEqual(lost, { attempts: 1, crashes: 2, state: "queued" });
      const next = await claimOne(store);
      const results = await store.apply([putStage(next, { stage: "b" }), reclaimRun(next)]);
      assert.partialDeepStrictEqual(results[1], { run: { attempts: 1, crashes: 3, retries: 1 } });
    },
  },
];

function failNoOwner(): never {
  throw new assert.AssertionError({ message: "A claimed run has no owner." });
}
