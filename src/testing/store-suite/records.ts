// Chapter: records. Of any number of processes that change a record one wins, and what belongs together is one
// transaction with the run that is made beside it.

import assert from "node:assert/strict";
import type { RecordPut, StoreRecord } from "../../storage/records/record-write.ts";
import type { Store } from "../../storage/store.ts";
import type { Write } from "../../storage/write.ts";
import type { WriteResult } from "../../storage/write-result.ts";
import { apply, applyRun, createRun } from "./fixture.ts";
import type { StoreCase } from "./suite.ts";

/** A change of a schedule, made whatever it was unless said otherwise. */
function putRecord(key: string, put: Partial<RecordPut> = {}): RecordPut {
  return { collection: "schedules", key, expected: null, value: { key }, ...put };
}

/** Changes together. */
export function putRecords(
  puts: readonly RecordPut[],
  rest: Partial<Omit<Extract<Write, { kind: "put-records" }>, "kind" | "puts">> = {},
): Write {
  return { kind: "put-records", puts, events: [], ...rest };
}

function recordsOf(result: WriteResult): readonly StoreRecord[] {
  assert.equal(result.kind, "recorded");
  return result.kind === "recorded" ? result.records : [];
}

async function keysOf(found: Promise<readonly StoreRecord[]>): Promise<readonly string[]> {
  return (await found).map(({ key }) => key);
}

async function put(store: Store, ...puts: readonly RecordPut[]): Promise<readonly StoreRecord[]> {
  return recordsOf(await apply(store, putRecords(puts)));
}

