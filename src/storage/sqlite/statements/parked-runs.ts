// Runs that are parked until there is room in a key of a resource.

import type { DatabaseSync } from "node:sqlite";
import { readNumber, readText } from "../../codec.ts";
import type { ResourceAddress } from "../../permits/permit-write.ts";
import { Statement } from "../statement.ts";

/** A run that is parked, or was. */
export interface ParkedRow {
  readonly place: number;
  readonly run: number;
  /** Null: it waits no more, or has been at work since. */
  readonly runId: string | null;
}

/** Who is parked, and where. */
export interface NewParked {
  readonly run: number;
  readonly epoch: number;
  readonly place: number;
}

// An epoch rises with each claim: a run that waits under the same one has not moved since.
const NEXT = `
  SELECT place, run, runs.id AS id FROM parked_runs
    LEFT JOIN runs ON runs.number = run AND runs.epoch = parked_runs.epoch AND runs.state = 'waiting'
  WHERE resource = ? ORDER BY place, run LIMIT ?`;

/** Statements over `parked_runs`. */
export class ParkedRunRows {
  readonly #any: Statement;
  readonly #put: Statement;
  readonly #next: Statement;
  readonly #drop: Statement;
  readonly #keys: Statement;
  readonly #address: Statement;

  constructor(database: DatabaseSync) {
    const statement = (sql: string): Statement => new Statement(database, sql);
    this.#any = statement(`SELECT 1 FROM parked_runs LIMIT 1`);
    this.#put = statement(
      `INSERT INTO parked_runs (resource, place, run, epoch) VALUES (?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET epoch = excluded.epoch`,
    );
    this.#next = statement(NEXT);
    this.#drop = statement(`DELETE FROM parked_runs WHERE resource = ? AND place = ? AND run = ?`);
    this.#keys = statement(
      `SELECT key FROM resources WHERE name = ?
         AND EXISTS (SELECT 1 FROM parked_runs WHERE parked_runs.resource = resources.number)
       ORDER BY key LIMIT ?`,
    );
    this.#address = statement(`SELECT name, key FROM resources WHERE number = ?`);
  }

  /** False: nobody is parked for anything. */
  isAny(): boolean {
    return this.#any.get() !== undefined;
  }

  put(resource: number, { place, run, epoch }: NewParked): void {
    this.#put.run(resource, place, run, epoch);
  }

  /** Those who are next. */
  list(resource: number, limit: number): readonly ParkedRow[] {
    return this.#next.all(resource, limit).map((row) => ({
      place: readNumber(row, "place"),
      run: readNumber(row, "run"),
      runId: row["id"] === null ? null : readText(row, "id"),
    }));
  }

  drop(resource: number, { place, run }: Pick<ParkedRow, "place" | "run">): void {
    this.#drop.run(resource, place, run);
  }

  /** Keys of a resource for which somebody is parked. */
  keysOf(resource: string, limit: number): readonly string[] {
    return this.#keys.all(resource, limit).map((row) => readText(row, "key"));
  }

  /** Undefined: there is no such key any more. */
  address(resource: number): ResourceAddress | undefined {
    const row = this.#address.get(resource);
    if (row === undefined) return undefined;
    return { resource: readText(row, "name"), key: readText(row, "key") };
  }
}
