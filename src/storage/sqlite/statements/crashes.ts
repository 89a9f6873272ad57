// Crash counts of a run's stages and items. Rare: they are read and replaced as a whole.

import type { DatabaseSync } from "node:sqlite";
import type { CrashRecord } from "../../../model/checkpoint.ts";
import { readNumber, readText } from "../../codec.ts";
import { Statement } from "../statement.ts";

/** Statements over `crashes`. */
export class CrashRows {
  readonly #list: Statement;
  readonly #put: Statement;
  readonly #clear: Statement;
  readonly #dropStage: Statement;
  readonly #dropItem: Statement;

  constructor(database: DatabaseSync) {
    this.#list = new Statement(
      database,
      `SELECT stage, item, crashes, isolated, reason FROM crashes WHERE run = ?
       ORDER BY stage, item`,
    );
    this.#put = new Statement(
      database,
      `INSERT INTO crashes (run, stage, item, crashes, isolated, reason) VALUES (?, ?, ?, ?, ?, ?)`,
    );
    this.#clear = new Statement(database, `DELETE FROM crashes WHERE run = ?`);
    this.#dropStage = new Statement(database, `DELETE FROM crashes WHERE run = ? AND stage = ?`);
    this.#dropItem = new Statement(
      database,
      `DELETE FROM crashes WHERE run = ? AND stage = ? AND item = ?`,
    );
  }

  /** In order of stage and item, what named nobody first. */
  list(run: number): readonly CrashRecord[] {
    return this.#list.all(run).map((row) => ({
      stage: readText(row, "stage") || null,
      item: readText(row, "item") || null,
      crashes: readNumber(row, "crashes"),
      isolated: readNumber(row, "isolated"),
      reason: readText(row, "reason"),
    }));
  }

  replace(run: number, records: readonly CrashRecord[]): void {
    this.#clear.run(run);
    for (const { stage, item, crashes, isolated, reason } of records)
      this.#put.run(run, stage ?? "", item ?? "", crashes, isolated, reason);
  }

  clear(run: number): void {
    this.#clear.run(run);
  }

  dropStage(run: number, stage: string): void {
    this.#dropStage.run(run, stage);
  }

  dropItem(run: number, stage: string, key: string): void {
    this.#dropItem.run(run, stage, key);
  }
}
