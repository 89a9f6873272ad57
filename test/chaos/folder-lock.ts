// Keeps two runs of the programme out of one folder: a file beside it says whose it is. A file whose process is gone
// counts for nothing, so that a run that was killed keeps nobody out.

import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { type ProcessIdentity, systemMachine } from "../../src/std/machine.ts";

/** Times that a lock is tried for: each but the last has found one that counts for nothing. */
const TRIES_MAX = 10;

/** Takes the folder for this process; answers what gives it back. Throws, with its pid, where another process, or
 *  this one, has it. */
export function lockFolder(folder: string): () => void {
  const lock = `${folder}.lock`;
  const own = `${lock}.${process.pid}`;
  mkdirSync(dirname(lock), { recursive: true });
  const { host, pid, bootId, processStart } = systemMachine;
  for (let tries = 0; tries < TRIES_MAX; tries += 1) {
    writeFileSync(own, JSON.stringify({ host, pid, bootId, processStart }));
    const isMine = tryLink(own, lock);
    rmSync(own);
    if (isMine) return () => rmSync(lock, { force: true });
    const holder = readHolder(lock);
    if (holder !== undefined && systemMachine.isGone(holder) !== true) throw busy(folder, holder);
    takeAway(lock, own);
  }
  throw new Error(`"${lock}" does not stay away: remove it.`);
}

/** Gives a file that is written whole its name, unless there is one of that name. */
function tryLink(own: string, lock: string): boolean {
  try {
    linkSync(own, lock);
    return true;
  } catch (error) {
    if (isCode(error, "EEXIST")) return false;
    throw error;
  }
}

/** Removes a lock that counts for nothing. One that another process has put there meanwhile goes back. */
function takeAway(lock: string, own: string): void {
  try {
    renameSync(lock, own);
  } catch (error) {
    if (isCode(error, "ENOENT")) return;
    throw error;
  }
  const holder = readHolder(own);
  if (holder !== undefined && systemMachine.isGone(holder) !== true) tryLink(own, lock);
  rmSync(own);
}

/** Whose lock it is; undefined where that cannot be read, or it is gone. */
function readHolder(file: string): ProcessIdentity | undefined {
  try {
    return JSON.parse(readFileSync(file, "utf8")) as ProcessIdentity;
  } catch {
    return undefined;
  }
}

function busy(folder: string, { host, pid }: ProcessIdentity): Error {
  const where = host === systemMachine.host ? "" : ` on "${host}"`;
  return new Error(
    `Process ${pid}${where} works in "${folder}": wait for its end, or take another --seed.`,
  );
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}
