// Chapter: reclaims. Runs of queues whose owner is gone, the claims they may lose, and stages set back under a
// lease.

import assert from "node:assert/strict";
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
  endRun,
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
  resetStages,
  tell,
} from "../fixture.ts";
import type { StoreCase } from "../suite.ts";

/** The next run, claimed; and lost again, so often. */
async function claimOne(store: Store, losses: number = 0): Promise<RunRecord> {
  const [next] = await applyClaim(store, claimNext());
  assert.ok(next !== undefined, "nothing was claimed");
  if (losses === 0) return next.run;
  await applyRun(store, reclaimRun(next.run));
  return claimOne(store, losses - 1);
}

/** Cases about runs that lost their owners. */
const lossCases: readonly StoreCase[] = [
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

/** Crashes of a run, without their words. */
async function listCounts(store: Store, run: string): Promise<readonly unknown[]> {
  const found = await store.listCrashes(run);
  assert.deepEqual((await store.loadCheckpoints(run)).crashes, found);
  return found.map(({ stage, item, crashes, isolated }) => [stage, item, crashes, isolated]);
}

/** Cases about what may have taken an owner along. */
const crashCases: readonly StoreCase[] = [
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

/** Cases about stages that are set back under a lease. */
const resetCases: readonly StoreCase[] = [
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

function failNoOwner(): never {
  throw new assert.AssertionError({ message: "A claimed run has no owner." });
}

/** Cases about reclaims. */
export const reclaimCases: readonly StoreCase[] = [...lossCases, ...crashCases, ...resetCases];
