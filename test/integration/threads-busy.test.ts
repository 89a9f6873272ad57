// CPU-bound items in threads use more than one core, and their process goes on with everything else meanwhile.

import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { expect, onTestFinished, test } from "vitest";
import { makeDurableWorld } from "../support/durable/durable-world.ts";
import { burning, meeting } from "../support/pipelines/thread-work.ts";

interface Span {
  readonly beganAtMs: number;
  readonly endedAtMs: number;
}

/** From the begin of the first to the end of the last, ms. */
function lengthOf(spans: readonly Span[]): number {
  const begins = spans.map(({ beganAtMs }) => beganAtMs);
  return Math.max(...spans.map(({ endedAtMs }) => endedAtMs)) - Math.min(...begins);
}

/** Two items of so much CPU each. */
async function measureItems(ms: number): Promise<number> {
  const result = await burning.run({ ms }, { threads: 2 });
  expect(result.stages["burnt"]?.cpuMs).toBeGreaterThanOrEqual(2 * ms - 20);
  return lengthOf(result.unwrap().burnt);
}

const BARE = `
const { parentPort, workerData } = require("node:worker_threads");
const used = () => { const { user, system } = process.threadCpuUsage(); return (user + system) / 1000; };
const beganAtMs = Date.now(), before = used();
while (used() - before < workerData) for (let sum = 0, index = 0; index < 10000; index += 1) sum += index;
parentPort.postMessage({ beganAtMs, endedAtMs: Date.now() });
`;

/** The same in two threads of the platform: what this machine gives two busy threads just now. */
async function measureBare(ms: number): Promise<number> {
  const threads = [1, 2].map(() => new Worker(BARE, { eval: true, workerData: ms }));
  const spans = await Promise.all(threads.map(async (one) => (await once(one, "message"))[0]));
  return lengthOf(spans as readonly Span[]);
}

test("R62: two busy items on two threads run at once, and no heartbeat waits for them", async () => {
  const folder = mkdtempSync(join(tmpdir(), "millrace-busy-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const world = makeDurableWorld();
  const mill = await world.open([meeting], { threads: 2 });
  const handle = await mill.start(meeting, { folder });
  // Neither item ends before both are busy and the file is there, which is made once its process has been heard of.
  const beats = new Set<number>();
  await expect
    .poll(
      async () => {
        for (const { beatAtMs } of await mill.store.listWorkers()) beats.add(beatAtMs);
        return beats.size;
      },
      { timeout: 40_000, interval: 50 },
    )
    .toBeGreaterThanOrEqual(3);
  expect((await mill.run(handle.id)).state).toBe("running");
  writeFileSync(join(folder, "go"), "");
  const result = await handle.result();
  expect(result.outputs.met).toEqual(["left", "right"]);
});

test("R62: two items on two threads take the time that two bare threads take", async () => {
  const tries: number[] = [];
  // One after the other they would take twice as long. Others compute on this machine too: the best of a few.
  while (tries.length < 5 && !tries.some((share) => share < 1.5)) {
    const bareMs = await measureBare(400);
    tries.push((await measureItems(400)) / bareMs);
  }
  expect(Math.min(...tries)).toBeLessThan(1.5);
}, 120_000);

test("what a thread holds at most is reported", async () => {
  const { stages } = await burning.run({ ms: 400, bytes: 80_000_000 }, { threads: 1 });
  expect(stages["burnt"]?.peakBytes).toBeGreaterThan(80_000_000);
  expect(stages["burnt"]?.cpuMs).toBeGreaterThanOrEqual(790);
});
