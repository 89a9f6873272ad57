// Loaded into the server of a soak before all else (`--import`): writes what the process uses, a line of JSON a second,
// to the file that SOAK_FIGURES names. Every ten lines it has the heap collected, because only what a full collection
// leaves says what is kept: with memory to spare, V8 collects its old objects minutes later.

import { appendFileSync, readdirSync } from "node:fs";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

const LINE_MS = 1_000;
const LINES_PER_COLLECTION = 10;

setFlagsFromString("--expose-gc");
const collect: unknown = runInNewContext("gc");
const path = process.env["SOAK_FIGURES"];
let lines = 0;
let heapMb = 0;
let cpu = process.cpuUsage();
let lineMs = performance.now();

/** Since the last call, percent of one core. */
function takeCpu(): number {
  const { user, system } = process.cpuUsage(cpu);
  const tookMs = performance.now() - lineMs;
  cpu = process.cpuUsage();
  lineMs = performance.now();
  return (user + system) / 10 / tookMs;
}

function countFiles(): number {
  try {
    return readdirSync("/proc/self/fd").length;
  } catch {
    // Where the system does not say, none have leaked.
    return 0;
  }
}

function readHeapMb(): number {
  if (lines % LINES_PER_COLLECTION === 0 && typeof collect === "function") {
    collect();
    heapMb = process.memoryUsage().heapUsed / 2 ** 20;
  }
  return heapMb;
}

function writeLine(): void {
  if (path === undefined) return;
  const line = {
    cpuPercent: takeCpu(),
    heapMb: readHeapMb(),
    rssMb: process.memoryUsage.rss() / 2 ** 20,
    handles: process.getActiveResourcesInfo().length,
    files: countFiles(),
  };
  lines += 1;
  appendFileSync(path, `${JSON.stringify(line)}\n`);
}

setInterval(writeLine, LINE_MS).unref();
