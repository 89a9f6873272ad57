// Cache entries. What a row cannot say is as if the row were not there: nobody may be harmed by a cache.

import type { DatabaseSync } from "node:sqlite";
import type { CacheEntry, NewCacheEntry } from "../../../model/cache.ts";
import { cacheColumns, toCacheEntry } from "../../cache-codec.ts";
import type { CacheAddress } from "../../store.ts";
import { Statement } from "../statement.ts";

/** Statements over `cache`. */
export class CacheRows {
  readonly #database: DatabaseSync;
  readonly #put: Statement;
  readonly #seal: Statement;
  readonly #find: Statement;
  readonly #findLatest: Statement;
  readonly #findLatestOfRun: Statement;

  constructor(database: DatabaseSync) {
    this.#database = database;
    // A row that is replaced gets a new number: the highest of an address is the one that was stored last.
    this.#put = new Statement(
      database,
      `INSERT OR REPLACE INTO cache (pipeline, stage, item, key, components, reason, output,
         output_blob, output_bytes, output_version, state, metrics, run, made_at_ms, expires_at_ms)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    );
    this.#seal = new Statement(database, `UPDATE cache SET seal = ? WHERE key = ?`);
    this.#find = new Statement(database, `SELECT * FROM cache WHERE key = ? AND seal IS NOT NULL`);
    this.#findLatest = new Statement(
      database,
      `SELECT * FROM cache WHERE pipeline = ? AND stage = ? AND item = ? AND seal IS NOT NULL
       ORDER BY number DESC LIMIT 1`,
    );
    this.#findLatestOfRun = new Statement(
      database,
      `SELECT * FROM cache WHERE pipeline = ? AND stage = ? AND item = ? AND run = ?
       AND seal IS NOT NULL ORDER BY number DESC LIMIT 1`,
    );
  }

  /** False after a fault that undid the whole transaction. */
  get isInTransaction(): boolean {
    return this.#database.isTransaction;
  }

  /** Stores an entry in place of one of the same key. It counts from its second statement on. */
  put(entry: NewCacheEntry, at: { readonly run: number; readonly nowMs: number }): void {
    const { pipeline, stage } = entry.components;
    const expiresAtMs = entry.ttlMs === null ? null : at.nowMs + entry.ttlMs;
    this.#put.run(
      pipeline,
      stage,
      entry.item ?? "",
      ...cacheColumns(entry),
      at.run,
      at.nowMs,
      expiresAtMs,
    );
    this.#seal.run(entry.seal, entry.key);
  }

  find(key: string): CacheEntry | undefined {
    const row = this.#find.get(key);
    return row === undefined ? undefined : toCacheEntry(row);
  }

  findLatest({ pipeline, stage, item, run }: CacheAddress): CacheEntry | undefined {
    const row =
      run === undefined
        ? this.#findLatest.get(pipeline, stage, item ?? "")
        : this.#findLatestOfRun.get(pipeline, stage, item ?? "", run);
    return row === undefined ? undefined : toCacheEntry(row);
  }
}
