// Records of the service: changed by revision, listed in order of key, found by when they are due.

import type { DatabaseSync } from "node:sqlite";
import {
  readJson,
  readNumber,
  readNumberOrNull,
  readText,
  readWord,
  type Row,
} from "../../codec.ts";
import { keyAfter } from "../../records/record-rules.ts";
import {
  type DueQuery,
  RECORD_COLLECTIONS,
  type RecordCollection,
  type RecordQuery,
  type StoreRecord,
} from "../../records/record-write.ts";
import { Statement } from "../statement.ts";

const SELECT = `SELECT collection, key, revision, value, due_at_ms, updated_at_ms FROM records`;

/** Statements over `records`. */
export class RecordRows {
  readonly #find: Statement;
  readonly #put: Statement;
  readonly #drop: Statement;
  readonly #list: Statement;
  readonly #listBack: Statement;
  readonly #listDue: Statement;
  readonly #nextDue: Statement;

  constructor(database: DatabaseSync) {
    this.#find = new Statement(database, `${SELECT} WHERE collection = ? AND key = ?`);
    this.#put = new Statement(
      database,
      `INSERT INTO records (collection, key, revision, value, due_at_ms, updated_at_ms)
       VALUES (?, ?, ?, ?, ?, ?)
       ON CONFLICT (collection, key) DO UPDATE SET revision = excluded.revision, value = excluded.value,
         due_at_ms = excluded.due_at_ms, updated_at_ms = excluded.updated_at_ms`,
    );
    this.#drop = new Statement(database, `DELETE FROM records WHERE collection = ? AND key = ?`);
    const within = `${SELECT} WHERE collection = ? AND key >= ? AND key < ?`;
    this.#list = new Statement(database, `${within} AND key > ? ORDER BY key LIMIT ?`);
    this.#listBack = new Statement(database, `${within} AND key < ? ORDER BY key DESC LIMIT ?`);
    this.#listDue = new Statement(
      database,
      `${SELECT} WHERE collection = ? AND due_at_ms <= ? ORDER BY due_at_ms, number LIMIT ?`,
    );
    this.#nextDue = new Statement(
      database,
      `SELECT min(due_at_ms) AS due_at_ms FROM records WHERE collection = ? AND due_at_ms IS NOT NULL`,
    );
  }

  find(collection: RecordCollection, key: string): StoreRecord | undefined {
    const row = this.#find.get(collection, key);
    return row === undefined ? undefined : toRecord(row);
  }

  put(record: StoreRecord): void {
    const { collection, key, revision, value, dueAtMs, updatedAtMs } = record;
    this.#put.run(collection, key, revision, JSON.stringify(value), dueAtMs, updatedAtMs);
  }

  drop(collection: RecordCollection, key: string): void {
    this.#drop.run(collection, key);
  }

  list({
    collection,
    prefix = "",
    after,
    newestFirst = false,
    limit,
  }: RecordQuery): readonly StoreRecord[] {
    const end = keyAfter(prefix);
    const rows = newestFirst
      ? this.#listBack.all(collection, prefix, end, after ?? end, limit)
      : this.#list.all(collection, prefix, end, after ?? "", limit);
    return rows.map(toRecord);
  }

  listDue({ collection, untilMs, limit }: DueQuery): readonly StoreRecord[] {
    return this.#listDue.all(collection, untilMs, limit).map(toRecord);
  }

  nextDueMs(collection: RecordCollection): number | null {
    const row = this.#nextDue.get(collection);
    return row === undefined ? null : readNumberOrNull(row, "due_at_ms");
  }
}

function toRecord(row: Row): StoreRecord {
  return {
    collection: readWord(row, "collection", RECORD_COLLECTIONS),
    key: readText(row, "key"),
    revision: readNumber(row, "revision"),
    value: readJson(row, "value", null),
    dueAtMs: readNumberOrNull(row, "due_at_ms"),
    updatedAtMs: readNumber(row, "updated_at_ms"),
  };
}
