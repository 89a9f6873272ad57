// Definitions, stored once per hash; runs point at them by a short number.

import type { DatabaseSync } from "node:sqlite";
import { readNumber, readText } from "../../codec.ts";
import { Statement } from "../statement.ts";

/** Statements over `definitions`. */
export class DefinitionRows {
  readonly #idOf: Statement;
  readonly #insert: Statement;
  readonly #find: Statement;

  constructor(database: DatabaseSync) {
    this.#idOf = new Statement(database, `SELECT id FROM definitions WHERE hash = ?`);
    this.#insert = new Statement(
      database,
      `INSERT INTO definitions (hash, json) VALUES (?, ?) RETURNING id`,
    );
    this.#find = new Statement(database, `SELECT json FROM definitions WHERE hash = ?`);
  }

  /** Number of a definition; stores it unless it is there. */
  keep(hash: string, json: string): number {
    const row = this.#idOf.get(hash) ?? this.#insert.get(hash, json);
    return readNumber(row ?? {}, "id");
  }

  find(hash: string): string | undefined {
    const row = this.#find.get(hash);
    return row === undefined ? undefined : readText(row, "json");
  }
}
