import { expect, test } from "vitest";
import type { RunRecord } from "../../model/run.ts";
import { MemoryStore } from "../../storage/memory/memory-store.ts";
import type { NewRun } from "../../storage/write.ts";
import { systemMachine } from "../../std/machine.ts";
import { makeVirtualClock, type VirtualClock } from "../../std/virtual-clock.ts";
import {
  applyAll,
  applyClaim,
  applyRun,
  claimNext,
  createRun,
  makeOwner,
  moveRun,
  queueRun,
} from "../../testing/store-suite/fixture.ts";
import { explainRun, type Explanation } from "../explain.ts";

const START_MS = Date.parse("2026-07-14T09:00:00.000Z");
const OWNERS = ["worker-1", "worker-2", "worker-3"].map((worker) => ({
  ...makeOwner(worker),
  host: "elsewhere.test",
}));

interface World {
  readonly store: MemoryStore;
  readonly clock: VirtualClock;
  readonly enqueue: (run?: Partial<NewRun>) => Promise<RunRecord>;
  readonly why: (run: RunRecord) => Promise<Explanation>;
}

function setup(): World {
  const clock = makeVirtualClock({ startAtMs: START_MS });
  const store = new MemoryStore({ clock });
  return {
    store,
    clock,
    enqueue: (run) => applyRun(store, queueRun(run)),
    why: async (run) => explainRun(store, (await store.findRun(run.id)) ?? run),
  };
}

/** A worker takes the next run of a pipeline, and says that it is alive. */
async function work(store: MemoryStore, worker: number, name = "crawl") {
  const owner = OWNERS[worker - 1] ?? makeOwner("nobody");
  await applyClaim(store, claimNext({ claim: { owner, leaseMs: 30_000 } }, { name }));
  await store.beat(owner, []);
}

test("a run that was queued just now has not been taken yet", async () => {
  const { enqueue, why, clock } = setup();
  const run = await enqueue();
  await clock.advance(1_999);

  const { summary, blockers, notes } = await why(run);

  expect(summary).toBe(
    "1 is queued, due since 2026-07-14T09:00:00.000Z (2s): it is the next one, and no process has taken it yet.",
  );
  expect(blockers).toEqual([]);
  expect(notes).toEqual(["works its queue here: npx millrace queue run --drain"]);
});

test("a run that nobody takes says that no worker is at work, and how many are ahead", async () => {
  const { enqueue, why, clock } = setup();
  await enqueue();
  await enqueue();
  const run = await enqueue();
  await clock.advance(90_000);

  const { summary, blockers } = await why(run);

  expect(summary).toBe(
    '3 is queued, due since 2026-07-14T09:00:00.000Z (1m 30s): no worker is at work on this store; 2 runs of pipeline "crawl" are ahead of it.',
  );
  expect(blockers).toEqual([
    {
      kind: "no-worker",
      name: "crawl",
      sinceMs: START_MS,
      basis: "unknown",
      text: "no worker is at work on this store",
    },
    {
      kind: "position",
      name: "crawl",
      sinceMs: START_MS,
      ahead: 2,
      basis: "unknown",
      text: '2 runs of pipeline "crawl" are ahead of it',
    },
  ]);
});

test("workers that hold runs of its pipeline are counted; those that fell silent, and foreground runs, are not", async () => {
  const { store, enqueue, why, clock } = setup();
  for (let index = 0; index < 4; index += 1) await enqueue();
  const run = await enqueue();
  await work(store, 3);
  await clock.advance(5_001);
  await work(store, 1);
  await work(store, 2);
  await applyAll(store, createRun({ foreground: true }));
  await store.beat(makeOwner("foreground"), []);

  const { summary, blockers } = await why(run);

  expect(summary).toBe(
    '5 is queued, due since 2026-07-14T09:00:00.000Z (5s): 1 run of pipeline "crawl" is ahead of it, and 2 workers are at work there.',
  );
  expect(blockers.map(({ kind, ahead }) => [kind, ahead])).toEqual([["position", 1]]);
  await work(store, 1);
  expect((await why(run)).summary).toContain(
    "it is the next one, and 2 workers are at work there.",
  );
});

test("workers that are alive and hold nothing of its pipeline are told apart", async () => {
  const { store, enqueue, why, clock } = setup();
  await enqueue({ pipeline: "other" });
  await work(store, 1, "other");
  const run = await enqueue();
  await clock.advance(3_000);

  const { summary, blockers } = await why(run);

  expect(summary).toContain(': 1 worker is alive, and none has a run of pipeline "crawl".');
  expect(blockers.map(({ kind }) => kind)).toEqual(["no-worker"]);
});

