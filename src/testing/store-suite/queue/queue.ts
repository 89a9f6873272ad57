// Chapter: queue. In which order runs are claimed, by whom and how many.

import assert from "node:assert/strict";
import { PRIORITY_STEP_MS } from "../../../model/limits.ts";
import {
  apply,
  applyAll,
  applyClaim,
  applyRun,
  claimNext,
  createRun,
  endRun,
  getRun,
  LEASE_MS,
  makeOwner,
  moveRun,
  queueRun,
  reclaimRun,
} from "../fixture.ts";
import type { StoreCase } from "../suite.ts";
import { enqueue, keysOf } from "./queue-fixture.ts";

/** Cases about the order of claims, and what is claimed. */
const orderCases: readonly StoreCase[] = [
  {
    name: "R112 R160: claims go by priority, then by due time, then by number",
    run: async (make) => {
      const { store, advance } = await make();
      await applyAll(
        store,
        queueRun({ key: "low", priority: -1 }),
        queueRun({ key: "first" }),
        queueRun({ key: "second" }),
        queueRun({ key: "high", priority: 2 }),
      );
      await advance(10);
      await enqueue(store, "later");
      await enqueue(store, "high later", { priority: 2 });

      assert.equal((await store.findNextQueued("crawl"))?.key, "high");
      assert.deepEqual(keysOf(await applyClaim(store, claimNext({ limit: 1 }))), ["high"]);
      assert.deepEqual(keysOf(await applyClaim(store, claimNext({ limit: 9 }))), [
        "high later",
        "first",
        "second",
        "later",
        "low",
      ]);
      assert.equal(await store.findNextQueued("crawl"), undefined);
    },
  },
  {
    name: "a unit of priority is worth a minute of waiting, to the millisecond",
    run: async (make) => {
      const { store, advance } = await make();
      await enqueue(store, "early");
      await advance(PRIORITY_STEP_MS - 1);
      await enqueue(store, "just in time", { priority: 1 });
      await advance(1);
      await enqueue(store, "as long ago", { priority: 1 });
      await advance(1);
      await enqueue(store, "too late", { priority: 1 });

      const claimed = await applyClaim(store, claimNext({ limit: 9 }));
      assert.deepEqual(keysOf(claimed), ["just in time", "early", "as long ago", "too late"]);
    },
  },
  {
    name: "R113: under a steady input of high priority the low one still starts",
    run: async (make) => {
      const { store, advance } = await make();
      await enqueue(store, "low");
      await enqueue(store, "high 0", { priority: 3 });
      const started: (string | null)[] = [];
      for (let minute = 1; minute <= 5; minute++) {
        await advance(PRIORITY_STEP_MS);
        await enqueue(store, `high ${minute}`, { priority: 3 });
        started.push(...keysOf(await applyClaim(store, claimNext())));
      }

      assert.deepEqual(started, ["high 0", "high 1", "high 2", "low", "high 3"]);
    },
  },
  {
    name: "queues of several pipelines are claimed as one, and others are left alone",
    run: async (make) => {
      const { store, advance } = await make();
      for (const [key, pipeline] of [
        ["a", "crawl"],
        ["b", "parse"],
        ["c", "other"],
        ["d", "parse"],
        ["e", "crawl"],
      ] as const) {
        await enqueue(store, key, { pipeline });
        await advance(1);
      }
      await enqueue(store, "urgent", { pipeline: "parse", priority: 1 });
      const pipelines = [{ name: "crawl" }, { name: "parse" }, { name: "empty" }];

      const claimed = await applyClaim(store, claimNext({ limit: 3 }, ...pipelines));
      assert.deepEqual(keysOf(claimed), ["urgent", "a", "b"]);
      const rest = await applyClaim(store, claimNext({ limit: 9 }, ...pipelines.toReversed()));
      assert.deepEqual(keysOf(rest), ["d", "e"]);
      assert.equal((await store.findNextQueued("other"))?.key, "c");
      assert.equal(await store.findNextQueued("crawl"), undefined);
    },
  },
  {
    name: "an empty store has nothing to claim, nothing to wake and no next run",
    run: async (make) => {
      const { store } = await make();
      assert.deepEqual(await applyClaim(store, claimNext({ limit: 9 })), []);
      assert.deepEqual(await applyClaim(store, { ...claimNext(), pipelines: [] }), []);
      assert.deepEqual(await apply(store, { kind: "wake-runs", limit: 9 }), {
        kind: "woken",
        count: 0,
        nextWakeAtMs: null,
      });
      assert.equal(await store.findNextQueued("crawl"), undefined);
      assert.deepEqual(await store.listEvents({ after: 0, limit: 9 }), []);
    },
  },
  {
    name: "R159: no run is claimed twice, whoever asks how often",
    run: async (make) => {
      const { store } = await make();
      for (const key of ["a", "b", "c", "d"]) await enqueue(store, key);
      const first = await applyClaim(store, claimNext({ limit: 2 }));
      const second = await applyClaim(store, claimNext({ limit: 2 }));
      const third = await applyClaim(store, claimNext({ limit: 2 }));

      assert.deepEqual(keysOf([...first, ...second]), ["a", "b", "c", "d"]);
      assert.deepEqual(third, []);
      assert.deepEqual(await store.countRuns(), new Map([["crawl", { running: 4 }]]));
    },
  },
  {
    name: "R159: of two processes that claim from one store, none gets what the other has",
    needs: (capabilities) => capabilities.shared,
    run: async (make) => {
      const { store, open } = await make();
      const other = await open();
      for (let index = 0; index < 9; index++) await enqueue(store, `key-${index}`);
      const keys: (string | null)[] = [];
      for (const claimer of [store, other, store, other, other]) {
        keys.push(...keysOf(await applyClaim(claimer, claimNext({ limit: 2 }))));
      }

      assert.deepEqual(
        keys,
        Array.from({ length: 9 }, (_, index) => `key-${index}`),
      );
      assert.deepEqual(await other.countRuns(), new Map([["crawl", { running: 9 }]]));
    },
  },
  {
    name: "a run that was reclaimed stands where its due time and priority put it",
    run: async (make) => {
      const { store, advance } = await make();
      await enqueue(store, "a");
      await advance(1);
      await enqueue(store, "b");
      const [lost] = await applyClaim(store, claimNext());
      assert.ok(lost !== undefined);
      await applyRun(store, reclaimRun(lost.run));

      assert.deepEqual(keysOf(await applyClaim(store, claimNext({ limit: 9 }))), ["a", "b"]);
    },
  },
];

