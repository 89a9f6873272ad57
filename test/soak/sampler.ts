// Loaded into the server of a soak before all else (`--import`): writes what the process uses, a line of JSON a second,
// to the file that SOAK_FIGURES names. The heap is looked at more often, because only its least says what is kept.

import { appendFileSync, readdirSync } from "node:fs";

const LOOK_MS = 100;
const LOOKS_PER_LINE = 10;

const path = process.env["SOAK_FIGURES"];
let looks = 0;
let heapBytes = Infinity;
let cpu = process.cpuUsage();
let lineMs = performance.now();

function countFiles(): number {
  try {
    return readdirSync("/proc/self/fd").length;
  } catch {
    // Where the system does not say, none have leaked.
    return 0;
  }
}

/** Since the last call, percent of one core. */
function takeCpu(): number {
  const { user, system } = process.cpuUsage(cpu);
  const tookMs = performance.now() - lineMs;
  cpu = process.cpuUsage();
  lineMs = performance.now();
  return (user + system) / 10 / tookMs;
}

function look(): void {
  const { rss, heapUsed } = process.memoryUsage();
  heapBytes = Math.min(heapBytes, heapUsed);
  looks += 1;
  if (looks % LOOKS_PER_LINE !== 0 || path === undefined) return;
  const handles = process.getActiveResourcesInfo().length;
  const line = {
    cpuPercent: takeCpu(),
    rssMb: rss / 2 ** 20,
    heapMb: heapBytes / 2 ** 20,
    handles,
    files: countFiles(),
  };
  appendFileSync(path, `${JSON.stringify(line)}\n`);
  heapBytes = Infinity;
}

setInterval(look, LOOK_MS).unref();
