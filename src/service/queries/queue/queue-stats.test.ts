import { expect, test } from "vitest";
import type { RunState } from "../../../model/run.ts";
import { MemoryStore } from "../../../storage/memory/memory-store.ts";
import { makeVirtualClock } from "../../../std/virtual-clock.ts";
import { createRun, endRun, queueRun } from "../../../testing/store-suite/fixture.ts";
import { readQueueStats } from "./queue-stats.ts";

/** A store in which `count` runs have just ended. */
async function setup(count: number, state: "succeeded" | "failed" = "succeeded") {
  const clock = makeVirtualClock();
  const store = new MemoryStore({ clock });
  for (let index = 0; index < count; index += 1) {
    const create = createRun();
    await store.apply([create, endRun({ id: create.run.id, epoch: 1 }, state)]);
    await clock.advance(100);
  }
  return { clock, store };
}

test("the rate counts what ended in the last minute, and tells how long the queue lasts", async () => {
  const { clock, store } = await setup(6);
  await store.apply([queueRun(), queueRun(), queueRun()]);
  const [stats] = (await readQueueStats(store)).pipelines;
  expect(stats).toMatchObject({ perMinute: 6, drainMs: 30_000, oldestDueMs: 0 });

  await clock.advance(61_000);
  const [later] = (await readQueueStats(store)).pipelines;
  expect(later).toMatchObject({ perMinute: 0, oldestDueMs: 61_000 });
  expect(later?.drainMs).toBe(undefined);
});

test("of very many that ended the rate is that of the newest", async () => {
  const { store } = await setup(80);
  const [stats] = (await readQueueStats(store)).pipelines;
  // One every 100 ms, though no more than 50 are looked at.
  expect(stats?.perMinute).toBeGreaterThan(580);
  expect(stats?.perMinute).toBeLessThan(620);
});

test("a pipeline without runs is left out, and counts name every state", async () => {
  const { store } = await setup(1, "failed");
  const [run] = await store.listRuns({ limit: 1 });
  const states: readonly RunState[] = ["failed"];
  await store.apply([{ kind: "delete-runs", runIds: [run?.id ?? ""], states, rowsMax: 10 }]);
  expect(await readQueueStats(store)).toEqual({
    total: 0,
    queued: 0,
    running: 0,
    waiting: 0,
    succeeded: 0,
    failed: 0,
    skipped: 0,
    cancelled: 0,
    pipelines: [],
    waitsFor: [],
  });
});
