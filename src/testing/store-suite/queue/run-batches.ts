// Chapter: batches of runs, and transactions in which one run is claimed, moved and lost again and again: what
// is read, counted and numbered on the way must be as if each write had been committed alone.

import assert from "node:assert/strict";
import type { BatchQuery, Store } from "../../../storage/store.ts";
import type { NewRun, Write } from "../../../storage/write.ts";
import type { WriteResult } from "../../../storage/write-result.ts";
import {
  apply,
  applyAll,
  applyClaim,
  applyRun,
  claimNext,
  claimRun,
  createBatch,
  createRun,
  endRun,
  getRun,
  makeRetry,
  moveRun,
  putStage,
  queueRun,
  reclaimRun,
  requestCancel,
  tell,
} from "../fixture.ts";
import type { StoreCase } from "../suite.ts";

/** Queues runs of a batch, under keys. */
const queueAll = (batch: string, ...keys: readonly string[]): readonly Write[] =>
  keys.map((key) => queueRun({ key, batch }));

async function keysIn(store: Store, query: BatchQuery): Promise<readonly (string | null)[]> {
  return (await store.listBatchRuns(query)).map((run) => run.key);
}

/** Cases about batches of runs. */
const batchCases: readonly StoreCase[] = [
  {
    name: "a batch that is made twice stays as it was",
    run: async (make) => {
      const { store, advance } = await make();
      assert.deepEqual(await apply(store, createBatch("b-1")), { kind: "kept-batch" });
      const first = await store.findBatch("b-1");
      assert.partialDeepStrictEqual(first, { id: "b-1", pipeline: "crawl", source: "list.jsonl" });
      await advance(1_000);
      const again = { ...createBatch("b-1").batch, source: "other.jsonl" };
      const write = { kind: "create-batch", batch: again } as const;
      assert.deepEqual(await apply(store, write), { kind: "kept-batch" });

      assert.deepEqual(await store.findBatch("b-1"), first);
      assert.equal(await store.findBatch("b-2"), undefined);
      assert.deepEqual(await store.countBatch("b-1"), {});
      assert.deepEqual(await store.listBatchRuns({ batch: "b-1", limit: 9 }), []);
    },
  },
  {
    name: "a batch gives its runs in order of their numbers, page by page, and no others",
    run: async (make) => {
      const { store } = await make();
      await store.apply([createBatch("b-1"), createBatch("b-2")]);
      await applyAll(store, ...queueAll("b-1", "a", "b"), queueRun({ key: "alone" }));
      await applyAll(store, ...queueAll("b-2", "x"), ...queueAll("b-1", "c", "d"));

      assert.deepEqual(await keysIn(store, { batch: "b-1", limit: 3 }), ["a", "b", "c"]);
      const [, , third] = await store.listBatchRuns({ batch: "b-1", limit: 3 });
      assert.equal(third?.batch, "b-1");
      assert.deepEqual(await keysIn(store, { batch: "b-1", limit: 3, afterNumber: third.number }), [
        "d",
      ]);
      assert.deepEqual(
        await keysIn(store, { batch: "b-1", limit: 3, afterNumber: third.number + 1 }),
        [],
      );
      assert.deepEqual(await keysIn(store, { batch: "b-2", limit: 500 }), ["x"]);
      assert.deepEqual(await keysIn(store, { batch: "none", limit: 500 }), []);
      await assert.rejects(store.listBatchRuns({ batch: "b-1", limit: 501 }), /1 to 500 rows/);
    },
  },
  {
    name: "the counts of a batch follow every move of its runs",
    run: async (make) => {
      const { store, advance } = await make();
      await store.apply([createBatch("b-1"), createBatch("b-2")]);
      await applyAll(store, ...queueAll("b-2", "other"));
      await applyAll(store, ...queueAll("b-1", "a", "b"), queueRun({ batch: "b-1", delayMs: 10 }));
      const counts = (): Promise<unknown> => store.countBatch("b-1");
      assert.deepEqual(await counts(), { queued: 2, waiting: 1 });

      await advance(10);
      await apply(store, { kind: "wake-runs", limit: 9 });
      assert.deepEqual(await counts(), { queued: 3 });
      const claimed = await applyClaim(store, claimNext({ limit: 9 }));
      assert.deepEqual(await counts(), { running: 3 });
      const [first, second, third] = claimed
        .map(({ run }) => run)
        .filter((run) => run.batch === "b-1");
      assert.ok(first !== undefined && second !== undefined && third !== undefined);
      await applyAll(store, endRun(first, "succeeded"), moveRun(second, "waiting"));
      assert.deepEqual(await counts(), { succeeded: 1, waiting: 1, running: 1 });
      await applyAll(store, reclaimRun(third), requestCancel(second.id));
      assert.deepEqual(await counts(), { succeeded: 1, cancelled: 1, queued: 1 });
      await applyAll(store, claimRun(second, { reopen: true }));
      assert.deepEqual(await counts(), { succeeded: 1, running: 1, queued: 1 });

      assert.deepEqual(await store.countBatch("b-2"), { running: 1 });
      assert.deepEqual(await store.countBatch("none"), {});
    },
  },
  {
    name: "a key that is taken adds nothing to the batch",
    run: async (make) => {
      const { store } = await make();
      await apply(store, createBatch("b-1"));
      await applyAll(store, ...queueAll("b-1", "a"));
      const results = await store.apply(queueAll("b-1", "a", "b"));

      assert.deepEqual(
        results.map((result) => result.kind),
        ["key-taken", "done"],
      );
      assert.deepEqual(await keysIn(store, { batch: "b-1", limit: 9 }), ["a", "b"]);
      assert.deepEqual(await store.countBatch("b-1"), { queued: 2 });
    },
  },
  {
    name: "a run of a batch that nobody made is a fault of who makes it",
    run: async (make) => {
      const { store } = await make();
      await assert.rejects(store.apply([queueRun({ key: "a", batch: "none" })]), /no batch none/);
      assert.equal(await store.findRunByKey("crawl", "a"), undefined);
      assert.deepEqual(await store.countRuns(), new Map());
    },
  },
  {
    name: "a batch and its runs may be made in one transaction",
    run: async (make) => {
      const { store } = await make();
      const results = await store.apply([
        createBatch("b-1"),
        ...queueAll("b-1", "a", "b"),
        claimNext(),
      ]);
      assert.deepEqual(
        results.map((result) => result.kind),
        ["kept-batch", "done", "done", "claimed"],
      );
      assert.deepEqual(await keysIn(store, { batch: "b-1", limit: 9 }), ["a", "b"]);
      assert.deepEqual(await store.countBatch("b-1"), { running: 1, queued: 1 });
    },
  },
];

