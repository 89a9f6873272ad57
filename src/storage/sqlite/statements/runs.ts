// Runs: their records, and the head of a run, which is the little that every write needs to know of it.

import type { DatabaseSync } from "node:sqlite";
import { assert } from "../../../std/error/assert.ts";
import type { Lease } from "../../../model/lease.ts";
import { isRunOver, RUN_STATES, type RunRecord, type RunState } from "../../../model/run.ts";
import { jsonColumn, readNumber, readNumberOrNull, readText, readWord } from "../../codec.ts";
import {
  RECORD_COLUMNS,
  RUN_BIRTH_COLUMNS,
  RUN_LIFE_COLUMNS,
  runBirthColumns,
  runLifeColumns,
  toRunRecord,
} from "../../run-codec.ts";
import { toWakeOfCancelled } from "../../run-rules.ts";
import type { RunQuery } from "../../store.ts";
import type { MoveRunWrite } from "../../write.ts";
import { EndedRuns, numberOf, VERSION_COLUMNS } from "../ended-runs.ts";
import { findSince, type TimedRows } from "../find-since.ts";
import { compileRunConditions } from "../run-query.ts";
import { Statement, type SqlValue } from "../statement.ts";

/** What a write needs to know of its run, and what it changes most often. */
export interface RunHead {
  readonly id: string;
  readonly number: number;
  readonly pipeline: string;
  foreground: boolean;
  epoch: number;
  state: RunState;
  /** Number of its batch; null: none. */
  readonly batch: number | null;
  /** Claims lost in a row. */
  attempts: number;
  /** Number of the run's last event. */
  runSeq: number;
  /** Retries to be added to those of the row. */
  retriesAdded: number;
  /** True when the row lacks some of this. */
  changed: boolean;
  /** True unless it is known to hold no permit. */
  mayHold: boolean;
}

/** Of the last event of a run; its row is not written with every one. */
const lastEventOf = (column: string): string =>
  `(SELECT ${column} FROM events WHERE events.run = runs.number ORDER BY seq DESC LIMIT 1)`;

const HEAD = `
  SELECT number, pipeline, foreground, epoch, state, batch, attempts,
    max(run_seq, coalesce(${lastEventOf("run_seq")}, 0)) AS run_seq
  FROM runs WHERE id = ?`;

/** Inputs up to here stand in the row of their run, characters. */
const ROW_INPUT_CHARS_MAX = 256;

/** The input of a run, in a query over `runs`. */
export const INPUT =
  "coalesce(runs.input, (SELECT input FROM run_inputs WHERE run_inputs.run = runs.number))";

const RECORD = `
  SELECT ${RECORD_COLUMNS.map((column) => `runs.${column}`).join(", ")},
    max(updated_at_ms, coalesce(${lastEventOf("at_ms")}, 0)),
    (SELECT id FROM batches WHERE batches.number = runs.batch), definitions.hash, ${INPUT}
  FROM runs
  JOIN definitions ON definitions.id = runs.definition`;

const VERSION = `
  SELECT ${VERSION_COLUMNS.join(", ")}, max(updated_at_ms, coalesce(${lastEventOf("at_ms")}, 0))
  FROM runs`;

/** Runs of a page up to which what has ended is remembered: a longer one is part of a list that is read through. */
const KEPT_PAGE_MAX = 100;

const INSERT = `
  INSERT INTO runs
    (number, definition, run_seq, batch, input, ${[...RUN_BIRTH_COLUMNS, ...RUN_LIFE_COLUMNS].join(", ")})
  VALUES (${Array.from({ length: 5 + RUN_BIRTH_COLUMNS.length + RUN_LIFE_COLUMNS.length }, () => "?").join(", ")})
  ON CONFLICT DO NOTHING`;

// What a queue is filled with: a new run says little, and what it does not say is no parameter.
const INSERT_QUEUED = `
  INSERT INTO runs
    (number, definition, run_seq, batch, input, ${RUN_BIRTH_COLUMNS.join(", ")}, due_at_ms, settings, updated_at_ms,
     epoch, state, foreground, crashes, resumes, retries, warnings)
  VALUES (${Array.from({ length: 8 + RUN_BIRTH_COLUMNS.length }, () => "?").join(", ")},
    0, 'queued', 0, 0, 0, 0, 0)
  ON CONFLICT DO NOTHING`;

