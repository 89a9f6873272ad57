// Chapter: cancels. Asking for a run's end, in every state it can be in.

import assert from "node:assert/strict";
import {
  apply,
  applyAll,
  applyRun,
  createRun,
  endRun,
  getRun,
  LEASE_MS,
  makeOwner,
  moveRun,
  putStage,
  queueRun,
  refusalOf,
  requestCancel,
  tell,
} from "./fixture.ts";
import type { StoreCase } from "./suite.ts";

/** Cases about cancelling. */
export const cancelCases: readonly StoreCase[] = [
  {
    name: "a run that nobody works on is cancelled at once, and says so",
    run: async (make) => {
      const { store } = await make();
      const queued = await applyRun(store, createRun({}, { claim: null }));
      const parked = await applyRun(store, createRun());
      await applyAll(store, moveRun(parked, "waiting", { reason: "retry" }));
      for (const { id } of [queued, parked]) {
        const run = await applyRun(store, requestCancel(id, "a mistake"));

        assert.deepEqual(await getRun(store, id), run);
        assert.partialDeepStrictEqual(run, { state: "cancelled", reason: "a mistake" });
        assert.equal(run.endedAtMs, run.updatedAtMs);
        const events = await store.listEvents({ runId: id, after: 0, limit: 10 });
        assert.deepEqual(
          events.map(({ type, data }) => ({ type, data })),
          [{ type: "run.cancelled", data: { reason: "a mistake" } }],
        );
      }
      assert.deepEqual(await store.countRuns(), new Map([["crawl", { cancelled: 2 }]]));
    },
  },
  {
    name: "the owner of a running run is asked, once, and keeps its lease",
    run: async (make) => {
      const { store, advance } = await make();
      const run = await applyRun(store, createRun());
      const asked = await applyRun(store, requestCancel(run.id, "first"));
      await advance(1_000);
      const again = await applyRun(store, requestCancel(run.id, "second"));

      assert.partialDeepStrictEqual(asked, {
        ...run,
        cancelReason: "first",
        updatedAtMs: asked.updatedAtMs,
        cancelRequestedAtMs: asked.updatedAtMs,
      });
      assert.deepEqual(again, asked);
      const events = await store.listEvents({ after: 0, limit: 10 });
      assert.deepEqual(
        events.map((event) => event.type),
        ["run.cancel_requested"],
      );
      await applyAll(store, endRun(run, "cancelled"));
    },
  },
  {
    name: "cancelling a cancelled run changes nothing, any other that is over refuses",
    run: async (make) => {
      const { store } = await make();
      const run = await applyRun(store, createRun({}, { claim: null }));
      const cancelled = await applyRun(store, requestCancel(run.id));
      assert.deepEqual(await applyRun(store, requestCancel(run.id, "again")), cancelled);
      assert.equal((await store.listEvents({ after: 0, limit: 10 })).length, 1);

      const done = await applyRun(store, createRun());
      await applyAll(store, endRun(done, "succeeded"));
      const reason = await refusalOf(store, requestCancel(done.id));
      assert.equal(reason, `A run cannot move from "succeeded" to "cancelled".`);
    },
  },
  {
    name: "R200: a run taken by force is cancelled at once, names its owner, and refuses what that one writes",
    run: async (make) => {
      const { store } = await make();
      const run = await applyRun(store, createRun());
      const asked = await applyRun(store, requestCancel(run.id, "asked first"));
      const taken = await applyRun(store, { ...requestCancel(run.id, "it hangs"), forceEpoch: 1 });

      assert.partialDeepStrictEqual(taken, {
        ...asked,
        state: "cancelled",
        reason: "it hangs",
        epoch: 2,
        lease: null,
        failure: {
          class: "cancelled",
          code: "FORCED",
          message: "it hangs",
          attempts: 0,
          fingerprint: "forced",
        },
        endedAtMs: taken.updatedAtMs,
        updatedAtMs: taken.updatedAtMs,
      });
      assert.deepEqual(await getRun(store, run.id), taken);
      assert.deepEqual((await store.countRuns()).get("crawl"), { cancelled: 1 });
      const { owner } = asked.lease ?? {};
      assert.deepEqual(await store.renewLeases(owner ?? makeOwner("none"), [run], LEASE_MS), [
        run.id,
      ]);
      for (const late of [putStage(run, { stage: "fetch" }), endRun(run, "succeeded"), tell(run)])
        assert.equal((await apply(store, late)).kind, "lease-lost");
      assert.deepEqual(await getRun(store, run.id), taken);
      const events = await store.listEvents({ after: 0, limit: 10 });
      assert.deepEqual(events.at(-1)?.data, {
        reason: "it hangs",
        forced: true,
        host: owner?.host,
        pid: owner?.pid,
      });
    },
  },
  {
    name: "force under another epoch is refused, is no more than a cancel of a queued run, and repeats like one",
    run: async (make) => {
      const { store } = await make();
      const run = await applyRun(store, createRun());
      const force = { ...requestCancel(run.id), forceEpoch: 2 };
      const reason = await refusalOf(store, force);
      assert.equal(reason, "The run was taken meanwhile: its epoch is 1, 2 was expected.");
      assert.deepEqual(await getRun(store, run.id), run);

      const queued = await applyRun(store, queueRun());
      const write = { ...requestCancel(queued.id), forceEpoch: 7 };
      const cancelled = await applyRun(store, write);
      assert.deepEqual([cancelled.state, cancelled.epoch], ["cancelled", 0]);
      assert.deepEqual(await applyRun(store, write), cancelled);
    },
  },
  {
    name: "R200: a place that was taken by force is free",
    run: async (make) => {
      const { store } = await make();
      const run = await applyRun(store, createRun());
      const next = createRun({}, { maxActiveRuns: 1 });
      const results = await store.apply([next, { ...requestCancel(run.id), forceEpoch: 1 }, next]);
      assert.deepEqual(
        results.map(({ kind }) => kind),
        ["busy", "done", "done"],
      );
    },
  },
  {
    name: "a run that nobody made cannot be cancelled",
    run: async (make) => {
      const { store } = await make();
      const result = await apply(store, requestCancel("none"));

      assert.equal(result.kind === "conflict" && result.run, null);
    },
  },
];
