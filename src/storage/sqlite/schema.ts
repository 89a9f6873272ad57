// The schema of a SQLite store: whose file it is, which migrations it has, and applying those it lacks. The
// write lock keeps two processes that start at once from applying one twice; whoever comes second finds it done.

import { closeSync, openSync, renameSync, rmSync } from "node:fs";
import { backup, type DatabaseSync } from "node:sqlite";
import { MillraceError } from "../../model/errors.ts";
import { readNumber, readText } from "../codec.ts";
import { type AppliedMigration, type Migration, planMigrations, tooNew } from "../migrate.ts";
import { readPragma } from "./connection.ts";
import { foundation } from "./migrations/0001-foundation.ts";
import { queue } from "./migrations/0002-queue.ts";
import { cache } from "./migrations/0003-cache.ts";
import { crashes } from "./migrations/0004-crashes.ts";
import { events } from "./migrations/0005-events.ts";
import { resources } from "./migrations/0006-resources.ts";
import { parkedRuns } from "./migrations/0007-parked-runs.ts";
import { records } from "./migrations/0008-records.ts";
import { workerFacts } from "./migrations/0009-worker-facts.ts";
import { Statement } from "./statement.ts";
import { readTogether, transact } from "./transaction.ts";

/** All migrations, in order. */
export const MIGRATIONS: readonly Migration[] = [
  foundation,
  queue,
  cache,
  crashes,
  events,
  resources,
  parkedRuns,
  records,
  workerFacts,
];

/** "mill": by it `file` and we know a store from any other SQLite file. */
export const APPLICATION_ID = 0x6d696c6c;

const LEDGER = `
CREATE TABLE migrations (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  checksum TEXT NOT NULL,
  applied_at_ms INTEGER NOT NULL
) STRICT`;

/** A store whose schema is looked at or brought up to date. */
export interface SchemaOptions {
  readonly url: string;
  /** Absolute; a backup is put beside it. */
  readonly path: string;
  readonly database: DatabaseSync;
  readonly migrations: readonly Migration[];
  /** Wall time, for the ledger. */
  readonly nowMs: number;
}

/**
 * What the file is: "empty", or a store of ours with so many migrations still to come. STORE_INVALID for a
 * database of another program, STORE_TOO_NEW for a store of a newer millrace.
 */
export function readSchema(options: ReadSchemaOptions): SchemaState {
  const { database } = options;
  if (database.isTransaction) return inspect(options);
  // One moment: a process that makes the store meanwhile must not be seen half done.
  return readTogether(database, () => inspect(options));
}

type ReadSchemaOptions = Omit<SchemaOptions, "path" | "nowMs">;

function inspect({ url, database, migrations }: ReadSchemaOptions): SchemaState {
  const version = Number(readPragma(database, "user_version"));
  const application = Number(readPragma(database, "application_id"));
  if (application !== APPLICATION_ID) {
    const tables = new Statement(database, `SELECT count(*) AS count FROM sqlite_schema`).get();
    if (application === 0 && readNumber(tables ?? {}, "count") === 0) {
      return { isEmpty: true, pending: migrations };
    }
    throw new MillraceError(
      "STORE_INVALID",
      `The file of "${url}" is a SQLite database of another program.`,
      { hint: "Name another path; nothing in this file was changed." },
    );
  }
  // Asked first: what a newer ledger looks like nobody knows.
  if (version > migrations.length) throw tooNew(url, migrations.length, version);
  return { isEmpty: false, pending: planMigrations(url, migrations, readLedger(database)) };
}

/** What a file is before it is used. */
export interface SchemaState {
  /** No table at all. */
  readonly isEmpty: boolean;
  /** Migrations that it lacks. */
  readonly pending: readonly Migration[];
}

/** Applies what is pending, in one transaction, after a backup of a store that is in use. Repeatable. */
export async function migrate(options: SchemaOptions): Promise<void> {
  const { isEmpty, pending } = readSchema(options);
  if (pending.length === 0) return;
  const copy = isEmpty ? undefined : await copyStore(options);
  let applied = 0;
  try {
    applied = transact(options.database, () => applyPending(options));
  } finally {
    if (copy !== undefined) keepCopy(copy, applied > 0);
  }
}

function applyPending({ url, database, migrations, nowMs }: SchemaOptions): number {
  // Under the lock: another process may have done it meanwhile.
  const { isEmpty, pending } = readSchema({ url, database, migrations });
  if (pending.length === 0) return 0;
  if (isEmpty) database.exec(LEDGER);
  const note = new Statement(database, `INSERT INTO migrations VALUES (?, ?, ?, ?)`);
  for (const migration of pending) {
    database.exec(migration.sql);
    note.run(migration.id, migration.name, migration.checksum, nowMs);
  }
  database.exec(`PRAGMA application_id = ${APPLICATION_ID}`);
  database.exec(`PRAGMA user_version = ${migrations.length}`);
  return pending.length;
}

function readLedger(database: DatabaseSync): readonly AppliedMigration[] {
  const rows = new Statement(
    database,
    `SELECT id, name, checksum FROM migrations ORDER BY id`,
  ).all();
  return rows.map((row) => ({
    id: readNumber(row, "id"),
    name: readText(row, "name"),
    checksum: readText(row, "checksum"),
  }));
}

interface StoreCopy {
  readonly temporary: string;
  readonly kept: string;
}

/** Copies the store while others go on using it. */
async function copyStore({ path, database }: SchemaOptions): Promise<StoreCopy> {
  const version = Number(readPragma(database, "user_version"));
  const kept = `${path}.schema-${version}.backup`;
  const temporary = `${kept}.${process.pid}`;
  // A new one: what has this name, a link say, is not written through.
  rmSync(temporary, { force: true });
  closeSync(openSync(temporary, "wx", 0o600));
  await backup(database, temporary);
  return { temporary, kept };
}

/** The copy gets its name when it was needed; when another process was faster, its copy stands. */
function keepCopy({ temporary, kept }: StoreCopy, needed: boolean): void {
  if (needed) renameSync(temporary, kept);
  else rmSync(temporary, { force: true });
}
