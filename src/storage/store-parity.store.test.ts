import assert from "node:assert/strict";
import { fc, test } from "@fast-check/vitest";
import { DELETE_ROWS_MAX } from "../model/limits.ts";
import { STAGE_STATES } from "../model/outcome.ts";
import { isRunOver, RUN_STATES } from "../model/run.ts";
import { newCounts } from "../policy/breaker/breaker-counts.ts";
import { makeVirtualClock } from "../std/virtual-clock.ts";
import {
  claimNext,
  claimRun,
  createBatch,
  createRun,
  encoded,
  inline,
  interruptRun,
  makeFailure,
  makeRetry,
  moveRun,
  putItem,
  putMemo,
  putStage,
  reclaimRun,
  requestCancel,
  resetStages,
  tell,
  WAITING,
} from "../testing/store-suite/fixture.ts";
import {
  BREAKER,
  limitOf,
  makeTerms,
  makeUse,
  order,
  perSecond,
  releaseOf,
  returned,
  takeOf,
} from "../testing/store-suite/permits/permit-fixture.ts";
import { putRecords } from "../testing/store-suite/records.ts";
import { MemoryStore } from "./memory/memory-store.ts";
import { openSqliteStore } from "./sqlite/open.ts";
import type { Store } from "./store.ts";
import type { Write } from "./write.ts";

const RUNS = ["run-1", "run-2", "run-3", "run-4", "run-5", "run-6"] as const;
const BORN = RUNS.slice(0, 2);
const STAGES = ["a", "b"] as const;
const KEYS = ["x", "y", "z"] as const;
const PIPELINES = ["crawl", "parse"] as const;
/** Made before anything else; no run belongs to the third. */
const BATCHES = ["batch-1", "batch-2", "batch-3"] as const;

/** Stands for the epoch that a run has when a batch begins, this plus 1 for the one after it. */
const CURRENT = 1_000;

const held = fc.record({
  id: fc.constantFrom(...RUNS),
  epoch: fc.oneof(
    { weight: 9, arbitrary: fc.constant(CURRENT) },
    { weight: 4, arbitrary: fc.constant(CURRENT + 1) },
    { weight: 2, arbitrary: fc.constant(CURRENT + 2) },
    { weight: 1, arbitrary: fc.constantFrom(0, 1, 2, 3) },
  ),
});
const stage = fc.constantFrom(...STAGES);
const key = fc.constantFrom(...KEYS);
const value = fc.constantFrom(0, "text", null);
const events = fc.array(
  fc.record(
    {
      type: fc.constantFrom("stage.logged" as const, "item.waiting" as const),
      stage,
      item: key,
      attempt: fc.nat(3),
      data: fc.constantFrom({}, { a: 1 }),
    },
    { requiredKeys: ["type"] },
  ),
  { maxLength: 3 },
);
const change = fc.record(
  {
    state: fc.constantFrom(...STAGE_STATES),
    attempts: fc.nat(3),
    output: fc.constantFrom(null, inline(1), { kind: "blob" as const, blob: "ff", bytes: 9 }),
    failure: fc.constantFrom(null, makeFailure("no")),
    waitedMs: fc.constantFrom({}, { retry: 3 }),
    dueAtMs: fc.constantFrom(null, 77),
    history: fc.constant(WAITING.history),
  },
  { requiredKeys: ["state", "attempts", "output", "failure", "waitedMs", "dueAtMs"] },
);
const history = fc.record(
  {
    retry: fc
      .record({ stage, item: fc.option(key), delayMs: fc.constantFrom(null, 5) })
      .map(makeRetry),
    state: fc.array(fc.record({ key, stage, value: value.map(encoded) }), { maxLength: 2 }),
    events,
  },
  { requiredKeys: ["events"] },
);
const resets = fc.array(
  fc.record({ stage, mode: fc.constantFrom("open" as const, "keep" as const, "drop" as const) }),
  { maxLength: 2 },
);

const queueing = fc.record({
  pipeline: fc.constantFrom(...PIPELINES),
  priority: fc.constantFrom(0, 0, 1, -1),
  delayMs: fc.constantFrom(0, 0, 1, 3, 60_000),
  batch: fc.constantFrom(null, "batch-1", "batch-2"),
});

