// Chapter: queries. Lists of runs, newest first, and the workers that work on them.

import assert from "node:assert/strict";
import { PAGE_ROWS_MAX, RECENT_EVENTS_MAX, WORKER_SILENT_MS_MAX } from "../../model/limits.ts";
import type { RunRecord } from "../../model/run.ts";
import type { WorkerFacts } from "../../model/worker.ts";
import type { RunQuery, Store } from "../../storage/store.ts";
import {
  applyAll,
  applyRun,
  claimRun,
  createRun,
  endRun,
  getRun,
  makeOwner,
  moveRun,
} from "./fixture.ts";
import type { StoreCase } from "./suite.ts";

/** Cases about lists. */
export const queryCases: readonly StoreCase[] = [
  {
    name: "runs are listed newest first, in pages without gap or repetition",
    run: async (make) => {
      const { store } = await make();
      await applyAll(store, ...Array.from({ length: 7 }, () => createRun()));

      assert.deepEqual(await numbersOf(store, { limit: 3 }), [7, 6, 5]);
      assert.deepEqual(await numbersOf(store, { limit: 3, beforeNumber: 5 }), [4, 3, 2]);
      assert.deepEqual(await numbersOf(store, { limit: 3, beforeNumber: 2 }), [1]);
      assert.deepEqual(await numbersOf(store, { limit: 3, beforeNumber: 1 }), []);
      assert.deepEqual(
        await numbersOf(store, { limit: 9, beforeNumber: 99 }),
        [7, 6, 5, 4, 3, 2, 1],
      );
    },
  },
  {
    name: "what stands just above a run is listed newest first too, whatever else is asked",
    run: async (make) => {
      const { store, advance } = await make();
      const runs = [];
      for (let count = 0; count < 7; count++) {
        runs.push(await applyRun(store, createRun({ pipeline: count % 2 === 0 ? "a" : "b" })));
        await advance(1_000);
      }
      const [first, , third] = runs;
      assert.ok(first && third);
      await applyAll(store, endRun(first, "failed"), endRun(third, "failed"));
      await store.apply([
        { kind: "delete-runs", runIds: [first.id], states: ["failed"], rowsMax: 9 },
      ]);

      const some = { limit: 2, afterNumber: 1 };
      assert.deepEqual(await numbersOf(store, some), [3, 2]);
      assert.deepEqual(await numbersOf(store, { ...some, pipeline: "b" }), [4, 2]);
      const states = ["failed", "running"] as const;
      assert.deepEqual(await numbersOf(store, { ...some, states, limit: 3 }), [4, 3, 2]);
      assert.deepEqual(await numbersOf(store, { ...some, states: ["failed"] }), [3]);
      assert.deepEqual(await numbersOf(store, { ...some, sinceMs: third.queuedAtMs }), [4, 3]);
      assert.deepEqual(await numbersOf(store, { ...some, afterNumber: 5, limit: 9 }), [7, 6]);
      const between = { ...some, afterNumber: 2, beforeNumber: 6 };
      assert.deepEqual(await numbersOf(store, between), [4, 3]);
      assert.deepEqual(await numbersOf(store, { ...some, afterNumber: 0 }), [3, 2]);
      assert.deepEqual(await numbersOf(store, { ...some, afterNumber: 7 }), []);
    },
  },
  {
    name: "a page that was read before shows what became of its runs since",
    run: async (make) => {
      const { store } = await make();
      await followChanges(store, store);
    },
  },
  {
    name: "a page that was read before shows what another process did to its runs since",
    needs: ({ shared }) => shared,
    run: async (make) => {
      const { store, open } = await make();
      await followChanges(store, await open());
    },
  },
  {
    name: "runs can be asked for by what they are and by what they were given",
    run: async (make) => {
      const { store } = await make();
      const parent = await applyRun(store, createRun({ pipeline: "a", tags: { team: "x" } }));
      const { id } = parent;
      await applyAll(
        store,
        createRun({ pipeline: "b", parent: id, inputVersion: "v2", foreground: true }),
      );
      await applyAll(
        store,
        createRun({ pipeline: "a", parent: id, inputVersion: "v2 ", foreground: true }),
      );
      await applyAll(store, createRun({ pipeline: "a", tags: { team: "y", x: "x" } }));
      await applyAll(store, createRun({ pipeline: "A", tags: { team: "x", "a.b": `"q'` } }));

      const all = { limit: 10 };
      assert.deepEqual(await numbersOf(store, { ...all, pipeline: "a" }), [4, 3, 1]);
      assert.deepEqual(await numbersOf(store, { ...all, parent: id }), [3, 2]);
      assert.deepEqual(await numbersOf(store, { ...all, inputVersion: "v2" }), [2]);
      assert.deepEqual(await numbersOf(store, { ...all, tag: ["team", "x"] }), [5, 1]);
      assert.deepEqual(await numbersOf(store, { ...all, tag: ["a.b", `"q'`] }), [5]);
      assert.deepEqual(await numbersOf(store, { ...all, tag: ["x", "team"] }), []);
      assert.deepEqual(await numbersOf(store, { ...all, pipeline: "a", parent: id }), [3]);
      const some = { ...all, pipeline: "a", beforeNumber: 4, limit: 1 };
      assert.deepEqual(await numbersOf(store, some), [3]);
      assert.deepEqual(await numbersOf(store, { ...all, pipeline: "none" }), []);
    },
  },
  {
    name: "input versions that begin alike are told apart",
    run: async (make) => {
      const { store } = await make();
      const start = "0123456789abcdef";
      await applyAll(store, createRun({ inputVersion: `${start}1`, foreground: true }));
      await applyAll(store, createRun({ inputVersion: `${start}2`, foreground: true }));

      const query = { limit: 10, inputVersion: `${start}2` };
      assert.deepEqual(await numbersOf(store, query), [2]);
    },
  },
  {
    name: "runs can be asked for by state, one or several",
    run: async (make) => {
      const { store } = await make();
      const runs = [];
      for (let count = 0; count < 6; count++) runs.push(await applyRun(store, createRun()));
      const [a, b, c, d, , f] = runs;
      assert.ok(a && b && c && d && f);
      await applyAll(store, endRun(a, "failed"), endRun(b, "succeeded"), endRun(c, "failed"));
      await applyAll(store, moveRun(d, "waiting", { reason: "due" }), endRun(f, "failed"));

      assert.deepEqual(await numbersOf(store, { limit: 9, states: ["failed"] }), [6, 3, 1]);
      assert.deepEqual(await numbersOf(store, { limit: 2, states: ["failed"] }), [6, 3]);
      const live = ["running", "waiting", "queued"] as const;
      assert.deepEqual(await numbersOf(store, { limit: 9, states: live }), [5, 4]);
      const some = ["failed", "waiting", "failed"] as const;
      assert.deepEqual(await numbersOf(store, { limit: 2, states: some }), [6, 4]);
      assert.deepEqual(await numbersOf(store, { limit: 9, states: some, beforeNumber: 4 }), [3, 1]);
      assert.deepEqual(await numbersOf(store, { limit: 9, states: [] }), []);
    },
  },
  {
    name: "runs can be asked for since a time",
    run: async (make) => {
      const { store, advance } = await make();
      await applyAll(store, createRun());
      await advance(10_000);
      const later = await applyRun(store, createRun());

      assert.deepEqual(await numbersOf(store, { limit: 9, sinceMs: later.queuedAtMs }), [2]);
      assert.deepEqual(await numbersOf(store, { limit: 9, sinceMs: later.queuedAtMs + 1 }), []);
      assert.deepEqual(await numbersOf(store, { limit: 9, sinceMs: 0 }), [2, 1]);
    },
  },
  {
    name: "when runs ended is told by pipeline and end, the newest first, and of open ones nothing",
    run: async (make) => {
      const { store, advance } = await make();
      for (const end of ["succeeded", "failed", "succeeded", "succeeded"] as const) {
        const run = await applyRun(store, createRun({ pipeline: "a", foreground: true }));
        await advance(10);
        await applyAll(store, endRun(run, end));
      }
      await applyAll(store, createRun({ pipeline: "a" }));
      const query = { pipeline: "a", state: "succeeded", limit: 2 } as const;

      const ends = await store.listRunEnds(query);
      const runs = await store.listRuns({ pipeline: "a", states: ["succeeded"], limit: 2 });
      const wanted = runs.map(({ number, startedAtMs, endedAtMs }) => ({
        number,
        startedAtMs,
        endedAtMs,
      }));
      assert.deepEqual(
        ends.map((end) => ({ ...end })),
        wanted,
      );
      assert.deepEqual(
        ends.map(({ number }) => number),
        [4, 3],
      );
      const older = await store.listRunEnds({ ...query, beforeNumber: 3 });
      assert.deepEqual(
        older.map(({ number }) => number),
        [1],
      );
      assert.deepEqual(await store.listRunEnds({ ...query, pipeline: "b" }), []);
      assert.deepEqual(await store.listRunEnds({ ...query, state: "queued" }), []);
      await assert.rejects(store.listRunEnds({ ...query, limit: PAGE_ROWS_MAX + 1 }));
    },
  },
  {
    name: "a page that is too long, empty or no number is refused",
    run: async (make) => {
      const { store } = await make();
      for (const limit of [0, -1, 1.5, Number.NaN, PAGE_ROWS_MAX + 1]) {
        await assert.rejects(store.listRuns({ limit }));
        await assert.rejects(store.listItems({ runId: "r", stage: "s", limit }));
      }
      await assert.rejects(store.listEvents({ after: 0, limit: RECENT_EVENTS_MAX + 1 }));
      await assert.rejects(store.listEvents({ after: 0, limit: 0 }));
    },
  },
  {
    name: "workers say what they run, one row each, and go a day after their last beat",
    run: async (make) => {
      const { store, advance } = await make();
      const first = makeOwner("w1");
      const second = makeOwner("w2");
      await store.beat(first, ["r/a"]);
      await advance(1_000);
      await store.beat(second, []);
      await advance(1_000);
      await store.beat(first, ["r/b", "r/c/é"]);

      const workers = await store.listWorkers();
      assert.deepEqual(
        workers.map(({ owner, running }) => ({ owner, running })),
        [
          { owner: first, running: ["r/b", "r/c/é"] },
          { owner: second, running: [] },
        ],
      );
      assert.ok((workers[0]?.beatAtMs ?? 0) >= (workers[1]?.beatAtMs ?? 0) + 1_000);
      await advance(WORKER_SILENT_MS_MAX);
      await store.beat(first, []);
      assert.deepEqual(
        (await store.listWorkers()).map(({ owner }) => owner.worker),
        ["w1"],
      );
    },
  },
  {
    name: "what a worker says of itself stands beside what it runs, until its next beat",
    run: async (make) => {
      const { store } = await make();
      const owner = makeOwner("w1");
      await store.beat(owner, ["r/a/é"], FACTS);
      assert.deepEqual((await store.listWorkers())[0]?.facts, FACTS);
      await store.beat(owner, []);
      assert.equal((await store.listWorkers())[0]?.facts, null);
    },
  },
];

