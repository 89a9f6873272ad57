// Removes the blobs that nothing needs, while other processes go on putting and reading them. No lock keeps them
// apart; this is why a blob that is needed stays all the same:
//
//   1. A row that names a blob is committed after a `put` of it, and every `put` makes the file new or touches it.
//   2. If that commit came before the marks were read, the blob is marked.
//   3. If the `put` came after the marks were read, the file is younger than any blob that may go.
//   4. Between the two, the run of that row was being worked on when the marks were read, since a write needs its
//      lease; no blob younger than the start of any such run goes.
//   5. A file is moved aside before its age is looked at for the last time, so that a `put` in that very moment
//      either touched what is looked at, and it is moved back, or finds no file and makes it anew. Until it is
//      gone for good, readers find it under its other name (`FileBlobs.get`).

import fs from "node:fs";
import { join } from "node:path";
import { sweptName } from "./file-blobs.ts";

const FOLDER = /^[0-9a-f]{2}$/;
const REST = /^[0-9a-f]{62}$/;
/** `.cdef….swept`: moved aside by a sweep; `.cdef….123.0`: half written by a process that may be gone. */
const SWEPT = /^\.([0-9a-f]{62})\.swept$/;
const HALF = /^\.[0-9a-f]{62}\.\d+\.\d+$/;

/** What may go. */
export interface SweepBlobsOptions {
  /** Absolute. */
  readonly folder: string;
  readonly isNeeded: (name: string) => boolean;
  /** UTC ms by the clock of the files. */
  readonly changedBeforeMs: number;
  /** True: only counts. */
  readonly dryRun: boolean;
}

/** How much went, or would go. */
export interface SweepCount {
  blobs: number;
  bytes: number;
}

/** Sweeps a folder; one that is not there holds nothing. */
export async function sweepBlobs(options: SweepBlobsOptions): Promise<SweepCount> {
  const count: SweepCount = { blobs: 0, bytes: 0 };
  for (const prefix of await listNames(options.folder)) {
    if (!FOLDER.test(prefix)) continue;
    const folder = join(options.folder, prefix);
    for (const rest of await listNames(folder)) {
      await sweepFile(options, count, { folder, prefix, rest });
    }
  }
  return count;
}

interface Place {
  readonly folder: string;
  readonly prefix: string;
  readonly rest: string;
}

async function sweepFile(
  options: SweepBlobsOptions,
  count: SweepCount,
  { folder, prefix, rest }: Place,
): Promise<void> {
  const path = join(folder, rest);
  if (HALF.test(rest)) {
    const bytes = await oldBytes(path, options);
    if (bytes === null) return;
    count.bytes += bytes;
    if (!options.dryRun) await fs.promises.rm(path, { force: true });
    return;
  }
  // A sweep ended before it was done with this one: it counts under its own name again.
  const left = SWEPT.exec(rest)?.[1];
  if (left !== undefined && !options.dryRun) await putBack(path, join(folder, left));
  const own = left ?? rest;
  if (!REST.test(own) || options.isNeeded(prefix + own)) return;
  const bytes = await removeOld(join(folder, own), options);
  if (bytes === null) return;
  count.blobs += 1;
  count.bytes += bytes;
}

async function removeOld(path: string, options: SweepBlobsOptions): Promise<number | null> {
  const bytes = await oldBytes(path, options);
  if (bytes === null || options.dryRun) return bytes;
  const aside = sweptName(path);
  const gone = await fs.promises.rename(path, aside).catch(ignoreMissing);
  if (gone === MISSING) return null; // another sweep was here
  if ((await oldBytes(aside, options)) === null) {
    await putBack(aside, path);
    return null;
  }
  await fs.promises.rm(aside, { force: true });
  return bytes;
}

/** Gives a file its name again, unless there is a new one. */
async function putBack(aside: string, path: string): Promise<void> {
  try {
    // Never over a new one, which is younger.
    await fs.promises.link(aside, path);
  } catch (error) {
    if (codeOf(error) === "ENOENT") return;
    if (codeOf(error) !== "EEXIST") {
      await fs.promises.rename(aside, path);
      return;
    }
  }
  await fs.promises.rm(aside, { force: true });
}

/** Bytes of a file that is old enough; null otherwise. */
async function oldBytes(path: string, options: SweepBlobsOptions): Promise<number | null> {
  const stats = await fs.promises.stat(path).catch(ignoreMissing);
  if (stats === MISSING || !stats.isFile() || stats.mtimeMs >= options.changedBeforeMs) {
    return null;
  }
  return stats.size;
}

async function listNames(folder: string): Promise<readonly string[]> {
  const names = await fs.promises.readdir(folder).catch(ignoreMissing);
  return names === MISSING ? [] : names;
}

const MISSING = "missing";

function ignoreMissing(error: unknown): typeof MISSING {
  if (codeOf(error) !== "ENOENT" && codeOf(error) !== "ENOTDIR") throw error;
  return MISSING;
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : undefined;
}
