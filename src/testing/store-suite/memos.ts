// Chapter: memos and state. What attempts leave for later ones, and what stages leave for others.

import assert from "node:assert/strict";
import {
  apply,
  applyAll,
  applyRun,
  createRun,
  encoded,
  FAILED,
  putItem,
  putMemo,
  putStage,
} from "./fixture.ts";
import type { StoreCase } from "./suite.ts";

/** Cases about memos and the run's state. */
export const memoCases: readonly StoreCase[] = [
  {
    name: "the first memo of a name stays, and whoever comes later is given it",
    run: async (make) => {
      const { store } = await make();
      const run = await applyRun(store, createRun());
      const name = { stage: "a", item: null, name: "page-1" };
      await applyAll(store, putMemo(run, name, { rows: 1 }));
      const again = await apply(store, {
        ...putMemo(run, name, { rows: 2 }),
        events: [{ type: "stage.logged" }],
      });

      assert.deepEqual(again, { kind: "kept", value: encoded({ rows: 1 }) });
      assert.equal(await store.findMemo({ runId: run.id, ...name }), encoded({ rows: 1 }));
      assert.deepEqual(await store.listEvents({ after: 0, limit: 10 }), []);
    },
  },
  {
    name: "memos are told apart by run, stage, item and name",
    run: async (make) => {
      const { store } = await make();
      const first = await applyRun(store, createRun());
      const second = await applyRun(store, createRun());
      const names = [
        { stage: "a", item: null, name: "m" },
        { stage: "a", item: "m", name: "m" },
        { stage: "b", item: null, name: "m" },
        { stage: "a", item: null, name: "M" },
        { stage: "a", item: null, name: "" },
      ];
      for (const run of [first, second]) {
        await applyAll(
          store,
          ...names.map((name, index) => putMemo(run, name, [run.number, index])),
        );
      }
      for (const run of [first, second]) {
        for (const [index, name] of names.entries()) {
          const value = await store.findMemo({ runId: run.id, ...name });
          assert.equal(value, encoded([run.number, index]));
        }
      }
      const unknown = { runId: first.id, stage: "c", item: null, name: "m" };
      assert.equal(await store.findMemo(unknown), undefined);
    },
  },
  {
    name: "an undefined result is a memo as well",
    run: async (make) => {
      const { store } = await make();
      const run = await applyRun(store, createRun());
      const name = { stage: "a", item: null, name: "m" };
      await applyAll(store, putMemo(run, name, undefined));

      assert.equal(await store.findMemo({ runId: run.id, ...name }), encoded(undefined));
    },
  },
  {
    name: "state becomes visible with the end that brings it, and the last writer of a key counts",
    run: async (make) => {
      const { store } = await make();
      const run = await applyRun(store, createRun());
      const entry = (key: string, stage: string, value: unknown) => ({
        key,
        stage,
        value: encoded(value),
      });
      await applyAll(
        store,
        putStage(run, { stage: "a" }, { state: [entry("z", "a", 1), entry("b", "a", 1)] }),
        putItem(run, { key: "k", stage: "m" }, { state: [entry("b", "m", 2)] }),
        putStage(run, { stage: "c" }, { state: [entry("é", "c", null), entry("", "c", 0)] }),
      );
      const expected = [
        entry("", "c", 0),
        entry("b", "m", 2),
        entry("z", "a", 1),
        entry("é", "c", null),
      ];

      assert.deepEqual(await store.listState(run.id), expected);
      assert.deepEqual((await store.loadCheckpoints(run.id)).state, expected);
    },
  },
  {
    name: "a refused end leaves no state",
    run: async (make) => {
      const { store } = await make();
      const run = await applyRun(store, createRun());
      await applyAll(store, putStage(run, { stage: "a", ...FAILED }));
      const state = [{ key: "k", stage: "a", value: encoded(1) }];
      await apply(store, putStage(run, { stage: "a" }, { state }));
      await apply(store, putStage({ id: run.id, epoch: 0 }, { stage: "b" }, { state }));

      assert.deepEqual(await store.listState(run.id), []);
    },
  },
];
