// Chapter: breakers. One for all processes: it opens for all, sends as many probes as it may, hears only of calls that
// it let go since it last moved, and a pause holds for all.

import assert from "node:assert/strict";
import { LEASE_GRACE_MS_DEFAULT } from "../../../model/defaults.ts";
import type { PermitGrant } from "../../../storage/permits/permit-write.ts";
import type { Store } from "../../../storage/store.ts";
import { applyAll, applyRun, createRun, endRun, LEASE_MS, reclaimRun } from "../fixture.ts";
import type { StoreCase, StoreMaker } from "../suite.ts";
import {
  BREAKER,
  called,
  getResource,
  give,
  makeScene,
  makeTerms,
  makeUse,
  order,
  type PermitScene,
  refused,
  release,
  releaseOf,
  returned,
  takeOf,
  takeOne,
  toldOf,
} from "./permit-fixture.ts";

const TERMS = makeTerms({ breaker: BREAKER });
/** Its permit lasts five seconds if it is that of a probe. */
const USE = makeUse(TERMS, { probeMs: 5_000 });

/** A breaker that one failure of the run has opened. */
async function makeOpen(make: StoreMaker): Promise<PermitScene> {
  const scene = await makeScene(make);
  const { store, run } = scene;
  const permit = await takeOne(store, takeOf(run, "first", USE));
  await release(store, releaseOf(run, "first", called("failure", permit)));
  return scene;
}

/** A probe that is out, for the item "probe". */
async function makeProbe(make: StoreMaker): Promise<PermitScene & { permit: PermitGrant }> {
  const scene = await makeOpen(make);
  await scene.advance(BREAKER.recoveryMs);
  const permit = await takeOne(scene.store, takeOf(scene.run, "probe", USE));
  assert.equal(permit.probe, true);
  return { ...scene, permit };
}

async function stateOf(store: Store): Promise<string | undefined> {
  return (await getResource(store)).state.breaker?.state;
}

