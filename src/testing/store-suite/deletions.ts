// Chapter: deletions. A run goes with all it has, in bounded steps; a running one never goes.

import assert from "node:assert/strict";
import type { Store } from "../../storage/store.ts";
import type { DeleteRunsWrite } from "../../storage/write.ts";
import type { WriteResult } from "../../storage/write-result.ts";
import type { RunState } from "../../model/run.ts";
import {
  apply,
  applyAll,
  applyClaim,
  applyRun,
  claimNext,
  claimRun,
  createBatch,
  createRun,
  encoded,
  endRun,
  makeRetry,
  putItem,
  putMemo,
  putStage,
  queueRun,
  tell,
} from "./fixture.ts";
import type { StoreCase } from "./suite.ts";

type Deleted = Extract<WriteResult, { readonly kind: "deleted" }>;

const ENDED: readonly RunState[] = ["succeeded", "failed", "skipped", "cancelled"];

async function deleteRuns(
  store: Store,
  runIds: readonly string[],
  write: Partial<Omit<DeleteRunsWrite, "kind" | "runIds">> = {},
): Promise<Deleted> {
  const result = await apply(store, {
    kind: "delete-runs",
    runIds,
    states: ENDED,
    rowsMax: 1_000,
    ...write,
  });
  assert.equal(result.kind, "deleted");
  return result.kind === "deleted" ? result : assert.fail();
}

/** A run that succeeded, with rows of every kind. */
async function makeFullRun(store: Store, key: string): Promise<string> {
  const run = await applyRun(store, createRun({ key }, { events: [{ type: "run.created" }] }));
  const state = [{ key: "seen", stage: "fetch", value: encoded(1) }];
  await applyAll(
    store,
    putItem(
      run,
      { key: "a" },
      { retry: makeRetry({ item: "a" }), events: [{ type: "item.succeeded" }] },
    ),
    putItem(run, { key: "b", index: 1 }),
    putMemo(run, { stage: "fetch", item: "a", name: "m" }, 1),
    putStage(run, { stage: "fetch" }, { state }),
    tell(run, { type: "stage.emitted" }),
    endRun(run, "succeeded"),
  );
  return run.id;
}