const FACTS: WorkerFacts = {
  name: "w1",
  kind: "worker",
  version: "1.0.0",
  startedAtMs: 1_000,
  pipelines: [{ name: "crawl", hash: "abc" }],
  slots: 8,
  slotsUsed: 1,
  draining: false,
  memory: { usedBytes: 1, limitBytes: null },
  clockSkewMs: -3,
  work: [
    {
      run: "r",
      stage: "a",
      item: "é",
      attempt: 2,
      startedAtMs: 1_500,
      progress: { done: 1, total: 3, note: "half" },
    },
  ],
};

/** Reads pages of runs that have ended, while another one takes them up again and deletes them. */
async function followChanges(reader: Store, writer: Store): Promise<void> {
  const runs: RunRecord[] = [];
  for (let count = 0; count < 6; count++) {
    const run = await applyRun(writer, createRun({ tags: { at: `${count}` } }));
    await applyAll(writer, endRun(run, count % 2 === 0 ? "failed" : "succeeded"));
    runs.push(run);
  }
  const [first, , third] = runs;
  assert.ok(first && third);
  const states = ["failed"] as const;
  const before = await reader.listRuns({ limit: 9 });
  assert.deepEqual(await reader.listRuns({ limit: 9 }), before);
  assert.deepEqual(await numbersOf(reader, { states, limit: 9 }), [5, 3, 1]);

  const again = await applyRun(writer, claimRun(third, { reopen: true }));
  assert.deepEqual(
    (await reader.listRuns({ limit: 9 })).map(({ state }) => state),
    ["succeeded", "failed", "succeeded", "running", "succeeded", "failed"],
  );
  assert.deepEqual(await numbersOf(reader, { states, limit: 9 }), [5, 1]);
  await applyAll(writer, endRun(again, "cancelled"));
  await writer.apply([{ kind: "delete-runs", runIds: [first.id], states, rowsMax: 9 }]);
  assert.deepEqual(await numbersOf(reader, { limit: 9 }), [6, 5, 4, 3, 2]);
  assert.deepEqual(await numbersOf(reader, { states, limit: 9 }), [5]);
  const page = await reader.listRuns({ limit: 9 });
  for (const run of page) assert.deepEqual(run, await getRun(writer, run.id));
}

async function numbersOf(store: Store, query: RunQuery): Promise<readonly number[]> {
  return (await store.listRuns(query)).map((run) => run.number);
}
