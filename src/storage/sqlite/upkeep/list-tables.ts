// Which tables a file has: a store of an older schema has fewer.

import type { DatabaseSync } from "node:sqlite";
import { readText } from "../../codec.ts";
import { Statement } from "../statement.ts";

/** Names of the tables a store has: an older one has fewer. */
export function listTables(database: DatabaseSync): ReadonlySet<string> {
  const rows = new Statement(database, `SELECT name FROM sqlite_schema WHERE type = 'table'`).all();
  return new Set(rows.map((row) => readText(row, "name")));
}