const creates: fc.Arbitrary<Write> = fc
  .record({
    id: fc.constantFrom(...RUNS),
    key: fc.constantFrom(null, null, "k"),
    foreground: fc.boolean(),
    isQueued: fc.boolean(),
    maxQueued: fc.option(fc.integer({ min: 1, max: 3 }), { nil: undefined, freq: 2 }),
    queueing,
    from: fc.option(fc.constantFrom(...RUNS), { nil: undefined }),
    mode: fc.constantFrom("whole" as const, "recheck" as const, "items" as const),
  })
  .map(({ id, key: runKey, foreground, isQueued, maxQueued, queueing: rest, from, mode }) => {
    const stages = STAGES.map((name) => ({ stage: name, mode }));
    // In the foreground of nobody it waits for a place, and for nothing else.
    const waits = foreground && isQueued ? { waitsForPlace: true, delayMs: 0 } : {};
    const run = { id, key: runKey, foreground, ...rest, ...waits };
    const limits = { maxQueued: maxQueued ?? null, maxActiveRuns: maxQueued ?? null };
    const write = createRun(run, { events: [{ type: "run.created" }], ...limits });
    return {
      ...write,
      ...(isQueued ? { claim: null } : {}),
      ...(from === undefined ? {} : { takeOver: { from, stages } }),
    };
  });
const claims: fc.Arbitrary<Write> = fc
  .record({
    run: held,
    isQueued: fc.boolean(),
    foreground: fc.boolean(),
    reopen: fc.boolean(),
    crashed: fc.boolean(),
    resetStages: resets,
    events,
  })
  .map(({ run, isQueued, ...write }) =>
    claimRun(run, { ...write, ...(isQueued ? { claim: null, foreground: false } : {}) }),
  );
const moves: fc.Arbitrary<Write> = fc
  .record({
    run: held,
    to: fc.constantFrom(...RUN_STATES),
    reason: fc.option(key),
    events,
    end: fc.record({
      durationMs: fc.constantFrom(0, 1.5),
      warnings: fc.nat(2),
      failure: fc.constantFrom(null, makeFailure("no")),
      metrics: fc.constantFrom({}, { rows: 1 }),
    }),
  })
  .map(({ run, to, end, ...write }) =>
    moveRun(run, to, { ...write, ...(isRunOver(to) ? { end } : {}) }),
  );
/** Keys of the resources below. */
const PARKED_FOR = [
  { resource: "api", key: "" },
  { resource: "host", key: "x" },
  { resource: "host", key: "y" },
  { resource: "paced", key: "" },
] as const;
const parkings: fc.Arbitrary<Write> = fc
  .tuple(held, fc.constantFrom(0, 1, 2, 5), events, fc.boolean())
  .chain(([run, wakeAtMs, told, isTimed]) =>
    fc
      .subarray([...PARKED_FOR])
      .map((keys) => keys.map((key) => ({ ...key, isTimed })))
      .map((waitsFor) =>
        moveRun(run, "waiting", { reason: "retry", wakeAtMs, waitsFor, events: told }),
      ),
  );
const drains: fc.Arbitrary<Write> = fc
  .tuple(held, events)
  .map(([run, told]) => moveRun(run, "queued", { events: told }));
const nextClaims: fc.Arbitrary<Write> = fc
  .record({
    limit: fc.integer({ min: 1, max: 4 }),
    pipelines: fc.uniqueArray(
      fc.record({
        name: fc.constantFrom(...PIPELINES),
        definitionHash: fc.constantFrom("hash-1", "hash-2"),
        definitionJson: fc.constant("{}"),
        maxActiveRuns: fc.constantFrom(null, null, 0, 1, 2),
      }),
      { selector: ({ name }) => name },
    ),
  })
  .map(({ limit, pipelines }) => ({ ...claimNext({ limit }), pipelines }));
const wakings: fc.Arbitrary<Write> = fc
  .integer({ min: 1, max: 3 })
  .map((limit) => ({ kind: "wake-runs", limit }));
const reclaims: fc.Arbitrary<Write> = fc
  .record({ run: held, attemptsMax: fc.integer({ min: 1, max: 3 }), events })
  .map(({ run, ...write }) => reclaimRun(run, write));
const resettings: fc.Arbitrary<Write> = fc
  .tuple(held, resets)
  .map(([run, stages]) => resetStages(run, ...stages));