/** Cases about breakers and pauses. */
export const breakerCases: readonly StoreCase[] = [
  {
    name: "an open breaker lets nobody go before its time, and says when that is",
    run: async (make) => {
      const { store, advance, run } = await makeOpen(make);
      const untilMs = store.nowMs() + BREAKER.recoveryMs;
      await advance(BREAKER.recoveryMs - 1);
      const { refusal } = await refused(store, takeOf(run, "a", USE));
      assert.deepEqual(
        [refusal.because, refusal.untilMs, refusal.probing, refusal.final],
        ["breaker", untilMs, false, false],
      );
      assert.equal((await getResource(store)).totals.granted, 1);
      await advance(1);
      assert.equal((await takeOne(store, takeOf(run, "a", USE))).probe, true);
    },
  },
  {
    name: "R120: of many that ask at once one is the probe, and the others hear that it is out",
    run: async (make) => {
      const { store, advance, run } = await makeOpen(make);
      const other = await applyRun(store, createRun());
      await advance(BREAKER.recoveryMs);
      const asked = [run, other].flatMap((one) => ["a", "b"].map((item) => takeOf(one, item, USE)));
      const [first, ...rest] = await store.apply(asked);
      assert.ok(first?.kind === "permitted");
      assert.deepEqual([first.permits[0]?.probe, first.room, first.roomBy], [true, 0, "quota"]);
      for (const result of rest) {
        assert.ok(result.kind === "held-back");
        assert.deepEqual([result.refusal.because, result.refusal.probing], ["breaker", true]);
      }
      await refused(store, { ...takeOf(other, "c", USE), worker: "worker-2" });
    },
  },
  {
    name: "R120: processes that open the same store send one probe together",
    needs: ({ shared }) => shared,
    run: async (make) => {
      const { store: own, open, advance, run } = await makeOpen(make);
      const others = await Promise.all([open(), open()]);
      await advance(BREAKER.recoveryMs);
      const kinds: string[] = [];
      for (const [index, store] of [own, ...others].entries()) {
        const [result] = await store.apply([takeOf(run, `${index}`, USE)]);
        kinds.push(result?.kind ?? "none");
      }
      assert.deepEqual(kinds, ["permitted", "held-back", "held-back"]);
    },
  },
  {
    name: "as many probes go as the breaker may send, and each says how many more",
    run: async (make) => {
      const { store, advance, run } = await makeOpen(make);
      await advance(BREAKER.recoveryMs);
      const use = makeUse(makeTerms({ breaker: { ...BREAKER, probes: 2 } }));
      const results = await store.apply(["a", "b", "c"].map((item) => takeOf(run, item, use)));
      assert.deepEqual(
        results.map((result) => (result.kind === "permitted" ? result.room : result.kind)),
        [1, 0, "held-back"],
      );
    },
  },
  {
    name: "the permit of a probe expires: then the next one is a probe, and the late one frees no place",
    run: async (make) => {
      const { store, advance, run, permit } = await makeProbe(make);
      await advance(4_999);
      await refused(store, takeOf(run, "next", USE));
      await advance(1);
      assert.equal((await takeOne(store, takeOf(run, "next", USE))).probe, true);
      const late = releaseOf(run, "probe", called("ignored", permit));
      const [back, third] = await store.apply([late, takeOf(run, "third", USE)]);
      assert.deepEqual([back?.kind, third?.kind], ["done", "held-back"]);
    },
  },
  {
    name: "R122: a probe that is cancelled or says nothing gives its place back, in the same transaction",
    run: async (make) => {
      for (const outcome of ["cancelled", "ignored"] as const) {
        const { store, run, permit } = await makeProbe(make);
        const [back, next] = await store.apply([
          releaseOf(run, "probe", called(outcome, permit)),
          takeOf(run, "next", USE),
        ]);
        assert.deepEqual([back?.kind, next?.kind], ["done", "permitted"]);
        assert.equal(next?.kind === "permitted" && next.permits[0]?.probe, true);
        // Also where nobody says what became of it.
        const [, last] = await store.apply([
          releaseOf(run, "next", returned({ outcome })),
          takeOf(run, "last", USE),
        ]);
        assert.equal(last?.kind, "permitted");
      }
    },
  },
  {
    name: "R122: a probe of an owner that is gone gives its place back, whether it is taken back or not",
    run: async (make) => {
      const longer = makeUse(TERMS, { probeMs: 600_000 });
      const { store, advance, run } = await makeOpen(make);
      await advance(BREAKER.recoveryMs);
      const gone = await applyRun(store, createRun());
      await takeOne(store, takeOf(gone, "a", longer));
      const [, next] = await store.apply([reclaimRun(gone), takeOf(run, "b", longer)]);
      assert.equal(next?.kind, "permitted");

      await advance(LEASE_MS + LEASE_GRACE_MS_DEFAULT);
      const last = await applyRun(store, createRun());
      assert.equal((await takeOne(store, takeOf(last, "c", longer))).probe, true);
    },
  },
  {
    name: "R124: each move is an event with key, old and new state, and what moves nothing is none",
    run: async (make) => {
      const { store, advance, run } = await makeScene(make);
      const use = makeUse(makeTerms({ keyed: true, breaker: BREAKER }), { key: "k" });
      const end = async (item: string, outcome: "success" | "failure"): Promise<void> => {
        const permit = await takeOne(store, takeOf(run, item, use));
        await release(store, releaseOf(run, item, { ...called(outcome, permit), key: "k" }));
      };
      await end("a", "success");
      assert.deepEqual(await toldOf(store), []);
      await end("b", "failure");
      const firstMs = store.nowMs() + 10_000;
      await refused(store, takeOf(run, "c", use));
      await advance(10_000);
      await end("c", "failure");
      const secondMs = store.nowMs() + 15_000;
      await advance(15_000);
      await end("d", "success");
      await end("e", "success");

      const by = { resource: "api", key: "k", actor: "breaker" };
      const failed = { ...by, reason: "calls failed" };
      const probed = { ...by, reason: "its time is over: a probe goes" };
      assert.deepEqual(await toldOf(store), [
        ["breaker.opened", { ...failed, from: "closed", to: "open", untilMs: firstMs }],
        ["breaker.half_opened", { ...probed, from: "open", to: "half_open" }],
        ["breaker.opened", { ...failed, from: "half_open", to: "open", untilMs: secondMs }],
        ["breaker.half_opened", { ...probed, from: "open", to: "half_open" }],
        ["breaker.closed", { ...by, from: "half_open", to: "closed", reason: "a probe succeeded" }],
      ]);
      const events = await store.listEvents({ runId: run.id, after: 0, limit: 50 });
      assert.equal(events.filter(({ type }) => type.startsWith("breaker.")).length, 5);
    },
  },
  {
    name: "a call from before the last move says nothing: neither a late failure, nor a late probe",
    run: async (make) => {
      const { store, run, permit: probe } = await makeProbe(make);
      await give(store, order({ kind: "reset" }));
      const old = await takeOne(store, takeOf(run, "old", USE));
      await give(store, order({ kind: "trip", forMs: 1_000 }));
      await give(store, order({ kind: "reset" }));
      const told = await toldOf(store);
      await release(store, releaseOf(run, "old", called("failure", old)));
      await release(store, releaseOf(run, "probe", called("failure", probe)));
      assert.equal(await stateOf(store), "closed");
      assert.deepEqual(await toldOf(store), told);
    },
  },
  {
    name: "calls that go just after it has closed are few, and say how many more may",
    run: async (make) => {
      const { store, advance, run, permit } = await makeProbe(make);
      await release(store, releaseOf(run, "probe", called("success", permit)));
      const closedAtMs = store.nowMs();
      const [first, second] = await store.apply(["a", "b"].map((item) => takeOf(run, item, USE)));
      assert.ok(first?.kind === "permitted" && second?.kind === "held-back");
      assert.deepEqual([first.room, first.roomBy], [0, "quota"]);
      assert.deepEqual(
        [second.refusal.because, second.refusal.untilMs],
        ["breaker", closedAtMs + 1_000],
      );
      await advance(1_000);
      const rest = await store.apply(["b", "c", "d"].map((item) => takeOf(run, item, USE)));
      assert.deepEqual(
        rest.map((result) => (result.kind === "permitted" ? result.room : result.kind)),
        [1, 0, "held-back"],
      );
    },
  },
  {
    name: "a probe that ends with its run gives its place back in the same transaction",
    run: async (make) => {
      const { store, run } = await makeProbe(make);
      const next = await applyRun(store, createRun());
      const results = await store.apply([
        takeOf(next, "early", USE),
        endRun(run, "succeeded"),
        takeOf(next, "late", USE),
      ]);
      assert.deepEqual(
        results.map(({ kind }) => kind),
        ["held-back", "done", "permitted"],
      );
    },
  },
  {
    name: "a pause holds for all that ask, is only ever made longer, and is told once",
    run: async (make) => {
      const { store, advance, run } = await makeScene(make);
      const use = makeUse(makeTerms());
      await store.apply(["a", "b", "c"].map((item) => takeOf(run, item, use)));
      await release(store, releaseOf(run, "a", returned({ pauseMs: 2_000 })));
      const untilMs = store.nowMs() + 2_000;
      await release(store, releaseOf(run, "b", returned({ pauseMs: 500 })));
      const other = await applyRun(store, createRun());
      const { refusal } = await refused(store, { ...takeOf(other, "a", use), worker: "worker-2" });
      assert.deepEqual([refusal.because, refusal.untilMs], ["pause", untilMs]);
      await release(store, releaseOf(run, "c", returned({ pauseMs: 3_000.5 })));
      await advance(3_000);
      await refused(store, takeOf(other, "a", use));
      await advance(1);
      await takeOne(store, takeOf(other, "a", use));
      assert.deepEqual(
        (await toldOf(store)).map(([type]) => type),
        ["resource.paused"],
      );
      await release(store, releaseOf(other, "a", returned({ pauseMs: 10 })));
      assert.equal((await toldOf(store)).length, 2);
    },
  },
  {
    name: "R135: an opening and a pause hold for another process, and for one that opens the store later",
    needs: ({ shared }) => shared,
    run: async (make) => {
      const { store, open, advance, run } = await makeOpen(make);
      const model = makeUse(makeTerms({ name: "model" }));
      await takeOne(store, takeOf(run, "m", model));
      await applyAll(store, releaseOf(run, "m", returned({ resource: "model", pauseMs: 10_000 })));
      const assertRefused = async (asked: Store): Promise<void> => {
        const [opening, pause] = [takeOf(run, "a", USE), takeOf(run, "b", model)];
        assert.equal((await refused(asked, opening)).refusal.because, "breaker");
        assert.equal((await refused(asked, pause)).refusal.because, "pause");
      };
      await assertRefused(await open());
      await store.close();
      await advance(9_999);
      const again = await open();
      await assertRefused(again);
      await advance(1);
      assert.equal((await takeOne(again, takeOf(run, "a", USE))).probe, true);
      await takeOne(again, takeOf(run, "b", model));
    },
  },
];
