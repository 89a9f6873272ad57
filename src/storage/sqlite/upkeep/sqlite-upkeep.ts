// Upkeep of a store in a SQLite file. Several stores may share a folder, and with it their blobs: before one goes,
// every one of them is asked whether it needs it.

import { closeSync, openSync, readdirSync, readSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { BUSY_TIMEOUT_MS_DEFAULT } from "../../../model/defaults.ts";
import { isMillraceError } from "../../../model/errors.ts";
import { sweepBlobs } from "../../blobs/sweep-blobs.ts";
import type {
  ExpiredCounts,
  Expiry,
  StoreCopyFacts,
  StoreUpkeep,
  SweepOptions,
  SweptBlobs,
} from "../../upkeep.ts";
import { readBlobUse } from "./blob-use.ts";
import { type ConnectOptions, openReader, reopenWriter } from "../connection.ts";
import { blobFolder, copyStore } from "./copy-store.ts";
import {
  countExpired,
  deleteCache,
  deleteEvents,
  listExpiredRuns,
  listKnownRuns,
} from "./expired.ts";
import { deleteIdleKeys } from "./idle-keys.ts";
import { toStoreError } from "../faults.ts";
import { requireFile, sizeOf } from "../file-guard.ts";
import { APPLICATION_ID, MIGRATIONS, readSchema } from "../schema.ts";
import { Statement } from "../statement.ts";

/** Faults of a file that are named. */
const FAULTS_MAX = 5;

/** Which store. */
export interface SqliteUpkeepOptions {
  readonly url: string;
  /** Relative to the working directory. */
  readonly path: string;
  /** Default 5 s. */
  readonly busyTimeoutMs?: number;
}

/** Keeps one file in order. */
export class SqliteUpkeep implements StoreUpkeep {
  readonly #connection: ConnectOptions;
  #reader: DatabaseSync | undefined;
  #writer: DatabaseSync | undefined;

  private constructor(connection: ConnectOptions) {
    this.#connection = connection;
  }

  /** STORE_NOT_FOUND, STORE_INVALID, STORE_TOO_NEW. */
  static open({ url, path, busyTimeoutMs }: SqliteUpkeepOptions): SqliteUpkeep {
    const connection = {
      url,
      path: resolve(path),
      busyTimeoutMs: busyTimeoutMs ?? BUSY_TIMEOUT_MS_DEFAULT,
    };
    requireFile(connection);
    const upkeep = new SqliteUpkeep(connection);
    upkeep.#read((database) => readSchema({ url, database, migrations: MIGRATIONS }));
    return upkeep;
  }

  async copyTo(path: string): Promise<StoreCopyFacts> {
    try {
      return await copyStore(this.#connection, path);
    } catch (error) {
      throw toStoreError(error, this.#connection.url);
    }
  }

  countExpired(expiry: Expiry): ExpiredCounts {
    return this.#read((database) => countExpired(database, expiry));
  }

  listExpiredRuns(expiry: Expiry, limit: number): readonly string[] {
    return this.#read((database) => listExpiredRuns(database, expiry, limit));
  }

  deleteEvents(expiry: Expiry, limit: number): number {
    return this.#write((database) => deleteEvents(database, expiry, limit));
  }

  deleteCache(expiry: Expiry, limit: number): number {
    return this.#write((database) => deleteCache(database, expiry, limit));
  }

  deleteKeys(expiry: Expiry, limit: number): number {
    return this.#write((database) => deleteIdleKeys(database, expiry, limit));
  }

  checkpoint(): { readonly isHeld: boolean } {
    return this.#write((database) => {
      // Waits for nobody, and says how far it came.
      const [row = {}] = new Statement(database, "PRAGMA wal_checkpoint(PASSIVE)").all();
      const isHeld = row["busy"] !== 0 || row["checkpointed"] !== row["log"];
      // Holds up who writes for as long as it waits: only where there is nobody to wait for.
      if (!isHeld) new Statement(database, "PRAGMA wal_checkpoint(TRUNCATE)").all();
      return { isHeld };
    });
  }

  check(): readonly string[] {
    const found = this.#read((database) =>
      new Statement(database, `PRAGMA quick_check(${FAULTS_MAX})`).all(),
    );
    const faults = found.map((row) => String(row["quick_check"]));
    return faults.length === 1 && faults[0] === "ok" ? [] : faults;
  }

  async sweepBlobs({ changedBeforeMs, marginMs, foresee }: SweepOptions): Promise<SweptBlobs> {
    const own = this.#read((database) => readBlobUse(database, foresee));
    const others = this.#listOthers().map((path) => ({ path, use: this.#ask(path, readBlobUse) }));
    const unread = others.flatMap(({ path, use }) => (use === "unread" ? [path] : []));
    if (unread.length > 0) return { blobs: 0, bytes: 0, unread };
    const uses = [own, ...others.flatMap(({ use }) => (typeof use === "string" ? [] : [use]))];
    const starts = uses.flatMap(({ oldestStartMs }) => oldestStartMs ?? []);
    const count = await sweepBlobs({
      folder: blobFolder(this.#connection.path),
      isNeeded: (name) => uses.some(({ names }) => names.has(name)),
      changedBeforeMs: Math.min(changedBeforeMs, ...starts.map((ms) => ms - marginMs)),
      dryRun: foresee !== undefined,
    });
    return { ...count, unread: [] };
  }

  listRunsElsewhere(runIds: readonly string[]): ReadonlySet<string> {
    const found = new Set<string>();
    for (const path of this.#listOthers()) {
      const known = this.#ask(path, (database) => listKnownRuns(database, runIds));
      if (known === "unread") return new Set(runIds);
      if (known !== "no store") for (const id of known) found.add(id);
    }
    return found;
  }

  close(): void {
    this.#reader?.close();
    this.#writer?.close();
    this.#reader = undefined;
    this.#writer = undefined;
  }

  /** Paths of what may be other stores of the folder. */
  #listOthers(): readonly string[] {
    const { path: own } = this.#connection;
    return listStores(dirname(own)).filter((path) => path !== own);
  }

  /** What another store of the folder answers, if it is one and can say. */
  #ask<T>(path: string, read: (database: DatabaseSync) => T): T | "no store" | "unread" {
    try {
      const url = `sqlite:${path}`;
      const database = openReader({ ...this.#connection, url, path });
      try {
        const { isEmpty } = readSchema({ url, database, migrations: MIGRATIONS });
        return isEmpty ? "no store" : read(database);
      } finally {
        database.close();
      }
    } catch (error) {
      return isMillraceError(error) && error.code === "STORE_INVALID" ? "no store" : "unread";
    }
  }

  #read<T>(work: (database: DatabaseSync) => T): T {
    return this.#guard(() => work((this.#reader ??= openReader(this.#connection))));
  }

  #write<T>(work: (database: DatabaseSync) => T): T {
    return this.#guard(() => work((this.#writer ??= reopenWriter(this.#connection))));
  }

  #guard<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      throw toStoreError(error, this.#connection.url);
    }
  }
}

const MAGIC = "SQLite format 3\0";
/** Where a SQLite file says of whose program it is. */
const APPLICATION_ID_AT = 68;

/** Paths of all files of a folder that may be stores, whatever their names: working ones, copies, half copies. */
function listStores(folder: string): readonly string[] {
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isFile() || entry.isSymbolicLink())
    .map((entry) => join(folder, entry.name))
    .filter(mayBeStore);
}

function mayBeStore(path: string): boolean {
  const head = readHead(path);
  if (head === undefined || head.toString("latin1", 0, MAGIC.length) !== MAGIC) return false;
  if (head.readUInt32BE(APPLICATION_ID_AT) === APPLICATION_ID) return true;
  // Of a new store everything may still be in its write-ahead log.
  return sizeOf(`${path}-wal`) > 0;
}

function readHead(path: string): Buffer | undefined {
  const head = Buffer.alloc(APPLICATION_ID_AT + 4);
  try {
    const file = openSync(path, "r");
    try {
      return readSync(file, head, 0, head.length, 0) < head.length ? undefined : head;
    } finally {
      closeSync(file);
    }
  } catch {
    return undefined; // no file of ours: what may not even be read is nobody's store here
  }
}