/** The runs of a claim within a transaction, in short. */
const claimsOf = (result: WriteResult | undefined): readonly unknown[] => {
  assert.ok(result?.kind === "claimed", JSON.stringify(result));
  return result.runs.map(({ run, numbers }) => [run.key, run.epoch, numbers.firstRunSeq]);
};

/** Event numbers of a run must rise by one, and so must those of the store. */
async function assertContiguous(store: Store, runIds: readonly string[]): Promise<void> {
  const all = await store.listEvents({ after: 0, limit: 1_000 });
  assert.deepEqual(
    all.map(({ seq }) => seq),
    all.map((_, index) => index + 1),
  );
  for (const runId of runIds) {
    const events = await store.listEvents({ runId, after: 0, limit: 1_000 });
    assert.deepEqual(
      events.map(({ runSeq }) => runSeq),
      events.map((_, index) => index + 1),
    );
  }
}

async function makeQueued(store: Store, runs: Partial<NewRun> = {}): Promise<Held> {
  const { id } = await applyRun(store, queueRun({ key: "a", ...runs }));
  await applyAll(store, queueRun({ key: "b" }), queueRun({ key: "c" }));
  return { at: (epoch) => ({ id, epoch }) };
}

interface Held {
  /** The run as its owner under an epoch holds it. */
  readonly at: (epoch: number) => { readonly id: string; readonly epoch: number };
}