const batchings: fc.Arbitrary<Write> = fc.constantFrom(...BATCHES).map(createBatch);
const stagePuts: fc.Arbitrary<Write> = fc
  .tuple(held, stage, change, history)
  .map(([run, name, record, rest]) =>
    putStage(run, { stage: name, metrics: { rows: record.attempts }, ...record }, rest),
  );
const itemPuts: fc.Arbitrary<Write> = fc
  .tuple(held, stage, key, fc.tuple(change, fc.nat(5), history))
  .map(([run, name, itemKey, [record, index, rest]]) =>
    putItem(
      run,
      {
        stage: name,
        key: itemKey,
        index,
        metrics: { rows: { absolute: index > 2, value: index } },
        ...record,
      },
      rest,
    ),
  );
const memoPuts: fc.Arbitrary<Write> = fc
  .tuple(held, fc.record({ stage, item: fc.option(key), name: key }), value)
  .map(([run, memo, of]) => putMemo(run, memo, of));
const drops: fc.Arbitrary<Write> = fc
  .tuple(held, stage, fc.uniqueArray(key), events)
  .map(([run, name, keys, told]): Write => ({
    kind: "drop-items",
    runId: run.id,
    epoch: run.epoch,
    stage: name,
    keys,
    events: told,
  }));
const places: fc.Arbitrary<Write> = fc
  .tuple(held, stage, fc.array(fc.record({ key, index: fc.nat(5) }), { maxLength: 3 }))
  .map(([run, name, places]): Write => ({
    kind: "place-items",
    runId: run.id,
    epoch: run.epoch,
    stage: name,
    places,
    events: [],
  }));
const tells: fc.Arbitrary<Write> = fc.tuple(held, events).map(([run, told]) => tell(run, ...told));
const cancels: fc.Arbitrary<Write> = fc
  .tuple(fc.constantFrom(...RUNS), fc.constantFrom(undefined, undefined, 1, 2, 3))
  .map(([id, forceEpoch]) => ({
    ...requestCancel(id),
    ...(forceEpoch === undefined ? {} : { forceEpoch }),
  }));
const interrupts: fc.Arbitrary<Write> = fc
  .tuple(held, events)
  .map(([run, told]) => interruptRun(run, ...told));
const deletions: fc.Arbitrary<Write> = fc
  .record({
    runIds: fc.uniqueArray(fc.constantFrom(...RUNS), { minLength: 1, maxLength: 3 }),
    states: fc.uniqueArray(fc.constantFrom(...RUN_STATES), { minLength: 3 }),
  })
  .map((write) => ({ kind: "delete-runs", ...write, rowsMax: DELETE_ROWS_MAX }));
/** All that takes time takes some ms here, as a transaction does. */
const breaker = { ...BREAKER, threshold: 2, recoveryMs: 3, probes: 2 };
const terms = [
  makeTerms({ limit: 2, breaker }),
  makeTerms({ name: "host", keyed: true, limit: 1, limits: { x: 2 }, breakers: { y: breaker } }),
  makeTerms({ name: "paced", quotas: [perSecond(2, { perMs: 4 }), perSecond(1, { perMs: 1 })] }),
];
const addresses = fc.uniqueArray(
  fc.constantFrom(
    ...terms.flatMap((one) =>
      (one.keyed ? ["x", "y"] : [""]).map((resourceKey) => ({ terms: one, key: resourceKey })),
    ),
  ),
  { minLength: 1, maxLength: 3 },
);
const takes: fc.Arbitrary<Write> = fc
  .record({
    run: held,
    item: fc.option(key),
    uses: addresses,
    worker: fc.constantFrom("worker-1", "worker-2"),
    use: fc.record({
      maxWaitMs: fc.constantFrom(null, null, 0),
      probeMs: fc.constantFrom(2, 60_000),
      waitedMs: fc.constantFrom(0, 50, 500),
      waiting: fc.nat(2),
    }),
  })
  .map(({ run, item, uses, worker, use }) => ({
    ...takeOf(run, item, ...uses.map((one) => makeUse(one.terms, { key: one.key, ...use }))),
    worker,
  }));
