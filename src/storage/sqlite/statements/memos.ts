// Sub-results of `ctx.memo`: written once, never replaced.

import type { DatabaseSync } from "node:sqlite";
import type { EncodedValue } from "../../../std/value.ts";
import { readEncoded } from "../../codec.ts";
import { Statement } from "../statement.ts";

/** Which memo of a run; an empty item means the stage itself. */
export interface MemoName {
  readonly stage: string;
  readonly item: string | null;
  readonly name: string;
}

/** Statements over `memos`. */
export class MemoRows {
  readonly #insert: Statement;
  readonly #find: Statement;
  readonly #dropItem: Statement;
  readonly #dropStage: Statement;
  readonly #takeOver: Statement;

  constructor(database: DatabaseSync) {
    this.#insert = new Statement(
      database,
      `INSERT INTO memos (run, stage, item, name, value) VALUES (?, ?, ?, ?, ?)
       ON CONFLICT DO NOTHING`,
    );
    this.#find = new Statement(
      database,
      `SELECT value FROM memos WHERE run = ? AND stage = ? AND item = ? AND name = ?`,
    );
    this.#dropItem = new Statement(
      database,
      `DELETE FROM memos WHERE run = ? AND stage = ? AND item = ?`,
    );
    this.#dropStage = new Statement(database, `DELETE FROM memos WHERE run = ? AND stage = ?`);
    this.#takeOver = new Statement(
      database,
      `INSERT INTO memos (run, stage, item, name, value)
       SELECT ?, stage, item, name, value FROM memos WHERE run = ? AND stage = ?`,
    );
  }

  /** Stores a memo; false if there is one of that name. */
  insert(run: number, { stage, item, name }: MemoName, value: EncodedValue): boolean {
    return this.#insert.run(run, stage, item ?? "", name, value) === 1;
  }

  find(run: number, { stage, item, name }: MemoName): EncodedValue | undefined {
    const row = this.#find.get(run, stage, item ?? "", name);
    return row === undefined ? undefined : readEncoded(row, "value");
  }

  dropItem(run: number, stage: string, key: string): void {
    this.#dropItem.run(run, stage, key);
  }

  dropStage(run: number, stage: string): void {
    this.#dropStage.run(run, stage);
  }

  takeOver(run: number, from: number, stage: string): void {
    this.#takeOver.run(run, from, stage);
  }
}
