// What does the engine cost in memory, per stage and per item, beside plain promises and p-queue?

import { input, map, pipeline, stage } from "millrace";
import type { StageValue } from "millrace";
import { measure, printConditions, printFigures, printTarget } from "../lib/measure.ts";

const CHAIN = 100;
const ITEMS = 10_000;
const ITEMS_AT_ONCE = 100;
const WAVES = 200;

const work = (value: unknown): Promise<unknown> => Promise.resolve(value);
const number = input<number>();
const list = input<readonly number[]>();

function makeChain(): () => Promise<unknown> {
  let last: StageValue<unknown, false> = stage("s0", { needs: { number } }, ({ number: n }) =>
    work(n),
  );
  for (let index = 1; index < CHAIN; index += 1) {
    const before = last;
    last = stage(`s${index}`, { needs: { before } }, (needs) => work(needs.before));
  }
  const chain = pipeline("chain", { input: number, output: { last } });
  return () => chain.run(0);
}

function makeFanOut(count: number): () => Promise<unknown> {
  const each = map("each", { over: list, concurrency: ITEMS_AT_ONCE }, (item) => work(item));
  const fanOut = pipeline("fan-out", { input: list, output: { each } });
  const items = Array.from({ length: count }, (_, index) => index);
  return () => fanOut.run(items, { concurrency: ITEMS_AT_ONCE });
}

/** 200 diamonds in a row: a head, three in the middle, a tail that feeds the next head. */
function makeWaves(): () => Promise<unknown> {
  let tail: StageValue<unknown, false> | undefined;
  for (let wave = 0; wave < WAVES; wave += 1) {
    const before = tail;
    const head: StageValue<unknown, false> =
      before === undefined
        ? stage(`h${wave}`, {}, () => work(wave))
        : stage(`h${wave}`, { needs: { before } }, (needs) => work(needs.before));
    const middle = (name: string): StageValue<unknown, false> =>
      stage(`${name}${wave}`, { needs: { head } }, (needs) => work(needs.head));
    const [a, b, c] = [middle("a"), middle("b"), middle("c")];
    tail = stage(`t${wave}`, { needs: { a, b, c } }, (needs) => work(needs.a));
  }
  const waves = pipeline("waves", { stages: tail === undefined ? [] : [tail] });
  return () => waves.run(undefined);
}

async function plainChain(): Promise<void> {
  let value: unknown = 0;
  for (let index = 0; index < CHAIN; index += 1) value = await work(value);
}

async function plainFanOut(): Promise<void> {
  let next = 0;
  await Promise.all(
    Array.from({ length: ITEMS_AT_ONCE }, async () => {
      while (next < ITEMS) await work(next++);
    }),
  );
}

async function plainWaves(): Promise<void> {
  let value: unknown = 0;
  for (let wave = 0; wave < WAVES; wave += 1) {
    const head = await work(value);
    const [first] = await Promise.all([work(head), work(head), work(head)]);
    value = await work(first);
  }
}

interface QueuePeer {
  queueChain(count: number, work: (value: unknown) => unknown): Promise<void>;
  queueFanOut(count: number, atOnce: number, work: (value: unknown) => unknown): Promise<void>;
}

/** Loaded by address: peers have their own lockfile (`npm ci --prefix bench/peers`). */
async function loadQueue(): Promise<QueuePeer> {
  const address = new URL("../peers/p-queue.js", import.meta.url).href;
  // A JavaScript file of our own; its two functions are written beside it.
  return (await import(address)) as QueuePeer;
}

/** Answers whether every floor was met. */
export async function ask(): Promise<boolean> {
  const queue = await loadQueue();
  printConditions("in memory: a chain of 100 stages, µs per stage");
  const chain = await measure([
    { name: "plain promises", run: plainChain, units: CHAIN, repeat: 300 },
    { name: "p-queue", run: () => queue.queueChain(CHAIN, work), units: CHAIN, repeat: 100 },
    { name: "millrace", run: makeChain(), units: CHAIN, repeat: 300 },
  ]);
  printFigures(chain, "µs");
  const chainMet = printTarget("floor per chained stage", chain[2]?.median ?? Number.NaN, 2);

  printConditions(`in memory: ${ITEMS} items at concurrency ${ITEMS_AT_ONCE}, µs per item`);
  const fanOut = await measure([
    { name: "plain promises", run: plainFanOut, units: ITEMS, repeat: 10 },
    {
      name: "p-queue",
      run: () => queue.queueFanOut(ITEMS, ITEMS_AT_ONCE, work),
      units: ITEMS,
      repeat: 3,
    },
    { name: "millrace", run: makeFanOut(ITEMS), units: ITEMS, repeat: 10 },
  ]);
  printFigures(fanOut, "µs");
  const fanOutMet = printTarget("floor per item", fanOut[2]?.median ?? Number.NaN, 2);

  printConditions("in memory: 200 diamonds of 5 stages, µs per stage");
  const waves = await measure([
    { name: "plain promises", run: plainWaves, units: WAVES * 5, repeat: 30 },
    { name: "millrace", run: makeWaves(), units: WAVES * 5, repeat: 30 },
  ]);
  printFigures(waves, "µs");
  const wavesMet = printTarget("floor per stage in diamonds", waves[1]?.median ?? Number.NaN, 3);
  return [chainMet, fanOutMet, wavesMet, await askGrowth()].every(Boolean);
}

async function askGrowth(): Promise<boolean> {
  printConditions("in memory: growth from 10,000 to 100,000 items, µs per item");
  const growth = await measure(
    [
      { name: "10,000 items", run: makeFanOut(10_000), units: 10_000, repeat: 10 },
      { name: "100,000 items", run: makeFanOut(100_000), units: 100_000, repeat: 1 },
    ],
    5,
  );
  printFigures(growth, "µs");
  const [small, large] = growth;
  const ratio = ((large?.median ?? Number.NaN) * 10) / (small?.median ?? Number.NaN);
  return printTarget("100,000 items cost this many times 10,000", ratio, 12);
}
