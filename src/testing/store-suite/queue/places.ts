// Chapter: places. How many runs of a pipeline may be running at once, and what a claim hears that finds no place.

import assert from "node:assert/strict";
import type { Store } from "../../../storage/store.ts";
import type { ClaimRunWrite, CreateRunWrite, NewRun, Write } from "../../../storage/write.ts";
import {
  apply,
  applyAll,
  applyClaim,
  applyRun,
  claimNext,
  claimRun,
  createRun,
  endRun,
  getRun,
  interruptRun,
  moveRun,
  queueRun,
  refusalOf,
  requestCancel,
} from "../fixture.ts";
import type { StoreCase } from "../suite.ts";

/** Starts a run of a pipeline with so many places. */
function start(maxActiveRuns: number, run: Partial<NewRun> = {}): CreateRunWrite {
  return createRun({ foreground: true, ...run }, { maxActiveRuns });
}

/** Makes a run whose starter waits for a place. */
function startWaiting(run: Partial<NewRun> = {}): CreateRunWrite {
  return queueRun({ foreground: true, waitsForPlace: true, ...run });
}

function take(
  run: Parameters<typeof claimRun>[0],
  write: Partial<Pick<ClaimRunWrite, "maxActiveRuns" | "crashed">> = {},
): ClaimRunWrite {
  return claimRun(run, { foreground: true, reopen: true, ...write });
}

/** Id of the run that holds the place which a write did not get. */
async function holderOf(store: Store, write: Write): Promise<string> {
  const result = await apply(store, write);
  assert.ok(result.kind === "busy", JSON.stringify(result));
  assert.equal(result.run.state, "running");
  return result.run.id;
}

/** Cases about new runs. */
const startCases: readonly StoreCase[] = [
  {
    name: "R193: a start without a place names who runs, and makes nothing",
    run: async (make) => {
      const { store } = await make();
      const first = await applyRun(store, start(1));
      const second = start(1);
      assert.equal(await holderOf(store, second), first.id);
      assert.equal(await store.findRun(second.run.id), undefined);
      assert.equal((await store.listRuns({ limit: 9 })).length, 1);
      assert.deepEqual(await getRun(store, first.id), first);

      await applyAll(store, endRun(first, "succeeded"));
      assert.equal((await applyRun(store, second)).state, "running");
    },
  },
  {
    name: "as many runs as there are places are running, also of one transaction",
    run: async (make) => {
      const { store } = await make();
      const writes = [start(2), start(2), start(2)];
      const results = await store.apply(writes);
      assert.deepEqual(
        results.map(({ kind }) => kind),
        ["done", "done", "busy"],
      );
      assert.deepEqual((await store.countRuns()).get("crawl"), { running: 2 });
    },
  },
  {
    name: "other pipelines, and runs that are not running, take no place",
    run: async (make) => {
      const { store } = await make();
      const parked = await applyRun(store, start(1));
      await applyAll(store, moveRun(parked, "waiting", { reason: "interrupted" }));
      await applyAll(store, createRun({ pipeline: "other" }), queueRun(), startWaiting());
      assert.equal((await applyRun(store, start(1))).state, "running");
    },
  },
  {
    name: "a run that is queued needs no place, and a start without a limit asks for none",
    run: async (make) => {
      const { store } = await make();
      await applyAll(store, start(1), createRun(), createRun({}, { maxActiveRuns: null }));
      const queued = await applyRun(store, createRun({}, { claim: null, maxActiveRuns: 1 }));
      assert.equal(queued.state, "queued");
    },
  },
  {
    name: "a key that is taken is told before a place that is missing",
    run: async (make) => {
      const { store } = await make();
      const first = await applyRun(store, start(1, { key: "today" }));
      const result = await apply(store, start(1, { key: "today" }));
      assert.ok(result.kind === "key-taken", JSON.stringify(result));
      assert.equal(result.run.id, first.id);
      const twin = await apply(store, start(1, { id: first.id }));
      assert.equal(twin.kind, "conflict");
    },
  },
  {
    name: "R211: 25 starts and cancels in a row leave no lease, and none finds its place taken",
    run: async (make) => {
      const { store } = await make();
      for (let cycle = 0; cycle < 25; cycle += 1) {
        const run = await applyRun(store, start(1));
        await applyAll(store, requestCancel(run.id));
        await applyAll(store, endRun(run, "cancelled"));
      }
      const runs = await store.listRuns({ limit: 50 });
      assert.equal(runs.length, 25);
      for (const run of runs) assert.deepEqual([run.state, run.lease], ["cancelled", null]);
      assert.deepEqual((await store.countRuns()).get("crawl"), { cancelled: 25 });
    },
  },
];

