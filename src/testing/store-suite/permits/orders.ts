// Chapter: orders and lists. What people set by hand, what is told of it, and how keys and permits are listed.

import assert from "node:assert/strict";
import { applyAll, applyRun, createRun, tell } from "../fixture.ts";
import type { StoreCase } from "../suite.ts";
import {
  BREAKER,
  getResource,
  give,
  limitOf,
  makeScene,
  makeTerms,
  makeUse,
  ONE,
  order,
  perSecond,
  refused,
  release,
  releaseOf,
  returned,
  take,
  takeOf,
  takeOne,
  toldOf,
} from "./permit-fixture.ts";

const BY = { actor: "ada", reason: "a test", resource: "api" };
const USE = makeUse(makeTerms({ breaker: BREAKER }));

/** Cases about orders and lists. */
export const orderCases: readonly StoreCase[] = [
  {
    name: "a breaker that is tripped lets nobody go for so long, then a probe; tripping it again moves nothing",
    run: async (make) => {
      const { store, advance, run } = await makeScene(make);
      const record = await give(store, order({ kind: "trip", forMs: 5_000 }));
      assert.equal(record.state.breaker?.state, "open");
      const untilMs = store.nowMs() + 5_000;
      await give(store, order({ kind: "trip", forMs: 4_000 }));
      assert.deepEqual(await toldOf(store), [
        ["breaker.opened", { ...BY, from: "closed", to: "open", untilMs }],
      ]);
      await give(store, order({ kind: "trip", forMs: 6_000 }));
      const { refusal } = await refused(store, takeOf(run, "a", USE));
      assert.deepEqual([refusal.because, refusal.untilMs], ["breaker", untilMs + 1_000]);
      await advance(6_000);
      assert.equal((await takeOne(store, takeOf(run, "a", USE))).probe, true);
      assert.equal((await toldOf(store)).length, 2);
    },
  },
  {
    name: "a reset closes a breaker, and says so once; calls go at once",
    run: async (make) => {
      const { store, run } = await makeScene(make);
      await give(store, order({ kind: "trip", forMs: 5_000 }));
      await give(store, order({ kind: "reset" }));
      await give(store, order({ kind: "reset" }));
      assert.deepEqual((await toldOf(store)).slice(1), [
        ["breaker.closed", { ...BY, from: "open", to: "closed" }],
      ]);
      const results = await store.apply(["a", "b", "c"].map((item) => takeOf(run, item, USE)));
      for (const { kind } of results) assert.equal(kind, "permitted");
    },
  },
  {
    name: "a reset lifts an override and a pause, and is told where one of them held",
    run: async (make) => {
      const { store, advance, run } = await makeScene(make);
      const use = makeUse(ONE);
      const types = async (): Promise<readonly string[]> =>
        (await toldOf(store)).map(([type]) => type);
      await give(store, order({ kind: "reset" }));
      assert.deepEqual(await types(), []);
      await give(store, order(limitOf(0)));
      await refused(store, takeOf(run, "a", use));
      const { state } = await give(store, order({ kind: "reset" }));
      assert.equal(state.override, null);
      assert.deepEqual((await toldOf(store)).at(-1), ["resource.reset", BY]);
      await take(store, takeOf(run, "a", use));
      await release(store, releaseOf(run, "a", returned({ pauseMs: 1_000 })));
      await give(store, order({ kind: "reset" }));
      await take(store, takeOf(run, "a", use));
      const before = await types();
      assert.deepEqual(before, [
        "resource.set",
        "resource.reset",
        "resource.paused",
        "resource.reset",
      ]);

      // What has lapsed is nothing to be lifted.
      await give(store, order(limitOf(0, 10)));
      await release(store, releaseOf(run, "a", returned({ pauseMs: 10 })));
      await advance(10);
      const told = await types();
      await give(store, order({ kind: "reset" }));
      assert.deepEqual(await types(), told);
    },
  },
  {
    name: "an override says what it sets, for which key and until when, and is answered as it stands",
    run: async (make) => {
      const { store } = await make();
      const quotas = [perSecond(60, { perMs: 60_000 })];
      const change = { kind: "override", limit: 8, quotas, forMs: 1_000 } as const;
      const record = await give(store, order(change, { key: "k" }));
      const untilMs = store.nowMs() + 1_000;
      const { actor, reason } = BY;
      assert.deepEqual(record.state.override, { limit: 8, quotas, untilMs, actor, reason });
      assert.deepEqual([record.terms, record.held, record.waiting], [null, 0, 0]);
      assert.deepEqual(await getResource(store, "k"), record);
      await give(store, order(limitOf(2)));
      assert.deepEqual(await toldOf(store), [
        [
          "resource.set",
          { ...BY, key: "k", limit: 8, quotas: [{ rate: 60, perMs: 60_000 }], untilMs },
        ],
        ["resource.set", { ...BY, limit: 2 }],
      ]);
    },
  },
  {
    name: "orders belong to no run, and are read in order with the events of runs",
    run: async (make) => {
      const { store, advance, run } = await makeScene(make);
      await applyAll(store, tell(run, { type: "stage.logged", stage: "a" }));
      await advance(5);
      await give(store, order(limitOf(2)));
      await applyAll(store, tell(run, { type: "stage.logged", stage: "b" }));
      await give(store, order({ kind: "reset" }));

      const events = await store.listEvents({ after: 0, limit: 10 });
      assert.deepEqual(
        events.map(({ seq, runSeq, type, run: of }) => [seq, runSeq, type, of]),
        [
          [1, 1, "stage.logged", run.id],
          [2, 0, "resource.set", ""],
          [3, 2, "stage.logged", run.id],
          [4, 0, "resource.reset", ""],
        ],
      );
      assert.equal(events[1]?.atMs, store.nowMs());
      const ofRun = await store.listEvents({ runId: run.id, after: 0, limit: 10 });
      assert.deepEqual(
        ofRun.map(({ seq }) => seq),
        [1, 3],
      );
      const later = await store.listEvents({ after: 2, limit: 1 });
      assert.deepEqual(
        later.map(({ seq }) => seq),
        [3],
      );
    },
  },
  {
    name: "keys are listed by name and key, page by page, of all resources or of one",
    run: async (make) => {
      const { store, run } = await makeScene(make);
      const keyed = makeTerms({ name: "host", keyed: true, limit: 1 });
      // In UTF-16 the last two are the other way round.
      for (const key of ["b", "a", "\u{1F600}", "\uFF01"])
        await take(store, takeOf(run, key, makeUse(keyed, { key })));
      await give(store, order(limitOf(1), { resource: "host" }));
      await take(store, takeOf(run, "x", makeUse(makeTerms())));
      const all = await store.listResources({ limit: 10 });
      const names = all.map(({ resource, key }) => `${resource}/${key}`);
      assert.deepEqual(names, [
        "api/",
        "host/",
        "host/a",
        "host/b",
        "host/\uFF01",
        "host/\u{1F600}",
      ]);
      for (const record of all) assert.deepEqual(await store.findResource(record), record);

      const pages: string[] = [];
      for (let after = all[0]; after !== undefined;) {
        const page = await store.listResources({ after, limit: 2 });
        pages.push(...page.map(({ resource, key }) => `${resource}/${key}`));
        after = page.at(-1);
      }
      assert.deepEqual(pages, names.slice(1));
      const own = await store.listResources({ resource: "host", limit: 2 });
      assert.deepEqual(own, all.slice(1, 3));
      const [, last] = own;
      assert.ok(last !== undefined);
      const rest = await store.listResources({ resource: "host", after: last, limit: 10 });
      assert.deepEqual(rest, all.slice(3));
      assert.deepEqual(await store.listResources({ resource: "none", limit: 1 }), []);
      assert.equal(await store.findResource({ resource: "host", key: "never" }), undefined);
    },
  },
  {
    name: "holders are listed the longest first, permits of a run by stage and item",
    run: async (make) => {
      const { store, advance } = await make();
      const one = await applyRun(store, createRun());
      const other = await applyRun(store, createRun());
      const use = makeUse(makeTerms({ limit: 9 }));
      const model = makeUse(makeTerms({ name: "model" }));
      await take(store, takeOf(other, "z", use, model));
      await advance(5);
      await take(store, { ...takeOf(one, "b", use), slot: 2 });
      await take(store, takeOf(one, "b", model));
      await take(store, takeOf(one, null, use));
      await take(store, { ...takeOf(one, "c", use), stage: "extract" });

      const holders = await store.listHolders({ resource: "api", key: "" }, 10);
      assert.deepEqual(
        holders.map(({ runId, item }) => [runId === one.id, item]),
        [
          [false, "z"],
          [true, "c"],
          [true, null],
          [true, "b"],
        ],
      );
      assert.deepEqual(
        await store.listHolders({ resource: "api", key: "" }, 2),
        holders.slice(0, 2),
      );
      assert.deepEqual(await store.listHolders({ resource: "api", key: "none" }, 2), []);
      const permits = await store.listPermits(one.id, 10);
      assert.deepEqual(
        permits.map(({ stage, item, slot, resource }) => [stage, item, slot, resource]),
        [
          ["extract", "c", 0, "api"],
          ["fetch", null, 0, "api"],
          ["fetch", "b", 0, "model"],
          ["fetch", "b", 2, "api"],
        ],
      );
      assert.deepEqual(await store.listPermits(one.id, 2), permits.slice(0, 2));
      assert.deepEqual(permits[1], {
        resource: "api",
        key: "",
        runId: one.id,
        stage: "fetch",
        item: null,
        slot: 0,
        takenAtMs: store.nowMs(),
        probe: false,
      });
      assert.deepEqual(await store.listPermits("none", 10), []);
    },
  },
];
