// What does a process use that waits for 10,000 schedules, none of which is due, beside one that waits for none?

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { BenchChild } from "../lib/bench-child.ts";
import { printConditions, printFigures, printTarget, summarize } from "../lib/measure.ts";
import type { Figure, Size } from "../lib/measure.ts";

const SCHEDULES = 10_000;
const SHARE_MAX = 0.01;
/** What starting leaves to be collected and compiled is over by then, ms. */
const SETTLE_MS = 5_000;

// A scheduler looks at least every 30 s whether something has changed: a whole round has one of these looks.
const SIZES = {
  whole: { rounds: 5, roundMs: 30_000 },
  small: { rounds: 3, roundMs: 2_000 },
} as const;

/** Answers whether the floor was met. */
export async function ask(size: Size): Promise<boolean> {
  const { rounds, roundMs } = SIZES[size];
  const folder = mkdtempSync(join(tmpdir(), "millrace-schedules-"));
  const children: BenchChild[] = [];
  try {
    for (const count of [0, SCHEDULES]) {
      const words = [join(folder, `${count}.db`), String(count), String(roundMs)];
      const child = new BenchChild("scheduler-process.ts", words);
      children.push(child);
      const { ms } = await child.next("ready");
      console.log(`  ${count} schedules: ready after ${Number(ms).toFixed(0)} ms`);
    }
    await sleep(SETTLE_MS);
    for (const child of children) child.takeFigures();
    // They idle at the same time: neither has a moment that the other lacks.
    await sleep(roundMs * (rounds + 1));
    printConditions(`schedules: idle, ${rounds} rounds of ${roundMs / 1_000} s, % of one core`);
    const figures = children.map((child, index) => {
      // The first may have begun before all had settled.
      const taken = child.takeFigures().slice(1);
      const rss = Math.max(...taken.map(({ rssMb }) => rssMb));
      const name = `${index === 0 ? 0 : SCHEDULES} schedules (${rss.toFixed(0)} MB)`;
      return summarize(
        name,
        taken.map(({ cpuShare }) => cpuShare * 100),
      );
    });
    printFigures(figures, "%");
    const most: Figure | undefined = figures.at(-1);
    return printTarget("share of a core", (most?.median ?? Number.NaN) / 100, SHARE_MAX);
  } finally {
    for (const child of children) await child.end();
    rmSync(folder, { recursive: true, force: true });
  }
}