/** Cases about deletions. */
export const deletionCases: readonly StoreCase[] = [
  {
    name: "R101: a deleted run takes all it had with it, and counters agree",
    run: async (make) => {
      const { store } = await make();
      const gone = await makeFullRun(store, "k");
      const other = await makeFullRun(store, "l");
      const result = await deleteRuns(store, [gone]);

      assert.deepEqual([result.deleted, result.kept], [[gone], []]);
      assert.equal(result.items, 2);
      assert.equal(result.events, 3);
      assert.equal(await store.findRun(gone), undefined);
      assert.equal(await store.findRunByNumber(1), undefined);
      assert.equal(await store.findRunByKey("crawl", "k"), undefined);
      assert.deepEqual(await store.listStages(gone), []);
      assert.deepEqual(await store.listItems({ runId: gone, stage: "fetch", limit: 9 }), []);
      assert.deepEqual(await store.listState(gone), []);
      assert.deepEqual(await store.listRetries(gone, "fetch", "a"), []);
      assert.deepEqual(await store.countItems(gone), new Map());
      const memo = { runId: gone, stage: "fetch", item: "a", name: "m" };
      assert.equal(await store.findMemo(memo), undefined);
      const events = await store.listEvents({ after: 0, limit: 100 });
      assert.deepEqual([...new Set(events.map(({ run }) => run))], [other]);
      assert.deepEqual(
        (await store.listRuns({ limit: 9 })).map(({ id }) => id),
        [other],
      );
      assert.deepEqual(await store.countRuns(), new Map([["crawl", { succeeded: 1 }]]));
      assert.deepEqual((await store.countItems(other)).get("fetch"), { succeeded: 2 });
    },
  },
  {
    name: "R101: a running run is never deleted, and neither is one in another state",
    run: async (make) => {
      const { store } = await make();
      const running = await applyRun(store, createRun());
      const queued = await applyRun(store, queueRun());
      const states: readonly RunState[] = ["running", "succeeded", "failed"];
      const ids = [running.id, queued.id, "none"];
      const result = await deleteRuns(store, ids, { states });

      assert.deepEqual([result.deleted, result.kept], [[], ids]);
      assert.deepEqual(await store.countRuns(), new Map([["crawl", { running: 1, queued: 1 }]]));
      await applyAll(store, putStage(running, { stage: "fetch" }));
    },
  },
  {
    name: "numbers and events of deleted runs are not given again, and their keys are free",
    run: async (make) => {
      const { store } = await make();
      const first = await makeFullRun(store, "k");
      const before = (await store.listEvents({ after: 0, limit: 9 })).at(-1)?.seq ?? 0;
      await deleteRuns(store, [first]);
      const second = await applyRun(
        store,
        createRun({ key: "k" }, { events: [{ type: "run.created" }] }),
      );

      assert.equal(second.number, 2);
      assert.deepEqual(
        (await store.listEvents({ after: before, limit: 9 })).map(({ seq }) => seq),
        [before + 1],
      );
    },
  },
  {
    name: "queued and waiting runs that are deleted leave their queue and their batch",
    run: async (make) => {
      const { store, advance } = await make();
      await apply(store, createBatch("b"));
      const first = await applyRun(store, queueRun({ batch: "b" }));
      const second = await applyRun(store, queueRun({ batch: "b" }));
      const later = await applyRun(store, queueRun({ batch: "b", delayMs: 1_000 }));
      await deleteRuns(store, [first.id, later.id], { states: ["queued", "waiting"] });

      assert.deepEqual(await store.countBatch("b"), { queued: 1 });
      const listed = await store.listBatchRuns({ batch: "b", limit: 9 });
      assert.deepEqual(
        listed.map(({ id }) => id),
        [second.id],
      );
      assert.equal((await store.findNextQueued("crawl"))?.id, second.id);
      await advance(2_000);
      assert.deepEqual(await apply(store, { kind: "wake-runs", limit: 9 }), {
        kind: "woken",
        count: 0,
        nextWakeAtMs: null,
      });
      const claimed = await applyClaim(store, claimNext({ limit: 9 }));
      assert.deepEqual(
        claimed.map(({ run }) => run.id),
        [second.id],
      );
    },
  },
  {
    name: "a run with many rows goes in steps, and what is left between two of them begins anew",
    run: async (make) => {
      const { store } = await make();
      const run = await makeFullRun(store, "k");
      const steps: Deleted[] = [];
      while (steps.length < 20) {
        const step = await deleteRuns(store, [run], { rowsMax: 1 });
        steps.push(step);
        if (step.deleted.length > 0) break;
        assert.deepEqual(step.kept, []);
        assert.deepEqual((await store.loadCheckpoints(run)).stages, []);
        assert.deepEqual(await store.listState(run), []);
        const items = await store.listItems({ runId: run, stage: "fetch", limit: 9 });
        const counted = (await store.countItems(run)).get("fetch")?.succeeded ?? 0;
        assert.equal(counted, items.length);
      }

      assert.deepEqual(steps.at(-1)?.deleted, [run]);
      assert.equal(
        steps.reduce((count, step) => count + step.items, 0),
        2,
      );
      assert.deepEqual((await store.countRuns()).get("crawl") ?? {}, {});
    },
  },
  {
    name: "a run that is made, ended and deleted in one transaction leaves nothing",
    run: async (make) => {
      const { store } = await make();
      const create = createRun({}, { events: [{ type: "run.created" }] });
      const held = { id: create.run.id, epoch: 1 };
      const results = await store.apply([
        create,
        putItem(held, { key: "a" }),
        endRun(held, "failed"),
        { kind: "delete-runs", runIds: [held.id], states: ENDED, rowsMax: 100 },
        claimRun({ id: held.id, epoch: 1 }, { reopen: true }),
      ]);

      assert.deepEqual(
        results.map(({ kind }) => kind),
        ["done", "done", "done", "deleted", "conflict"],
      );
      assert.deepEqual((await store.countRuns()).get("crawl") ?? {}, {});
      assert.deepEqual(await store.listRuns({ limit: 9 }), []);
    },
  },
];
