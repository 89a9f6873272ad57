// Chapter: wakes. When runs that wait come back to their queue, and which never do.

import assert from "node:assert/strict";
import type { Store } from "../../../storage/store.ts";
import {
  apply,
  applyAll,
  applyClaim,
  applyRun,
  claimNext,
  createRun,
  getRun,
  moveRun,
  queueRun,
  requestCancel,
} from "../fixture.ts";
import type { StoreCase } from "../suite.ts";
import { enqueue, keysOf } from "./queue-fixture.ts";

/** Cases about runs that wait for a time. */
export const wakeCases: readonly StoreCase[] = [
  {
    name: "R168: a run that is enqueued for later is claimed when its time has come, not before",
    run: async (make) => {
      const { store, advance } = await make();
      const run = await applyRun(store, queueRun({ key: "a", delayMs: 500 }));
      const dueAtMs = run.queuedAtMs + 500;
      assert.partialDeepStrictEqual(run, { state: "waiting", reason: "due", dueAtMs });
      assert.equal(run.wakeAtMs, dueAtMs);

      for (const waited of [0, 499]) {
        await advance(waited);
        assert.deepEqual(await wake(store), { count: 0, nextWakeAtMs: dueAtMs });
        assert.deepEqual(await applyClaim(store, claimNext()), []);
      }
      await advance(1);
      assert.deepEqual(await applyClaim(store, claimNext()), []);
      assert.deepEqual(await wake(store), { count: 1, nextWakeAtMs: null });
      const queued = await getRun(store, run.id);
      assert.partialDeepStrictEqual(queued, { state: "queued", reason: null, wakeAtMs: null });
      assert.equal(queued.dueAtMs, dueAtMs);
      assert.deepEqual(keysOf(await applyClaim(store, claimNext())), ["a"]);
    },
  },
  {
    name: "runs wake the longest due first, as many as asked for, and the next time is told",
    run: async (make) => {
      const { store, advance } = await make();
      const first = await applyRun(store, queueRun({ key: "30", delayMs: 30 }));
      for (const [key, delayMs] of [
        ["10", 10],
        ["20", 20],
        ["10 too", 10],
        ["99", 99],
      ] as const)
        await enqueue(store, key, { delayMs });
      await advance(30);

      const wakenedIn = async (limit: number): Promise<readonly unknown[]> => {
        const { count, nextWakeAtMs } = await wake(store, limit);
        const keys = keysOf(await applyClaim(store, claimNext({ limit: 9 })));
        return [count, keys, (nextWakeAtMs ?? 0) - first.queuedAtMs];
      };
      assert.deepEqual(await wakenedIn(1), [1, ["10"], 10]);
      assert.deepEqual(await wakenedIn(2), [2, ["10 too", "20"], 30]);
      assert.deepEqual(await wakenedIn(9), [1, ["30"], 99]);
      assert.deepEqual(await wakenedIn(9), [0, [], 99]);
    },
  },
  {
    name: "R168: a run that is parked for a time comes back to its queue at that time",
    run: async (make) => {
      const { store, advance } = await make();
      await enqueue(store, "a");
      const [claimed] = await applyClaim(store, claimNext());
      assert.ok(claimed !== undefined);
      const wakeAtMs = store.nowMs() + 1_000;
      await applyAll(store, moveRun(claimed.run, "waiting", { reason: "retry", wakeAtMs }));

      const parked = await getRun(store, claimed.run.id);
      assert.partialDeepStrictEqual(parked, { state: "waiting", reason: "retry", wakeAtMs });
      assert.equal(parked.lease, null);
      await advance(999);
      assert.deepEqual(await wake(store), { count: 0, nextWakeAtMs: wakeAtMs });
      assert.deepEqual(await applyClaim(store, claimNext()), []);
      await advance(1);
      assert.deepEqual(await wake(store), { count: 1, nextWakeAtMs: null });
      const [again] = await applyClaim(store, claimNext());
      assert.partialDeepStrictEqual(again?.run, { key: "a", epoch: 2, wakeAtMs: null });
      assert.equal(again?.run.dueAtMs, claimed.run.dueAtMs);
    },
  },
  {
    name: "a run that is parked while its end was asked for wakes at once, so that it is ended",
    run: async (make) => {
      const { store } = await make();
      await enqueue(store, "a");
      const [claimed] = await applyClaim(store, claimNext());
      assert.ok(claimed !== undefined);
      await applyAll(store, requestCancel(claimed.run.id, "enough"));
      const wakeAtMs = store.nowMs() + 60_000;
      await applyAll(store, moveRun(claimed.run, "waiting", { reason: "retry", wakeAtMs }));

      assert.deepEqual(await wake(store), { count: 1, nextWakeAtMs: null });
      const [again] = await applyClaim(store, claimNext());
      assert.equal(again?.run.cancelReason, "enough");
    },
  },
  {
    name: "a run that is parked without a time never wakes, and one that ends has none",
    run: async (make) => {
      const { store, advance } = await make();
      const run = await applyRun(store, createRun());
      await applyAll(store, moveRun(run, "waiting", { reason: "paused" }));
      await advance(1e9);
      assert.deepEqual(await wake(store), { count: 0, nextWakeAtMs: null });

      const other = await applyRun(store, createRun());
      const ended = moveRun(other, "succeeded", { wakeAtMs: 1 });
      await assert.rejects(store.apply([ended]), /only a run that waits.*"succeeded"/i);
      const half = moveRun(other, "waiting", { wakeAtMs: 0.5 });
      await assert.rejects(store.apply([half]), /whole milliseconds/);
      await assert.rejects(store.apply([queueRun({ delayMs: 0.5 })]), /whole milliseconds/);
      assert.equal((await getRun(store, other.id)).state, "running");
    },
  },
  {
    name: "queued and delayed runs are cancelled at once, and are neither claimed nor woken",
    run: async (make) => {
      const { store, advance } = await make();
      const queued = await applyRun(store, queueRun());
      const delayed = await applyRun(store, queueRun({ delayMs: 10 }));
      await enqueue(store, "kept");
      for (const { id } of [queued, delayed]) {
        const run = await applyRun(store, requestCancel(id, "not now"));
        assert.partialDeepStrictEqual(run, { state: "cancelled", reason: "not now" });
        assert.equal(run.wakeAtMs, null);
      }
      await advance(10);

      assert.deepEqual(await wake(store), { count: 0, nextWakeAtMs: null });
      assert.deepEqual(keysOf(await applyClaim(store, claimNext({ limit: 9 }))), ["kept"]);
      assert.deepEqual(await store.countRuns(), new Map([["crawl", { running: 1, cancelled: 2 }]]));
    },
  },
];

interface Woken {
  readonly count: number;
  readonly nextWakeAtMs: number | null;
}

async function wake(store: Store, limit: number = 9): Promise<Woken> {
  const result = await apply(store, { kind: "wake-runs", limit });
  assert.ok(result.kind === "woken", JSON.stringify(result));
  return { count: result.count, nextWakeAtMs: result.nextWakeAtMs };
}