const REPLACE = `
  UPDATE runs SET definition = coalesce((SELECT id FROM definitions WHERE hash = ?), definition),
    ${RUN_LIFE_COLUMNS.map((column) => `${column} = ?`).join(", ")}
  WHERE number = ?`;

const TOUCH = `
  UPDATE runs SET run_seq = ?, retries = retries + ?, attempts = ?, updated_at_ms = ?
  WHERE number = ? AND epoch = ?`;

const NO_LEASE = `lease_worker = NULL, lease_host = NULL, lease_pid = NULL, lease_boot_id = NULL,
    lease_process_start = NULL, lease_expires_at_ms = NULL`;

const STAY = `UPDATE runs SET reason = ? WHERE number = ? AND state = 'running'`;

const LEAVE = `
  UPDATE runs SET state = ?, run_seq = ?, retries = retries + ?, attempts = ?, updated_at_ms = ?,
    reason = ?, wake_at_ms = CASE WHEN cancel_requested_at_ms IS NULL THEN ? ELSE ? END,
    ended_at_ms = ?, duration_ms = ?, warnings = ?, failure = ?, metrics = ?, ${NO_LEASE}
  WHERE number = ? AND state = 'running'`;

const RENEW = `
  UPDATE runs SET lease_expires_at_ms = ?
  WHERE id = ? AND epoch = ? AND state = 'running' AND lease_worker = ?`;

const PUT_BACK = `
  UPDATE runs SET lease_worker = ?, lease_host = ?, lease_pid = ?, lease_boot_id = ?,
    lease_process_start = ?, lease_expires_at_ms = ?
  WHERE number = ? AND state = 'running' AND coalesce(lease_worker, '') = ''`;

/** A page of runs, in one state or in any. */
interface PageRead {
  /** Conditions, order and limit. */
  readonly asked: string;
  readonly values: readonly SqlValue[];
}

/** What the row of a new run holds besides its record. */
export interface RunBirth {
  /** Number of its definition. */
  readonly definition: number;
  /** Number of its last event. */
  readonly runSeq: number;
  /** Number of its batch. */
  readonly batch: number | null;
}

/** The head of a run whose record is known; its batch and events stand beside it. */
export function headOf(run: RunRecord): Omit<RunHead, "batch" | "runSeq"> {
  const { id, number, pipeline, foreground, epoch, state, attempts } = run;
  return {
    id,
    number,
    pipeline,
    foreground,
    epoch,
    state,
    attempts,
    retriesAdded: 0,
    changed: false,
    mayHold: true,
  };
}

/** Statements over `runs` and `run_inputs`. */
export class RunRows {
  readonly #database: DatabaseSync;
  readonly #head: Statement;
  readonly #insert: Statement;
  readonly #insertQueued: Statement;
  readonly #insertInput: Statement;
  readonly #replace: Statement;
  readonly #touch: Statement;
  readonly #stay: Statement;
  readonly #leave: Statement;
  readonly #renew: Statement;
  readonly #putBack: Statement;
  readonly #numberOf: Statement;
  readonly #find: Statement;
  readonly #findByNumber: Statement;
  readonly #findByKey: Statement;
  readonly #anyRunning: Statement;
  readonly #queued: TimedRows;
  readonly #ofBatch: Statement;
  readonly #ofNumbers: Statement;
  readonly #lists = new Map<string, Statement>();
  readonly #ended = new EndedRuns();

