// How late are 5,000 stored events a second at 50 clients of the live feed that ask for each of them, before and after
// one of the clients reads nothing any more, and what does the server keep for that one? The server tells the events;
// the clients are a process of their own.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { BenchChild } from "../lib/bench-child.ts";
import { printRounds, toPercentiles, type Percentiles } from "../lib/latencies.ts";
import { LiveClient } from "../lib/live-client.ts";
import { printConditions, printTarget, type Size } from "../lib/measure.ts";
import type { ProcessFigures } from "../lib/process-figures.ts";

const CLIENTS = 50;
const PER_SECOND = 5_000;
const LATE_MS_MAX = 250;
const GROWN_MB_MAX = 64;
/** Time in which the last events reach everybody once no more are told, ms. */
const SETTLE_MS = 5_000;

// A client that reads nothing is sent away after 30 s, and misses something once some 10 MB wait for it: the rounds
// with it last longer than that.
const SIZES = {
  whole: { rounds: 5, roundMs: 8_000, warmUpMs: 5_000 },
  small: { rounds: 3, roundMs: 5_000, warmUpMs: 1_000 },
} as const;

interface Part {
  readonly rounds: readonly Percentiles[];
  readonly figures: readonly ProcessFigures[];
}

interface Terms {
  readonly rounds: number;
  readonly roundMs: number;
}

async function listen(
  child: BenchChild,
  clients: readonly LiveClient[],
  { rounds, roundMs }: Terms,
): Promise<Part> {
  child.takeFigures();
  for (const client of clients) client.takeLate();
  const measured: Percentiles[] = [];
  for (let round = 0; round < rounds; round += 1) {
    await sleep(roundMs);
    measured.push(toPercentiles(clients.flatMap((client) => client.takeLate())));
  }
  return { rounds: measured, figures: child.takeFigures() };
}

/** Answers how many of them lack something at the end. */
async function settle(clients: readonly LiveClient[], lastSeq: number): Promise<number> {
  const untilMs = performance.now() + SETTLE_MS;
  const lacking = (): number => clients.filter(({ cursor }) => cursor < lastSeq).length;
  while (lacking() > 0 && performance.now() < untilMs) await sleep(50);
  return lacking();
}

function describe({ figures }: Part): string {
  const most = (key: keyof ProcessFigures): number =>
    Math.max(...figures.map((figure) => figure[key]));
  const cpu = figures.reduce((sum, { cpuShare }) => sum + cpuShare, 0) / figures.length;
  return `${(cpu * 100).toFixed(0)} % of a core, at most ${most("rssMb").toFixed(0)} MB (heap ${most("heapMb").toFixed(0)}), loop late by at most ${most("loopMsMax").toFixed(1)} ms`;
}

async function measureFeed(
  child: BenchChild,
  clients: readonly LiveClient[],
  size: Size,
): Promise<boolean> {
  const { warmUpMs, ...terms } = SIZES[size];
  const [stalled, ...others] = clients;
  if (stalled === undefined) return false;
  child.say({ eventsPerSecond: PER_SECOND });
  await sleep(warmUpMs);
  const before = await listen(child, others, terms);
  stalled.stall();
  const beside = await listen(child, others, terms);
  child.say({ eventsPerSecond: 0 });
  const { count, lastSeq, behindMax } = await child.next("told");
  const lacking = await settle(others, Number(lastSeq));
  stalled.resume();
  await sleep(1_000);
  printConditions(
    `live feed: ${PER_SECOND} events/s to ${CLIENTS} sockets, rounds of ${terms.roundMs / 1_000} s, ms late`,
  );
  printRounds("all read", before.rounds);
  const late = printRounds("one does not", beside.rounds);
  console.log(`  all read: ${describe(before)}`);
  console.log(`  one does not: ${describe(beside)}`);
  const bytes = others.reduce((sum, client) => sum + client.bytes, 0) / 2 ** 20;
  const seconds = (warmUpMs + 2 * terms.rounds * terms.roundMs) / 1_000;
  console.log(
    `  ${String(count)} events told (${(Number(count) / seconds).toFixed(0)}/s, at worst ${String(behindMax)} behind); ` +
      `${(bytes / seconds).toFixed(0)} MB/s to all`,
  );
  console.log(
    `  the stalled client ${stalled.isClosed ? "was sent away" : `was told of ${stalled.gaps} gaps`}`,
  );
  const rssOf = ({ figures }: Part): number => Math.max(...figures.map(({ rssMb }) => rssMb));
  const faults = clients.flatMap(({ fault }) => fault ?? []);
  if (faults[0] !== undefined) console.log(`  ${faults[0]}`);
  const isStalledMinded = stalled.isClosed || stalled.gaps > 0;
  return [
    printTarget("ms late, p99, beside the stalled one", late.p99, LATE_MS_MAX),
    printTarget("MB more with the stalled one", rssOf(beside) - rssOf(before), GROWN_MB_MAX),
    printTarget("readers that lack an event or have a gap", lacking + countGaps(others), 0),
    printTarget("frames that do not go on where the last ended", faults.length, 0),
    printTarget("stalled clients of which nothing is known", isStalledMinded ? 0 : 1, 0),
    printTarget("share of the rate missed", 1 - Number(count) / seconds / PER_SECOND, 0.02),
  ].every(Boolean);
}

function countGaps(clients: readonly LiveClient[]): number {
  return clients.filter(({ gaps, isClosed }) => gaps > 0 || isClosed).length;
}

/** Answers whether the floors were met. */
export async function ask(size: Size): Promise<boolean> {
  const folder = mkdtempSync(join(tmpdir(), "millrace-live-"));
  const child = new BenchChild("served-process.ts", [join(folder, "store.db")]);
  const clients: LiveClient[] = [];
  try {
    const { url, token } = await child.next("ready");
    for (let count = 0; count < CLIENTS; count += 1) {
      clients.push(new LiveClient({ url: String(url), token: String(token) }));
    }
    await Promise.all(clients.map((client) => client.open()));
    return await measureFeed(child, clients, size);
  } finally {
    for (const client of clients) client.close();
    await child.end();
    rmSync(folder, { recursive: true, force: true });
  }
}
