// How long do reads of the API take at a rate of 1,000 a second, mixed as people and programs mix them, over a store
// with 1,000,000 runs and over one with 10,000? The server is a process of its own; times count from when a request
// was due, so that a server that stalls is charged for all that it held up. Nothing is written meanwhile but in one
// round, since what is asked again is given again until something is.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ApiLoad, type ApiRound } from "../lib/api-load.ts";
import { BenchChild } from "../lib/bench-child.ts";
import { printKinds, printRounds } from "../lib/latencies.ts";
import { makeManyRuns } from "../lib/many-runs.ts";
import { printConditions, printTarget, summarize, type Size } from "../lib/measure.ts";
import type { ProcessFigures } from "../lib/process-figures.ts";

const PER_SECOND = 1_000;
const P99_MS_MAX = 50;
/** Requests of each kind that are asked one after the other. */
const ALONE = 100;
/** Events that are written a second in one more round: then no answer is given again for longer than 50 ms. */
const WRITES_PER_SECOND = 20;

const SIZES = {
  whole: { few: 10_000, many: 1_000_000, rounds: 5, warmUpMs: 5_000, roundMs: 10_000 },
  small: { few: 1_000, many: 10_000, rounds: 3, warmUpMs: 1_000, roundMs: 1_000 },
} as const;

/** One server with what is asked of it. */
interface Asked {
  readonly name: string;
  readonly child: BenchChild;
  readonly load: ApiLoad;
  readonly rounds: ApiRound[];
  /** Of the server during the rounds. */
  readonly figures: ProcessFigures[];
}

async function startAsked(folder: string, runs: number): Promise<Asked> {
  const path = join(folder, `${runs}.db`);
  const startedMs = performance.now();
  const known = await makeManyRuns(path, runs);
  const seconds = ((performance.now() - startedMs) / 1_000).toFixed(0);
  console.log(`  made a store with ${runs} runs in ${seconds} s`);
  const child = new BenchChild("served-process.ts", [path]);
  const { url, token } = await child.next("ready");
  const load = new ApiLoad({ url: String(url), token: String(token), runs: known });
  return { name: `${runs} runs`, child, load, rounds: [], figures: [] };
}

function printAsked({ name, rounds, figures }: Asked): boolean {
  const { p99 } = printRounds(
    name,
    rounds.map(({ all }) => all),
  );
  const cpu = summarize(
    "",
    figures.map(({ cpuShare }) => cpuShare * 100),
  );
  const rss = Math.max(...figures.map(({ rssMb }) => rssMb));
  const loop = Math.max(...figures.map(({ loopMsMax }) => loopMsMax));
  console.log(
    `  ${name}: ${cpu.median.toFixed(0)} % of a core, ${rss.toFixed(0)} MB, loop late by at most ${loop.toFixed(1)} ms`,
  );
  const failed = rounds.reduce((sum, round) => sum + round.failed, 0);
  const rate = summarize(
    "",
    rounds.map(({ perSecond }) => perSecond),
  ).min;
  return [
    printTarget(`${name}: p99, ms`, p99, P99_MS_MAX),
    printTarget(`${name}: answers other than 200`, failed, 0),
    printTarget(`${name}: share of ${PER_SECOND}/s that was missed`, 1 - rate / PER_SECOND, 0.01),
  ].every(Boolean);
}

/** What it takes while the store is written: without a floor, since it is the machine's disk that writes. */
async function askWhileWriting({ name, child, load }: Asked, forMs: number): Promise<void> {
  child.say({ eventsPerSecond: WRITES_PER_SECOND });
  child.takeFigures();
  const { all, failed } = await load.run({ perSecond: PER_SECOND, forMs });
  const shares = child.takeFigures().map(({ cpuShare }) => cpuShare * 100);
  child.say({ eventsPerSecond: 0 });
  await child.next("told");
  console.log(
    `  ${name}, while ${WRITES_PER_SECOND} events a second are written: p50 ${all.p50.toFixed(2)} ms, ` +
      `p99 ${all.p99.toFixed(2)} ms, ${failed} failed, ${summarize("", shares).median.toFixed(0)} % of a core`,
  );
}

/** Answers whether the floors were met. */
export async function ask(size: Size): Promise<boolean> {
  const { few, many, rounds, warmUpMs, roundMs } = SIZES[size];
  const folder = mkdtempSync(join(tmpdir(), "millrace-api-"));
  const all: Asked[] = [];
  try {
    printConditions(
      `reads of the API, ${PER_SECOND}/s, ${rounds} rounds of ${roundMs / 1_000} s, SQLite, ms`,
    );
    for (const runs of [few, many]) all.push(await startAsked(folder, runs));
    for (const { load } of all) await load.run({ perSecond: PER_SECOND, forMs: warmUpMs });
    for (let round = 0; round < rounds; round += 1) {
      for (const asked of all) {
        asked.child.takeFigures();
        asked.rounds.push(await asked.load.run({ perSecond: PER_SECOND, forMs: roundMs }));
        asked.figures.push(...asked.child.takeFigures());
      }
    }
    const met = all.map(printAsked);
    for (const { name, load } of all) {
      console.log(`  ${name}, each kind at that rate:`);
      printKinds(load.times);
      console.log(`  ${name}, each kind alone:`);
      printKinds(await load.runAlone(ALONE));
    }
    for (const asked of all) await askWhileWriting(asked, roundMs);
    return met.every(Boolean);
  } finally {
    for (const { load, child } of all) {
      await load.close();
      await child.end();
    }
    rmSync(folder, { recursive: true, force: true });
  }
}
