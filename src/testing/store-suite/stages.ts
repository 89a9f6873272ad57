// Chapter: stages. One row each, written at its end or at a long wait, and never over an ending.

import assert from "node:assert/strict";
import { PAGE_ROWS_MAX, RETRY_HISTORY_MAX } from "../../model/limits.ts";
import type { StageEnd, StageRecord } from "../../model/checkpoint.ts";
import {
  apply,
  applyAll,
  applyRun,
  createRun,
  FAILED,
  FAILED_ITEM,
  getRun,
  inline,
  makeFailure,
  makeRetry,
  PENDING,
  putItem,
  putStage,
  refusalOf,
  WAITING,
} from "./fixture.ts";
import type { StoreCase } from "./suite.ts";

const ENDS = ["succeeded", "failed", "skipped", "cancelled", "upstream_failed"] as const;

function toEnd(record: StageEnd): StageEnd {
  const { stage, state, via, attempts, waitedMs, durationMs, itemCount } = record;
  return { stage, state, via, attempts, waitedMs, durationMs, itemCount };
}

/** Cases about stages. */
export const stageCases: readonly StoreCase[] = [
  {
    name: "how stages ended is told as their rows tell it, and nothing where there is no run",
    run: async (make) => {
      const { store } = await make();
      const run = await applyRun(store, createRun());
      const waits = { waitedMs: { retry: 1_500, "quota:scorer": 0.25 }, attempts: 3 };
      await applyAll(
        store,
        putStage(run, { stage: "b", state: "succeeded", via: "cache", output: inline("1") }),
        putStage(run, { stage: "a", ...FAILED, ...waits, durationMs: 12.5, itemCount: 4 }),
      );
      const stages = await store.listStages(run.id);
      const ends = await store.listStageEnds(run.id);
      assert.deepEqual(ends.map(toEnd), stages.map(toEnd));
      assert.deepEqual(
        ends.map(({ stage, attempts }) => [stage, attempts]),
        [
          ["a", 3],
          ["b", 1],
        ],
      );
      assert.deepEqual(await store.listStageEnds("00000000-0000-7000-8000-000000000000"), []);
    },
  },
  {
    name: "a page of runs is told the waits, lengths and counts that their rows tell, by number",
    run: async (make) => {
      const { store } = await make();
      const first = await applyRun(store, createRun());
      const plain = await applyRun(store, createRun());
      const last = await applyRun(store, createRun());
      await applyAll(
        store,
        putStage(first, { stage: "b", ...FAILED, waitedMs: { retry: 1_500 }, itemCount: 4 }),
        putStage(first, { stage: "a", state: "succeeded", waitedMs: { "quota:x": 0.25 } }),
        putStage(first, { stage: "c", state: "succeeded", output: inline("1") }),
        putStage(plain, { stage: "a", state: "succeeded", output: inline("1") }),
        putItem(first, { key: "x" }),
        putItem(last, { key: "x" }),
        putItem(last, { key: "y", ...FAILED_ITEM }),
      );

      const all = [last.number, plain.number, first.number, 99];
      const sums = await store.listRunSums(all);
      assert.deepEqual(
        [...sums.keys()].toSorted((one, other) => one - other),
        [first.number, last.number],
      );
      assert.deepEqual(sums.get(first.number), {
        stages: [
          { stage: "a", waitedMs: { "quota:x": 0.25 }, itemCount: null },
          { stage: "b", waitedMs: { retry: 1_500 }, itemCount: 4 },
        ],
        itemCounts: await store.countItems(first.id),
      });
      const { stages, itemCounts } = sums.get(last.number) ?? assert.fail("It has items.");
      assert.deepEqual(stages, []);
      assert.deepEqual(itemCounts, new Map([["fetch", { succeeded: 1, failed: 1 }]]));
      assert.equal((await store.listRunSums([])).size, 0);
      const tooMany = Array.from({ length: PAGE_ROWS_MAX + 1 }, (_, index) => index + 1);
      await assert.rejects(store.listRunSums(tooMany), /may be/);
    },
  },
  {
    name: "everything that is said of a stage is kept",
    run: async (make) => {
      const { store } = await make();
      const run = await applyRun(store, createRun());
      const full: StageRecord = {
        stage: "stage-é😀",
        state: "failed",
        via: "cache",
        attempts: 7,
        output: { kind: "blob", blob: "ab".repeat(32), bytes: 123_456_789_012 },
        outputVersion: "o",
        inputVersion: "i",
        stageVersion: "s",
        reason: "because",
        failure: { ...makeFailure("no"), code: "HTTP 502", firstMessage: "first", distinct: 2 },
        metrics: { rows: 12.5, none: 0 },
        waitedMs: { retry: 1_500, quota: 0.25 },
        dueAtMs: 5,
        blocker: "quota",
        startedAtMs: 6,
        endedAtMs: 7,
        durationMs: 0.5,
        cpuMs: 0.25,
        peakBytes: 9_007_199_254_740_991,
        itemCount: 0,
      };
      const bare: StageRecord = {
        ...putStage(run, { stage: "bare", ...PENDING }).record,
        outputVersion: null,
        inputVersion: null,
        stageVersion: "",
      };
      const waiting = putStage(run, { stage: "waiting", ...WAITING }).record;
      await applyAll(store, putStage(run, full), putStage(run, bare), putStage(run, waiting));

      assert.deepEqual(await store.findStage(run.id, full.stage), full);
      assert.deepEqual(await store.findStage(run.id, "bare"), bare);
      const all = [bare, full, waiting].toSorted((one, other) =>
        one.stage < other.stage ? -1 : 1,
      );
      assert.deepEqual(await store.listStages(run.id), all);
      assert.deepEqual((await store.loadCheckpoints(run.id)).stages, all);
      assert.equal(await store.findStage(run.id, "stage"), undefined);
    },
  },
  {
    name: "stages are listed in the order of their names' bytes",
    run: async (make) => {
      const { store } = await make();
      const run = await applyRun(store, createRun());
      // U+FF5E comes before U+1F600 in UTF-8, and after it in UTF-16.
      const names = ["A", "Z", "a", "a-1", "aa", "é", "～", "😀"];
      await applyAll(store, ...names.toReversed().map((stage) => putStage(run, { stage })));

      const stages = await store.listStages(run.id);
      assert.deepEqual(
        stages.map((record) => record.stage),
        names,
      );
    },
  },
  {
    name: "an ending is never written over: the row stays and nothing is told",
    run: async (make) => {
      const { store } = await make();
      const run = await applyRun(store, createRun());
      for (const state of ENDS) {
        const put = putStage(run, { stage: state, state });
        await applyAll(store, put);
        for (const to of [...ENDS, "pending", "waiting", "running"] as const) {
          const again = putStage(
            run,
            { stage: state, state: to, output: inline("other") },
            { events: [{ type: "stage.succeeded" }], retry: makeRetry({ stage: state }) },
          );
          const reason = await refusalOf(store, again);
          assert.equal(reason, `Stage "${state}" cannot move from "${state}" to "${to}".`);
        }
        assert.deepEqual(await store.findStage(run.id, state), put.record);
        assert.deepEqual(await store.listRetries(run.id, state, null), []);
      }
      assert.deepEqual(await store.listEvents({ after: 0, limit: 10 }), []);
      assert.equal((await getRun(store, run.id)).retries, 0);
    },
  },
  {
    name: "before its end a stage may wait, wait again, return and start, each time with all of its row",
    run: async (make) => {
      const { store } = await make();
      const run = await applyRun(store, createRun());
      const rows: readonly Partial<StageRecord>[] = [
        { ...PENDING, itemCount: 3 },
        { ...PENDING, state: "waiting", dueAtMs: 10, blocker: "retry", attempts: 1 },
        { ...PENDING, state: "waiting", dueAtMs: 20, blocker: "quota", attempts: 2 },
        { ...PENDING, state: "running", attempts: 3, startedAtMs: 30 },
        { ...PENDING, state: "pending", attempts: 2 },
        { ...PENDING, state: "waiting", attempts: 2 },
        { state: "succeeded", attempts: 3 },
      ];
      for (const row of rows) {
        const put = putStage(run, { stage: "a", ...row });
        await applyAll(store, put);
        assert.deepEqual(await store.findStage(run.id, "a"), put.record);
      }
    },
  },
  {
    name: "a move that the table does not know is refused with both states",
    run: async (make) => {
      const { store } = await make();
      const run = await applyRun(store, createRun());
      await applyAll(store, putStage(run, { stage: "a", state: "upstream_failed" }));
      const reason = await refusalOf(store, putStage(run, { stage: "a", state: "failed" }));

      assert.equal(reason, `Stage "a" cannot move from "upstream_failed" to "failed".`);
    },
  },
  {
    name: "failed attempts are kept in order, and those that are tried again are counted",
    run: async (make) => {
      const { store } = await make();
      const run = await applyRun(store, createRun());
      const retries = [
        makeRetry({ attempt: 1, delayMs: 0.5 }),
        makeRetry({ attempt: 2, message: "é\u0000😀" }),
        makeRetry({ attempt: 3, delayMs: null }),
      ];
      for (const retry of retries.slice(0, 2)) {
        const waiting = { ...PENDING, state: "waiting", attempts: retry.attempt } as const;
        await applyAll(store, putStage(run, { stage: "fetch", ...waiting }, { retry }));
      }
      const end = putStage(
        run,
        { stage: "fetch", ...FAILED },
        { retry: makeRetry({ attempt: 3, delayMs: null }) },
      );
      await applyAll(store, end);

      assert.deepEqual(await store.listRetries(run.id, "fetch", null), retries);
      assert.deepEqual(await store.listRetries(run.id, "fetch", "k"), []);
      assert.equal((await getRun(store, run.id)).retries, 2);
    },
  },
  {
    name: "the history of failed attempts is bounded: the oldest go",
    run: async (make) => {
      const { store } = await make();
      const run = await applyRun(store, createRun());
      const count = RETRY_HISTORY_MAX + 5;
      await applyAll(
        store,
        ...Array.from({ length: count }, (_, index) =>
          putStage(
            run,
            { stage: "fetch", ...PENDING, state: "waiting" },
            { retry: makeRetry({ attempt: index + 1 }) },
          ),
        ),
      );

      const history = await store.listRetries(run.id, "fetch", null);
      assert.equal(history.length, RETRY_HISTORY_MAX);
      assert.equal(history[0]?.attempt, 6);
      assert.equal(history.at(-1)?.attempt, count);
      assert.equal((await getRun(store, run.id)).retries, count);
    },
  },
  {
    name: "stages of one run are no other run's",
    run: async (make) => {
      const { store } = await make();
      const first = await applyRun(store, createRun());
      const second = await applyRun(store, createRun());
      await applyAll(store, putStage(first, { stage: "a", output: inline(1) }));
      await applyAll(store, putStage(second, { stage: "a", output: inline(2) }));

      assert.deepEqual((await store.findStage(first.id, "a"))?.output, inline(1));
      assert.deepEqual((await store.findStage(second.id, "a"))?.output, inline(2));
    },
  },
  {
    name: "a stage of a run that is not running is nobody's to write",
    run: async (make) => {
      const { store } = await make();
      const queued = await applyRun(store, createRun({}, { claim: null }));

      assert.equal((await apply(store, putStage(queued, { stage: "a" }))).kind, "lease-lost");
      const nobody = putStage({ id: "none", epoch: 1 }, { stage: "a" });
      assert.equal((await apply(store, nobody)).kind, "lease-lost");
    },
  },
];
