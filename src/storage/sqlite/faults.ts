// Faults of SQLite as errors of ours: which code, what to do, whether trying again can help.

import { InvariantError } from "../../std/error/assert.ts";
import { isMillraceError, MillraceError, type MillraceErrorOptions } from "../../model/errors.ts";
import type { ErrorCode } from "../../model/errors.ts";

interface Fault {
  readonly code: ErrorCode;
  readonly what: string;
  readonly options: MillraceErrorOptions;
}

const BUSY: Fault = {
  code: "STORE_BUSY",
  what: "is held by another process",
  options: {
    retryable: true,
    hint: "Another process is writing. If it lasts, look for one that hangs in a transaction.",
    next: "npx millrace doctor",
  },
};
const FULL: Fault = {
  code: "STORE_FULL",
  what: "has no room: the disk is full",
  options: {
    retryable: true,
    hint: "Free space on the disk of the store; waiting writes then go on by themselves.",
    next: "npx millrace doctor",
  },
};
const READ_ONLY: Fault = {
  code: "STORE_READ_ONLY",
  what: "cannot be written",
  options: {
    hint: "Check who owns the file and its folder, and whether the disk is mounted read-only.",
    next: "npx millrace doctor",
  },
};
const DAMAGED: Fault = {
  code: "STORE_DAMAGED",
  what: "is damaged",
  options: {
    hint: "Stop all processes that use it, keep a copy, and restore a backup.",
    next: "npx millrace doctor",
  },
};
const NO_STORE: Fault = {
  code: "STORE_INVALID",
  what: "is no SQLite file",
  options: { hint: "Name another path; nothing in this file was changed." },
};
const CANNOT_OPEN: Fault = {
  code: "STORE_INVALID",
  what: "cannot be opened",
  options: {
    hint: "Check that the folder exists, that the path names a file, and who may read both.",
    next: "npx millrace doctor",
  },
};
const FAILED: Fault = {
  code: "STORE_FAILED",
  what: "failed",
  options: { hint: "The disk or the file system failed.", next: "npx millrace doctor" },
};

/** By primary result code, https://sqlite.org/rescode.html. */
const FAULTS: ReadonlyMap<number, Fault> = new Map([
  [3, READ_ONLY], // PERM
  [5, BUSY],
  [6, BUSY], // LOCKED
  [8, READ_ONLY],
  [10, FAILED], // IOERR
  [11, DAMAGED], // CORRUPT
  [13, FULL],
  [14, CANNOT_OPEN],
  [15, BUSY], // PROTOCOL: the lock of the WAL could not be had
  [23, READ_ONLY], // AUTH
  [26, NO_STORE], // NOTADB
]);
const CONSTRAINT = 19;
const MISMATCH = 20;
const MISUSE = 21;
/** IOERR, CORRUPT, NOTADB. */
const DOUBTFUL: readonly number[] = [10, 11, 26];

/**
 * The error of ours for whatever came out of SQLite. Errors of ours pass through; a broken constraint is an
 * InvariantError, since only a fault of the program can break one.
 */
export function toStoreError(error: unknown, url: string): unknown {
  const result = resultCodeOf(error);
  if (result === undefined || !(error instanceof Error)) return error;
  if (result === CONSTRAINT || result === MISMATCH || result === MISUSE) {
    return new InvariantError(`The store "${url}" refused a row of ours: ${error.message}.`);
  }
  const { code, what, options } = FAULTS.get(result) ?? FAILED;
  const message = `The store "${url}" ${what} (SQLite: ${error.message}).`;
  return new MillraceError(code, message, { ...options, cause: error });
}

/** True after a fault that leaves the connection in doubt, so that it has to be opened anew: the file may be another
 *  one by then, restored from a copy. */
export function isDoubtful(error: unknown): boolean {
  return DOUBTFUL.includes(resultCodeOf(error) ?? 0);
}

/** True while another connection holds a lock that is asked for. */
export function isBusy(error: unknown): boolean {
  return resultCodeOf(error) === 5;
}

/** Primary result code of an error of node:sqlite. */
function resultCodeOf(error: unknown): number | undefined {
  if (isMillraceError(error) || !(error instanceof Error) || !("errcode" in error))
    return undefined;
  return typeof error.errcode === "number" ? error.errcode & 0xff : undefined;
}
