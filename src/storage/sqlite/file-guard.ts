// The file of a store before SQLite opens it: that it is there or is made, readable by its owner alone, and
// something SQLite may be pointed at. SQLite gives its -wal and -shm files the mode of the main file.

import {
  chmodSync,
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  statSync,
  type Stats,
} from "node:fs";
import { dirname } from "node:path";
import { type ErrorCode, MillraceError } from "../../model/errors.ts";
import { refuseNetworkFilesystem, type ReadFilesystemType } from "./network-filesystem.ts";

const FOLDER_MODE = 0o700;
const FILE_MODE = 0o600;

/** Which file, and how to tell a network filesystem. */
export interface StoreFile {
  readonly url: string;
  /** Absolute. */
  readonly path: string;
  readonly readFilesystemType?: ReadFilesystemType;
}

/** Makes folder and file where they lack, with 0700 and 0600, and takes a file back from everyone else. */
export function prepareFile(file: StoreFile): void {
  const { url, path } = file;
  const folder = dirname(path);
  try {
    const made = mkdirSync(folder, { recursive: true, mode: FOLDER_MODE });
    if (made !== undefined) syncFolders(dirname(made), folder);
    refuseNetworkFilesystem(url, folder, file.readFilesystemType);
    const stats = statOf(path);
    if (stats !== undefined) refuseOther(url, stats);
    // An empty file is an empty database. Two processes may both make it: neither cuts it off.
    closeSync(openSync(path, "a", FILE_MODE));
    if (process.platform !== "win32" && (statSync(path).mode & 0o077) !== 0) tighten(path);
  } catch (error) {
    throw toFileError(error, url, "STORE_READ_ONLY");
  }
}

/** Asserts that there is a file to read. STORE_NOT_FOUND, STORE_INVALID, STORE_ON_NETWORK. */
export function requireFile(file: StoreFile): void {
  const { url, path } = file;
  try {
    const stats = statOf(path);
    if (stats === undefined) throw notFound(url, path);
    refuseOther(url, stats);
    refuseNetworkFilesystem(url, dirname(path), file.readFilesystemType);
    closeSync(openSync(path, "r"));
  } catch (error) {
    throw toFileError(error, url, "STORE_INVALID");
  }
}

/** Bytes of a file; 0 if there is none. */
export function sizeOf(path: string): number {
  return statOf(path)?.size ?? 0;
}

/** Changes whenever the content of a file has been written. */
export function stampOf(path: string): string {
  const stats = statSync(path, { throwIfNoEntry: false, bigint: true });
  return stats === undefined ? "" : `${stats.ino} ${stats.size} ${stats.mtimeNs}`;
}

/** The refusal to read a store that nobody has made. */
export function notFound(url: string, path: string): MillraceError {
  return new MillraceError("STORE_NOT_FOUND", `There is no store "${url}" (${path}).`, {
    hint: "The first run makes one. Was another folder or --store meant?",
    next: `npx millrace run`,
  });
}

/** A new folder is on the disk once the one above it is; SQLite syncs only the one that holds its files. */
function syncFolders(top: string, folder: string): void {
  if (process.platform === "win32") return;
  for (let path = folder; path !== top;) {
    path = dirname(path);
    const opened = openSync(path, "r");
    try {
      fsyncSync(opened);
    } finally {
      closeSync(opened);
    }
  }
}

function statOf(path: string): Stats | undefined {
  return statSync(path, { throwIfNoEntry: false });
}

function refuseOther(url: string, stats: Stats): void {
  if (stats.isFile()) return refuseSecondName(url, stats);
  const kind = stats.isDirectory() ? "a directory" : "no regular file";
  throw new MillraceError("STORE_INVALID", `The store "${url}" is ${kind}.`, {
    hint: stats.isDirectory()
      ? "Name a file in it, as in sqlite:DIR/store.db."
      : "Name another path.",
  });
}

/** The log lies beside the name a file was opened by: under two names it would have two, and be damaged by both. */
function refuseSecondName(url: string, { nlink }: Stats): void {
  if (nlink <= 1) return;
  throw new MillraceError(
    "STORE_INVALID",
    `The store "${url}" has ${nlink} names (hard links); each would get a log of its own.`,
    {
      hint: "Remove the other names: `find FOLDER -samefile FILE` shows them. Symbolic links are fine.",
    },
  );
}

function tighten(path: string): void {
  try {
    chmodSync(path, FILE_MODE);
  } catch (error) {
    // Only the owner may; for anyone else the file is as its owner wants it.
    if (codeOf(error) !== "EPERM") throw error;
  }
}

function toFileError(error: unknown, url: string, denied: ErrorCode): unknown {
  const code = codeOf(error) ?? "";
  if (DENIED.includes(code)) {
    return new MillraceError(denied, `The store "${url}" may not be opened: ${String(error)}.`, {
      hint: "Check who owns the file and its folder, and whether the disk is mounted read-only.",
      next: "npx millrace doctor",
      cause: error,
    });
  }
  if (FULL.includes(code)) {
    return new MillraceError("STORE_FULL", `There is no room for the store "${url}".`, {
      hint: "Free space on the disk of the store.",
      retryable: true,
      cause: error,
    });
  }
  if (!MISNAMED.includes(code)) return error;
  return new MillraceError("STORE_INVALID", `The store "${url}" has no place: ${String(error)}.`, {
    hint: "A part of its path is a file, a dangling link, or too long. Name another path.",
    cause: error,
  });
}

const DENIED: readonly string[] = ["EACCES", "EPERM", "EROFS"];
const FULL: readonly string[] = ["ENOSPC", "EDQUOT"];
const MISNAMED: readonly string[] = ["ENOTDIR", "EEXIST", "ELOOP", "ENAMETOOLONG", "ENOENT"];

function codeOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || !("code" in error)) return undefined;
  return typeof error.code === "string" ? error.code : undefined;
}
