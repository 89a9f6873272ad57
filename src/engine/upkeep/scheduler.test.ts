import { expect, test } from "vitest";
import type { StoreRecord } from "../../storage/records/record-write.ts";
import { makeVirtualClock } from "../../std/virtual-clock.ts";
import { Scheduler, type ScheduleOutcome } from "./scheduler.ts";

const START_MS = Date.UTC(2026, 0, 1);

interface Scene {
  readonly scheduler: Scheduler;
  readonly clock: ReturnType<typeof makeVirtualClock>;
  readonly warnings: readonly string[];
  readonly fired: readonly string[];
  readonly reads: { count: number };
  /** Null: the store answers. */
  fault: Error | null;
  outcome: (name: string) => Promise<ScheduleOutcome>;
}

/** A store in which each schedule is due once, at the time of its name. */
function setup(dues: Readonly<Record<string, number>>): Scene {
  const clock = makeVirtualClock({ startAtMs: START_MS });
  const warnings: string[] = [];
  const fired: string[] = [];
  const left = new Map(Object.entries(dues));
  const reads = { count: 0 };
  const toRecord = (key: string): StoreRecord => ({
    collection: "schedules",
    key,
    revision: 1,
    value: null,
    dueAtMs: left.get(key) ?? null,
    updatedAtMs: 0,
  });
  const read = <T>(value: T): Promise<T> => {
    reads.count += 1;
    return scene.fault === null ? Promise.resolve(value) : Promise.reject(scene.fault);
  };
  const scheduler = new Scheduler({
    clock,
    warn: (message) => void warnings.push(message),
    store: {
      nowMs: () => clock.wallMs(),
      findRecord: (_collection, key) => read(left.has(key) ? toRecord(key) : undefined),
      nextDueMs: () => read(left.size === 0 ? null : Math.min(...left.values())),
      listDueRecords: ({ untilMs, limit }) => {
        const due = [...left].filter(([, dueMs]) => dueMs <= untilMs);
        return read(due.slice(0, limit).map(([key]) => toRecord(key)));
      },
    },
    fire: async ({ key }) => {
      fired.push(key);
      const outcome = await scene.outcome(key);
      if (outcome.kind === "moved") left.delete(key);
      return outcome;
    },
  });
  const scene: Scene = {
    scheduler,
    clock,
    warnings,
    fired,
    reads,
    fault: null,
    outcome: () => Promise.resolve({ kind: "moved", lateMs: 0 }),
  };
  return scene;
}

test("more schedules than a page holds that cannot be decided here keep none behind them from firing", async () => {
  const others = Array.from({ length: 150 }, (_, place) => [`other-${place}`, START_MS] as const);
  const scene = setup({ ...Object.fromEntries(others), ours: START_MS });
  scene.outcome = async (name) =>
    name === "ours"
      ? { kind: "moved", lateMs: 0 }
      : { kind: "left", problem: `${name} is not ours`, lateMs: 0 };
  scene.scheduler.start();
  await scene.clock.advance(100);
  expect(scene.fired).toContain("ours");
  await scene.scheduler.stop();
});

test("it sleeps until the next one is due, and wakes at least every 30 s", async () => {
  const { scheduler, clock, fired } = setup({ soon: START_MS + 12_345, late: START_MS + 70_000 });
  scheduler.start();
  await clock.advance(12_344);
  expect(fired).toEqual([]);
  await clock.advance(1);
  expect(fired).toEqual(["soon"]);
  expect(clock.nextTimerMs).toBe(30_000);
  await clock.advance(57_655);
  expect(fired).toEqual(["soon", "late"]);
  await scheduler.stop();
  expect(clock.pendingTimers).toBe(0);
});

test("with ten thousand schedules an hour without ticks costs two reads of one index for each wake", async () => {
  const many = Array.from({ length: 10_000 }, (_, index) => [`s${index}`, START_MS + 7_200_000]);
  const { scheduler, clock, reads } = setup(Object.fromEntries(many));
  scheduler.start();
  await clock.advance(3_600_000);
  expect(reads.count).toBe(2 * 121);
  await scheduler.stop();
});

test("a store that does not answer is told once and asked again, and meanwhile it is late", async () => {
  const scene = setup({ one: START_MS + 60_000 });
  const { scheduler, clock, warnings, fired } = scene;
  scheduler.start();
  await clock.advance(1_000);
  scene.fault = new Error("the disk is gone");
  await clock.advance(600_000);
  expect(fired).toEqual([]);
  expect(warnings).toEqual(["The scheduler waits for the store: the disk is gone"]);
  expect(scheduler.lateMs).toBeGreaterThan(540_000);
  expect(scheduler.silentMs).toBeGreaterThan(540_000);
  scene.fault = null;
  await clock.advance(30_000);
  expect(fired).toEqual(["one"]);
  expect(scheduler.lateMs).toBe(0);
  await scheduler.stop();
});

test("a decision that hangs shows as lateness, and stopping waits for it", async () => {
  const scene = setup({ one: START_MS + 10_000 });
  const { scheduler, clock } = scene;
  const hanging = Promise.withResolvers<ScheduleOutcome>();
  scene.outcome = () => hanging.promise;
  scheduler.start();
  await clock.advance(130_000);
  expect(scheduler.lateMs).toBe(120_000);
  let isStopped = false;
  const stopped = scheduler.stop().then(() => (isStopped = true));
  await clock.advance(1_000);
  expect(isStopped).toBe(false);
  hanging.resolve({ kind: "moved", lateMs: 0 });
  await stopped;
  expect(clock.pendingTimers).toBe(0);
});

test("what waits for a run to end is looked at every second, and at once when one has", async () => {
  const scene = setup({ one: START_MS + 10_000 });
  const { scheduler, clock, fired } = scene;
  scene.outcome = () => Promise.resolve({ kind: "held" });
  scheduler.start();
  await clock.advance(10_000);
  const before = fired.length;
  await clock.advance(3_000);
  expect(fired.length - before).toBeGreaterThanOrEqual(3);
  scene.outcome = () => Promise.resolve({ kind: "moved", lateMs: 3_000 });
  scheduler.wakeHeld();
  await clock.advance(0);
  expect(clock.nextTimerMs).toBe(30_000);
  await scheduler.stop();
});

test("it may be stopped before it is started, and twice, and started again", async () => {
  const { scheduler, clock, fired } = setup({ one: START_MS + 1_000 });
  await scheduler.stop();
  scheduler.start();
  await Promise.all([scheduler.stop(), scheduler.stop()]);
  await clock.advance(5_000);
  expect(fired).toEqual([]);
  scheduler.start();
  await clock.advance(0);
  expect(fired).toEqual(["one"]);
  await scheduler.stop();
});