  constructor(database: DatabaseSync) {
    this.#database = database;
    this.#head = new Statement(database, HEAD);
    this.#insert = new Statement(database, INSERT);
    this.#insertQueued = new Statement(database, INSERT_QUEUED);
    this.#insertInput = new Statement(database, `INSERT INTO run_inputs VALUES (?, ?)`);
    this.#replace = new Statement(database, REPLACE);
    this.#touch = new Statement(database, TOUCH);
    this.#stay = new Statement(database, STAY);
    this.#leave = new Statement(database, LEAVE);
    this.#renew = new Statement(database, RENEW);
    this.#putBack = new Statement(database, PUT_BACK);
    this.#numberOf = new Statement(database, `SELECT number FROM runs WHERE id = ?`);
    this.#find = new Statement(database, `${RECORD} WHERE runs.id = ?`);
    this.#findByNumber = new Statement(database, `${RECORD} WHERE runs.number = ?`);
    this.#findByKey = new Statement(
      database,
      `${RECORD} WHERE runs.pipeline = ? AND runs.key = ? AND runs.key IS NOT NULL`,
    );
    this.#anyRunning = new Statement(
      database,
      `SELECT number FROM runs WHERE state = 'running' LIMIT 1`,
    );
    this.#queued = {
      newest: new Statement(database, `SELECT coalesce(max(number), 0) AS number FROM runs`),
      from: new Statement(
        database,
        `SELECT number, queued_at_ms AS at_ms FROM runs WHERE number >= ? ORDER BY number LIMIT 1`,
      ),
    };
    this.#ofNumbers = new Statement(
      database,
      `${RECORD} WHERE runs.number IN (SELECT value FROM json_each(?))`,
    );
    this.#ofBatch = new Statement(
      database,
      `${RECORD} WHERE runs.batch = ? AND runs.number > ? ORDER BY runs.number LIMIT ?`,
    );
  }

  head(id: string): RunHead | undefined {
    const row = this.#head.get(id);
    if (row === undefined) return undefined;
    return {
      id,
      number: readNumber(row, "number"),
      pipeline: readText(row, "pipeline"),
      foreground: readNumber(row, "foreground") === 1,
      epoch: readNumber(row, "epoch"),
      state: readWord(row, "state", RUN_STATES),
      batch: readNumberOrNull(row, "batch"),
      attempts: readNumber(row, "attempts"),
      runSeq: readNumber(row, "run_seq"),
      retriesAdded: 0,
      changed: false,
      mayHold: true,
    };
  }

  /** Stores a new run; false if its id or key is taken. */
  insert(run: RunRecord, of: RunBirth): boolean {
    const isShort = run.input.length <= ROW_INPUT_CHARS_MAX;
    const input = isShort ? run.input : null;
    const head = [run.number, of.definition, of.runSeq, of.batch, input, ...runBirthColumns(run)];
    // Only a claim of its birth keeps a new run out of its queue, or a time that it waits for.
    const inserted =
      run.state === "queued" && !run.foreground
        ? this.#insertQueued.run(...head, run.dueAtMs, jsonColumn(run.settings), run.updatedAtMs)
        : this.#insert.run(...head, ...runLifeColumns(run));
    if (inserted === 1 && !isShort) this.#insertInput.run(run.number, run.input);
    return inserted === 1;
  }

  /** Stores all that may change of a record; its definition, if another one, is stored already. */
  replace(run: RunRecord): void {
    assertOne(this.#replace.run(run.definitionHash, ...runLifeColumns(run), run.number));
  }

  /** Stores what a head has gathered. */
  touch(head: RunHead, nowMs: number): void {
    const { runSeq, retriesAdded, attempts, number, epoch } = head;
    assertOne(this.#touch.run(runSeq, retriesAdded, attempts, nowMs, number, epoch));
    head.retriesAdded = 0;
    head.changed = false;
  }

  /** Changes what is said of a running run. */
  stay(number: number, reason: string | null): void {
    assertOne(this.#stay.run(reason, number));
  }

  /** Moves a running run by the hand of its owner, with all that its head has gathered. */
  leave(head: RunHead, write: MoveRunWrite, nowMs: number): void {
    const { to, reason, wakeAtMs, end } = write;
    const changed = this.#leave.run(
      to,
      head.runSeq,
      head.retriesAdded,
      head.attempts,
      nowMs,
      reason,
      wakeAtMs ?? null,
      toWakeOfCancelled(wakeAtMs, nowMs),
      isRunOver(to) ? nowMs : null,
      end?.durationMs ?? null,
      end?.warnings ?? 0,
      jsonColumn(end?.failure),
      jsonColumn(end?.metrics),
      head.number,
    );
    assertOne(changed);
  }

  /** Renews one lease; false if it is lost. */
  renew(
    worker: string,
    run: { readonly id: string; readonly epoch: number },
    untilMs: number,
  ): boolean {
    return this.#renew.run(untilMs, run.id, run.epoch, worker) === 1;
  }

  /** Puts a lease back where there is none; false: there is one. */
  putBack(number: number, { owner, expiresAtMs }: Lease): boolean {
    const { worker, host, pid, bootId, processStart } = owner;
    return this.#putBack.run(worker, host, pid, bootId, processStart, expiresAtMs, number) === 1;
  }

  /** Runs of a batch in the order of their numbers. */
  listBatch(batch: number, after: number, limit: number): readonly RunRecord[] {
    return this.#ofBatch.lists(batch, after, limit).map(toRunRecord);
  }

  numberOf(id: string): number | undefined {
    const row = this.#numberOf.get(id);
    return row === undefined ? undefined : readNumber(row, "number");
  }

  find(id: string): RunRecord | undefined {
    return toRecord(this.#find.lists(id));
  }

  findByNumber(number: number): RunRecord | undefined {
    return toRecord(this.#findByNumber.lists(number));
  }

  findByKey(pipeline: string, key: string): RunRecord | undefined {
    return toRecord(this.#findByKey.lists(pipeline, key));
  }

  /** True while a run is owned by someone. */
  isAnyRunning(): boolean {
    return this.#anyRunning.get() !== undefined;
  }

  /** Newest first. Each state is asked for apart, so that an index in order serves it, and the pages are merged. */
  list(query: RunQuery): readonly RunRecord[] {
    const { limit, states = [undefined] } = query;
    const isUpwards = query.afterNumber !== undefined;
    const bounded = this.#withFloor(query);
    const found = [...new Set(states)].flatMap((state) => {
      const { where, values } = compileRunConditions(bounded, state);
      const asked = `${where} ORDER BY runs.number ${isUpwards ? "ASC" : "DESC"} LIMIT ?`;
      const isKept = limit <= KEPT_PAGE_MAX && (state === undefined || isRunOver(state));
      const bound = [...values, limit];
      if (isKept) return this.#readKept({ asked, values: bound }, state);
      return this.#statement(RECORD, asked)
        .lists(...bound)
        .map(toRunRecord);
    });
    const records = found.toSorted((left, right) => right.number - left.number);
    return isUpwards ? records.slice(-limit) : records.slice(0, limit);
  }

  /** What has ended and is still as it was read is not read again. */
  #readKept({ asked, values }: PageRead, state: RunState | undefined): readonly RunRecord[] {
    const versions = this.#statement(VERSION, asked).lists(...values);
    const known: RunRecord[] = [];
    const missing: number[] = [];
    for (const version of versions) {
      const record = this.#ended.find(version);
      if (record === undefined) missing.push(numberOf(version));
      else known.push(record);
    }
    if (missing.length === 0) return known;
    const read = this.#ofNumbers.lists(JSON.stringify(missing)).map((row) => {
      const record = toRunRecord(row);
      this.#ended.keep(record, row);
      return record;
    });
    // Another process may have taken one up since the page was found.
    return [...known, ...read.filter((record) => state === undefined || record.state === state)];
  }

  /** A time as a number: runs are queued in the order of both, so that the primary key finds it. */
  #withFloor({ sinceMs, ...query }: RunQuery): Omit<RunQuery, "sinceMs"> {
    if (sinceMs === undefined) return query;
    const before = findSince(this.#queued, sinceMs) - 1;
    return { ...query, afterNumber: Math.max(before, query.afterNumber ?? 0) };
  }

  #statement(head: string, asked: string): Statement {
    const sql = `${head} WHERE ${asked}`;
    let statement = this.#lists.get(sql);
    if (statement === undefined)
      this.#lists.set(sql, (statement = new Statement(this.#database, sql)));
    return statement;
  }
}

function toRecord([row]: readonly (readonly unknown[])[]): RunRecord | undefined {
  return row === undefined ? undefined : toRunRecord(row);
}

/** Exactly one row of a run was changed. */
export function assertOne(changes: number): void {
  assert(changes === 1, `A run that is changed has ${changes} rows.`);
}
