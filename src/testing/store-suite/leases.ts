// Chapter: leases. For how long a run is owned, how that is renewed or put back, and what becomes of it when its owner is
// gone.

import assert from "node:assert/strict";
import {
  apply,
  applyAll,
  applyRun,
  claimRun,
  createRun,
  endRun,
  getRun,
  interruptRun,
  LEASE_MS,
  makeOwner,
  refusalOf,
} from "./fixture.ts";
import type { StoreCase } from "./suite.ts";

/** Cases about leases. */
export const leaseCases: readonly StoreCase[] = [
  {
    name: "renewing moves the ends of leases that are held, and names those that are lost",
    run: async (make) => {
      const { store, advance } = await make();
      const held = await applyRun(store, createRun());
      const taken = await applyRun(store, createRun());
      const ended = await applyRun(store, createRun());
      await applyAll(store, claimRun(taken), endRun(ended, "succeeded"));
      await advance(10_000);
      const owner = makeOwner("worker-1");
      const runs = [held, taken, ended, { id: "none", epoch: 1 }, { ...held, epoch: 0 }];
      const lost = await store.renewLeases(owner, runs, LEASE_MS);

      assert.deepEqual(lost, [taken.id, ended.id, "none", held.id]);
      const renewed = (await getRun(store, held.id)).lease?.expiresAtMs ?? 0;
      assert.ok(renewed >= (held.lease?.expiresAtMs ?? 0) + 10_000);
      assert.deepEqual(await store.renewLeases(makeOwner("worker-9"), [held], LEASE_MS), [held.id]);
      assert.deepEqual(await store.renewLeases(owner, [], LEASE_MS), []);
    },
  },
  {
    name: "a lease is put back only where there is none, and only under the present epoch",
    run: async (make) => {
      const { store } = await make();
      const run = await applyRun(store, createRun());
      const lease = { owner: makeOwner("worker-1"), leaseMs: LEASE_MS };
      const putBack = { kind: "tell", runId: run.id, epoch: run.epoch, events: [], lease } as const;

      assert.match(await refusalOf(store, putBack), /has a lease/);
      assert.deepEqual((await getRun(store, run.id)).lease, run.lease);
      assert.equal((await apply(store, { ...putBack, epoch: 0 })).kind, "lease-lost");
    },
  },
  {
    name: "a foreground run whose owner is gone waits, interrupted, out of the reach of that owner",
    run: async (make) => {
      const { store } = await make();
      const run = await applyRun(store, createRun({ foreground: true }));
      const waiting = await applyRun(store, interruptRun(run, { type: "run.interrupted" }));

      assert.partialDeepStrictEqual(waiting, {
        state: "waiting",
        reason: "interrupted",
        epoch: 2,
        crashes: 1,
        lease: null,
      });
      assert.equal((await apply(store, endRun(run, "succeeded"))).kind, "lease-lost");
      assert.match(await refusalOf(store, interruptRun(run)), /epoch is 2, 1 was expected/);
      assert.match(await refusalOf(store, interruptRun(waiting)), /"waiting"/);
      const resumed = await applyRun(store, claimRun(waiting, { reopen: true }));
      assert.partialDeepStrictEqual(resumed, { epoch: 3, resumes: 1, crashes: 1, reason: null });
    },
  },
  {
    name: "a run that queues is not interrupted",
    run: async (make) => {
      const { store } = await make();
      const run = await applyRun(store, createRun({ foreground: false }));

      assert.match(await refusalOf(store, interruptRun(run)), /not in the foreground/);
      const nobody = await apply(store, interruptRun({ id: "none", epoch: 1 }));
      assert.equal(nobody.kind === "conflict" && nobody.run, null);
    },
  },
];
