// How long does a run wait that meets an idle process: started here, enqueued for a worker of this process, enqueued
// for a worker of another one?

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { openMillrace } from "millrace";
import { makeIdle } from "../lib/idle.ts";
import { printConditions, printFigures, printTarget, summarize } from "../lib/measure.ts";

const ROUNDS = 200;
const WARM_UP = ROUNDS / 10;
/** Apart, so that the other process has come to rest; drawn, so that its polls are met at any moment. */
const PAUSE_MS = { min: 40, spread: 60 };

interface Samples {
  readonly result: number[];
  readonly start: number[];
  readonly queued: number[];
  readonly across: number[];
}

async function sampleHere(path: string, samples: Samples): Promise<void> {
  let begunMs = 0;
  const idle = makeIdle(() => {
    begunMs = performance.now();
  });
  const mill = await openMillrace({ store: `sqlite:${path}`, pipelines: [idle] });
  for (let round = 0; round < ROUNDS; round += 1) {
    const startedMs = performance.now();
    await (await mill.start(idle, undefined)).result();
    if (round < WARM_UP) continue;
    samples.start.push(begunMs - startedMs);
    samples.result.push(performance.now() - startedMs);
  }
  const stop = new AbortController();
  let ended: () => void = () => undefined;
  const working = mill.work({
    signal: stop.signal,
    onEvent: ({ type }) => {
      if (type === "run.succeeded") ended();
    },
  });
  for (let round = 0; round < ROUNDS; round += 1) {
    const isOver = new Promise<void>((resolve) => (ended = resolve));
    await mill.enqueue(idle, [{ input: undefined }]);
    const enqueuedMs = performance.now();
    await isOver;
    if (round >= WARM_UP) samples.queued.push(begunMs - enqueuedMs);
  }
  stop.abort();
  await working;
  await mill.close();
}

/** From the call that enqueues, its commit included. */
async function sampleAcross(path: string, samples: Samples): Promise<void> {
  const idle = makeIdle(() => undefined);
  const mill = await openMillrace({ store: `sqlite:${path}`, pipelines: [idle] });
  const worker = join(import.meta.dirname, "..", "lib", "idle-worker.ts");
  const child = spawn(process.execPath, [...process.execArgv, worker, path], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  await lines.next();
  for (let round = 0; round < ROUNDS / 2; round += 1) {
    await sleep(PAUSE_MS.min + Math.random() * PAUSE_MS.spread);
    const calledMs = performance.timeOrigin + performance.now();
    await mill.enqueue(idle, [{ input: undefined }]);
    const line = await lines.next();
    if (round >= WARM_UP) samples.across.push(Number(line.value) - calledMs);
  }
  child.stdin.end();
  await once(child, "exit");
  await mill.close();
}

/** Answers whether the floors were met. */
export async function ask(): Promise<boolean> {
  const folder = mkdtempSync(join(tmpdir(), "millrace-idle-"));
  const samples: Samples = { result: [], start: [], queued: [], across: [] };
  try {
    await sampleHere(join(folder, "here.db"), samples);
    await sampleAcross(join(folder, "across.db"), samples);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  printConditions("idle, SQLite, synchronous=FULL, three stages, ms");
  const figures = [
    summarize("start to result", samples.result),
    summarize("start to first stage", samples.start),
    summarize("enqueued to first stage", samples.queued),
    summarize("the same across processes", samples.across),
  ];
  printFigures(figures, "ms");
  const targets = [3, 0.5, 0.5, 30];
  return figures
    .map(({ name, median }, index) => printTarget(`${name}, p50 ms`, median, targets[index] ?? 0))
    .every(Boolean);
}
