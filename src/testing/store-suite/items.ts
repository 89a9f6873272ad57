// Chapter: items. Known by key, never by place; listed by place, in pages.

import assert from "node:assert/strict";
import type { ItemRecord } from "../../model/checkpoint.ts";
import type { ItemQuery, Store } from "../../storage/store.ts";
import {
  applyAll,
  applyRun,
  createRun,
  encoded,
  FAILED_ITEM,
  inline,
  makeFailure,
  makeRetry,
  PENDING,
  putItem,
  putMemo,
  putStage,
  refusalOf,
  WAITING,
} from "./fixture.ts";
import type { StoreCase } from "./suite.ts";

/** Cases about items. */
export const itemCases: readonly StoreCase[] = [
  {
    name: "everything that is said of an item is kept",
    run: async (make) => {
      const { store } = await make();
      const run = await applyRun(store, createRun());
      const full: ItemRecord = {
        stage: "fetch",
        key: "k",
        index: 99_999,
        state: "failed",
        via: "cache",
        attempts: 7,
        output: { kind: "blob", blob: "ab".repeat(32), bytes: 70_000 },
        inputVersion: "i",
        reason: "because",
        failure: makeFailure("no"),
        metrics: { words: { absolute: false, value: 2.5 } },
        waitedMs: { limit: 5 },
        dueAtMs: 1,
        blocker: "limit",
        startedAtMs: 2,
        endedAtMs: 3,
        durationMs: 0.5,
      };
      const bare = { ...putItem(run, { key: "bare", ...PENDING }).record, inputVersion: null };
      const waiting = putItem(run, { key: "waiting", ...WAITING }).record;
      await applyAll(store, putItem(run, full), putItem(run, bare), putItem(run, waiting));

      assert.deepEqual(await store.findItem(run.id, "fetch", "waiting"), waiting);
      assert.deepEqual(await store.findItem(run.id, "fetch", "k"), full);
      assert.deepEqual(await store.findItem(run.id, "fetch", "bare"), bare);
      assert.equal(await store.findItem(run.id, "fetch", "none"), undefined);
      assert.equal(await store.findItem(run.id, "fetc", "k"), undefined);
    },
  },
  {
    name: "keys are told apart by every byte",
    run: async (make) => {
      const { store } = await make();
      const run = await applyRun(store, createRun());
      const keys = ["a", "A", "a ", " a", "a\u0000", "a\u0000b", "é", "e\u0301", "😀", "1", "01"];
      const long = "x".repeat(511);
      const all = [
        ...keys,
        `${long}1`,
        `${long}2`,
        "__proto__",
        "constructor",
        "'; DROP TABLE runs",
      ];
      const writes = all.map((key, index) => putItem(run, { key, index, output: inline(key) }));
      await applyAll(store, ...writes);

      for (const [index, key] of all.entries()) {
        const item = await store.findItem(run.id, "fetch", key);
        assert.deepEqual([item?.key, item?.index, item?.output], [key, index, inline(key)]);
      }
      assert.deepEqual((await store.countItems(run.id)).get("fetch"), { succeeded: all.length });
    },
  },
  {
    name: "an ending is never written over",
    run: async (make) => {
      const { store } = await make();
      const run = await applyRun(store, createRun());
      const put = putItem(run, { key: "k" });
      await applyAll(store, put);
      const again = putItem(run, { key: "k", ...FAILED_ITEM }, { retry: makeRetry({ item: "k" }) });
      const reason = await refusalOf(store, again);

      assert.match(reason, /Item "k" of stage "fetch" cannot move from "succeeded" to "failed"/);
      assert.deepEqual(await store.findItem(run.id, "fetch", "k"), put.record);
      assert.deepEqual(await store.listRetries(run.id, "fetch", "k"), []);
    },
  },
  {
    name: "before its end an item may wait, with a history of its own",
    run: async (make) => {
      const { store } = await make();
      const run = await applyRun(store, createRun());
      const retry = makeRetry({ item: "k" });
      const waiting = putItem(
        run,
        { key: "k", ...PENDING, state: "waiting", dueAtMs: 5 },
        { retry },
      );
      await applyAll(store, waiting);
      assert.deepEqual(await store.findItem(run.id, "fetch", "k"), waiting.record);
      await applyAll(store, putItem(run, { key: "k", attempts: 2 }));

      assert.equal((await store.findItem(run.id, "fetch", "k"))?.state, "succeeded");
      assert.deepEqual(await store.listRetries(run.id, "fetch", "k"), [retry]);
      assert.deepEqual(await store.listRetries(run.id, "fetch", null), []);
      assert.deepEqual((await store.countItems(run.id)).get("fetch"), { succeeded: 1 });
    },
  },
  {
    name: "items that ended, wait or are recorded as started are brought back, each under its stage",
    run: async (make) => {
      const { store } = await make();
      const run = await applyRun(store, createRun());
      const known = [
        putItem(run, { key: "a", index: 0 }),
        putItem(run, { key: "b", index: 1, ...FAILED_ITEM }),
        putItem(run, { key: "c", index: 2, ...FAILED_ITEM, state: "skipped" }),
        putItem(run, { key: "g", index: 3, ...PENDING, state: "running" }),
        putItem(run, { key: "e", index: 4, ...WAITING }),
        putItem(run, { key: "a", index: 0, stage: "parse" }),
      ];
      const open = [
        putItem(run, { key: "d", index: 3, ...PENDING }),
        putItem(run, { key: "f", index: 5, ...PENDING, stage: "other" }),
      ];
      await applyAll(store, ...known, ...open, putStage(run, { stage: "other", ...PENDING }));

      const { items } = await store.loadCheckpoints(run.id);
      const sorted = (stage: string): readonly ItemRecord[] =>
        [...(items.get(stage) ?? [])].sort((left, right) => left.index - right.index);
      assert.deepEqual([...items.keys()].sort(), ["fetch", "parse"]);
      assert.deepEqual(
        [...sorted("fetch"), ...sorted("parse")],
        known.map((write) => write.record),
      );
    },
  },
  {
    name: "items are listed by place, however they came, in pages without gap or repetition",
    run: async (make) => {
      const { store } = await make();
      const run = await applyRun(store, createRun());
      const places = [4, 0, 3, 1, 2, 10, 9, 5];
      await applyAll(store, ...places.map((index) => putItem(run, { key: `k${index}`, index })));
      await applyAll(store, putItem(run, { stage: "other", key: "k6", index: 6 }));

      const whole = await placesOf(store, { runId: run.id, stage: "fetch", limit: 100 });
      assert.deepEqual(whole, [0, 1, 2, 3, 4, 5, 9, 10]);
      const paged: number[] = [];
      for (let page = 0; page < 4; page++) {
        const query = { runId: run.id, stage: "fetch", limit: 3, afterIndex: paged.at(-1) ?? -1 };
        paged.push(...(await placesOf(store, query)));
      }
      assert.deepEqual(paged, whole);
    },
  },
  {
    name: "items that share a place for a while are listed by key, and a page may end between them",
    run: async (make) => {
      const { store } = await make();
      const run = await applyRun(store, createRun());
      await applyAll(
        store,
        ...["c", "～", "a", "😀", "b"].map((key) => putItem(run, { key, index: 1 })),
      );
      const page = { runId: run.id, stage: "fetch", limit: 2 };
      const first = await store.listItems(page);
      const rest = await store.listItems({ ...page, limit: 9, afterIndex: 1, afterKey: "b" });

      assert.deepEqual(
        [...first, ...rest].map((item) => item.key),
        ["a", "b", "c", "～", "😀"],
      );
      assert.deepEqual(await store.listItems({ ...page, afterIndex: 1 }), []);
    },
  },
  {
    name: "what stands just before an item is listed in order too, by place and by key",
    run: async (make) => {
      const { store } = await make();
      const run = await applyRun(store, createRun());
      const places = { a: 0, "😀": 1, "～": 1, b: 1, c: 2, d: 5 };
      await applyAll(
        store,
        ...Object.entries(places).map(([key, index]) => putItem(run, { key, index })),
        putItem(run, { key: "e", index: 3, ...PENDING }),
      );
      const page = { runId: run.id, stage: "fetch", limit: 2 };
      const before = async (query: Partial<ItemQuery>): Promise<readonly string[]> =>
        (await store.listItems({ ...page, ...query })).map(({ key }) => key);

      assert.deepEqual(await before({ beforeIndex: 9 }), ["e", "d"]);
      assert.deepEqual(await before({ beforeIndex: 2 }), ["～", "😀"]);
      assert.deepEqual(await before({ beforeIndex: 1, beforeKey: "😀" }), ["b", "～"]);
      assert.deepEqual(await before({ beforeIndex: 1, beforeKey: "b" }), ["a"]);
      assert.deepEqual(await before({ beforeIndex: 1 }), ["a"]);
      assert.deepEqual(await before({ beforeIndex: 5, states: ["succeeded"] }), ["😀", "c"]);
      assert.deepEqual(await before({ beforeIndex: 0 }), []);
    },
  },
  {
    name: "how items stand is listed in the same order, without what they made",
    run: async (make) => {
      const { store } = await make();
      const run = await applyRun(store, createRun());
      const states = ["succeeded", "failed", "skipped", "succeeded"] as const;
      await applyAll(
        store,
        ...states.map((state, index) => putItem(run, { key: `k${index}`, index, state })),
      );
      const page = { runId: run.id, stage: "fetch", limit: 10 };

      const whole = await store.listItems(page);
      const ends = await store.listItemEnds(page);
      assert.deepEqual(
        ends,
        whole.map(({ key, index, state, attempts, blocker, endedAtMs }) => ({
          key,
          index,
          state,
          attempts,
          blocker,
          endedAtMs,
        })),
      );
      const rest = await store.listItemEnds({ ...page, afterIndex: 1, afterKey: "k1", limit: 1 });
      assert.deepEqual(rest, ends.slice(2, 3));
      assert.deepEqual(await store.listItemEnds({ ...page, runId: "none" }), []);
    },
  },
  {
    name: "items can be asked for by state",
    run: async (make) => {
      const { store } = await make();
      const run = await applyRun(store, createRun());
      const states = ["succeeded", "failed", "skipped", "failed", "cancelled"] as const;
      await applyAll(
        store,
        ...states.map((state, index) => putItem(run, { key: `k${index}`, index, state })),
      );
      const query = { runId: run.id, stage: "fetch", limit: 10 };

      assert.deepEqual(await placesOf(store, { ...query, states: ["failed"] }), [1, 3]);
      const two = { ...query, states: ["cancelled", "failed"] } as const;
      assert.deepEqual(await placesOf(store, two), [1, 3, 4]);
      assert.deepEqual(await placesOf(store, { ...two, afterIndex: 1, limit: 1 }), [3]);
      assert.deepEqual(await placesOf(store, { ...query, states: [] }), []);
      assert.deepEqual(await placesOf(store, { ...query, runId: "none" }), []);
    },
  },
  {
    name: "a kept item takes a new place, and keeps everything else",
    run: async (make) => {
      const { store } = await make();
      const run = await applyRun(store, createRun());
      const put = putItem(run, { key: "a", index: 0 });
      await applyAll(store, put, putItem(run, { key: "b", index: 1 }));
      await applyAll(store, {
        kind: "place-items",
        runId: run.id,
        epoch: run.epoch,
        stage: "fetch",
        events: [],
        places: [
          { key: "a", index: 7 },
          { key: "none", index: 8 },
        ],
      });

      assert.deepEqual(await store.findItem(run.id, "fetch", "a"), { ...put.record, index: 7 });
      const query = { runId: run.id, stage: "fetch", limit: 10 };
      assert.deepEqual(await placesOf(store, query), [1, 7]);
      assert.equal(await store.findItem(run.id, "fetch", "none"), undefined);
    },
  },
  {
    name: "a dropped item is gone with its memos and history, and may be done again",
    run: async (make) => {
      const { store } = await make();
      const run = await applyRun(store, createRun());
      for (const key of ["a", "b"]) {
        await applyAll(
          store,
          putMemo(run, { stage: "fetch", item: key, name: "m" }, key),
          putItem(run, { key }, { retry: makeRetry({ item: key, delayMs: null }) }),
        );
      }
      await applyAll(store, {
        kind: "drop-items",
        runId: run.id,
        epoch: run.epoch,
        stage: "fetch",
        keys: ["a", "none"],
        events: [],
      });

      assert.equal(await store.findItem(run.id, "fetch", "a"), undefined);
      assert.deepEqual(await store.listRetries(run.id, "fetch", "a"), []);
      const memo = { runId: run.id, stage: "fetch", item: "a", name: "m" };
      assert.equal(await store.findMemo(memo), undefined);
      assert.equal(await store.findMemo({ ...memo, item: "b" }), encoded("b"));
      assert.equal((await store.listRetries(run.id, "fetch", "b")).length, 1);
      assert.deepEqual((await store.countItems(run.id)).get("fetch"), { succeeded: 1 });
      await applyAll(store, putItem(run, { key: "a", ...FAILED_ITEM }));
      assert.deepEqual((await store.countItems(run.id)).get("fetch"), { succeeded: 1, failed: 1 });
    },
  },
];

async function placesOf(store: Store, query: ItemQuery): Promise<readonly number[]> {
  return (await store.listItems(query)).map((item) => item.index);
}