/** Cases about what a claim makes of a run, and how many it may take. */
const claimCases: readonly StoreCase[] = [
  {
    name: "a claimed run has its owner, its lease and the definition of who claims it, and says so",
    run: async (make) => {
      const { store, advance } = await make();
      const queued = await applyRun(store, queueRun({}, { events: [{ type: "run.created" }] }));
      await applyAll(store, createRun({}, { events: [{ type: "run.created" }] }));
      await advance(1_000);
      const theirs = { definitionHash: "hash-2", definitionJson: `{"version":2}` };
      const [next, none] = await applyClaim(store, claimNext({ limit: 2 }, theirs));

      const nowMs = queued.queuedAtMs + 1_000;
      assert.deepEqual(next?.run, {
        ...queued,
        state: "running",
        definitionHash: "hash-2",
        epoch: 1,
        lease: { owner: makeOwner("worker-2"), expiresAtMs: nowMs + LEASE_MS },
        startedAtMs: nowMs,
        updatedAtMs: nowMs,
      });
      assert.equal(none, undefined);
      assert.equal(next.formerHash, "hash-1");
      assert.deepEqual(next.events, [{ type: "run.started", data: { epoch: 1 } }]);
      assert.deepEqual(next.numbers, { firstSeq: 3, firstRunSeq: 2, atMs: nowMs });
      assert.deepEqual(await getRun(store, queued.id), next.run);
      assert.equal(await store.findDefinition("hash-2"), `{"version":2}`);
      const told = await store.listEvents({ runId: queued.id, after: 0, limit: 9 });
      assert.deepEqual(told[1], {
        ...next.events[0],
        seq: 3,
        runSeq: 2,
        atMs: nowMs,
        run: queued.id,
      });
    },
  },
  {
    name: "a run that is claimed again keeps when it started first, and its numbers go on",
    run: async (make) => {
      const { store, advance } = await make();
      await enqueue(store, "a");
      const [first] = await applyClaim(store, claimNext());
      assert.ok(first !== undefined);
      const drained = { type: "run.returned", data: { reason: "drained" } } as const;
      await applyAll(store, { ...moveRun(first.run, "queued"), events: [drained] });
      await advance(500);
      const [again] = await applyClaim(store, claimNext());

      assert.partialDeepStrictEqual(again, {
        run: { epoch: 2, crashes: 0, attempts: 0, startedAtMs: first.run.startedAtMs },
        numbers: { firstSeq: 3, firstRunSeq: 3 },
      });
    },
  },
  {
    name: "a pipeline has no more runs at once than it may, over all who claim",
    run: async (make) => {
      const { store } = await make();
      for (const key of ["a", "b", "c", "d"]) await enqueue(store, key);
      await enqueue(store, "e", { pipeline: "parse" });
      const held = await applyRun(store, createRun());
      const both = [{ name: "crawl", maxActiveRuns: 2 }, { name: "parse" }];

      const first = await applyClaim(store, claimNext({ limit: 9 }, ...both));
      assert.deepEqual(keysOf(first), ["a", "e"]);
      const claim = { owner: makeOwner("worker-3"), leaseMs: LEASE_MS };
      assert.deepEqual(await applyClaim(store, claimNext({ limit: 9, claim }, ...both)), []);
      assert.equal((await store.findNextQueued("crawl"))?.key, "b");

      await applyAll(store, endRun(held, "succeeded"));
      assert.deepEqual(keysOf(await applyClaim(store, claimNext({ limit: 9 }, ...both))), ["b"]);
      const none = claimNext({ limit: 9 }, { maxActiveRuns: 0 });
      assert.deepEqual(await applyClaim(store, none), []);
    },
  },
  {
    name: "what a transaction starts and ends counts at once for how many may run",
    run: async (make) => {
      const { store } = await make();
      for (const key of ["a", "b", "c"]) await enqueue(store, key);
      const held = await applyRun(store, createRun());
      const claim = claimNext({ limit: 9 }, { maxActiveRuns: 1 });
      const results = await store.apply([claim, endRun(held, "failed"), claim, claim]);

      assert.deepEqual(
        results.map((result) => result.kind === "claimed" && keysOf(result.runs)),
        [[], false, ["a"], []],
      );
    },
  },
  {
    name: "a claim that names a pipeline twice, or too many runs, is a fault of who made it",
    run: async (make) => {
      const { store } = await make();
      await enqueue(store, "a");
      await assert.rejects(store.apply([claimNext({}, {}, {})]), /each pipeline once.*"crawl"/);
      await assert.rejects(store.apply([claimNext({ limit: 0 })]), /number of runs/);
      await assert.rejects(store.apply([claimNext({ limit: 257 })]), /number of runs/);
      assert.equal((await store.findNextQueued("crawl"))?.key, "a");
    },
  },
];

/** Cases about the queue. */
export const queueCases: readonly StoreCase[] = [...orderCases, ...claimCases];
