// A copy of a store while others write to it: one snapshot of the file under another name, checked as a whole,
// with its blobs beside it, and only then given its name.

import {
  closeSync,
  fstatSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  rmSync,
  statSync,
} from "node:fs";
import { dirname, join, resolve } from "node:path";
import { backup, DatabaseSync } from "node:sqlite";
import { isMillraceError, MillraceError } from "../../../model/errors.ts";
import { giveName, isTaken, temporaryName } from "../../blobs/new-file.ts";
import { FileBlobs } from "../../blobs/file-blobs.ts";
import type { StoreCopyFacts } from "../../upkeep.ts";
import { countRuns, readBlobUse } from "./blob-use.ts";
import { type ConnectOptions, openReader, readPragma } from "../connection.ts";
import { Statement } from "../statement.ts";

const FOLDER_MODE = 0o700;
const FILE_MODE = 0o600;
/** Pages at a time; between two such steps this process may do other things. */
const STEP_PAGES = 1_000;
const FAULTS_MAX = 5;
/** Times the whole is begun again because a blob was taken away after the file had been copied. */
const TRIES_MAX = 3;
/** Blobs that are copied at once. */
const BLOBS_AT_ONCE = 8;

/** Copies a store that is there to a path where nothing is. FILE_EXISTS, FILE_UNWRITABLE, STORE_DAMAGED. */
export async function copyStore(from: ConnectOptions, to: string): Promise<StoreCopyFacts> {
  if (isTaken(to)) throw fileExists(to);
  const temporary = temporaryName(to);
  try {
    mkdirSync(dirname(to), { recursive: true, mode: FOLDER_MODE });
    for (let tries = 1; ; tries++) {
      const facts = await copyOnce(from, { to, temporary });
      // What the store still needs and has not is damage of its own, which no other try mends.
      if (tries < TRIES_MAX && !isNeeded(from, facts.missing)) continue;
      if (!(await giveName(temporary, to))) throw fileExists(to);
      return facts;
    }
  } finally {
    for (const end of ["", "-journal", "-wal", "-shm"]) rmSync(temporary + end, { force: true });
  }
}

interface Places {
  readonly to: string;
  readonly temporary: string;
}

async function copyOnce(from: ConnectOptions, { to, temporary }: Places): Promise<StoreCopyFacts> {
  await copyFile(from, temporary);
  const copy = new DatabaseSync(temporary, { timeout: from.busyTimeoutMs, defensive: true });
  let names: ReadonlySet<string>;
  let runs: number;
  try {
    // One file, without a log beside it; who opens it as a store turns the log on again.
    readPragma(copy, "journal_mode = delete");
    refuseFaults(copy, to);
    names = readBlobUse(copy).names;
    runs = countRuns(copy);
  } finally {
    copy.close();
  }
  syncFile(temporary);
  const copied = await copyBlobs(names, blobFolder(from.path), blobFolder(to));
  const bytes = statSync(temporary).size + copied.bytes;
  return { bytes, runs, blobs: names.size - copied.missing.length, missing: copied.missing };
}

async function copyFile(from: ConnectOptions, temporary: string): Promise<void> {
  // A new one: what has this name, a link say, is not written through.
  rmSync(temporary, { force: true });
  const made = openSync(temporary, "wx", FILE_MODE);
  const source = openReader(from);
  try {
    // A snapshot of its own: else every write of another process would begin the copy anew.
    source.exec("BEGIN");
    countRuns(source);
    await backup(source, temporary, { rate: STEP_PAGES });
    source.exec("COMMIT");
    refuseSwapped(made, temporary);
  } finally {
    source.close();
    closeSync(made);
  }
}

/** SQLite opens by name: what has the name must be what was made. */
function refuseSwapped(made: number, path: string): void {
  const [opened, named] = [fstatSync(made, { bigint: true }), lstatSync(path, { bigint: true })];
  if (opened.ino === named.ino && opened.dev === named.dev) return;
  throw new MillraceError("FILE_UNWRITABLE", `"${path}" was swapped while it was written.`, {
    hint: "name a file in a folder that only you can write",
    details: { file: path },
  });
}

function refuseFaults(copy: DatabaseSync, to: string): void {
  const faults = new Statement(copy, `PRAGMA integrity_check(${FAULTS_MAX})`)
    .all()
    .map((row) => String(row["integrity_check"]));
  if (faults.length === 1 && faults[0] === "ok") return;
  throw new MillraceError(
    "STORE_DAMAGED",
    `The copy for "${to}" is damaged, and was not kept: ${faults.join("; ")}.`,
    {
      hint: "The store itself is, too, or one of the disks. Keep the older backups.",
      next: "npx millrace doctor",
      details: { faults },
    },
  );
}

/** Where the blobs of a store are. */
export function blobFolder(path: string): string {
  return join(dirname(resolve(path)), "blobs");
}

interface CopiedBlobs {
  readonly bytes: number;
  readonly missing: readonly string[];
}

async function copyBlobs(
  names: ReadonlySet<string>,
  source: string,
  target: string,
): Promise<CopiedBlobs> {
  const from = new FileBlobs({ folder: source, readOnly: true });
  const to = new FileBlobs({ folder: target });
  const missing: string[] = [];
  let bytes = 0;
  const left = names.values();
  const work = async (): Promise<void> => {
    for (const name of left) {
      const blob = await readWhole(from, name);
      if (blob === undefined) missing.push(name);
      else {
        bytes += blob.byteLength;
        // Names are hashes: what is there already, from an earlier backup, is looked at and left alone.
        if (source !== target) await to.put(blob);
      }
    }
  };
  await Promise.all(Array.from({ length: BLOBS_AT_ONCE }, work));
  return { bytes, missing: missing.toSorted() };
}

async function readWhole(blobs: FileBlobs, name: string): Promise<Uint8Array | undefined> {
  try {
    return await blobs.get(name);
  } catch (error) {
    if (isMillraceError(error) && error.code === "VALUE_DAMAGED") return undefined;
    throw error;
  }
}

/** True if the store needs every one of them now. */
function isNeeded(from: ConnectOptions, missing: readonly string[]): boolean {
  if (missing.length === 0) return true;
  const source = openReader(from);
  try {
    const { names } = readBlobUse(source);
    return missing.every((name) => names.has(name));
  } finally {
    source.close();
  }
}

function syncFile(path: string): void {
  const file = openSync(path, "r+");
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

function fileExists(path: string): MillraceError {
  return new MillraceError("FILE_EXISTS", `"${path}" is there already; nothing was written.`, {
    hint: "name another file, or move that one away",
    details: { file: path },
  });
}
