// The soak: `millrace serve` under a steady load for as long as one likes, and what it uses meanwhile. It stops by
// itself; nothing of it leaves loopback.
//
//   npm run soak [-- --minutes M] [--rate N] [--every S] [--folder DIR]     exit 1 where something grew or was lost
//
// `--minutes`: of load (default 60). `--rate`: runs a second (default 20). `--every`: seconds between two samples
// (default: a hundredth of the time, 1 to 30). `--folder`: on the disk to be tried (default test/.tmp/soak); what was
// in it of an earlier soak is deleted.

import { execFileSync } from "node:child_process";
import { mkdirSync, rmSync } from "node:fs";
import os from "node:os";
import { join, resolve } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { makeBounds } from "./bounds.ts";
import { judgeSoak, type SoakSample } from "./judge.ts";
import { SoakLoad } from "./soak-load.ts";
import { startSoakServer, type SoakServer } from "./soak-server.ts";

/** Time for what is queued at the end, ms. */
const DRAIN_MS_MAX = 60_000;

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "60" },
    rate: { type: "string", default: "20" },
    every: { type: "string" },
    folder: { type: "string", default: join(import.meta.dirname, "..", ".tmp", "soak") },
  },
});
const minutes = Number(values.minutes);
const rate = Number(values.rate);
const everyS = Number(values.every ?? Math.min(30, Math.max(1, (minutes * 60) / 100)));

const HEADS: readonly (readonly [keyof SoakSample, string, number])[] = [
  ["atS", "s", 0],
  ["cpuPercent", "cpu %", 0],
  ["rssMb", "rss MB", 1],
  ["heapMb", "heap MB", 1],
  ["handles", "handles", 0],
  ["files", "files", 0],
  ["walMb", "WAL MB", 2],
  ["storeMb", "store MB", 1],
  ["depth", "depth", 0],
];

function printHead(): void {
  const cpu = os.cpus()[0]?.model ?? "unknown processor";
  const commit = execFileSync("git", ["rev-parse", "--short", "HEAD"], { encoding: "utf8" }).trim();
  console.log(
    `soak: ${rate} runs/s for ${minutes} min, commit ${commit}\n` +
      `${os.cpus().length} × ${cpu}, ${Math.round(os.totalmem() / 2 ** 30)} GiB, ${os.platform()} ${os.release()}, ` +
      `Node ${process.versions.node}, SQLite ${process.versions["sqlite"] ?? "?"}`,
  );
  console.log(HEADS.map(([, head]) => head.padStart(9)).join(""));
}

async function takeSample(
  server: SoakServer,
  load: SoakLoad,
  atS: number,
): Promise<SoakSample | null> {
  const figures = server.takeFigures();
  if (figures === undefined) return null;
  const { depth } = await load.readCounts();
  const sample = { atS, ...figures, walMb: server.walMb(), storeMb: server.storeMb(), depth };
  console.log(HEADS.map(([key, , digits]) => sample[key].toFixed(digits).padStart(9)).join(""));
  return sample;
}

async function sampleForTime(server: SoakServer, load: SoakLoad): Promise<readonly SoakSample[]> {
  const samples: SoakSample[] = [];
  const begunMs = performance.now();
  for (let count = 1; count * everyS <= minutes * 60; count += 1) {
    await sleep(Math.max(0, begunMs + count * everyS * 1_000 - performance.now()));
    const sample = await takeSample(server, load, count * everyS);
    if (sample !== null) samples.push(sample);
  }
  return samples;
}

/** Counts once nothing waits or runs any more, or the time for that is over. */
async function drain(load: SoakLoad): Promise<Record<string, number>> {
  const untilMs = performance.now() + DRAIN_MS_MAX;
  for (;;) {
    const { depth, counts } = await load.readCounts();
    // A schedule may have fired just now: one or two are no backlog.
    if (depth <= 2 || performance.now() > untilMs) return counts;
    await sleep(200);
  }
}

function checkStore(path: string): string {
  const database = new DatabaseSync(path, { readOnly: true });
  const [row] = database.prepare("PRAGMA integrity_check").all();
  database.close();
  return String(row?.["integrity_check"]);
}

/** What must be so besides what is flat; the sentence of each that is not. */
function listFaults(load: SoakLoad, counts: Record<string, number>): readonly string[] {
  const faults = [...load.faults].map(([what, times]) => `${what}, ${times} times`);
  const { succeeded = 0, failed = 0, queued = 0 } = counts;
  if (failed > 0) faults.push(`${failed} runs failed`);
  if (queued > 2) faults.push(`${queued} runs still wait`);
  if (succeeded < load.queued) faults.push(`${load.queued - succeeded} runs were lost`);
  const due = minutes * 60 * rate;
  if (load.queued < due * 0.95) faults.push(`${load.queued} of ${due} runs were queued in time`);
  return faults;
}

function printVerdicts(samples: readonly SoakSample[]): boolean {
  const verdicts = judgeSoak(samples, makeBounds(rate));
  if (verdicts === null || minutes < 5) {
    console.log("too short to tell growth from warming up");
    return true;
  }
  for (const { name, before, after, most, isFlat } of verdicts) {
    const line = `${before.toFixed(1)} to ${after.toFixed(1)}, at most ${most.toFixed(1)}`;
    console.log(`${isFlat ? "flat " : "GROWS"} ${name.padEnd(12)} ${line}`);
  }
  return verdicts.every(({ isFlat }) => isFlat);
}

async function soak(): Promise<boolean> {
  const folder = resolve(values.folder);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  printHead();
  const server = await startSoakServer(folder);
  const load = new SoakLoad({ url: server.url, token: server.token, runsPerSecond: rate });
  let exitCode: number | null = null;
  let samples: readonly SoakSample[] = [];
  let counts: Record<string, number> = {};
  try {
    load.start();
    samples = await sampleForTime(server, load);
    await load.stop();
    counts = await drain(load);
  } finally {
    await load.stop();
    exitCode = await server.stop();
  }
  const integrity = checkStore(join(folder, "store.db"));
  const faults = [
    ...listFaults(load, counts),
    ...server.remarks(),
    ...(exitCode === 0 ? [] : [`the server ended with ${exitCode}`]),
    ...(integrity === "ok" ? [] : [`the store is damaged: ${integrity}`]),
  ];
  console.log(
    `${load.queued} runs queued, ${counts["succeeded"] ?? 0} succeeded; ` +
      `${load.opened} sockets, ${load.frames} frames; exit ${exitCode}; integrity ${integrity}`,
  );
  for (const fault of faults) console.log(`FAULT ${fault}`);
  return printVerdicts(samples) && faults.length === 0;
}

process.exitCode = (await soak()) ? 0 : 1;
