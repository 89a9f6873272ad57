// What does a queue cost that is long? Enqueueing and importing beside the bare library, the rate of one worker over
// 10,000 and over 1,000,000 queued runs, over 100,000 that cannot run, the memory of the worker, and `stats`.

import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openMillrace, pipeline, stage, type Millrace } from "millrace";
import { openBareQueue } from "../lib/bare-queue.ts";
import { printConditions, printFigures, printTarget, summarize } from "../lib/measure.ts";

const SHALLOW = 10_000;
const DEEP = 1_000_000;
const BLOCKED = 100_000;
const WORKED = 5_000;
const PER_CALL = 1_000;
const ROUNDS = 5;
const STATS_CALLS = 101;

const first = stage("first", {}, () => 1);
const second = stage("second", { needs: { first } }, (needs) => needs.first + 1);
const third = stage("third", { needs: { second } }, (needs) => needs.second + 1);
const three = pipeline("three", { output: { third } });
const line = stage("line", { needs: { first } }, (needs) => needs.first);
const imported = pipeline("imported", { output: { line } });

async function openMill(path: string): Promise<Millrace> {
  return openMillrace({
    store: `sqlite:${path}`,
    pipelines: [three, imported],
    concurrency: 1_000,
  });
}

async function timeMs(work: () => unknown): Promise<number> {
  const startedMs = performance.now();
  await work();
  return performance.now() - startedMs;
}

interface Filling {
  readonly runs: number;
  /** Number in the key of the first one. */
  readonly from?: number;
  readonly delay?: "1h";
}

async function enqueue(mill: Millrace, { runs, from = 0, delay }: Filling): Promise<void> {
  for (let at = from; at < from + runs; at += PER_CALL) {
    await mill.enqueue(
      three,
      Array.from({ length: PER_CALL }, (_, index) => ({
        key: `run-${at + index}`,
        input: undefined,
        ...(delay === undefined ? {} : { delay }),
      })),
    );
  }
}

/** µs per run of WORKED runs from the head of the queue, all else of the process at rest. */
async function workSome(mill: Millrace): Promise<number> {
  const ms = await timeMs(() => mill.work({ maxRuns: WORKED, concurrency: 256 }));
  return (ms * 1_000) / WORKED;
}

function rssMb(): number {
  globalThis.gc?.();
  return process.memoryUsage().rss / 2 ** 20;
}

/** Lines of JSON as bytes, in pieces of a thousand; made before the clock starts. */
function makeLines(lines: number, keyed: boolean): readonly Uint8Array[] {
  const perPiece = 1_000;
  return Array.from({ length: lines / perPiece }, (_, piece) => {
    const texts = Array.from({ length: perPiece }, (_line, index) => {
      const at = piece * perPiece + index;
      const input = { page: at, url: `https://example.test/pages/${at}` };
      return JSON.stringify(keyed ? { key: `k${at}`, input } : { input });
    });
    return Buffer.from(`${texts.join("\n")}\n`);
  });
}

async function* read(pieces: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* pieces;
}

async function askFilling(folder: string): Promise<boolean> {
  const runs = 50_000;
  const samples = {
    bare: [] as number[],
    enqueue: [] as number[],
    given: [] as number[],
    hashed: [] as number[],
  };
  const perRun = (ms: number): number => (ms * 1_000) / runs;
  const lines = { given: makeLines(runs, true), hashed: makeLines(runs, false) };
  for (let round = 0; round <= ROUNDS; round += 1) {
    const path = join(folder, `filling-${round}`);
    const mill = await openMill(`${path}-ours.db`);
    const ours = await timeMs(() => enqueue(mill, { runs }));
    const given = await timeMs(() => mill.import(imported, read(lines.given)));
    await mill.close();
    const other = await openMill(`${path}-hashed.db`);
    const hashed = await timeMs(() => other.import(imported, read(lines.hashed)));
    await other.close();
    await (await openMill(`${path}-bare.db`)).close();
    const queue = openBareQueue(`${path}-bare.db`);
    const bare = await timeMs(() => queue.enqueue(runs, PER_CALL));
    queue.close();
    if (round === 0) continue;
    samples.bare.push(perRun(bare));
    samples.enqueue.push(perRun(ours));
    samples.given.push(perRun(given));
    samples.hashed.push(perRun(hashed));
  }
  printConditions(
    `filling a queue on SQLite, synchronous=FULL, ${PER_CALL} per commit, µs per run`,
  );
  const figures = [
    summarize("bare inserts", samples.bare),
    summarize("enqueue", samples.enqueue),
    summarize("import, keys given", samples.given),
    summarize("import, keys hashed", samples.hashed),
  ];
  printFigures(figures, "µs");
  return [
    printTarget("µs per enqueued run (100,000/s)", figures[1]?.median ?? Number.NaN, 10),
    printTarget("µs per line with its key (80,000/s)", figures[2]?.median ?? Number.NaN, 12.5),
    printTarget("µs per line without (30,000/s)", figures[3]?.median ?? Number.NaN, 33.4),
  ].every(Boolean);
}

