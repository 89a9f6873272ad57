// Opening a SQLite store: the file, the connection, the check after an unclean end, the schema, the clock; or,
// for who only reads, as little of it as can be.

import { dirname, join, resolve } from "node:path";
import { BUSY_TIMEOUT_MS_DEFAULT } from "../../model/defaults.ts";
import { MillraceError } from "../../model/errors.ts";
import { systemClock, type Clock } from "../../std/clock.ts";
import { systemMachine } from "../../std/machine.ts";
import type { BlobStore } from "../blob-store.ts";
import { FileBlobs } from "../blobs/file-blobs.ts";
import { MemoryBlobs } from "../blobs/memory-blobs.ts";
import type { Migration } from "../migrate.ts";
import { refuseDamaged } from "./check.ts";
import {
  assertSqliteVersion,
  type ConnectOptions,
  MEMORY_PATH,
  openReader,
  openWriter,
  readSqliteVersion,
  reopenWriter,
} from "./connection.ts";
import { toStoreError } from "./faults.ts";
import { notFound, prepareFile, requireFile, sizeOf, type StoreFile } from "./file-guard.ts";
import { FileReader } from "./file-reader.ts";
import { ThreadRenewer } from "./renewal/thread-renewer.ts";
import { Rows } from "./rows.ts";
import { migrate, MIGRATIONS, readSchema } from "./schema.ts";
import { SqliteStore } from "./sqlite-store.ts";
import type { SqliteStoreOptions } from "./sqlite-store-options.ts";
import { StoreClock, type StoreMachine } from "./store-clock.ts";
import { Writer } from "./writes/writer.ts";

/** How a SQLite store is opened. */
export interface SqliteOpenOptions {
  /** As the user wrote it, for messages. */
  readonly url: string;
  /** Relative to the working directory, or `:memory:` for one that ends with its process. */
  readonly path: string;
  readonly clock: Clock;
  readonly machine: StoreMachine;
  /** `write` makes what lacks; `read` makes nothing but the file its readers share; `plan` makes nothing. */
  readonly mode: "write" | "read" | "plan";
  /** How long a write waits for another process. Default 5 s. */
  readonly busyTimeoutMs?: number;
  /** Version that SQLite claims to have. Default: its own; tests give another. */
  readonly sqliteVersion?: string;
  /** Default: the house's own; tests give more. */
  readonly migrations?: readonly Migration[];
  /** Default: `statfs`; tests give another. */
  readonly readFilesystemType?: StoreFile["readFilesystemType"];
}

/** Opens a SQLite store. Rejects with STORE_* or SQLITE_TOO_OLD, and leaves nothing open then. */
export async function openSqliteStore(options: SqliteOpenOptions): Promise<SqliteStore> {
  try {
    assertSqliteVersion(options.sqliteVersion ?? readSqliteVersion());
    return options.mode === "write" ? await openToWrite(options) : openToRead(options);
  } catch (error) {
    throw toStoreError(error, options.url);
  }
}

async function openToWrite(options: SqliteOpenOptions): Promise<SqliteStore> {
  const { url, clock, machine, migrations = MIGRATIONS } = options;
  const connection = connectionOf(options);
  const { path } = connection;
  const isMemory = path === MEMORY_PATH;
  if (!isMemory) prepareFile({ ...connection, ...pickFilesystem(options) });
  const logBytes = isMemory ? 0 : sizeOf(`${path}-wal`);
  const database = await openWriter(connection, clock);
  try {
    const { isEmpty } = readSchema({ url, database, migrations });
    if (!isEmpty && logBytes > 0) refuseDamaged({ url, path, database, machine });
    await migrate({ url, path, database, migrations, nowMs: clock.wallMs() });
    const storeClock = new StoreClock({ clock, machine });
    const writer = new Writer(database, storeClock);
    writer.setClock();
    return new SqliteStore({
      url,
      capabilities: { durable: !isMemory, shared: !isMemory },
      blobs: isMemory ? new MemoryBlobs() : blobsOf(options, path),
      clock: storeClock,
      writer,
      reopenWriter: () => new Writer(reopenWriter(connection), storeClock),
      openReader: isMemory ? () => database : () => openReader(connection),
      ...(hasThread(options) && !isMemory ? { openRenewer: toRenewer(options, path) } : {}),
    });
  } catch (error) {
    database.close();
    throw error;
  }
}

function openToRead(options: SqliteOpenOptions): SqliteStore {
  const { url, clock, machine, migrations = MIGRATIONS } = options;
  const connection = connectionOf(options);
  requireFile({ ...connection, ...pickFilesystem(options) });
  const reader = new FileReader(connection, options.mode === "plan");
  const database = reader.open();
  try {
    const { isEmpty, pending } = readSchema({ url, database, migrations });
    if (isEmpty) throw notFound(url, connection.path);
    if (pending.length > 0) throw tooOldToRead(url, pending);
    const storeClock = new StoreClock({ clock, machine });
    const meta = new Rows(database).meta.find();
    if (meta !== undefined) storeClock.adopt(meta);
    return new SqliteStore({
      url,
      capabilities: { durable: true, shared: true },
      blobs: blobsOf(options, connection.path),
      clock: storeClock,
      writer: undefined,
      reopenWriter: () => new Writer(reopenWriter(connection), storeClock),
      openReader: () => (database.isOpen ? database : reader.open()),
      isReaderStale: () => reader.isStale(),
    });
  } catch (error) {
    database.close();
    throw error;
  }
}

// A thread has the clocks of the system, and no others.
function hasThread({ clock, machine }: SqliteOpenOptions): boolean {
  return clock === systemClock && machine === systemMachine;
}

function toRenewer(
  { url, machine }: SqliteOpenOptions,
  path: string,
): NonNullable<SqliteStoreOptions["openRenewer"]> {
  return (terms, listener) => new ThreadRenewer({ url, path, machine, terms, listener });
}

function connectionOf({ url, path, busyTimeoutMs }: SqliteOpenOptions): ConnectOptions {
  return {
    url,
    path: path === MEMORY_PATH ? path : resolve(path),
    busyTimeoutMs: busyTimeoutMs ?? BUSY_TIMEOUT_MS_DEFAULT,
  };
}

function pickFilesystem({ readFilesystemType }: SqliteOpenOptions): Partial<StoreFile> {
  return readFilesystemType === undefined ? {} : { readFilesystemType };
}

function blobsOf({ mode }: SqliteOpenOptions, path: string): BlobStore {
  return new FileBlobs({ folder: join(dirname(path), "blobs"), readOnly: mode !== "write" });
}

function tooOldToRead(url: string, pending: readonly Migration[]): MillraceError {
  const names = pending.map((migration) => `${migration.id} ("${migration.name}")`).join(", ");
  return new MillraceError(
    "STORE_INVALID",
    `The store "${url}" lacks migration ${names}, and was opened to be read.`,
    { hint: "The next run brings it up to date, after a backup.", next: "npx millrace run" },
  );
}
