// Chapter: events. Told with the change, numbered without gaps, read in order.

import assert from "node:assert/strict";
import type { EventDraft, MillraceEvent } from "../../model/event.ts";
import type { EventQuery, Store } from "../../storage/store.ts";
import {
  apply,
  applyAll,
  applyRun,
  createRun,
  endRun,
  putItem,
  putMemo,
  putStage,
  requestCancel,
  tell,
} from "./fixture.ts";
import type { StoreCase } from "./suite.ts";

const LOGGED: EventDraft = { type: "stage.logged" };

/** Cases about events. */
export const eventCases: readonly StoreCase[] = [
  {
    name: "every part of an event is kept, and what was left out stays out",
    run: async (make) => {
      const { store } = await make();
      const data = { text: "é\u0000😀\u2028", list: [1, null, { a: true }], none: null };
      const full: EventDraft = { type: "item.failed", stage: "s", item: "k", attempt: 2, data };
      const run = await applyRun(store, createRun({}, { events: [full, { type: "run.created" }] }));
      const [first, second] = await eventsOf(store);

      assert.deepEqual(first, { ...full, seq: 1, runSeq: 1, run: run.id, atMs: run.queuedAtMs });
      const bare = { type: "run.created", seq: 2, runSeq: 2, run: run.id, atMs: run.queuedAtMs };
      assert.deepEqual(second, bare);
    },
  },
  {
    name: "a write is told the numbers of its events, in their order",
    run: async (make) => {
      const { store } = await make();
      const a = await applyRun(store, createRun({}, { events: [LOGGED] }));
      const b = await applyRun(store, createRun());
      const results = await store.apply([
        tell(a, LOGGED, LOGGED),
        tell(b),
        tell(b, LOGGED),
        putStage(a, { stage: "x" }, { events: [{ type: "stage.succeeded" }] }),
      ]);
      const numbers = results.map((result) => {
        assert.ok(result.kind === "done");
        return [result.numbers.firstSeq, result.numbers.firstRunSeq];
      });

      assert.deepEqual(numbers, [
        [2, 2],
        [4, 1],
        [4, 1],
        [5, 4],
      ]);
      const events = await eventsOf(store);
      assert.deepEqual(
        events.map((event) => [event.seq, event.run === a.id ? "a" : "b", event.runSeq]),
        [
          [1, "a", 1],
          [2, "a", 2],
          [3, "a", 3],
          [4, "b", 1],
          [5, "a", 4],
        ],
      );
    },
  },
  {
    name: "refused writes leave no gap, neither in the run nor in the store",
    run: async (make) => {
      const { store } = await make();
      const run = await applyRun(store, createRun({ key: "k" }));
      await applyAll(store, putStage(run, { stage: "a" }));
      const memo = putMemo(run, { stage: "a", item: null, name: "m" }, 1);
      await store.apply([
        tell(run, LOGGED),
        putStage(run, { stage: "a" }, { events: [LOGGED, LOGGED] }),
        tell({ id: run.id, epoch: 7 }, LOGGED),
        createRun({ key: "k" }, { events: [LOGGED] }),
        { ...memo, events: [LOGGED] },
        { ...memo, events: [LOGGED] },
        requestCancel(run.id),
        requestCancel(run.id),
        tell(run, LOGGED),
      ]);

      const events = await eventsOf(store);
      assert.deepEqual(
        events.map((event) => [event.seq, event.runSeq, event.type]),
        [
          [1, 1, "stage.logged"],
          [2, 2, "stage.logged"],
          [3, 3, "run.cancel_requested"],
          [4, 4, "stage.logged"],
        ],
      );
    },
  },
  {
    name: "numbers go on from one transaction to the next",
    run: async (make) => {
      const { store } = await make();
      const run = await applyRun(store, createRun());
      for (let turn = 0; turn < 5; turn++) await applyAll(store, tell(run, LOGGED, LOGGED));

      const events = await eventsOf(store);
      const numbers = Array.from({ length: 10 }, (_, index) => index + 1);
      assert.deepEqual(
        events.map((event) => event.seq),
        numbers,
      );
      assert.deepEqual(
        events.map((event) => event.runSeq),
        numbers,
      );
    },
  },
  {
    name: "events are read after a number, of one run or of all, in pages",
    run: async (make) => {
      const { store } = await make();
      const a = await applyRun(store, createRun());
      const b = await applyRun(store, createRun());
      await applyAll(store, tell(a, LOGGED), tell(b, LOGGED), tell(a, LOGGED), tell(a, LOGGED));
      const seqs = seqsOf(store);

      assert.deepEqual(await seqs({ after: 1, limit: 2 }), [2, 3]);
      assert.deepEqual(await seqs({ after: 4, limit: 2 }), []);
      assert.deepEqual(await seqs({ runId: a.id, after: 0, limit: 10 }), [1, 3, 4]);
      assert.deepEqual(await seqs({ runId: a.id, after: 1, limit: 1 }), [3]);
      assert.deepEqual(await seqs({ runId: b.id, after: 2, limit: 10 }), []);
      assert.deepEqual(await seqs({ runId: "none", after: 0, limit: 10 }), []);
    },
  },
  {
    name: "events are read from the newest on, under a number, so that pages join without gap or repeat",
    run: async (make) => {
      const { store } = await make();
      const a = await applyRun(store, createRun());
      const b = await applyRun(store, createRun());
      await applyAll(store, tell(a, LOGGED), tell(b, LOGGED), tell(a, LOGGED), tell(a, LOGGED));
      const seqs = seqsOf(store);

      assert.deepEqual(await seqs({ after: 0, newestFirst: true, limit: 3 }), [4, 3, 2]);
      assert.deepEqual(await seqs({ after: 0, before: 2, newestFirst: true, limit: 3 }), [1]);
      assert.deepEqual(await seqs({ after: 1, before: 4, limit: 9 }), [2, 3]);
      assert.deepEqual(await seqs({ after: 1, before: 4, newestFirst: true, limit: 1 }), [3]);
      const ofRun = { runId: a.id, after: 0, newestFirst: true };
      assert.deepEqual(await seqs({ ...ofRun, limit: 2 }), [4, 3]);
      assert.deepEqual(await seqs({ ...ofRun, before: 3, limit: 2 }), [1]);
    },
  },
  {
    name: "events are read of some types, or of all of a noun, and of none for a word that means none",
    run: async (make) => {
      const { store } = await make();
      const run = await applyRun(store, createRun({}, { events: [{ type: "run.created" }] }));
      const skipped: EventDraft = { type: "stage.skipped" };
      await applyAll(store, tell(run, LOGGED, skipped, { type: "item.skipped" }, LOGGED));
      const seqs = seqsOf(store);

      assert.deepEqual(await seqs({ after: 0, types: ["stage.logged"], limit: 9 }), [2, 5]);
      assert.deepEqual(await seqs({ after: 0, types: ["stage.*"], limit: 9 }), [2, 3, 5]);
      assert.deepEqual(await seqs({ after: 2, types: ["stage.*", "run.*"], limit: 1 }), [3]);
      const ofRun = { runId: run.id, after: 0, newestFirst: true };
      assert.deepEqual(
        await seqs({ ...ofRun, types: ["item.*", "run.created"], limit: 9 }),
        [4, 1],
      );
      for (const types of [["stage"], ["stage.log*"], ["*"], [".*"], []])
        assert.deepEqual(await seqs({ after: 0, types, limit: 9 }), []);
    },
  },
  {
    name: "events are read since a time, of one run or of all, whatever gaps deletions left",
    run: async (make) => {
      const { store, advance } = await make();
      const gone = await applyRun(store, createRun({}, { events: [LOGGED, LOGGED] }));
      const run = await applyRun(store, createRun({}, { events: [LOGGED] }));
      await advance(1_000);
      const sinceMs = store.nowMs();
      await applyAll(store, tell(run, LOGGED, LOGGED));
      await advance(1_000);
      const other = await applyRun(store, createRun({}, { events: [LOGGED] }));
      const states = ["succeeded" as const];
      const runIds = [gone.id];
      await apply(store, endRun(gone, "succeeded"));
      await apply(store, { kind: "delete-runs", runIds, states, rowsMax: 100 });
      const seqs = seqsOf(store);

      assert.deepEqual(await seqs({ after: 0, sinceMs, limit: 9 }), [4, 5, 6]);
      assert.deepEqual(await seqs({ after: 4, sinceMs, limit: 9 }), [5, 6]);
      assert.deepEqual(await seqs({ after: 0, sinceMs, newestFirst: true, limit: 2 }), [6, 5]);
      assert.deepEqual(await seqs({ runId: run.id, after: 0, sinceMs, limit: 9 }), [4, 5]);
      assert.deepEqual(await seqs({ runId: other.id, after: 0, sinceMs, limit: 9 }), [6]);
      assert.deepEqual(await seqs({ after: 0, sinceMs: 0, limit: 9 }), [3, 4, 5, 6]);
      const later = { after: 0, sinceMs: store.nowMs() + 60_000, limit: 9 };
      assert.deepEqual(await seqs(later), []);
    },
  },
  {
    name: "events of one transaction have its time, by the store's clock",
    run: async (make) => {
      const { store, advance } = await make();
      const run = await applyRun(store, createRun({}, { events: [LOGGED] }));
      await advance(2_000);
      const results = await store.apply([tell(run, LOGGED), putItem(run, { key: "k" })]);

      const [first, second] = await eventsOf(store);
      assert.ok((second?.atMs ?? 0) >= (first?.atMs ?? 0) + 2_000);
      for (const result of results) {
        assert.equal(result.kind === "done" && result.numbers.atMs, second?.atMs);
      }
    },
  },
  {
    name: "an event without a data field differs from one with an empty one",
    run: async (make) => {
      const { store } = await make();
      const run = await applyRun(store, createRun());
      await applyAll(store, tell(run, LOGGED, { ...LOGGED, data: {} }));

      const events = await eventsOf(store);
      assert.deepEqual(
        events.map((event) => event.data),
        [undefined, {}],
      );
      const told = await apply(store, tell(run, LOGGED));
      assert.equal(told.kind, "done");
    },
  },
];

function eventsOf(store: Store): Promise<readonly MillraceEvent[]> {
  return store.listEvents({ after: 0, limit: 100 });
}

function seqsOf(store: Store): (query: EventQuery) => Promise<readonly number[]> {
  return async (query) => (await store.listEvents(query)).map((event) => event.seq);
}