async function askDepth(folder: string): Promise<boolean> {
  const shallowPath = join(folder, "shallow.db");
  const deepPath = join(folder, "deep.db");
  const filler = await openMill(deepPath);
  await enqueue(filler, { runs: DEEP });
  await filler.close();
  const bytes = statSync(deepPath).size / DEEP;
  const samples = { shallow: [] as number[], deep: [] as number[] };
  const shallow = await openMill(shallowPath);
  const beforeMb = rssMb();
  const deep = await openMill(deepPath);
  for (let round = 0; round <= ROUNDS; round += 1) {
    await enqueue(shallow, { runs: SHALLOW, from: round * SHALLOW });
    const over = { shallow: await workSome(shallow), deep: await workSome(deep) };
    if (round === 0) continue;
    samples.shallow.push(over.shallow);
    samples.deep.push(over.deep);
  }
  const grownMb = rssMb() - beforeMb;
  const statsMs: number[] = [];
  for (let call = 0; call < STATS_CALLS; call += 1) statsMs.push(await timeMs(() => deep.stats()));
  await shallow.close();
  await deep.close();
  printConditions(`a long queue: ${WORKED} runs of three stages worked at its head, µs per run`);
  const figures = [
    summarize(`about ${SHALLOW} queued`, samples.shallow),
    summarize(`about ${DEEP} queued`, samples.deep),
  ];
  printFigures(figures, "µs");
  printFigures([summarize("stats over the long one", statsMs)], "ms");
  console.log(
    `  ${bytes.toFixed(0)} bytes of store per queued run; ${grownMb.toFixed(0)} MB grown`,
  );
  const ratio = (figures[1]?.median ?? Number.NaN) / (figures[0]?.median ?? Number.NaN);
  return [
    printTarget("long over short", ratio, 1.25),
    printTarget("MB that the process grew by", grownMb, 64),
    printTarget("stats, p50 ms", summarize("", statsMs).median, 10),
    printTarget("bytes per queued run", bytes, 375),
  ].every(Boolean);
}

async function askBlocked(folder: string): Promise<boolean> {
  const free = await openMill(join(folder, "free.db"));
  const full = await openMill(join(folder, "full.db"));
  await enqueue(full, { runs: BLOCKED, from: DEEP, delay: "1h" });
  const samples = { free: [] as number[], full: [] as number[] };
  for (let round = 0; round <= ROUNDS; round += 1) {
    await enqueue(free, { runs: WORKED, from: round * WORKED });
    await enqueue(full, { runs: WORKED, from: round * WORKED });
    const over = { free: await workSome(free), full: await workSome(full) };
    if (round === 0) continue;
    samples.free.push(over.free);
    samples.full.push(over.full);
  }
  await free.close();
  await full.close();
  printConditions(`${WORKED} runs of three stages beside ${BLOCKED} that wait, µs per run`);
  const figures = [summarize("nothing waits", samples.free), summarize("they wait", samples.full)];
  printFigures(figures, "µs");
  const ratio = (figures[1]?.median ?? Number.NaN) / (figures[0]?.median ?? Number.NaN);
  return printTarget("with over without", ratio, 1.1);
}

/** Answers whether the floors were met. */
export async function ask(): Promise<boolean> {
  const folder = mkdtempSync(join(tmpdir(), "millrace-depth-"));
  try {
    const met = [await askFilling(folder), await askBlocked(folder), await askDepth(folder)];
    return met.every(Boolean);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
