// How fast does one process work a queue on SQLite, acknowledged after the commit, beside the bare library that
// writes the same rows into the same tables, and beside OpenWorkflow on SQLite: 20,000 runs of three stages that do
// nothing?

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openMillrace, pipeline, stage, type Millrace } from "millrace";
import { openBareQueue } from "../lib/bare-queue.ts";
import { printConditions, printFigures, printTarget, summarize } from "../lib/measure.ts";

const RUNS = 20_000;
const PER_CALL = 1_000;
const AT_ONCE = 256;
const ROUNDS = 5;
/** Fewer of the peer's, which takes milliseconds for each. */
const PEER_RUNS = 500;

const first = stage("first", {}, () => 1);
const second = stage("second", { needs: { first } }, (needs) => needs.first + 1);
const third = stage("third", { needs: { second } }, (needs) => needs.second + 1);
const three = pipeline("three", { output: { third } });

async function openMill(folder: string, name: string): Promise<Millrace> {
  return openMillrace({
    store: `sqlite:${join(folder, name)}`,
    pipelines: [three],
    concurrency: 1_000,
  });
}

async function timeMs(work: () => unknown): Promise<number> {
  const startedMs = performance.now();
  await work();
  return performance.now() - startedMs;
}

async function enqueueAll(mill: Millrace): Promise<void> {
  for (let from = 0; from < RUNS; from += PER_CALL) {
    await mill.enqueue(
      three,
      Array.from({ length: PER_CALL }, (_, index) => ({
        key: `run-${from + index}`,
        input: undefined,
      })),
    );
  }
}

interface Samples {
  readonly enqueue: number[];
  readonly work: number[];
}

interface Trio {
  readonly ours: Samples;
  readonly bare: Samples;
  readonly peer: Samples;
}

interface QueuePeer {
  workQueue(
    path: string,
    runs: number,
    atOnce: number,
  ): Promise<{ readonly enqueueMs: number; readonly workMs: number }>;
}

/** Loaded by address: peers have their own lockfile (`npm ci --prefix bench/peers`). */
async function loadPeer(): Promise<QueuePeer> {
  const address = new URL("../peers/openworkflow.js", import.meta.url).href;
  // A JavaScript file of our own; its one function is written beside it.
  return (await import(address)) as QueuePeer;
}

async function samplePeer(path: string, peer: Samples): Promise<void> {
  const { enqueueMs, workMs } = await (await loadPeer()).workQueue(path, PEER_RUNS, AT_ONCE);
  peer.enqueue.push((enqueueMs * 1_000) / PEER_RUNS);
  peer.work.push((workMs * 1_000) / PEER_RUNS);
}

async function sample(folder: string, round: number, { ours, bare, peer }: Trio): Promise<void> {
  const mill = await openMill(folder, `ours-${round}.db`);
  const perRun = (ms: number): number => (ms * 1_000) / RUNS;
  ours.enqueue.push(perRun(await timeMs(() => enqueueAll(mill))));
  ours.work.push(
    perRun(await timeMs(async () => mill.work({ drain: true, concurrency: AT_ONCE }))),
  );
  await mill.close();
  await (await openMill(folder, `bare-${round}.db`)).close();
  const queue = openBareQueue(join(folder, `bare-${round}.db`));
  bare.enqueue.push(perRun(await timeMs(() => queue.enqueue(RUNS, PER_CALL))));
  bare.work.push(perRun(await timeMs(() => queue.work(RUNS, AT_ONCE))));
  queue.close();
  await samplePeer(join(folder, `peer-${round}.db`), peer);
  for (const name of [`ours-${round}.db`, `bare-${round}.db`, `peer-${round}.db`]) {
    for (const end of ["", "-wal", "-shm"]) rmSync(join(folder, name + end), { force: true });
  }
}

/** Answers whether the floors were met. */
export async function ask(): Promise<boolean> {
  const folder = mkdtempSync(join(tmpdir(), "millrace-queue-"));
  try {
    const { ours, bare, peer } = emptyTrio();
    for (let round = -1; round < ROUNDS; round += 1) {
      await sample(folder, round, round < 0 ? emptyTrio() : { ours, bare, peer });
    }
    printConditions(
      `queue on SQLite, synchronous=FULL: ${RUNS} runs of three stages, ${AT_ONCE} at once, µs per run`,
    );
    const enqueue = [
      summarize("bare inserts", bare.enqueue),
      summarize("millrace enqueue", ours.enqueue),
      summarize("OpenWorkflow, one by one", peer.enqueue),
    ];
    printFigures(enqueue, "µs");
    const work = [
      summarize("bare writes", bare.work),
      summarize("millrace work", ours.work),
      summarize("OpenWorkflow SQLite", peer.work),
    ];
    printFigures(work, "µs");
    const usPerRun = work[1]?.median ?? Number.NaN;
    console.log(
      `  ${Math.round(1e6 / (enqueue[1]?.median ?? Number.NaN))} enqueued/s, ` +
        `${Math.round(3e6 / usPerRun)} durable stages/s, ` +
        `${((work[2]?.median ?? Number.NaN) / usPerRun).toFixed(0)} times the peer`,
    );
    const met = [
      printTarget("µs per enqueued run (100,000/s)", enqueue[1]?.median ?? Number.NaN, 10),
      printTarget("µs per durable stage (40,000/s)", usPerRun / 3, 25),
      printTarget(
        "over bare writes of the same rows",
        usPerRun / (work[0]?.median ?? Number.NaN),
        3,
      ),
    ];
    return met.every(Boolean);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function emptyTrio(): Trio {
  const empty = (): Samples => ({ enqueue: [], work: [] });
  return { ours: empty(), bare: empty(), peer: empty() };
}