const calls = fc.record({
  terms: fc.constant(breaker),
  counts: fc.constantFrom(newCounts(), { ...newCounts(), generation: 1, failuresInARow: 1 }),
  generation: fc.integer({ min: 1, max: 6 }),
  probe: fc.boolean(),
  hintMs: fc.constantFrom(null, 4),
  chance: fc.constantFrom(0, 0.5),
});
const releases: fc.Arbitrary<Write> = fc
  .record({
    run: held,
    item: fc.option(key),
    uses: addresses,
    events,
    use: fc.record({
      outcome: fc.constantFrom("success", "failure", "failure", "auth", "cancelled"),
      call: fc.option(calls),
      pauseMs: fc.constantFrom(null, null, 2, 0.5),
    }),
  })
  .map(({ run, item, uses, events: told, use }) => {
    const back = uses.map((one) => returned({ resource: one.terms.name, key: one.key, ...use }));
    return { ...releaseOf(run, item, ...back), events: told };
  });
const orders: fc.Arbitrary<Write> = fc
  .record({
    address: fc.constantFrom(
      { resource: "api", key: "" },
      { resource: "host", key: "" },
      { resource: "host", key: "x" },
      { resource: "paced", key: "" },
    ),
    change: fc.constantFrom(
      limitOf(0, 2),
      limitOf(3),
      { kind: "override" as const, limit: null, quotas: [perSecond(3, { perMs: 2 })], forMs: 3 },
      { kind: "trip" as const, forMs: 2 },
      { kind: "reset" as const },
    ),
  })
  .map(({ address, change }) => order(change, address));
const recordPuts = fc.uniqueArray(
  fc.record({
    collection: fc.constantFrom("schedules" as const, "ticks" as const),
    key: fc.constantFrom("a", "a/b", "b"),
    expected: fc.constantFrom(null, 0, 1, 2),
    value: fc.constantFrom(undefined, null, 1, { a: ["b"] }),
    dueAtMs: fc.constantFrom(null, 5, 9),
  }),
  { selector: (put) => `${put.collection} ${put.key}`, maxLength: 3 },
);
const recordings: fc.Arbitrary<Write> = fc
  .record({ puts: recordPuts, run: fc.option(creates, { nil: undefined }), events })
  .map(({ puts, run, events: told }) => {
    const made = run?.kind === "create-run" ? { run } : {};
    return putRecords(puts, { events: told, ...made });
  });
const outsides: fc.Arbitrary<Write> = fc
  .record({ runId: fc.constantFrom(null, ...RUNS), events })
  .map((write) => ({ kind: "tell-outside", ...write }));
const writes: fc.Arbitrary<Write> = fc.oneof(
  { weight: 3, arbitrary: creates },
  { weight: 4, arbitrary: claims },
  { weight: 2, arbitrary: moves },
  { weight: 2, arbitrary: parkings },
  { weight: 4, arbitrary: drains },
  { weight: 6, arbitrary: nextClaims },
  { weight: 3, arbitrary: wakings },
  { weight: 3, arbitrary: reclaims },
  { weight: 1, arbitrary: resettings },
  { weight: 1, arbitrary: batchings },
  { weight: 1, arbitrary: deletions },
  { weight: 5, arbitrary: stagePuts },
  { weight: 6, arbitrary: itemPuts },
  { weight: 2, arbitrary: memoPuts },
  { weight: 2, arbitrary: drops },
  { weight: 2, arbitrary: places },
  { weight: 2, arbitrary: tells },
  { weight: 8, arbitrary: takes },
  { weight: 5, arbitrary: releases },
  { weight: 2, arbitrary: orders },
  { weight: 3, arbitrary: recordings },
  { weight: 1, arbitrary: outsides },
  { weight: 1, arbitrary: cancels },
  { weight: 1, arbitrary: interrupts },
);

/** Every other transaction is about one run, so that much happens to it before anything is committed. */
const transactions: fc.Arbitrary<readonly Write[]> = fc
  .tuple(
    fc.array(writes, { minLength: 1, maxLength: 8 }),
    fc.option(fc.constantFrom(...RUNS), { freq: 1, nil: undefined }),
  )
  .map(([drawn, only]) =>
    only === undefined
      ? drawn
      : drawn.map((write) => ("runId" in write ? { ...write, runId: only } : write)),
  );