/** Cases about records, and events from outside. */
export const recordCases: readonly StoreCase[] = [
  {
    name: "a record is made, changed with a revision that rises, and deleted",
    run: async (make) => {
      const { store, advance } = await make();
      const madeAtMs = store.nowMs();
      const [made] = await put(store, putRecord("a", { expected: 0, value: [1, "x", null] }));
      await advance(10);
      const [changed] = await put(store, putRecord("a", { expected: 1, value: null, dueAtMs: 7 }));

      assert.deepEqual([made?.revision, made?.value, made?.dueAtMs], [1, [1, "x", null], null]);
      assert.equal(made?.updatedAtMs, madeAtMs);
      assert.deepEqual([changed?.revision, changed?.value, changed?.dueAtMs], [2, null, 7]);
      assert.deepEqual(await store.findRecord("schedules", "a"), changed);
      assert.equal(changed?.updatedAtMs, store.nowMs());
      assert.deepEqual(await put(store, putRecord("a", { expected: 2, value: undefined })), []);
      assert.equal(await store.findRecord("schedules", "a"), undefined);
    },
  },
  {
    name: "of two who know the same revision one wins, and the other is told what stands there",
    run: async (make) => {
      const { store } = await make();
      const [made] = await put(store, putRecord("a", { expected: 0, value: 1 }));
      const [first] = await put(store, putRecord("a", { expected: 1, value: 2 }));
      const late = await apply(store, putRecords([putRecord("a", { expected: 1, value: 3 })]));
      const again = await apply(store, putRecords([putRecord("a", { expected: 0, value: 4 })]));
      const gone = await apply(store, putRecords([putRecord("b", { expected: 1, value: 5 })]));

      assert.equal(made?.revision, 1);
      assert.deepEqual(late, { kind: "record-conflict", key: "a", record: first });
      assert.deepEqual(again, late);
      assert.deepEqual(gone, { kind: "record-conflict", key: "b", record: null });
    },
  },
  {
    name: "events of a run are told with a record, once, and not where the run is gone",
    run: async (make) => {
      const { store } = await make();
      const run = await applyRun(store, createRun({}, { events: [{ type: "run.created" }] }));
      const told = putRecords([putRecord("a", { expected: 0 })], {
        events: [{ type: "external.reported" }],
        eventsOf: run.id,
      });
      const lost = putRecords([putRecord("b")], { eventsOf: "x" });

      const first = await apply(store, told);
      assert.equal(first.kind === "recorded" && first.numbers.firstRunSeq, 2);
      assert.equal((await apply(store, told)).kind, "record-conflict");
      assert.equal((await apply(store, lost)).kind, "conflict");
      assert.equal(await store.findRecord("schedules", "b"), undefined);
      const events = await store.listEvents({ after: 0, runId: run.id, limit: 9 });
      assert.deepEqual(
        events.map(({ type, runSeq }) => [type, runSeq]),
        [
          ["run.created", 1],
          ["external.reported", 2],
        ],
      );
    },
  },
  {
    name: "one record that is not as expected keeps the others, the run and the events from being written",
    run: async (make) => {
      const { store } = await make();
      await put(store, putRecord("b", { expected: 0 }));
      const write = putRecords([putRecord("a", { expected: 0 }), putRecord("b", { expected: 7 })], {
        run: createRun({}, { claim: null }),
        events: [{ type: "schedule.fired" }],
      });

      assert.equal((await apply(store, write)).kind, "record-conflict");
      assert.equal(await store.findRecord("schedules", "a"), undefined);
      assert.deepEqual(await store.listRuns({ limit: 10 }), []);
      assert.deepEqual(await store.listEvents({ after: 0, limit: 10 }), []);
    },
  },
  {
    name: "a run is made with its records, and where its key is taken nothing is written",
    run: async (make) => {
      const { store } = await make();
      const fire = (key: string): Write =>
        putRecords([putRecord(key, { expected: 0 })], {
          run: createRun({ key: "tick-1" }, { claim: null, events: [{ type: "run.created" }] }),
          events: [{ type: "schedule.fired", data: { schedule: "s" } }],
        });
      const fired = await apply(store, fire("a"));
      const twice = await apply(store, fire("b"));
      const events = await store.listEvents({ after: 0, limit: 10 });

      assert.equal(fired.kind, "recorded");
      assert.equal(fired.kind === "recorded" && fired.run?.state, "queued");
      assert.equal(twice.kind, "key-taken");
      assert.equal(await store.findRecord("schedules", "b"), undefined);
      assert.deepEqual(
        events.map(({ type, runSeq }) => [type, runSeq]),
        [
          ["run.created", 1],
          ["schedule.fired", 0],
        ],
      );
      assert.equal(events[1]?.run, "");
    },
  },
  {
    name: "records are listed in order of key, both ways, by prefix, and page by page",
    run: async (make) => {
      const { store } = await make();
      for (const key of ["b/2", "a", "b/1", "b", "c", "b/10", "é"])
        await put(store, putRecord(key));
      await put(store, putRecord("other", { collection: "ticks" }));
      const query = { collection: "schedules", limit: 3 } as const;

      assert.deepEqual(await keysOf(store.listRecords(query)), ["a", "b", "b/1"]);
      assert.deepEqual(await keysOf(store.listRecords({ ...query, after: "b/1" })), [
        "b/10",
        "b/2",
        "c",
      ]);
      const ofB = { ...query, prefix: "b/", limit: 10 };
      assert.deepEqual(await keysOf(store.listRecords(ofB)), ["b/1", "b/10", "b/2"]);
      const back = { ...query, newestFirst: true };
      assert.deepEqual(await keysOf(store.listRecords(back)), ["é", "c", "b/2"]);
      assert.deepEqual(await keysOf(store.listRecords({ ...back, after: "b/10" })), [
        "b/1",
        "b",
        "a",
      ]);
    },
  },
  {
    name: "what is due is found, the longest due first, and when the next one is",
    run: async (make) => {
      const { store } = await make();
      assert.equal(await store.nextDueMs("schedules"), null);
      await put(store, putRecord("late", { dueAtMs: 30 }), putRecord("never"));
      await put(store, putRecord("soon", { dueAtMs: 10 }), putRecord("then", { dueAtMs: 20 }));
      const due = { collection: "schedules", untilMs: 20, limit: 10 } as const;

      assert.deepEqual(await keysOf(store.listDueRecords(due)), ["soon", "then"]);
      assert.deepEqual(await keysOf(store.listDueRecords({ ...due, limit: 1 })), ["soon"]);
      assert.equal(await store.nextDueMs("schedules"), 10);
      await put(store, putRecord("soon", { dueAtMs: null }));
      assert.equal(await store.nextDueMs("schedules"), 20);
      assert.equal(await store.nextDueMs("ticks"), null);
    },
  },
  {
    name: "events from outside are told of a run whoever owns it, and of none where there is none",
    run: async (make) => {
      const { store } = await make();
      const run = await applyRun(store, createRun({}, { events: [{ type: "run.created" }] }));
      const events = [{ type: "external.reported", data: { name: "deploy.done" } }] as const;
      const told = await apply(store, { kind: "tell-outside", runId: run.id, events });
      const alone = await apply(store, { kind: "tell-outside", runId: null, events });
      const none = await apply(store, { kind: "tell-outside", runId: "nobody", events });
      const all = await store.listEvents({ after: 0, limit: 10 });

      assert.equal(told.kind === "done" && told.numbers.firstRunSeq, 2);
      assert.equal(alone.kind, "done");
      assert.equal(none.kind, "conflict");
      assert.deepEqual(
        all.map(({ seq, runSeq, run: of }) => [seq, runSeq, of]),
        [
          [1, 1, run.id],
          [2, 2, run.id],
          [3, 0, ""],
        ],
      );
      const after = await apply(store, {
        kind: "tell",
        runId: run.id,
        epoch: run.epoch,
        events: [{ type: "stage.logged" }],
      });
      assert.equal(after.kind === "done" && after.numbers.firstRunSeq, 3);
    },
  },
];