/** Cases about one run in many writes of one transaction. */
const transactionCases: readonly StoreCase[] = [
  {
    name: "a run may be claimed, lost, claimed by the next and ended in one transaction",
    run: async (make) => {
      const { store } = await make();
      const { at } = await makeQueued(store);
      const results = await store.apply([
        claimNext(),
        tell(at(1), { type: "stage.logged" }, { type: "stage.logged" }),
        reclaimRun(at(1), { events: [{ type: "run.reclaimed" }] }),
        tell(at(1), { type: "stage.logged" }),
        claimNext({ limit: 2 }),
        putStage(at(3), { stage: "a" }, { events: [{ type: "stage.succeeded" }] }),
        { ...endRun(at(3), "succeeded"), events: [{ type: "run.succeeded" }] },
        claimNext({ limit: 9 }),
        reclaimRun(at(3)),
      ]);

      assert.deepEqual(claimsOf(results[0]), [["a", 1, 1]]);
      assert.equal(results[3]?.kind, "lease-lost");
      assert.deepEqual(claimsOf(results[4]), [
        ["a", 3, 5],
        ["b", 1, 1],
      ]);
      assert.deepEqual(claimsOf(results[7]), [["c", 1, 1]]);
      assert.equal(results[8]?.kind, "conflict");
      const ended = await getRun(store, at(3).id);
      assert.partialDeepStrictEqual(ended, { state: "succeeded", epoch: 3, crashes: 1 });
      assert.equal(ended.attempts, 0);
      assert.deepEqual(await store.countRuns(), new Map([["crawl", { succeeded: 1, running: 2 }]]));
      await assertContiguous(store, [ended.id]);
    },
  },
  {
    name: "a claim answers and keeps what its transaction did to the run before it was queued again",
    run: async (make) => {
      const { store, advance } = await make();
      const run = await applyRun(store, createRun({ key: "a" }));
      const again = { id: run.id, epoch: 2 };
      await advance(5);
      const waiting = { stage: "a", state: "waiting", endedAtMs: null } as const;
      const results = await store.apply([
        putStage(run, waiting, { retry: makeRetry({ stage: "a" }) }),
        tell(run, { type: "stage.logged" }),
        moveRun(run, "queued"),
        claimNext(),
        putStage(again, waiting, { retry: makeRetry({ stage: "a", attempt: 2 }) }),
      ]);

      assert.deepEqual(claimsOf(results[3]), [["a", 2, 2]]);
      assert.equal(results[3]?.kind === "claimed" && results[3].runs[0]?.run.retries, 1);
      assert.partialDeepStrictEqual(await getRun(store, run.id), { retries: 2, epoch: 2 });
      assert.equal((await store.listRetries(run.id, "a", null)).length, 2);
      await assertContiguous(store, [run.id]);
    },
  },
  {
    name: "losses that a checkpoint made forgotten stay so when the run is claimed at once",
    run: async (make) => {
      const { store } = await make();
      const { at } = await makeQueued(store);
      await store.apply([claimNext(), reclaimRun(at(1)), claimNext()]);
      assert.equal((await getRun(store, at(3).id)).attempts, 1);
      const results = await store.apply([
        putStage(at(3), { stage: "a" }),
        moveRun(at(3), "queued"),
        claimNext(),
      ]);

      const [claimed] = results[2]?.kind === "claimed" ? results[2].runs : [];
      assert.equal(claimed?.run.attempts, 0);
      assert.deepEqual(await getRun(store, at(4).id), claimed.run);
    },
  },
  {
    name: "losses of one transaction add up, and the last one ends the run",
    run: async (make) => {
      const { store } = await make();
      await apply(store, createBatch("b-1"));
      const { at } = await makeQueued(store, { batch: "b-1", priority: 1 });
      const results = await store.apply([
        claimNext(),
        reclaimRun(at(1)),
        claimNext(),
        reclaimRun(at(3)),
        claimNext(),
        reclaimRun(at(5)),
        claimNext(),
      ]);

      assert.deepEqual(claimsOf(results[4]), [["a", 5, 3]]);
      assert.deepEqual(claimsOf(results[6]), [["b", 1, 1]]);
      assert.partialDeepStrictEqual(await getRun(store, at(6).id), {
        state: "failed",
        epoch: 6,
        attempts: 3,
        crashes: 3,
      });
      assert.deepEqual(await store.countBatch("b-1"), { failed: 1 });
      assert.deepEqual(
        await store.countRuns(),
        new Map([["crawl", { failed: 1, running: 1, queued: 1 }]]),
      );
      await assertContiguous(store, [at(6).id]);
    },
  },
  {
    name: "a run may be made, claimed, parked, woken, claimed again and cancelled in one transaction",
    run: async (make) => {
      const { store } = await make();
      const write = queueRun({ key: "a" }, { events: [{ type: "run.created" }] });
      const { id } = write.run;
      const results = await store.apply([
        createBatch("b-1"),
        { ...write, run: { ...write.run, batch: "b-1" } },
        claimNext(),
        moveRun({ id, epoch: 1 }, "waiting", { reason: "retry", wakeAtMs: store.nowMs() }),
        claimNext(),
        { kind: "wake-runs", limit: 9 },
        { kind: "wake-runs", limit: 9 },
        claimNext(),
        moveRun({ id, epoch: 2 }, "queued"),
        requestCancel(id),
        claimNext(),
      ]);

      assert.deepEqual(claimsOf(results[2]), [["a", 1, 2]]);
      assert.deepEqual(claimsOf(results[4]), []);
      assert.deepEqual(results[5], { kind: "woken", count: 1, nextWakeAtMs: null });
      assert.deepEqual(results[6], { kind: "woken", count: 0, nextWakeAtMs: null });
      assert.deepEqual(claimsOf(results[7]), [["a", 2, 3]]);
      assert.deepEqual(claimsOf(results[10]), []);
      assert.equal((await getRun(store, id)).state, "cancelled");
      assert.deepEqual(await store.countBatch("b-1"), { cancelled: 1 });
      assert.deepEqual(await store.countRuns(), new Map([["crawl", { cancelled: 1 }]]));
      await assertContiguous(store, [id]);
    },
  },
  {
    name: "a run that two definitions claim in one transaction is left with the second's",
    run: async (make) => {
      const { store } = await make();
      const { at } = await makeQueued(store);
      const [old, next] = ["hash-old", "hash-new"].map((definitionHash) =>
        claimNext({}, { definitionHash, definitionJson: `{"of":"${definitionHash}"}` }),
      );
      assert.ok(old !== undefined && next !== undefined);
      const results = await store.apply([old, moveRun(at(1), "queued"), next]);

      const [claimed] = results[2]?.kind === "claimed" ? results[2].runs : [];
      assert.equal(claimed?.formerHash, "hash-old");
      assert.equal((await getRun(store, at(2).id)).definitionHash, "hash-new");
      assert.equal(await store.findDefinition("hash-old"), `{"of":"hash-old"}`);
    },
  },
];

/** Cases about batches of runs, and about one run in many writes of a transaction. */
export const runBatchCases: readonly StoreCase[] = [...batchCases, ...transactionCases];