/** Everything that can be asked of a store, in an order of its own. */
async function readAll(store: Store): Promise<unknown> {
  const runs = await store.listRuns({ limit: 10 });
  const perRun = runs.map(async ({ id }) => ({
    stages: await store.listStages(id),
    ended: [...(await store.loadCheckpoints(id)).items]
      .flatMap(([, items]) => items)
      .map((item) => `${item.stage}/${item.key}/${item.state}`)
      .sort(),
    counts: Object.fromEntries(await store.countItems(id)),
    state: await store.listState(id),
    events: await store.listEvents({ runId: id, after: 0, limit: 1000 }),
    items: await Promise.all(
      STAGES.map((name) => store.listItems({ runId: id, stage: name, limit: 100 })),
    ),
    failed: await store.listItems({ runId: id, stage: "a", limit: 100, states: ["failed"] }),
    permits: await store.listPermits(id, 100),
    retries: await Promise.all(
      STAGES.flatMap((name) => [null, ...KEYS].map((item) => store.listRetries(id, name, item))),
    ),
    memos: await Promise.all(
      STAGES.flatMap((name) =>
        [null, ...KEYS].flatMap((item) =>
          KEYS.map((memo) => store.findMemo({ runId: id, stage: name, item, name: memo })),
        ),
      ),
    ),
  }));
  const resources = await store.listResources({ limit: 100 });
  return {
    runs,
    resources,
    holders: await Promise.all(resources.map((one) => store.listHolders(one, 100))),
    perRun: await Promise.all(perRun),
    counts: Object.fromEntries(await store.countRuns()),
    next: await Promise.all(PIPELINES.map((pipeline) => store.findNextQueued(pipeline))),
    batches: await Promise.all([...BATCHES, "none"].map((id) => readBatch(store, id))),
    later: await store.listRuns({ afterNumber: 1, sinceMs: 2, limit: 1 }),
    events: await store.listEvents({ after: 0, limit: 1000 }),
    records: await store.listRecords({ collection: "schedules", limit: 100 }),
    ticks: await store.listRecords({ collection: "ticks", newestFirst: true, limit: 100 }),
    due: await store.listDueRecords({ collection: "schedules", untilMs: 6, limit: 100 }),
    nextDueMs: await store.nextDueMs("ticks"),
  };
}

async function readBatch(store: Store, batch: string): Promise<unknown> {
  return {
    record: await store.findBatch(batch),
    runs: await store.listBatchRuns({ batch, limit: 2 }),
    later: await store.listBatchRuns({ batch, limit: 500, afterNumber: 2 }),
    counts: await store.countBatch(batch),
  };
}

/** The write with the epoch that its run has now, where it asks for that, and times counted from now. */
async function withEpoch(store: Store, drawn: Write): Promise<Write> {
  const write =
    drawn.kind === "move-run" && drawn.wakeAtMs !== undefined
      ? { ...drawn, wakeAtMs: store.nowMs() + drawn.wakeAtMs }
      : drawn;
  if (!("runId" in write) || write.kind === "request-cancel" || write.kind === "tell-outside")
    return write;
  const epoch = (await store.findRun(write.runId))?.epoch ?? 0;
  const resolve = (asked: number): number => (asked < CURRENT ? asked : epoch + asked - CURRENT);
  if ("epoch" in write) return { ...write, epoch: resolve(write.epoch) };
  return { ...write, expectedEpoch: resolve(write.expectedEpoch) };
}

test.prop([fc.array(transactions, { maxLength: 12 })], {
  numRuns: 300,
})(
  "SQLite answers and keeps what the reference store does, whatever is written",
  async (batches) => {
    const clock = makeVirtualClock();
    const machine = {
      bootId: "boot",
      sharedMonotonicMs: () => clock.monotonicMs(),
      isGone: () => undefined,
    };
    const path = ":memory:";
    const sqlite = await openSqliteStore({ url: path, path, clock, machine, mode: "write" });
    const memory = new MemoryStore({ clock });
    const born = [
      ...BATCHES.slice(0, 2).map(createBatch),
      ...BORN.map((id) => createRun({ id, foreground: id === "run-1" })),
    ];
    try {
      assert.deepEqual(await sqlite.apply(born), await memory.apply(born));
      // fast-check makes records without a prototype; nobody else does.
      for (const drawn of structuredClone(batches)) {
        const batch = await Promise.all(drawn.map((write) => withEpoch(memory, write)));
        assert.deepEqual(await sqlite.apply(batch), await memory.apply(batch));
        await clock.advance(1);
      }
      assert.deepEqual(await readAll(sqlite), await readAll(memory));
    } finally {
      await sqlite.close();
    }
  },
  60_000,
);
