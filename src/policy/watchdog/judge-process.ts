// Whether a process, or the disk that its store is on, comes to its limits.

import {
  FREE_BYTES_MIN,
  FREE_SHARE_MIN,
  LOG_BYTES_MAX,
  LOG_BYTES_WARN,
  LOOP_DELAY_MS_MAX,
  LOOP_SLOW_MS_MAX,
  MEMORY_SHARE_MAX,
  STUCK_ATTEMPTS_MAX,
} from "../../model/limits.ts";
import type { MemoryFigures } from "../../model/worker.ts";
import type { Sighting } from "./finding.ts";

/** Room on a disk, bytes. */
export interface DiskFigures {
  readonly freeBytes: number;
  readonly totalBytes: number;
}

/** So little is left that writes may soon fail. */
export function judgeDisk(disk: DiskFigures, place: string): Sighting | undefined {
  const { freeBytes, totalBytes } = disk;
  const share = totalBytes > 0 ? freeBytes / totalBytes : 1;
  if (freeBytes >= FREE_BYTES_MIN && share >= FREE_SHARE_MIN) return undefined;
  const left = `${showMegabytes(freeBytes)}, ${(share * 100).toFixed(1)} %`;
  const least = `${showMegabytes(FREE_BYTES_MIN)} and ${FREE_SHARE_MIN * 100} %`;
  return {
    rule: "disk-full",
    subject: place,
    level: "red",
    message: `The disk of the store has ${left} free; nothing is claimed under ${least}.`,
    next: "npx millrace gc -n",
  };
}

/** The write-ahead log is longer than it should be. `isHeld`: a reader keeps it from being brought in. */
export function judgeLog(bytes: number, isHeld: boolean, place: string): Sighting | undefined {
  if (bytes < LOG_BYTES_WARN) return undefined;
  const why = isHeld ? "; a reader that does not end holds it" : "";
  return {
    rule: "log-large",
    subject: place,
    level: bytes >= LOG_BYTES_MAX ? "red" : "warn",
    message: `The write-ahead log of the store has ${showMegabytes(bytes)}${why}.`,
    next: "npx millrace doctor",
  };
}

/** Seen twice within this, memory is really in use: garbage is gone by then, ms. */
const MEMORY_HOLD_MS = 5_000;

/** It uses more than it should of what it may. */
export function judgeMemory(
  { usedBytes, limitBytes }: MemoryFigures,
  worker: string,
): Sighting | undefined {
  if (limitBytes === null || usedBytes <= limitBytes * MEMORY_SHARE_MAX) return undefined;
  const share = Math.round((usedBytes / limitBytes) * 100);
  return {
    rule: "memory-high",
    subject: worker,
    level: "red",
    holdMs: MEMORY_HOLD_MS,
    message: `The process uses ${showMegabytes(usedBytes)}, ${share} % of the memory it may use: it drains.`,
  };
}

/** Its event loop comes late. */
export function judgeLoop(p99Ms: number, worker: string): Sighting | undefined {
  if (p99Ms <= LOOP_DELAY_MS_MAX) return undefined;
  return {
    rule: "loop-slow",
    subject: worker,
    holdMs: LOOP_SLOW_MS_MAX,
    message: `The event loop of the process comes ${Math.round(p99Ms)} ms late (99th percentile): a stage computes in it.`,
  };
}

/** Too many attempts did not stop when they were told to. */
export function judgeStuck(count: number, worker: string): Sighting | undefined {
  if (count < STUCK_ATTEMPTS_MAX) return undefined;
  return {
    rule: "attempts-stuck",
    subject: worker,
    level: "red",
    message: `${count} attempts of the process did not stop when they were told to: it drains.`,
  };
}

/** Settings were changed to what cannot be. `why` null: those in force are those that are written. */
export function judgeSettings(why: string | null, worker: string): Sighting | undefined {
  if (why === null) return undefined;
  return {
    rule: "settings-refused",
    subject: worker,
    message: why,
    next: "npx millrace config validate",
  };
}

function showMegabytes(bytes: number): string {
  return bytes >= 1_000_000_000
    ? `${(bytes / 1_000_000_000).toFixed(1)} GB`
    : `${Math.round(bytes / 1_000_000)} MB`;
}
