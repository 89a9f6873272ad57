// Batches of runs that were enqueued together, and the maintained counts of their runs.

import type { DatabaseSync } from "node:sqlite";
import { assert } from "../../../std/error/assert.ts";
import { RUN_STATES, type RunState } from "../../../model/run.ts";
import { readNumber, readText, readWord } from "../../codec.ts";
import type { BatchRecord } from "../../write.ts";
import { Statement } from "../statement.ts";

/** Statements over `batches` and `batch_counters`. */
export class BatchRows {
  readonly #insert: Statement;
  readonly #find: Statement;
  readonly #numberOf: Statement;
  readonly #raise: Statement;
  readonly #lower: Statement;
  readonly #counts: Statement;

  constructor(database: DatabaseSync) {
    this.#insert = new Statement(
      database,
      `INSERT INTO batches (id, pipeline, source, created_at_ms) VALUES (?, ?, ?, ?)
       ON CONFLICT DO NOTHING`,
    );
    this.#find = new Statement(
      database,
      `SELECT id, pipeline, source, created_at_ms FROM batches WHERE id = ?`,
    );
    this.#numberOf = new Statement(database, `SELECT number FROM batches WHERE id = ?`);
    this.#raise = new Statement(
      database,
      `INSERT INTO batch_counters VALUES (?, ?, ?)
       ON CONFLICT DO UPDATE SET count = count + excluded.count`,
    );
    this.#lower = new Statement(
      database,
      `UPDATE batch_counters SET count = count + ? WHERE batch = ? AND state = ?`,
    );
    this.#counts = new Statement(
      database,
      `SELECT state, count FROM batch_counters WHERE batch = ? AND count > 0`,
    );
  }

  /** Stores a batch unless its id is known. */
  keep(batch: Omit<BatchRecord, "createdAtMs">, nowMs: number): void {
    this.#insert.run(batch.id, batch.pipeline, batch.source, nowMs);
  }

  find(id: string): BatchRecord | undefined {
    const row = this.#find.get(id);
    if (row === undefined) return undefined;
    return {
      id: readText(row, "id"),
      pipeline: readText(row, "pipeline"),
      source: readText(row, "source"),
      createdAtMs: readNumber(row, "created_at_ms"),
    };
  }

  numberOf(id: string): number | undefined {
    const row = this.#numberOf.get(id);
    return row === undefined ? undefined : readNumber(row, "number");
  }

  /** Changes the count of a batch's runs in one state. */
  count(batch: number, state: RunState, change: number): void {
    if (change > 0) this.#raise.run(batch, state, change);
    else if (change < 0) {
      const changed = this.#lower.run(change, batch, state);
      assert(changed === 1, `A count of a batch to be lowered has ${changed} rows.`);
    }
  }

  /** Counts of a batch's runs; states with 0 are left out. */
  countsOf(batch: number): Readonly<Partial<Record<RunState, number>>> {
    const counts: Partial<Record<RunState, number>> = {};
    for (const row of this.#counts.all(batch)) {
      counts[readWord(row, "state", RUN_STATES)] = readNumber(row, "count");
    }
    return counts;
  }
}
