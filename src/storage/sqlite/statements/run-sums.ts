// What lines about runs need and no more: waits and lengths of stages, counts of items, times of ends. A page of runs
// takes two statements, whatever its length.

import type { DatabaseSync } from "node:sqlite";
import type { RunSums, StateCounts } from "../../../model/checkpoint.ts";
import { STAGE_STATES } from "../../../model/outcome.ts";
import { toStageSums } from "../../checkpoint-codec.ts";
import { readNumber, readNumberOrNull, readText, readWord } from "../../codec.ts";
import type { RunEnd, RunEndQuery } from "../../store.ts";
import { compileRunConditions } from "../run-query.ts";
import { Statement } from "../statement.ts";

/** What is gathered of one run. */
interface Gathered extends RunSums {
  readonly stages: RunSums["stages"][number][];
  readonly itemCounts: Map<string, StateCounts>;
}

/** Statements over `stages`, `item_counters` and `runs`. */
export class RunSumRows {
  readonly #database: DatabaseSync;
  readonly #stages: Statement;
  readonly #counts: Statement;
  readonly #ends = new Map<string, Statement>();

  constructor(database: DatabaseSync) {
    this.#database = database;
    // Most stages neither waited nor have items: of these no row leaves SQLite.
    this.#stages = new Statement(
      database,
      `SELECT run, stage, waits, item_count FROM stages
       WHERE run IN (SELECT value FROM json_each(?))
         AND (waits IS NOT NULL OR item_count IS NOT NULL)
       ORDER BY run, stage`,
    );
    this.#counts = new Statement(
      database,
      `SELECT run, stage, state, count FROM item_counters
       WHERE run IN (SELECT value FROM json_each(?)) AND count > 0
       ORDER BY run, stage`,
    );
  }

  /** Those of these runs of which there is something to say. */
  list(numbers: readonly number[]): ReadonlyMap<number, RunSums> {
    const found = new Map<number, Gathered>();
    const text = JSON.stringify(numbers);
    for (const row of this.#stages.all(text)) {
      gather(found, readNumber(row, "run")).stages.push(toStageSums(row));
    }
    for (const row of this.#counts.all(text)) {
      const { itemCounts } = gather(found, readNumber(row, "run"));
      const stage = readText(row, "stage");
      const state = readWord(row, "state", STAGE_STATES);
      itemCounts.set(stage, { ...itemCounts.get(stage), [state]: readNumber(row, "count") });
    }
    return found;
  }

  /** When runs began and ended, those with the highest numbers first. */
  listEnds({ state, ...query }: RunEndQuery): readonly RunEnd[] {
    const { where, values } = compileRunConditions(query, state);
    const sql = `SELECT number, started_at_ms, ended_at_ms FROM runs
      WHERE ${where} AND ended_at_ms IS NOT NULL ORDER BY runs.number DESC LIMIT ?`;
    const statement = this.#ends.get(sql) ?? new Statement(this.#database, sql);
    this.#ends.set(sql, statement);
    return statement.all(...values, query.limit).map((row) => ({
      number: readNumber(row, "number"),
      startedAtMs: readNumberOrNull(row, "started_at_ms"),
      endedAtMs: readNumber(row, "ended_at_ms"),
    }));
  }
}

function gather(found: Map<number, Gathered>, run: number): Gathered {
  const known = found.get(run);
  if (known !== undefined) return known;
  const made: Gathered = { stages: [], itemCounts: new Map() };
  found.set(run, made);
  return made;
}
