// Which blobs the rows of a SQLite store name, read in one moment, and since when somebody may have put some that
// no row names yet.

import type { DatabaseSync } from "node:sqlite";
import { readNumber, readNumberOrNull, readText } from "../../codec.ts";
import type { Expiry } from "../../upkeep.ts";
import { expiredRuns } from "./expired.ts";
import { listTables } from "./list-tables.ts";
import { Statement } from "../statement.ts";
import { readTogether } from "../transaction.ts";

/** Every column that names a blob. A test compares it with the schema. */
export const BLOB_COLUMNS: readonly { readonly table: string; readonly of: "run" | "cache" }[] = [
  { table: "stages", of: "run" },
  { table: "items", of: "run" },
  { table: "cache", of: "cache" },
];

/** What a store needs. */
export interface BlobUse {
  readonly names: ReadonlySet<string>;
  /** First start of the runs that are being worked on, UTC ms; null: there are none. */
  readonly oldestStartMs: number | null;
}

/** Reads it. `without`: as if that had gone already. */
export function readBlobUse(database: DatabaseSync, without?: Expiry): BlobUse {
  return readTogether(database, () => {
    const tables = listTables(database);
    const names = new Set<string>();
    for (const { table, of } of BLOB_COLUMNS) {
      if (!tables.has(table)) continue;
      const [condition, values] = of === "run" ? ofRuns(without) : ofCache(without);
      const sql = `SELECT DISTINCT output_blob AS name FROM ${table} WHERE output_blob IS NOT NULL ${condition}`;
      for (const row of new Statement(database, sql).all(...values))
        names.add(readText(row, "name"));
    }
    const oldest = new Statement(
      database,
      `SELECT min(coalesce(started_at_ms, queued_at_ms)) AS ms FROM runs WHERE state = 'running'`,
    ).get();
    return { names, oldestStartMs: readNumberOrNull(oldest ?? { ms: null }, "ms") };
  });
}

type Condition = readonly [sql: string, values: readonly (string | number)[]];

function ofRuns(without: Expiry | undefined): Condition {
  if (without === undefined) return ["", []];
  const [sql, values] = expiredRuns(without);
  return [`AND run NOT IN (SELECT number FROM runs WHERE ${sql})`, values];
}

function ofCache(without: Expiry | undefined): Condition {
  if (without === undefined) return ["", []];
  return ["AND (expires_at_ms IS NULL OR expires_at_ms >= ?)", [without.cacheBeforeMs]];
}

/** How many runs there are. */
export function countRuns(database: DatabaseSync): number {
  const row = new Statement(database, `SELECT count(*) AS count FROM runs`).get();
  return readNumber(row ?? {}, "count");
}
