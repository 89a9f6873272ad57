// Chapter: counters. Kept with every change, so that they are always what a recount would say.

import assert from "node:assert/strict";
import { PAGE_ROWS_MAX } from "../../model/limits.ts";
import { STAGE_STATES, type StageState } from "../../model/outcome.ts";
import { RUN_STATES, type RunState } from "../../model/run.ts";
import { makeSeededRandom, type Random } from "../../std/random.ts";
import type { Store } from "../../storage/store.ts";
import type { Write } from "../../storage/write.ts";
import {
  applyAll,
  applyRun,
  claimRun,
  createRun,
  endRun,
  FAILED_ITEM,
  moveRun,
  PENDING,
  putItem,
  requestCancel,
} from "./fixture.ts";
import type { StoreCase } from "./suite.ts";

/** Cases about counters. */
export const counterCases: readonly StoreCase[] = [
  {
    name: "R258: an item that is reported twice is counted once",
    run: async (make) => {
      const { store } = await make();
      const run = await applyRun(store, createRun());
      await store.apply([putItem(run, { key: "a" }), putItem(run, { key: "a" })]);
      await store.apply([putItem(run, { key: "a" }), putItem(run, { key: "a", ...FAILED_ITEM })]);

      assert.deepEqual(await store.countItems(run.id), new Map([["fetch", { succeeded: 1 }]]));
    },
  },
  {
    name: "an item moves from count to count with its state",
    run: async (make) => {
      const { store } = await make();
      const run = await applyRun(store, createRun());
      const counts = async () => (await store.countItems(run.id)).get("fetch");
      await applyAll(store, putItem(run, { key: "a", ...PENDING }));
      assert.deepEqual(await counts(), { pending: 1 });
      const waiting = putItem(run, { key: "a", ...PENDING, state: "waiting" });
      await applyAll(store, waiting, waiting, putItem(run, { key: "b", ...PENDING }));
      assert.deepEqual(await counts(), { waiting: 1, pending: 1 });
      await applyAll(store, putItem(run, { key: "a" }), putItem(run, { key: "b", ...FAILED_ITEM }));
      assert.deepEqual(await counts(), { succeeded: 1, failed: 1 });
    },
  },
  {
    name: "items are counted by run and stage",
    run: async (make) => {
      const { store } = await make();
      const first = await applyRun(store, createRun());
      const second = await applyRun(store, createRun());
      await applyAll(
        store,
        putItem(first, { key: "a" }),
        putItem(first, { key: "a", stage: "parse", ...FAILED_ITEM }),
        putItem(second, { key: "a" }),
      );

      assert.deepEqual(
        await store.countItems(first.id),
        new Map([
          ["fetch", { succeeded: 1 }],
          ["parse", { failed: 1 }],
        ]),
      );
    },
  },
  {
    name: "runs are counted by pipeline and state through their whole life",
    run: async (make) => {
      const { store } = await make();
      const a = await applyRun(store, createRun());
      const b = await applyRun(store, createRun({}, { claim: null }));
      const c = await applyRun(store, createRun({ pipeline: "other" }, { claim: null }));
      assert.deepEqual(
        await store.countRuns(),
        new Map([
          ["crawl", { running: 1, queued: 1 }],
          ["other", { queued: 1 }],
        ]),
      );
      const claimed = await applyRun(store, claimRun(b));
      await applyAll(store, endRun(a, "failed"), moveRun(claimed, "waiting", { reason: "due" }));
      await applyAll(store, requestCancel(c.id));
      assert.deepEqual(
        await store.countRuns(),
        new Map([
          ["crawl", { failed: 1, waiting: 1 }],
          ["other", { cancelled: 1 }],
        ]),
      );
      await applyAll(store, claimRun(a, { reopen: true }), endRun({ ...a, epoch: 2 }, "succeeded"));
      assert.deepEqual((await store.countRuns()).get("crawl"), { succeeded: 1, waiting: 1 });
    },
  },
  {
    name: "after any sequence of writes the counts equal a recount",
    run: async (make) => {
      const { store } = await make();
      const random = makeSeededRandom(17);
      for (let round = 0; round < 30; round++) await writeAtRandom(store, random);

      assert.deepEqual(await store.countRuns(), await recountRuns(store));
      for (const run of await store.listRuns({ limit: PAGE_ROWS_MAX })) {
        assert.deepEqual(await store.countItems(run.id), await recountItems(store, run.id));
      }
    },
  },
];

/** A run with random items, some of them written twice, dropped or reset, and a random end. */
async function writeAtRandom(store: Store, random: Random): Promise<void> {
  const pick = <T>(list: readonly [T, ...T[]]): T =>
    list[Math.floor(random.float() * list.length)] ?? list[0];
  const run = await applyRun(store, createRun({ pipeline: pick(["a", "b"]) }));
  const { id: runId } = run;
  const write = (epoch: number): Write => {
    const key = pick(["1", "2", "3", "4"]);
    const stage = pick(["x", "y"]);
    const state = pick(STAGE_STATES);
    if (random.float() < 0.15)
      return { kind: "drop-items", runId, epoch, stage, keys: [key], events: [] };
    return putItem({ id: runId, epoch }, { key, stage, state });
  };
  const writes = (epoch: number): Write[] => Array.from({ length: 8 }, () => write(epoch));
  await store.apply([...writes(1), moveRun(run, pick(RUN_STATES)), ...writes(1)]);
  const mode = pick(["open", "keep", "drop"] as const);
  const now = await store.findRun(runId);
  if (now === undefined) return;
  const resetStages = [{ stage: "x", mode }];
  await store.apply([claimRun(now, { reopen: random.float() < 0.7, resetStages })]);
  await store.apply([...writes(now.epoch + 1), requestCancel(runId)]);
}

async function recountRuns(store: Store): Promise<Map<string, Partial<Record<RunState, number>>>> {
  const counts = new Map<string, Partial<Record<RunState, number>>>();
  for (const run of await store.listRuns({ limit: PAGE_ROWS_MAX })) {
    const states = counts.get(run.pipeline) ?? {};
    states[run.state] = (states[run.state] ?? 0) + 1;
    counts.set(run.pipeline, states);
  }
  return counts;
}

async function recountItems(
  store: Store,
  runId: string,
): Promise<Map<string, Partial<Record<StageState, number>>>> {
  const counts = new Map<string, Partial<Record<StageState, number>>>();
  for (const stage of ["x", "y"]) {
    const states: Partial<Record<StageState, number>> = {};
    for (const item of await store.listItems({ runId, stage, limit: PAGE_ROWS_MAX })) {
      states[item.state] = (states[item.state] ?? 0) + 1;
    }
    if (Object.keys(states).length > 0) counts.set(stage, states);
  }
  return counts;
}
