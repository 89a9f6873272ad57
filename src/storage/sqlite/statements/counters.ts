// Maintained counts of runs and items: changed in the transaction of what they count, never recounted to be
// read. The tables refuse a count below zero.

import type { DatabaseSync } from "node:sqlite";
import { assert } from "../../../std/error/assert.ts";
import type { StateCounts } from "../../../model/checkpoint.ts";
import { STAGE_STATES, type StageState } from "../../../model/outcome.ts";
import { RUN_STATES, type RunState } from "../../../model/run.ts";
import { readNumber, readNumberOrNull, readText, readWord } from "../../codec.ts";
import { Statement } from "../statement.ts";

/** Counts of the runs of one pipeline; states with 0 are left out. */
export type RunCounts = Readonly<Partial<Record<RunState, number>>>;

/** A change of the count of a stage's items in one state. */
export interface ItemCountChange {
  readonly run: number;
  readonly stage: string;
  readonly state: StageState;
  readonly change: number;
}

/** Statements over `item_counters` and `run_counters`. */
export class CounterRows {
  readonly #raiseItems: Statement;
  readonly #lowerItems: Statement;
  readonly #raiseRuns: Statement;
  readonly #lowerRuns: Statement;
  readonly #itemsOf: Statement;
  readonly #runs: Statement;
  readonly #running: Statement;
  readonly #queued: Statement;

  constructor(database: DatabaseSync) {
    this.#raiseItems = new Statement(
      database,
      `INSERT INTO item_counters VALUES (?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET count = count + excluded.count`,
    );
    this.#lowerItems = new Statement(
      database,
      `UPDATE item_counters SET count = count + ? WHERE run = ? AND stage = ? AND state = ?`,
    );
    this.#raiseRuns = new Statement(
      database,
      `INSERT INTO run_counters VALUES (?, ?, ?)
       ON CONFLICT DO UPDATE SET count = count + excluded.count`,
    );
    this.#lowerRuns = new Statement(
      database,
      `UPDATE run_counters SET count = count + ? WHERE pipeline = ? AND state = ?`,
    );
    this.#itemsOf = new Statement(
      database,
      `SELECT stage, state, count FROM item_counters WHERE run = ? AND count > 0 ORDER BY stage`,
    );
    this.#running = new Statement(
      database,
      `SELECT count FROM run_counters WHERE pipeline = ? AND state = 'running'`,
    );
    this.#queued = new Statement(
      database,
      `SELECT sum(count) AS count FROM run_counters WHERE pipeline = ? AND state IN ('queued', 'waiting')`,
    );
    this.#runs = new Statement(
      database,
      `SELECT pipeline, state, count FROM run_counters WHERE count > 0 ORDER BY pipeline`,
    );
  }

  /** Changes the count of a stage's items in one state. */
  addItems({ run, stage, state, change }: ItemCountChange): void {
    if (change > 0) this.#raiseItems.run(run, stage, state, change);
    else if (change < 0) assertOne(this.#lowerItems.run(change, run, stage, state));
  }

  /** Changes the count of a pipeline's runs in one state. */
  addRuns(pipeline: string, state: RunState, change: number): void {
    if (change > 0) this.#raiseRuns.run(pipeline, state, change);
    else if (change < 0) assertOne(this.#lowerRuns.run(change, pipeline, state));
  }

  /** Runs of a pipeline that are running. */
  countRunning(pipeline: string): number {
    return readNumberOrNull(this.#running.get(pipeline) ?? { count: null }, "count") ?? 0;
  }

  /** Runs of a pipeline that are queued or waiting. */
  countQueued(pipeline: string): number {
    return readNumberOrNull(this.#queued.get(pipeline) ?? { count: null }, "count") ?? 0;
  }

  /** Counts of a run's items by stage. */
  itemsOf(run: number): ReadonlyMap<string, StateCounts> {
    const counts = new Map<string, Partial<Record<StageState, number>>>();
    for (const row of this.#itemsOf.all(run)) {
      const stage = readText(row, "stage");
      const states = counts.get(stage) ?? {};
      states[readWord(row, "state", STAGE_STATES)] = readNumber(row, "count");
      counts.set(stage, states);
    }
    return counts;
  }

  /** Counts of runs by pipeline. */
  runs(): ReadonlyMap<string, RunCounts> {
    const counts = new Map<string, Partial<Record<RunState, number>>>();
    for (const row of this.#runs.all()) {
      const pipeline = readText(row, "pipeline");
      const states = counts.get(pipeline) ?? {};
      states[readWord(row, "state", RUN_STATES)] = readNumber(row, "count");
      counts.set(pipeline, states);
    }
    return counts;
  }
}

// Nothing is ever taken from a count that was never raised.
function assertOne(changes: number): void {
  assert(changes === 1, `A count to be lowered has ${changes} rows.`);
}
