// Chapter: ahead. How many queued runs are claimed before one, counted no further than asked.

import assert from "node:assert/strict";
import { PRIORITY_STEP_MS } from "../../../model/limits.ts";
import type { RunRecord } from "../../../model/run.ts";
import type { Store } from "../../../storage/store.ts";
import type { NewRun } from "../../../storage/write.ts";
import {
  applyAll,
  applyClaim,
  applyRun,
  claimNext,
  queueRun,
  reclaimRun,
  requestCancel,
} from "../fixture.ts";
import type { StoreCase } from "../suite.ts";

function enqueue(store: Store, run: Partial<NewRun> = {}): Promise<RunRecord> {
  return applyRun(store, queueRun(run));
}

/** Cases about the place of a run in its queue. */
export const aheadCases: readonly StoreCase[] = [
  {
    name: "a run has those ahead of it that the next claims take before it",
    run: async (make) => {
      const { store, advance } = await make();
      const low = await enqueue(store, { priority: -1 });
      const first = await enqueue(store);
      const second = await enqueue(store);
      await advance(10);
      const later = await enqueue(store);
      const high = await enqueue(store, { priority: 2 });
      await enqueue(store, { pipeline: "other", priority: 9 });

      const places = { low, first, second, later, high };
      const ahead: Record<string, number> = {};
      for (const [name, run] of Object.entries(places))
        ahead[name] = await store.countAhead(run, 9);
      assert.deepEqual(ahead, { high: 0, first: 1, second: 2, later: 3, low: 4 });

      const claimed = await applyClaim(store, claimNext({ limit: 9 }));
      assert.deepEqual(
        claimed.map(({ run }) => run.id),
        [high, first, second, later, low].map(({ id }) => id),
      );
      assert.equal(await store.countAhead(low, 9), 0);
    },
  },
  {
    name: "runs that are due later, cancelled or taken are ahead of nobody",
    run: async (make) => {
      const { store } = await make();
      await enqueue(store, { delayMs: 60_000, priority: 9 });
      const dropped = await enqueue(store, { priority: 9 });
      await enqueue(store, { priority: 8 });
      const waits = await enqueue(store);
      assert.equal(await store.countAhead(waits, 9), 2);
      await applyAll(store, requestCancel(dropped.id));
      await applyClaim(store, claimNext());
      assert.equal(await store.countAhead(waits, 9), 0);
    },
  },
  {
    name: "a queue is listed in the order of claims, page by page, without what waits for its time",
    run: async (make) => {
      const { store, advance } = await make();
      const lost = await enqueue(store);
      const [claimed] = await applyClaim(store, claimNext());
      assert.ok(claimed !== undefined, "nothing was claimed");
      const low = await enqueue(store, { priority: -1 });
      const [second, third, fourth] = [
        await enqueue(store),
        await enqueue(store),
        await enqueue(store),
      ];
      await applyRun(store, reclaimRun(claimed.run));
      await enqueue(store, { delayMs: 90_000 });
      await advance(10);
      const later = await enqueue(store);
      const high = await enqueue(store, { priority: 2 });
      await enqueue(store, { pipeline: "other", priority: 9 });
      const dropped = await enqueue(store, { priority: 9 });
      await applyAll(store, requestCancel(dropped.id));

      const wanted = [high, lost, second, third, fourth, later, low].map(({ id }) => id);
      const queued = await store.listQueued({ pipeline: "crawl", limit: 9 });
      assert.deepEqual(
        queued.map(({ id }) => id),
        wanted,
      );
      assert.deepEqual(queued[0], await store.findRun(high.id));
      assert.deepEqual(queued[1], await store.findRun(lost.id));
      for (const [index, run] of queued.entries()) {
        const after = { order: run.dueAtMs - PRIORITY_STEP_MS * run.priority, number: run.number };
        const rest = await store.listQueued({ pipeline: "crawl", after, limit: 2 });
        assert.deepEqual(
          rest.map(({ id }) => id),
          wanted.slice(index + 1, index + 3),
        );
      }
    },
  },
  {
    name: "no more are counted than asked for",
    run: async (make) => {
      const { store } = await make();
      for (let index = 0; index < 5; index += 1) await enqueue(store);
      const last = await enqueue(store);
      assert.deepEqual(
        await Promise.all([1, 4, 5, 6].map((limit) => store.countAhead(last, limit))),
        [1, 4, 5, 5],
      );
    },
  },
];