/** Cases about runs that exist. */
const claimCases: readonly StoreCase[] = [
  {
    name: "a claim without a place names who runs, and changes nothing",
    run: async (make) => {
      const { store } = await make();
      const parked = await applyRun(store, start(1));
      await applyAll(store, moveRun(parked, "waiting", { reason: "interrupted" }));
      const before = await getRun(store, parked.id);
      const running = await applyRun(store, start(1));
      assert.equal(await holderOf(store, take(before, { maxActiveRuns: 1 })), running.id);
      assert.deepEqual(await getRun(store, parked.id), before);

      await applyAll(store, endRun(running, "succeeded"));
      const taken = await applyRun(store, take(before, { maxActiveRuns: 1 }));
      assert.deepEqual([taken.state, taken.epoch], ["running", 2]);
    },
  },
  {
    name: "who takes a running run over takes its place, too",
    run: async (make) => {
      const { store } = await make();
      const lost = await applyRun(store, start(1, { foreground: false }));
      const taken = await applyRun(store, take(lost, { maxActiveRuns: 1, crashed: true }));
      assert.deepEqual([taken.state, taken.epoch], ["running", 2]);
      assert.deepEqual((await store.countRuns()).get("crawl"), { running: 1 });
    },
  },
  {
    name: "an owner that is gone gives its place up when its run is interrupted",
    run: async (make) => {
      const { store } = await make();
      const lost = await applyRun(store, start(1));
      const results = await store.apply([start(1), interruptRun(lost), start(1)]);
      assert.deepEqual(
        results.map(({ kind }) => kind),
        ["busy", "done", "done"],
      );
    },
  },
  {
    name: "R193: a run whose starter waits for a place is in no queue, and is taken by its starter",
    run: async (make) => {
      const { store, advance } = await make();
      const waiting = await applyRun(store, startWaiting());
      assert.deepEqual(
        [waiting.state, waiting.reason, waiting.foreground, waiting.epoch, waiting.wakeAtMs],
        ["waiting", "busy", true, 0, null],
      );
      await advance(60_000);
      assert.deepEqual(await apply(store, { kind: "wake-runs", limit: 9 }), {
        kind: "woken",
        count: 0,
        nextWakeAtMs: null,
      });
      assert.deepEqual(await applyClaim(store, claimNext({ limit: 9 })), []);

      const first = await applyRun(store, start(1));
      const claim = claimRun(waiting, { foreground: true, maxActiveRuns: 1 });
      assert.equal(await holderOf(store, claim), first.id);
      await applyAll(store, endRun(first, "succeeded"));
      const taken = await applyRun(store, claim);
      assert.deepEqual([taken.state, taken.reason, taken.epoch], ["running", null, 1]);
    },
  },
  {
    name: "a run whose starter waits for a place ends at once when it is cancelled",
    run: async (make) => {
      const { store } = await make();
      const waiting = await applyRun(store, startWaiting());
      await applyAll(store, requestCancel(waiting.id));
      assert.equal((await getRun(store, waiting.id)).state, "cancelled");
      const late = await apply(store, claimRun(waiting, { from: ["waiting"] }));
      assert.equal(late.kind, "conflict");
    },
  },
];

