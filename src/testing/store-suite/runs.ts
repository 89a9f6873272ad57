// Chapter: runs. How they are made, found, moved by their owner and ended.

import assert from "node:assert/strict";
import { encodeValue } from "../../std/value.ts";
import {
  apply,
  applyAll,
  applyRun,
  createRun,
  encoded,
  endRun,
  getRun,
  LEASE_MS,
  makeFailure,
  makeOwner,
  moveRun,
  refusalOf,
} from "./fixture.ts";
import type { StoreCase } from "./suite.ts";

/** Cases about runs. */
export const runCases: readonly StoreCase[] = [
  {
    name: "a queued run is nobody's, under epoch 0",
    run: async (make) => {
      const { store } = await make();
      const write = createRun({ foreground: false }, { claim: null });
      const run = await applyRun(store, write);

      assert.deepEqual(await getRun(store, write.run.id), run);
      assert.equal(run.state, "queued");
      assert.equal(run.epoch, 0);
      assert.equal(run.lease, null);
      assert.equal(run.startedAtMs, null);
      assert.equal(run.endedAtMs, null);
      assert.equal(run.queuedAtMs, run.updatedAtMs);
    },
  },
  {
    name: "a run that is claimed at birth is running under epoch 1, leased by the store's clock",
    run: async (make) => {
      const { store, advance } = await make();
      await advance(5_000);
      const nowMs = store.nowMs();
      const run = await applyRun(store, createRun({ foreground: true }));

      assert.equal(run.state, "running");
      assert.equal(run.epoch, 1);
      assert.equal(run.foreground, true);
      assert.deepEqual(run.lease?.owner, makeOwner("worker-1"));
      const setAtMs = (run.lease?.expiresAtMs ?? 0) - LEASE_MS;
      assert.ok(setAtMs >= nowMs && setAtMs <= store.nowMs());
      assert.equal(run.startedAtMs, run.queuedAtMs);
    },
  },
  {
    name: "everything the caller says of a run is kept",
    run: async (make) => {
      const { store } = await make();
      const input = encoded({ text: "a\u0000b \u2028 😀 \ud800", list: [1, null, new Date(0)] });
      const write = createRun({
        pipeline: "Pipeline-é😀",
        definitionHash: "hash-é",
        key: "Key\u0000😀",
        input,
        inputVersion: "version-x",
        foreground: true,
        parent: "00000000-0000-7000-8000-00000000beef",
        source: "cli",
        tags: { team: "data", "a.b\"c'": "d" },
        settings: { skip: ["a"], concurrency: 3, failFast: false, deadlineMs: 60_000 },
      });
      const run = await applyRun(store, write);

      const { id, ...said } = write.run;
      assert.partialDeepStrictEqual(run, { id, ...said });
      assert.deepEqual(await getRun(store, id), run);
      assert.deepEqual(await store.findRunByNumber(run.number), run);
      assert.deepEqual(await store.findRunByKey("Pipeline-é😀", "Key\u0000😀"), run);
      assert.equal(await store.findDefinition("hash-é"), write.definitionJson);
    },
  },
  {
    name: "a large input is kept whole",
    run: async (make) => {
      const { store } = await make();
      const input = encodeValue("é".repeat(1_000_000));
      assert.ok(input.ok);
      const run = await applyRun(store, createRun({ input: input.value }));

      assert.equal((await getRun(store, run.id)).input === input.value, true);
    },
  },
  {
    name: "numbers rise from 1, one for each run",
    run: async (make) => {
      const { store } = await make();
      const first = await applyRun(store, createRun());
      const results = await store.apply([createRun(), createRun({}, { claim: null })]);
      const numbers = results.map((result) => (result.kind === "done" ? result.run?.number : 0));

      assert.deepEqual([first.number, ...numbers], [1, 2, 3]);
      assert.equal(await store.findRunByNumber(4), undefined);
      assert.equal(await store.findRunByNumber(0), undefined);
    },
  },
  {
    name: "R204: the id of a run is unique",
    run: async (make) => {
      const { store } = await make();
      const write = createRun();
      const run = await applyRun(store, write);
      const again = await apply(store, createRun({ id: run.id, pipeline: "another" }));

      assert.equal(again.kind, "conflict");
      assert.deepEqual(again.kind === "conflict" && again.run, run);
      assert.equal((await applyRun(store, createRun())).number, 2);
    },
  },
  {
    name: "a key is taken once per pipeline, whatever became of the run that has it",
    run: async (make) => {
      const { store } = await make();
      const first = await applyRun(store, createRun({ key: "a" }));
      await applyAll(store, endRun(first, "succeeded"));
      const again = await apply(store, createRun({ key: "a" }));

      assert.equal(again.kind, "key-taken");
      assert.deepEqual(again.kind === "key-taken" && again.run, await getRun(store, first.id));
      await applyAll(
        store,
        createRun({ key: "a", pipeline: "another" }),
        createRun({ key: "A" }),
        createRun({ key: null }),
        createRun({ key: null }),
      );
      assert.deepEqual((await store.findRunByKey("crawl", "a"))?.id, first.id);
      assert.equal(await store.findRunByKey("crawl", "b"), undefined);
    },
  },
  {
    name: "of two runs with one key in one batch the first is made",
    run: async (make) => {
      const { store } = await make();
      const [first, second] = await store.apply([createRun({ key: "a" }), createRun({ key: "a" })]);

      assert.equal(first?.kind, "done");
      assert.equal(second?.kind, "key-taken");
      assert.equal(second?.kind === "key-taken" && second.run.number, 1);
    },
  },
  {
    name: "the first definition of a hash stays",
    run: async (make) => {
      const { store } = await make();
      await applyAll(
        store,
        createRun({ definitionHash: "h" }, { definitionJson: "1" }),
        createRun({ definitionHash: "h" }, { definitionJson: "2" }),
      );

      assert.equal(await store.findDefinition("h"), "1");
      assert.equal(await store.findDefinition("H"), undefined);
    },
  },
  {
    name: "a run that ends keeps its verdict and has no lease",
    run: async (make) => {
      const { store, advance } = await make();
      const run = await applyRun(store, createRun());
      await advance(1_000);
      const failure = { ...makeFailure("no"), stage: "fetch", item: { key: "k", index: 3 } };
      const end = { durationMs: 12.5, warnings: 2, failure, metrics: { rows: 7, share: 0.25 } };
      await applyAll(store, moveRun(run, "failed", { reason: "stage fetch failed", end }));

      const ended = await getRun(store, run.id);
      assert.partialDeepStrictEqual(ended, {
        state: "failed",
        reason: "stage fetch failed",
        ...end,
      });
      assert.equal(ended.lease, null);
      assert.equal(ended.epoch, 1);
      assert.ok((ended.endedAtMs ?? 0) >= run.queuedAtMs + 1_000);
      assert.equal(ended.updatedAtMs, ended.endedAtMs);
    },
  },
  {
    name: "a run may be parked, and then has a reason and no lease",
    run: async (make) => {
      const { store } = await make();
      const run = await applyRun(store, createRun());
      await applyAll(store, moveRun(run, "waiting", { reason: "retry" }));

      const parked = await getRun(store, run.id);
      assert.partialDeepStrictEqual(parked, { state: "waiting", reason: "retry", lease: null });
      assert.equal(parked.endedAtMs, null);
    },
  },
  {
    name: "a run that stays running keeps its lease",
    run: async (make) => {
      const { store } = await make();
      const run = await applyRun(store, createRun());
      await applyAll(store, moveRun(run, "running", { reason: "slow" }));

      const moved = await getRun(store, run.id);
      assert.equal(moved.reason, "slow");
      assert.deepEqual(moved.lease, run.lease);
    },
  },
  {
    name: "a queued run may be returned to its queue, a foreground run never",
    run: async (make) => {
      const { store } = await make();
      const queued = await applyRun(store, createRun({ foreground: false }));
      const foreground = await applyRun(store, createRun({ foreground: true }));
      await applyAll(store, moveRun(queued, "queued"));

      assert.partialDeepStrictEqual(await getRun(store, queued.id), {
        state: "queued",
        lease: null,
      });
      const reason = await refusalOf(store, moveRun(foreground, "queued"));
      assert.match(reason, /"running".*"queued"/);
      assert.deepEqual(await getRun(store, foreground.id), foreground);
    },
  },
  {
    name: "a run that nobody made is not found",
    run: async (make) => {
      const { store } = await make();

      assert.equal(await store.findRun("00000000-0000-7000-8000-00000000dead"), undefined);
      assert.deepEqual(await store.listRuns({ limit: 10 }), []);
      assert.deepEqual(await store.loadCheckpoints("none"), {
        stages: [],
        items: new Map(),
        state: [],
        crashes: [],
      });
      assert.deepEqual(await store.countItems("none"), new Map());
    },
  },
];
