// What Linux tells of a command's processes, read from /proc: who descends from whom, and what they use.
// Everything is sampled, so every figure means "at least": a process that came and went between two looks,
// or that lost its parent before it was seen, is not in it. Other platforms tell nothing here.

import { readdirSync, readFileSync } from "node:fs";
import type { Clock, Timer } from "../../../std/clock.ts";

/** What /proc says of one process. */
interface ProcessStat {
  readonly state: string;
  readonly group: number;
  /** Ticks since boot: with the pid it names one process for ever. */
  readonly startTicks: string;
  /** Own time and that of the children it has waited for. */
  readonly cpuTicks: number;
}

/** What a process tree has used, at least. Absent: never seen. */
export interface TreeUsage {
  readonly cpuMs?: number;
  readonly peakBytes?: number;
}

/** USER_HZ: what /proc counts in, whatever the kernel counts in. 100 on every platform Node runs on. */
const MS_PER_TICK = 10;
/** Processes looked at in one sample: reading takes about 0.1 ms each and holds the event loop. */
const PROCESSES_MAX = 100;
const FIRST_SAMPLE_MS = 20;
const SAMPLE_MS_MAX = 1_000;

/** A process and its descendants. Descendants once seen stay known after they lost their parent. */
export class ProcessTree {
  readonly #root: number;
  readonly #clock: Clock;
  /** Start time by pid. */
  readonly #known = new Map<number, string>();
  #cpuTicks = 0;
  #peakBytes = 0;
  #timer: Timer | undefined;

  /** `root` is a living child that leads its own process group. */
  constructor(root: number, clock: Clock) {
    this.#root = root;
    this.#clock = clock;
  }

  /** Looks at once and then at growing intervals, up to every second. Nothing happens but on Linux. */
  start(): void {
    if (process.platform !== "linux") return;
    this.sample();
    this.#arm(FIRST_SAMPLE_MS);
  }

  /** Safe to repeat. */
  stop(): void {
    this.#timer?.cancel();
  }

  /** What was used so far. */
  get usage(): TreeUsage {
    return {
      ...(this.#cpuTicks > 0 ? { cpuMs: this.#cpuTicks * MS_PER_TICK } : {}),
      ...(this.#peakBytes > 0 ? { peakBytes: this.#peakBytes } : {}),
    };
  }

  /** Looks once. */
  sample(): void {
    if (process.platform !== "linux") return;
    let cpuTicks = 0;
    let residentBytes = 0;
    const queue = [this.#root, ...this.#known.keys()];
    const seen = new Set<number>();
    for (let pid = queue.shift(); pid !== undefined; pid = queue.shift()) {
      if (seen.has(pid) || seen.size >= PROCESSES_MAX) continue;
      seen.add(pid);
      const stat = this.#recognise(pid);
      if (stat === undefined) continue;
      cpuTicks += stat.cpuTicks;
      residentBytes += this.#readMemory(pid);
      queue.push(...readChildren(pid));
    }
    this.#cpuTicks = Math.max(this.#cpuTicks, cpuTicks);
    this.#peakBytes = Math.max(this.#peakBytes, residentBytes);
  }

  /** Living descendants that have left the root's process group, so that no signal to it reaches them. */
  listStrays(): readonly number[] {
    return [...this.#known.keys()].filter((pid) => {
      const stat = this.#recognise(pid);
      return stat !== undefined && stat.group !== this.#root && isAlive(stat);
    });
  }

  #arm(delayMs: number): void {
    this.#timer = this.#clock.setTimer(delayMs, () => {
      this.sample();
      this.#arm(Math.min(delayMs * 2, SAMPLE_MS_MAX));
    });
  }

  /** What /proc says of a pid, unless that pid now belongs to another process than before. */
  #recognise(pid: number): ProcessStat | undefined {
    const stat = readStat(pid);
    const startTicks = this.#known.get(pid) ?? stat?.startTicks;
    if (stat === undefined || stat.startTicks !== startTicks) {
      this.#known.delete(pid);
      return undefined;
    }
    this.#known.set(pid, startTicks);
    return stat;
  }

  /** Resident bytes now; the process's own highest mark counts as well, since it needs no luck to be seen. */
  #readMemory(pid: number): number {
    const status = readText(`/proc/${pid}/status`);
    this.#peakBytes = Math.max(this.#peakBytes, readKilobytes(status, "VmHWM") * 1024);
    return readKilobytes(status, "VmRSS") * 1024;
  }
}

/**
 * Whether a process group has a member that runs. Zombies do not: where nobody collects them, as in a
 * container without an init, they would stay for ever. True where that cannot be told.
 */
export function hasLivingMember(group: number): boolean {
  if (process.platform !== "linux") return true;
  const pids = readNames("/proc").filter((name) => /^\d+$/.test(name));
  if (pids.length === 0) return true;
  return pids.some((pid) => {
    const stat = readStat(Number(pid));
    return stat !== undefined && stat.group === group && isAlive(stat);
  });
}

function isAlive(stat: ProcessStat): boolean {
  return stat.state !== "Z" && stat.state !== "X";
}

function readStat(pid: number): ProcessStat | undefined {
  const stat = readText(`/proc/${pid}/stat`);
  // The second field is the program's name in brackets, and may hold spaces and brackets itself.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const [state, , group] = fields;
  const startTicks = fields[19];
  if (state === undefined || group === undefined || startTicks === undefined) return undefined;
  const cpuTicks = fields.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks), 0);
  return { state, group: Number(group), startTicks, cpuTicks };
}

function readChildren(pid: number): number[] {
  return readNames(`/proc/${pid}/task`).flatMap((thread) =>
    readText(`/proc/${pid}/task/${thread}/children`)
      .split(" ")
      .filter((child) => child !== "")
      .map(Number),
  );
}

function readKilobytes(status: string, name: string): number {
  const found = new RegExp(`^${name}:\\s+(\\d+) kB$`, "m").exec(status)?.[1];
  return found === undefined ? 0 : Number(found);
}

function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    // Gone in the meantime, or hidden from us.
    return "";
  }
}

function readNames(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}
