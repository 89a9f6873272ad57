// The last attempts of a stage or item that did not succeed. Ordinals rise without end while old rows go.

import type { DatabaseSync } from "node:sqlite";
import { RETRY_HISTORY_MAX } from "../../../model/limits.ts";
import type { RetryRecord } from "../../../model/checkpoint.ts";
import { toRetryRecord } from "../../checkpoint-codec.ts";
import { readNumber } from "../../codec.ts";
import { Statement } from "../statement.ts";

const OF = `run = ? AND stage = ? AND item = ?`;

/** Statements over `retries`. */
export class RetryRows {
  readonly #insert: Statement;
  readonly #trim: Statement;
  readonly #list: Statement;
  readonly #dropItem: Statement;

  constructor(database: DatabaseSync) {
    this.#insert = new Statement(
      database,
      `INSERT INTO retries
         (run, stage, item, ordinal, attempt, class, message, delay_ms, started_at_ms, ended_at_ms)
       VALUES (?, ?, ?, (SELECT coalesce(max(ordinal), 0) + 1 FROM retries WHERE ${OF}), ?, ?, ?, ?, ?, ?)
       RETURNING ordinal`,
    );
    this.#trim = new Statement(database, `DELETE FROM retries WHERE ${OF} AND ordinal <= ?`);
    this.#list = new Statement(
      database,
      `SELECT stage, item, attempt, class, message, delay_ms, started_at_ms, ended_at_ms
       FROM retries WHERE ${OF} ORDER BY ordinal`,
    );
    this.#dropItem = new Statement(database, `DELETE FROM retries WHERE ${OF}`);
  }

  /** Adds to the history, whose oldest row goes when it is full. */
  add(run: number, retry: RetryRecord): void {
    const { stage } = retry;
    const item = retry.item ?? "";
    const row = this.#insert.get(
      run,
      stage,
      item,
      run,
      stage,
      item,
      retry.attempt,
      retry.class,
      retry.message,
      retry.delayMs,
      retry.startedAtMs,
      retry.endedAtMs,
    );
    const ordinal = readNumber(row ?? {}, "ordinal");
    if (ordinal > RETRY_HISTORY_MAX) this.#trim.run(run, stage, item, ordinal - RETRY_HISTORY_MAX);
  }

  /** Oldest first. */
  list(run: number, stage: string, item: string | null): readonly RetryRecord[] {
    return this.#list.all(run, stage, item ?? "").map(toRetryRecord);
  }

  dropItem(run: number, stage: string, key: string): void {
    this.#dropItem.run(run, stage, key);
  }
}
