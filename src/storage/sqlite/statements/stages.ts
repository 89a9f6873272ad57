// Stages of runs: one row each, written at their ends and long waits.

import type { DatabaseSync } from "node:sqlite";
import type { StageEnd, StageRecord } from "../../../model/checkpoint.ts";
import { STAGE_STATES, type StageState } from "../../../model/outcome.ts";
import { STAGE_COLUMNS, stageColumns, toStageEnd, toStageRecord } from "../../checkpoint-codec.ts";
import { readWord } from "../../codec.ts";
import { Statement } from "../statement.ts";

const COLUMNS = STAGE_COLUMNS.join(", ");
const ALL = `SELECT stage, ${COLUMNS} FROM stages WHERE run = ?`;

/** Statements over `stages`. */
export class StageRows {
  readonly #insert: Statement;
  readonly #insertPlain: Statement;
  readonly #stateOf: Statement;
  readonly #update: Statement;
  readonly #open: Statement;
  readonly #keep: Statement;
  readonly #drop: Statement;
  readonly #takeOver: Statement;
  readonly #find: Statement;
  readonly #list: Statement;
  readonly #listEnds: Statement;

  constructor(database: DatabaseSync) {
    this.#insert = new Statement(
      database,
      `INSERT INTO stages (run, stage, ${COLUMNS}) VALUES (?, ?${", ?".repeat(STAGE_COLUMNS.length)})
       ON CONFLICT DO NOTHING`,
    );
    this.#insertPlain = new Statement(
      database,
      `INSERT INTO stages (run, stage, ${PLAIN_COLUMNS.join(", ")})
       VALUES (?, ?${", ?".repeat(PLAIN_COLUMNS.length)}) ON CONFLICT DO NOTHING`,
    );
    this.#stateOf = new Statement(database, `SELECT state FROM stages WHERE run = ? AND stage = ?`);
    this.#update = new Statement(
      database,
      `UPDATE stages SET ${STAGE_COLUMNS.map((column) => `${column} = ?`).join(", ")}
       WHERE run = ? AND stage = ?`,
    );
    this.#open = new Statement(
      database,
      `UPDATE stages SET state = 'pending', via = NULL, attempts = 0, reason = NULL, failure = NULL,
         metrics = NULL, waits = NULL, due_at_ms = NULL, blocker = NULL, started_at_ms = NULL,
         ended_at_ms = NULL, duration_ms = NULL, cpu_ms = NULL, peak_bytes = NULL
       WHERE run = ? AND stage = ?`,
    );
    this.#keep = new Statement(
      database,
      `UPDATE stages SET state = 'pending' WHERE run = ? AND stage = ?`,
    );
    this.#drop = new Statement(database, `DELETE FROM stages WHERE run = ? AND stage = ?`);
    this.#takeOver = new Statement(
      database,
      `INSERT INTO stages (run, stage, ${COLUMNS})
       SELECT ?, stage, ${STAGE_COLUMNS.map(taken).join(", ")}
       FROM stages WHERE run = ? AND stage = ? AND state IN ('succeeded', 'skipped')`,
    );
    this.#find = new Statement(database, `${ALL} AND stage = ?`);
    this.#list = new Statement(database, `${ALL} ORDER BY stage`);
    // Outputs and failures are left where they are: a page of runs may have gigabytes of them.
    this.#listEnds = new Statement(
      database,
      `SELECT stage, state, via, attempts, waits, duration_ms, item_count
       FROM stages WHERE run = ? ORDER BY stage`,
    );
  }

  /** Stores a first row; false if there is one. */
  insert(run: number, record: StageRecord): boolean {
    if (isPlain(record)) {
      const text = record.output?.kind === "inline" ? record.output.text : null;
      const inserted = this.#insertPlain.run(
        run,
        record.stage,
        record.state,
        record.via,
        record.attempts,
        text,
        record.outputVersion,
        record.inputVersion,
        record.stageVersion,
        record.startedAtMs,
        record.endedAtMs,
        record.durationMs,
      );
      return inserted === 1;
    }
    return this.#insert.run(run, record.stage, ...stageColumns(record)) === 1;
  }

  stateOf(run: number, stage: string): StageState | undefined {
    const row = this.#stateOf.get(run, stage);
    return row === undefined ? undefined : readWord(row, "state", STAGE_STATES);
  }

  update(run: number, record: StageRecord): void {
    this.#update.run(...stageColumns(record), run, record.stage);
  }

  /** Sets a row back to the time before its first attempt, but for output and versions. */
  open(run: number, stage: string): void {
    this.#open.run(run, stage);
  }

  /** Sets the state back, and nothing else. */
  keep(run: number, stage: string): void {
    this.#keep.run(run, stage);
  }

  drop(run: number, stage: string): void {
    this.#drop.run(run, stage);
  }

  /** Copies a success or skip of another run; false if it has none. */
  takeOver(run: number, from: number, stage: string): boolean {
    return this.#takeOver.run(run, from, stage) === 1;
  }

  find(run: number, stage: string): StageRecord | undefined {
    const row = this.#find.get(run, stage);
    return row === undefined ? undefined : toStageRecord(row);
  }

  /** In order of name. */
  list(run: number): readonly StageRecord[] {
    return this.#list.all(run).map(toStageRecord);
  }

  /** In order of name. */
  listEnds(run: number): readonly StageEnd[] {
    return this.#listEnds.all(run).map(toStageEnd);
  }
}

// What the row of most stages holds: to bind the other columns as NULL takes a fifth of an insert.
const PLAIN_COLUMNS = [
  "state",
  "via",
  "attempts",
  "output",
  "output_version",
  "input_version",
  "stage_version",
  "started_at_ms",
  "ended_at_ms",
  "duration_ms",
] as const;

/** True where nothing but PLAIN_COLUMNS would be written. */
function isPlain(record: StageRecord): boolean {
  return (
    record.state === "succeeded" &&
    record.output?.kind !== "blob" &&
    record.reason === null &&
    record.failure === null &&
    record.dueAtMs === null &&
    record.blocker === null &&
    record.cpuMs === null &&
    record.peakBytes === null &&
    record.itemCount === null &&
    isEmpty(record.metrics) &&
    record.trail === undefined &&
    isEmpty(record.waitedMs)
  );
}

function isEmpty(entries: object): boolean {
  for (const _key in entries) return false;
  return true;
}

function taken(column: string): string {
  return column === "via" ? "iif(state = 'succeeded', 'checkpoint', via)" : column;
}
