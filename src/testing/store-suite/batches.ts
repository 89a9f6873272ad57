// Chapter: batches. Many writes, one transaction: in order, each judged alone, all or none written.

import assert from "node:assert/strict";
import { COMMIT_WRITES_MAX } from "../../model/limits.ts";
import { isMillraceError } from "../../model/errors.ts";
import type { Store } from "../../storage/store.ts";
import {
  apply,
  applyAll,
  applyRun,
  claimRun,
  createRun,
  endRun,
  getRun,
  LEASE_MS,
  makeOwner,
  makeRetry,
  moveRun,
  putItem,
  putStage,
  tell,
} from "./fixture.ts";
import type { StoreCase } from "./suite.ts";

/** Cases about batches, and about stores as a whole. */
export const batchCases: readonly StoreCase[] = [
  {
    name: "a refused write never harms its neighbours",
    run: async (make) => {
      const { store } = await make();
      const run = await applyRun(store, createRun());
      const other = await applyRun(store, createRun());
      const results = await store.apply([
        putStage(run, { stage: "a" }),
        putStage({ id: run.id, epoch: 9 }, { stage: "b" }),
        putStage(run, { stage: "a" }),
        putStage(other, { stage: "a" }),
        putStage({ id: "none", epoch: 1 }, { stage: "a" }),
        putStage(run, { stage: "c" }),
      ]);

      assert.deepEqual(
        results.map((result) => result.kind),
        ["done", "lease-lost", "conflict", "done", "lease-lost", "done"],
      );
      const stages = await store.listStages(run.id);
      assert.deepEqual(
        stages.map((stage) => stage.stage),
        ["a", "c"],
      );
    },
  },
  {
    name: "writes are done in order: what comes after the end of a run comes too late",
    run: async (make) => {
      const { store } = await make();
      const run = await applyRun(store, createRun());
      const results = await store.apply([
        putStage(run, { stage: "a" }),
        endRun(run, "succeeded"),
        putStage(run, { stage: "b" }),
        tell(run, { type: "stage.logged" }),
      ]);

      assert.deepEqual(
        results.map((result) => result.kind),
        ["done", "done", "lease-lost", "lease-lost"],
      );
      assert.equal(await store.findStage(run.id, "b"), undefined);
      assert.deepEqual(await store.listEvents({ after: 0, limit: 9 }), []);
    },
  },
  {
    name: "a claim in the middle fences its predecessor and lets its own writes pass",
    run: async (make) => {
      const { store } = await make();
      const run = await applyRun(store, createRun());
      const next = { id: run.id, epoch: 2 };
      const results = await store.apply([
        putStage(run, { stage: "a" }),
        putStage(next, { stage: "b" }),
        claimRun(run),
        putStage(run, { stage: "c" }),
        putStage(next, { stage: "d" }),
        moveRun(next, "waiting", { reason: "due" }),
        claimRun(next, { from: ["waiting"] }),
        putStage({ id: run.id, epoch: 3 }, { stage: "e" }),
      ]);

      assert.deepEqual(
        results.map((result) => result.kind),
        ["done", "lease-lost", "done", "lease-lost", "done", "done", "done", "done"],
      );
      const stages = await store.listStages(run.id);
      assert.deepEqual(
        stages.map((stage) => stage.stage),
        ["a", "d", "e"],
      );
      assert.equal((await getRun(store, run.id)).epoch, 3);
    },
  },
  {
    name: "a run may be made, worked on and ended in one batch",
    run: async (make) => {
      const { store } = await make();
      const write = createRun({}, { events: [{ type: "run.created" }] });
      const run = { id: write.run.id, epoch: 1 };
      await applyAll(
        store,
        write,
        putItem(run, { key: "k" }),
        putStage(run, { stage: "fetch" }, { events: [{ type: "stage.succeeded" }] }),
        { ...endRun(run, "succeeded"), events: [{ type: "run.succeeded" }] },
      );

      assert.equal((await getRun(store, run.id)).state, "succeeded");
      const events = await store.listEvents({ runId: run.id, after: 0, limit: 9 });
      assert.deepEqual(
        events.map((event) => [event.runSeq, event.type]),
        [
          [1, "run.created"],
          [2, "stage.succeeded"],
          [3, "run.succeeded"],
        ],
      );
      assert.deepEqual(await store.countRuns(), new Map([["crawl", { succeeded: 1 }]]));
    },
  },
  {
    name: "an empty batch does nothing",
    run: async (make) => {
      const { store } = await make();
      assert.deepEqual(await store.apply([]), []);
    },
  },
  {
    name: "a batch may be as long as the limit, and no longer",
    run: async (make) => {
      const { store } = await make();
      const run = await applyRun(store, createRun());
      const writes = Array.from({ length: COMMIT_WRITES_MAX }, (_, index) =>
        putItem(run, { key: `k${index}`, index }),
      );
      await applyAll(store, ...writes);
      await assert.rejects(store.apply([...writes, tell(run)]), /at most 1000 writes/);

      assert.deepEqual((await store.countItems(run.id)).get("fetch"), { succeeded: writes.length });
    },
  },
  {
    name: "a batch with a key that is no text is refused whole",
    run: async (make) => {
      const { store } = await make();
      const run = await applyRun(store, createRun());
      for (const key of ["", "half \ud800 a pair"]) {
        const writes = [putStage(run, { stage: "a" }), putItem(run, { key })];
        await assert.rejects(store.apply(writes), /key of an item/);
      }
      assert.deepEqual(await store.listStages(run.id), []);
    },
  },
  {
    name: "a time with a fraction is refused, a duration with one is not",
    run: async (make) => {
      const { store } = await make();
      const run = await applyRun(store, createRun());
      const wrong = [
        putStage(run, { stage: "a", dueAtMs: 0.5 }),
        putStage(run, { stage: "a", startedAtMs: 1e300 }),
        putItem(run, { key: "k", endedAtMs: Number.NaN }),
        putItem(run, { key: "k" }, { retry: makeRetry({ endedAtMs: 0.1 }) }),
      ];
      for (const write of wrong) await assert.rejects(store.apply([write]), /whole milliseconds/);

      await applyAll(store, putStage(run, { stage: "a", durationMs: 0.1 + 0.2, cpuMs: 1e-9 }));
      assert.equal((await store.findStage(run.id, "a"))?.durationMs, 0.1 + 0.2);
    },
  },
  {
    name: "every write moves the run's time of change",
    run: async (make) => {
      const { store, advance } = await make();
      const run = await applyRun(store, createRun());
      await advance(1_000);
      await applyAll(store, putStage(run, { stage: "a" }));

      const { updatedAtMs } = await getRun(store, run.id);
      assert.ok(updatedAtMs >= run.updatedAtMs + 1_000);
    },
  },
  {
    name: "the clock of the store never goes back",
    run: async (make) => {
      const { store, advance } = await make();
      const first = store.nowMs();
      assert.ok(Number.isInteger(first));
      await advance(250);
      assert.ok(store.nowMs() >= first + 250);
    },
  },
  {
    name: "a closed store says so, whatever it is asked",
    run: async (make) => {
      const { store } = await make();
      const run = await applyRun(store, createRun());
      await store.close();
      await store.close();
      const owner = makeOwner("w");
      const calls: readonly ((store: Store) => Promise<unknown>)[] = [
        (closed) => closed.apply([tell(run)]),
        (closed) => closed.apply([]),
        (closed) => closed.renewLeases(owner, [run], LEASE_MS),
        (closed) => closed.beat(owner, []),
        (closed) => closed.findRun(run.id),
        (closed) => closed.listRuns({ limit: 1 }),
        (closed) => closed.loadCheckpoints(run.id),
        (closed) => closed.listEvents({ after: 0, limit: 1 }),
        (closed) => closed.countRuns(),
      ];
      for (const call of calls) {
        await assert.rejects(
          call(store),
          (error) => isMillraceError(error) && error.code === "STORE_CLOSED",
        );
      }
    },
  },
  {
    name: "what was acknowledged is there when the store is opened again",
    needs: (capabilities) => capabilities.durable,
    run: async (make) => {
      const { store, open } = await make();
      const run = await applyRun(
        store,
        createRun({ key: "k" }, { events: [{ type: "run.created" }] }),
      );
      await applyAll(store, putStage(run, { stage: "a" }), putItem(run, { key: "k" }));
      const before = await store.loadCheckpoints(run.id);
      await store.close();
      const again = await open();

      assert.deepEqual(await again.loadCheckpoints(run.id), before);
      assert.equal((await again.findRunByKey("crawl", "k"))?.id, run.id);
      assert.equal((await applyRun(again, createRun())).number, 2);
      const told = await apply(again, tell(run, { type: "stage.logged" }));
      assert.deepEqual(told.kind === "done" && told.numbers.firstSeq, 2);
    },
  },
  {
    name: "two that have one store open see each other's writes and share its numbers and clock",
    needs: (capabilities) => capabilities.shared,
    run: async (make) => {
      const { store, open } = await make();
      const other = await open();
      const mine = await applyRun(store, createRun({}, { events: [{ type: "run.created" }] }));
      const theirs = await applyRun(other, createRun({}, { events: [{ type: "run.created" }] }));
      await applyAll(store, tell(theirs, { type: "stage.logged" }));

      assert.deepEqual([mine.number, theirs.number], [1, 2]);
      assert.equal((await store.findRun(theirs.id))?.number, 2);
      const events = await other.listEvents({ after: 0, limit: 9 });
      assert.deepEqual(
        events.map((event) => [event.seq, event.runSeq]),
        [
          [1, 1],
          [2, 1],
          [3, 2],
        ],
      );
      assert.deepEqual(await other.countRuns(), new Map([["crawl", { running: 2 }]]));
      const taken = await applyRun(other, claimRun(mine));
      assert.equal((await apply(store, putStage(mine, { stage: "a" }))).kind, "lease-lost");
      assert.equal(taken.epoch, 2);
      assert.ok(Math.abs(store.nowMs() - other.nowMs()) < 1_000);
    },
  },
];
