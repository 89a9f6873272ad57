// Entries of `ctx.state`: one value per key and run, with the stage that wrote it last.

import type { DatabaseSync } from "node:sqlite";
import type { StateEntry } from "../../../model/checkpoint.ts";
import { readEncoded, readText } from "../../codec.ts";
import { Statement } from "../statement.ts";

/** Statements over `run_state`. */
export class RunStateRows {
  readonly #put: Statement;
  readonly #list: Statement;
  readonly #dropStage: Statement;
  readonly #takeOver: Statement;

  constructor(database: DatabaseSync) {
    this.#put = new Statement(
      database,
      `INSERT INTO run_state (run, key, stage, value) VALUES (?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET stage = excluded.stage, value = excluded.value`,
    );
    this.#list = new Statement(
      database,
      `SELECT key, stage, value FROM run_state WHERE run = ? ORDER BY key`,
    );
    this.#dropStage = new Statement(database, `DELETE FROM run_state WHERE run = ? AND stage = ?`);
    this.#takeOver = new Statement(
      database,
      `INSERT INTO run_state (run, key, stage, value)
       SELECT ?, key, stage, value FROM run_state WHERE run = ? AND stage = ?`,
    );
  }

  put(run: number, entry: StateEntry): void {
    this.#put.run(run, entry.key, entry.stage, entry.value);
  }

  /** In order of key. */
  list(run: number): readonly StateEntry[] {
    return this.#list.all(run).map((row) => ({
      key: readText(row, "key"),
      stage: readText(row, "stage"),
      value: readEncoded(row, "value"),
    }));
  }

  dropStage(run: number, stage: string): void {
    this.#dropStage.run(run, stage);
  }

  takeOver(run: number, from: number, stage: string): void {
    this.#takeOver.run(run, from, stage);
  }
}
