// Connections to a SQLite file: which version may open it, under which settings, for writing or reading. What
// SQLite does not confirm when it is read back is fatal, since durability rests on it.

import { DatabaseSync } from "node:sqlite";
import { pathToFileURL } from "node:url";
import { MillraceError } from "../../model/errors.ts";
import type { Clock } from "../../std/clock.ts";
import { isBusy } from "./faults.ts";

/** The path that means a database in the memory of this process. */
export const MEMORY_PATH = ":memory:";

/** Oldest SQLite whose write-ahead log is free of a fault that could damage a file. */
const SQLITE_VERSION_MIN = "3.51.3";

const CHECKPOINT_PAGES = 1_000;
const JOURNAL_BYTES_MAX = 64 * 1024 * 1024;
const WAL_RETRY_MS = 20;

/** Which file, and how long others are waited for. */
export interface ConnectOptions {
  readonly url: string;
  /** Absolute, or MEMORY_PATH. */
  readonly path: string;
  readonly busyTimeoutMs: number;
}

/** Throws SQLITE_TOO_OLD for a SQLite that must not write. */
export function assertSqliteVersion(found: string): void {
  const [major = 0, minor = 0, patch = 0] = found.split(".").map(Number);
  const [majorMin = 0, minorMin = 0, patchMin = 0] = SQLITE_VERSION_MIN.split(".").map(Number);
  const order = major - majorMin || minor - minorMin || patch - patchMin;
  if (order >= 0) return;
  throw new MillraceError(
    "SQLITE_TOO_OLD",
    `This Node brings SQLite ${found}; millrace needs ${SQLITE_VERSION_MIN} or newer, whose write-ahead log is safe.`,
    { hint: "Use the official build of a newer Node.", next: "node --version" },
  );
}

/** The SQLite that is built into this Node. */
export function readSqliteVersion(): string {
  return process.versions["sqlite"] ?? "0";
}

/** Opens a file for writing and turns its write-ahead log on, which has to wait for every other connection. */
export async function openWriter(options: ConnectOptions, clock: Clock): Promise<DatabaseSync> {
  const database = connect(options, false);
  try {
    if (options.path !== MEMORY_PATH) await switchToWal(database, options, clock);
    applySettings(database, options.url, writerSettings(options));
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

/** Opens a file for writing that has been opened so before. */
export function reopenWriter(options: ConnectOptions): DatabaseSync {
  const database = connect(options, false);
  applySettings(database, options.url, writerSettings(options));
  return database;
}

/** Opens a file for reading. SQLite may make the -shm file that readers share, and nothing else. */
export function openReader(options: ConnectOptions): DatabaseSync {
  const database = connect(options, true);
  applySettings(database, options.url, readerSettings(options));
  return database;
}

/**
 * Opens a file of which nobody writes a single byte meanwhile: without locks, and without any other file. Only
 * for a file without a write-ahead log, and only for a moment.
 */
export function openImmutable(options: ConnectOptions): DatabaseSync {
  const href = `${pathToFileURL(options.path).href}?immutable=1`;
  const database = connect({ ...options, path: href }, true);
  applySettings(database, options.url, readerSettings(options));
  return database;
}

function connect({ path, busyTimeoutMs }: ConnectOptions, readOnly: boolean): DatabaseSync {
  return new DatabaseSync(path, {
    readOnly,
    timeout: busyTimeoutMs,
    enableForeignKeyConstraints: true,
    enableDoubleQuotedStringLiterals: false,
    allowExtension: false,
    defensive: true,
  });
}

type Settings = readonly (readonly [pragma: string, value: string | number])[];

function writerSettings({ path, busyTimeoutMs }: ConnectOptions): Settings {
  const settings: Settings = [
    ["synchronous", 2], // FULL: a commit is on the disk when it returns
    ["busy_timeout", busyTimeoutMs],
    ["foreign_keys", 1],
    ["trusted_schema", 0],
    ["wal_autocheckpoint", CHECKPOINT_PAGES],
  ];
  if (path === MEMORY_PATH) return settings;
  const file: Settings = [
    ["journal_mode", "wal"],
    ["mmap_size", 0],
    ["journal_size_limit", JOURNAL_BYTES_MAX],
  ];
  // Elsewhere fsync reaches the disk; on macOS only this does.
  const full: Settings =
    process.platform === "darwin"
      ? [
          ["fullfsync", 1],
          ["checkpoint_fullfsync", 1],
        ]
      : [];
  return [...settings, ...file, ...full];
}

function readerSettings({ busyTimeoutMs }: ConnectOptions): Settings {
  return [
    ["query_only", 1],
    ["busy_timeout", busyTimeoutMs],
    ["trusted_schema", 0],
    ["mmap_size", 0],
  ];
}

function applySettings(database: DatabaseSync, url: string, settings: Settings): void {
  for (const [pragma, value] of settings) {
    database.exec(`PRAGMA ${pragma} = ${value}`);
    const found = readPragma(database, pragma);
    if (found === value) continue;
    throw new MillraceError(
      "STORE_FAILED",
      `SQLite opened the store "${url}" with ${pragma} = ${String(found)} instead of ${value}.`,
      {
        hint: "Without it a commit may be lost. Use the official build of Node, and a local disk.",
      },
    );
  }
}

/** The value of a pragma: its first column. */
export function readPragma(database: DatabaseSync, pragma: string): unknown {
  const row = database.prepare(`PRAGMA ${pragma}`).get();
  return row === undefined ? undefined : Object.values(row)[0];
}

// The switch needs the file for itself, and SQLite does not wait for it: two first processes would collide.
async function switchToWal(
  database: DatabaseSync,
  { busyTimeoutMs }: ConnectOptions,
  clock: Clock,
): Promise<void> {
  const untilMs = clock.monotonicMs() + busyTimeoutMs;
  for (;;) {
    try {
      database.exec("PRAGMA journal_mode = wal");
      return;
    } catch (error) {
      if (!isBusy(error) || clock.monotonicMs() >= untilMs) throw error;
    }
    await clock.sleep(WAL_RETRY_MS);
  }
}
