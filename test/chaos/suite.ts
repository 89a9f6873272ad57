// What a suite of the programme is: a list of trials that follows from a seed and a count, each of which can be run
// alone, by name, and either tells what it met or throws what it found.

import { spawnSync } from "node:child_process";
import { rmSync } from "node:fs";
import { join } from "node:path";

/** Where the programme works; nothing of it is committed. */
export const WORK_FOLDER: string = join(import.meta.dirname, "..", ".tmp", "chaos");

/** How much is done. */
export interface SuiteOptions {
  readonly seed: number;
  /** Trials. */
  readonly count: number;
  /** A folder of the suite's own. */
  readonly folder: string;
  /** Nothing that was made before may be used. */
  readonly isFresh: boolean;
}

/** What a trial met: a word, and how often. `skipped`: nothing was tried. */
export type Tally = Readonly<Record<string, number>>;

/** One trial. */
export interface Trial {
  /** Says all that decides what it does, besides the seed. */
  readonly name: string;
  /** Throws at a violation, and leaves its files where they are. */
  run(): Promise<Tally>;
}

/** Kinds of trials of one name. */
export interface Suite {
  readonly name: string;
  /** Trials where nothing is said. */
  readonly countDefault: number;
  /** What the machine lacks; null: nothing. */
  missing(): string | null;
  /** Makes ready what its trials share. */
  prepare(options: SuiteOptions): Promise<readonly Trial[]>;
}

/** The sum of two tallies. */
export function addTally(left: Tally, right: Tally): Tally {
  const sum: Record<string, number> = { ...left };
  for (const [word, count] of Object.entries(right)) sum[word] = (sum[word] ?? 0) + count;
  return sum;
}

/** As many of a list as are asked for, evenly spread, first and last among them. */
export function spread<T>(list: readonly T[], count: number): readonly T[] {
  if (count >= list.length) return list;
  if (count <= 1) return list.slice(0, count);
  const step = (list.length - 1) / (count - 1);
  return Array.from({ length: count }, (_, index) => list[Math.round(index * step)]).flatMap(
    (one) => (one === undefined ? [] : [one]),
  );
}

/** Why strace cannot be used; null: it can. */
export function missingStrace(): string | null {
  const tried = spawnSync("strace", ["-f", "--seccomp-bpf", "-o", "/dev/null", "true"]);
  if (tried.error !== undefined) return "strace is not installed";
  return tried.status === 0 ? null : "strace may not trace here";
}

/** Removes what a trial left, once it is judged well. */
export function removeFolder(folder: string): void {
  rmSync(folder, { recursive: true, force: true });
}