/** Cases about foreground runs, which no worker may find. */
const foregroundCases: readonly StoreCase[] = [
  {
    name: "a foreground run that nobody holds from birth is refused, unless it waits for a place",
    run: async (make) => {
      const { store } = await make();
      const first = /A foreground run is claimed by who makes it, or waits for a place/;
      const second = /Only a foreground run without claim and delay waits for a place/;
      for (const [write, message] of [
        [queueRun({ foreground: true }), first],
        [queueRun({ foreground: true, delayMs: 5 }), first],
        [startWaiting({ delayMs: 5 }), second],
        [startWaiting({ foreground: false }), second],
        [start(1, { waitsForPlace: true }), second],
      ] as const) {
        await assert.rejects(store.apply([queueRun(), write]), message);
      }
      assert.deepEqual(await store.listRuns({ limit: 9 }), []);
    },
  },
  {
    name: "a foreground run gets into no queue by a claim without an owner, or by waking",
    run: async (make) => {
      const { store, advance } = await make();
      const run = await applyRun(store, start(1));
      const late = moveRun(run, "waiting", { reason: "retry", wakeAtMs: store.nowMs() + 5 });
      assert.equal(
        await refusalOf(store, late),
        "A foreground run cannot wake by time: that would queue it, and it waits for its resume.",
      );
      assert.deepEqual(await getRun(store, run.id), run);
      await applyAll(store, moveRun(run, "waiting", { reason: "interrupted" }));
      const parked = await getRun(store, run.id);
      await assert.rejects(
        store.apply([claimRun(parked, { claim: null, foreground: true })]),
        /A run that is queued is in the foreground of nobody/,
      );
      await advance(60_000);
      await applyAll(store, createRun({ pipeline: "other" }));
      assert.equal((await apply(store, { kind: "wake-runs", limit: 9 })).kind, "woken");
      assert.deepEqual(await applyClaim(store, claimNext({ limit: 9 })), []);
      assert.deepEqual(await getRun(store, run.id), parked);
    },
  },
];

/** Cases about queues with a maximum. */
const fullCases: readonly StoreCase[] = [
  {
    name: "R172: a full queue refuses new runs, also of one transaction, and takes them when one has left it",
    run: async (make) => {
      const { store } = await make();
      const enqueue = (run: Partial<NewRun> = {}): CreateRunWrite =>
        queueRun(run, { maxQueued: 2 });
      const refused = enqueue();
      const results = await store.apply([enqueue(), enqueue({ delayMs: 60_000 }), refused]);
      assert.deepEqual(
        results.map(({ kind }) => kind),
        ["done", "done", "full"],
      );
      assert.deepEqual(results[2], { kind: "full", queued: 2 });
      assert.equal(await store.findRun(refused.run.id), undefined);
      assert.deepEqual((await store.countRuns()).get("crawl"), { queued: 1, waiting: 1 });

      await applyClaim(store, claimNext());
      assert.equal((await applyRun(store, refused)).state, "queued");
      assert.equal((await apply(store, enqueue())).kind, "full");
    },
  },
  {
    name: "only queued and waiting runs of the pipeline fill its queue, and a start is not held up by it",
    run: async (make) => {
      const { store } = await make();
      await applyAll(store, queueRun({ pipeline: "other" }), createRun(), createRun());
      const ended = await applyRun(store, createRun());
      await applyAll(store, endRun(ended, "failed"));
      await applyAll(store, queueRun({}, { maxQueued: 1 }));
      assert.equal((await apply(store, queueRun({}, { maxQueued: 1 }))).kind, "full");
      await applyAll(store, createRun({}, { maxQueued: 1 }), queueRun({}, { maxQueued: null }));
      const results = await store.apply([
        queueRun({}, { maxQueued: 3 }),
        queueRun({}, { maxQueued: 3 }),
      ]);
      assert.deepEqual(
        results.map(({ kind }) => kind),
        ["done", "full"],
      );
    },
  },
  {
    name: "a key that is known is told before a queue that is full",
    run: async (make) => {
      const { store } = await make();
      const first = await applyRun(store, queueRun({ key: "today" }, { maxQueued: 1 }));
      const result = await apply(store, queueRun({ key: "today" }, { maxQueued: 1 }));
      assert.ok(result.kind === "key-taken", JSON.stringify(result));
      assert.equal(result.run.id, first.id);
      const twin = await apply(store, queueRun({ id: first.id }, { maxQueued: 1 }));
      assert.equal(twin.kind, "conflict");
    },
  },
];

/** Cases about places of a pipeline, and the room of its queue. */
export const placeCases: readonly StoreCase[] = [
  ...startCases,
  ...claimCases,
  ...foregroundCases,
  ...fullCases,
];