test("more runs ahead than are counted are told as at least so many", async () => {
  const { store, enqueue, why } = setup();
  await store.apply(Array.from({ length: 999 }, () => queueRun()));
  const thousandth = await enqueue();
  await store.apply([queueRun()]);
  const last = await enqueue();

  expect((await why(thousandth)).blockers).toMatchObject([{ ahead: 999 }]);
  expect((await why(thousandth)).summary).toContain('999 runs of pipeline "crawl" are ahead');
  expect((await why(last)).blockers).toMatchObject([{ ahead: 1_000 }]);
  expect((await why(last)).summary).toContain('at least 1,000 runs of pipeline "crawl" are ahead');
});

test("a full pipeline names who holds its places, and says nothing of workers it cannot know of", async () => {
  const { store, enqueue, why, clock } = setup();
  const definition = { definitionJson: '{"name":"crawl","stages":[],"maxActiveRuns":1}' };
  await applyAll(store, createRun({ foreground: true }, definition));
  await enqueue();
  const run = await enqueue();
  await clock.advance(60_000);

  const { summary, blockers } = await why(run);

  expect(summary).toBe(
    '3 is queued, due since 2026-07-14T09:00:00.000Z (1m): run 1 of pipeline "crawl" is running, and one may be at a time; 1 run of pipeline "crawl" is ahead of it.',
  );
  expect(blockers.map(({ kind }) => kind)).toEqual(["busy", "position"]);
  expect(blockers[0]).toMatchObject({ holders: ["1"] });
});

test("a run that is not due yet says when, and the sentence counts the time down", async () => {
  const { enqueue, why, clock } = setup();
  const run = await enqueue({ delayMs: 300_000 });
  await clock.advance(60_000);

  const { state, summary, blockers, notes } = await why(run);

  expect(state).toBe("waiting");
  expect(summary).toBe(
    "1 is waiting since 2026-07-14T09:00:00.000Z (1m): it is not due before 2026-07-14T09:05:00.000Z (in 4m).",
  );
  expect(blockers).toEqual([
    {
      kind: "due",
      name: "due",
      sinceMs: START_MS,
      expectedAtMs: START_MS + 300_000,
      basis: "exact",
      text: "not due before 2026-07-14T09:05:00.000Z",
    },
  ]);
  expect(notes).toEqual(["whoever works its queue then takes it: npx millrace queue run --drain"]);
});

test("a run that was enqueued for later and is due now tells both times", async () => {
  const { store, enqueue, why, clock } = setup();
  const run = await enqueue({ delayMs: 60_000 });
  await clock.advance(61_000);
  await store.apply([{ kind: "wake-runs", limit: 9 }]);

  const { summary, notes } = await why(run);

  expect(summary).toContain("1 is queued, due since 2026-07-14T09:01:00.000Z (1s): ");
  expect(notes[0]).toBe("enqueued at 2026-07-14T09:00:00.000Z");
});

test("a run that was parked until a time says what holds it back and until when", async () => {
  const { store, enqueue, why } = setup();
  const run = await enqueue();
  await work(store, 1);
  const wakeAtMs = START_MS + 600_000;
  await applyAll(
    store,
    moveRun({ id: run.id, epoch: 1 }, "waiting", { reason: "retry", wakeAtMs }),
  );

  const { summary, blockers } = await why(run);

  expect(summary).toContain("it is held back until 2026-07-14T09:10:00.000Z (retry) (in 10m).");
  expect(blockers).toMatchObject([{ kind: "retry", expectedAtMs: wakeAtMs, basis: "exact" }]);
});

test("an idle worker that lives is seen however long ago it spoke, and whether it works this queue", async () => {
  const { store, clock, enqueue, why } = setup();
  const { host, pid, bootId, processStart } = systemMachine;
  const owner = { worker: "idle", host, pid, bootId, processStart };
  await store.beat(owner, ["queue:other"]);
  const run = await enqueue();
  await clock.advance(3_600_000);

  expect((await why(run)).blockers).toMatchObject([
    { kind: "no-worker", text: '1 worker is alive, and none has a run of pipeline "crawl"' },
  ]);
  await store.beat(owner, ["queue:other", "queue:crawl"]);
  expect(await why(run)).toMatchObject({
    blockers: [],
    summary: expect.stringContaining("it is the next one, and 1 worker is at work there"),
  });
  await store.beat({ ...owner, pid: 4_194_305 }, ["queue:crawl"]);
  await store.beat(owner, []);
  expect((await why(run)).blockers).toMatchObject([{ text: "no worker is at work on this store" }]);
});
