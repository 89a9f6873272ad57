import assert from "node:assert/strict";
import { Session } from "node:inspector/promises";
import { test } from "vitest";
import type { RunRecord } from "../../model/run.ts";
import { makeOwner, queueRun } from "../../testing/store-suite/fixture.ts";
import { claimQueued, makeRun } from "../run-rules.ts";
import { MemoryQueue } from "./memory-queue.ts";
import { MemoryRun } from "./memory-run.ts";

const TERMS = {
  claim: { owner: makeOwner("worker-1"), leaseMs: 30_000 },
  pipeline: { name: "crawl", definitionHash: "hash-1", definitionJson: "{}", maxActiveRuns: null },
};

function makeQueued(number: number, change: Partial<RunRecord> = {}): MemoryRun {
  const record = makeRun(
    queueRun({ priority: number % 7 }),
    number,
    1_000 + ((number * 37) % 1_000),
  );
  return new MemoryRun({ ...record, ...change });
}

const numbersOf = (runs: readonly MemoryRun[]): readonly number[] =>
  runs.map((run) => run.record.number);

/** Claims everything there is, as workers do: a look at the next, then a handful of claims. */
function claimAll(queue: MemoryQueue): number {
  let count = 0;
  while (queue.listNext("crawl", 1).length > 0) {
    for (const run of queue.listNext("crawl", 4)) {
      run.record = claimQueued(run.record, TERMS, 9_000);
      queue.note(run);
      count += 1;
    }
    queue.nextWakeMs();
  }
  return count;
}

/** How often any block of this folder's files was entered meanwhile: counted by the engine, not timed. */
async function countBlocks(session: Session, work: () => void): Promise<number> {
  // Counts begin anew at every taking.
  await session.post("Profiler.takePreciseCoverage");
  work();
  const { result } = await session.post("Profiler.takePreciseCoverage");
  const own = result.filter(({ url }) => /storage\/memory\/(?!.*\.test\.ts)/.test(url));
  const ranges = own.flatMap(({ functions }) => functions.flatMap((one) => one.ranges));
  return ranges.reduce((sum, { count }) => sum + count, 0);
}

test("what a claim costs does not grow with the queue", async () => {
  // One session for all: what was optimized between two would not be counted in the second.
  const session = new Session();
  session.connect();
  await session.post("Profiler.enable");
  await session.post("Profiler.startPreciseCoverage", { callCount: true, detailed: true });
  const perRun: number[] = [];
  for (const size of [500, 8_000]) {
    const queue = new MemoryQueue();
    const runs = Array.from({ length: size }, (_, index) => makeQueued(index + 1));
    const blocks = await countBlocks(session, () => {
      for (const run of runs) queue.note(run);
      assert.equal(claimAll(queue), size);
    });
    perRun.push(blocks / size);
  }
  session.disconnect();

  const [few = 0, many = Infinity] = perRun;
  // Each run is noted twice at least; and a heap has four levels more where a list is sixteen times as long.
  assert.ok(
    few > 2 && many < 2 * few,
    `${few} blocks a run where 500 wait, ${many} where 8,000 do`,
  );
});

test("runs come in the order of claims, and a look takes none of them away", () => {
  const queue = new MemoryQueue();
  const runs = Array.from({ length: 50 }, (_, index) => makeQueued(index + 1));
  for (const run of runs) queue.note(run);
  const order = runs.toSorted((left, right) => {
    const [one, other] = [left.record, right.record];
    const byOrder = one.dueAtMs - 60_000 * one.priority - (other.dueAtMs - 60_000 * other.priority);
    return byOrder || one.number - other.number;
  });

  for (const limit of [1, 7, 50, 51]) {
    assert.deepEqual(numbersOf(queue.listNext("crawl", limit)), numbersOf(order.slice(0, limit)));
  }
  assert.deepEqual(queue.listNext("parse", 1), []);
  assert.deepEqual(queue.listNext("crawl", 0), []);
});

test("a run that left and came back is found once, at its new place", () => {
  const queue = new MemoryQueue();
  const first = makeQueued(1, { dueAtMs: 1, priority: 0 });
  const second = makeQueued(2, { dueAtMs: 2, priority: 0 });
  for (const run of [first, second, first]) queue.note(run);
  assert.deepEqual(numbersOf(queue.listNext("crawl", 9)), [1, 2]);

  first.record = { ...first.record, state: "running" };
  assert.deepEqual(numbersOf(queue.listNext("crawl", 9)), [2]);
  first.record = { ...first.record, state: "queued", dueAtMs: 3 };
  queue.note(first);
  assert.deepEqual(numbersOf(queue.listNext("crawl", 9)), [2, 1]);
});

test("runs that wait for a time are found when it has come, and the next time is known", () => {
  const queue = new MemoryQueue();
  const waiting = [30, 10, 20, 10].map((wakeAtMs, index) =>
    makeQueued(index + 1, { state: "waiting", wakeAtMs }),
  );
  for (const run of waiting) queue.note(run);

  assert.deepEqual(numbersOf(queue.listDue(9, 9)), []);
  assert.deepEqual(numbersOf(queue.listDue(20, 9)), [2, 4, 3]);
  assert.deepEqual(numbersOf(queue.listDue(20, 1)), [2]);
  assert.equal(queue.nextWakeMs(), 10);
  for (const run of queue.listDue(29, 9)) run.record = { ...run.record, wakeAtMs: null };
  assert.equal(queue.nextWakeMs(), 30);
});
