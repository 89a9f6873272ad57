// The queue: which runs are claimed next, which wake, and how many are claimed before one.

import type { DatabaseSync } from "node:sqlite";
import { assert } from "../../../std/error/assert.ts";
import { PRIORITY_STEP_MS } from "../../../model/limits.ts";
import type { RunRecord } from "../../../model/run.ts";
import { asNumber, readNumber, readNumberOrNull, readText } from "../../codec.ts";
import { QUEUED_COLUMNS, toQueuedRun } from "../../run-codec.ts";
import { claimOrder } from "../../run-rules.ts";
import type { QueuedQuery, QueuePlace } from "../../store.ts";
import { Statement } from "../statement.ts";
import { assertOne, headOf, INPUT, type RunHead, type RunRows } from "./runs.ts";

// The expression of the index of claims, letter by letter. Two parts, since an index over an expression serves no
// comparison of pairs; the limit ends both, so that a long queue costs no more than it counts.
const ORDER = `due_at_ms - ${PRIORITY_STEP_MS} * priority`;
const AHEAD = `
  SELECT count(*) AS ahead FROM (
    SELECT 1 FROM runs WHERE pipeline = ? AND state = 'queued' AND ${ORDER} < ?
    UNION ALL
    SELECT 1 FROM runs WHERE pipeline = ? AND state = 'queued' AND ${ORDER} = ? AND number < ?
    LIMIT ?)`;

// The expression of the index of claims, letter by letter.
const CLAIM_ORDER = `runs.due_at_ms - ${PRIORITY_STEP_MS} * runs.priority`;
const selectQueued = (condition: string, order: string): string => `
  SELECT ${QUEUED_COLUMNS.map((column) => `runs.${column}`).join(", ")}, definitions.hash, ${INPUT},
    (SELECT id FROM batches WHERE batches.number = runs.batch), runs.epoch, runs.run_seq, runs.batch
  FROM runs INDEXED BY runs_claim
  JOIN definitions ON definitions.id = runs.definition
  WHERE runs.pipeline = ? AND runs.state = 'queued'${condition}
  ORDER BY ${order} LIMIT ?`;
const NEXT = selectQueued("", `${CLAIM_ORDER}, runs.number`);
// A page goes on in two parts, as what is ahead is counted. The index is named, since for those of one time SQLite
// would rather go through all open runs in the order of numbers.
const NEXT_BESIDE = selectQueued(` AND ${CLAIM_ORDER} = ? AND runs.number > ?`, "runs.number");
const NEXT_BEHIND = selectQueued(` AND ${CLAIM_ORDER} > ?`, `${CLAIM_ORDER}, runs.number`);

const CLAIM = `
  UPDATE runs SET state = 'running', reason = NULL, epoch = ?, run_seq = ?,
    lease_worker = ?, lease_host = ?, lease_pid = ?, lease_boot_id = ?, lease_process_start = ?,
    lease_expires_at_ms = ?, started_at_ms = ?, updated_at_ms = ?
  WHERE number = ? AND state = 'queued'`;

// Apart from the claim, since SQLite would look the definition up for each, changed or not.
const REDEFINE = `UPDATE runs SET definition = ? WHERE number = ?`;

/** A run of a queue, and its head. */
export interface QueuedRun {
  readonly run: RunRecord;
  readonly head: RunHead;
}

/** Statements over the queued rows of `runs`. */
export class QueueRows {
  readonly #runs: RunRows;
  readonly #ahead: Statement;
  readonly #next: Statement;
  readonly #beside: Statement;
  readonly #behind: Statement;
  readonly #claim: Statement;
  readonly #redefine: Statement;
  readonly #due: Statement;
  readonly #nextWake: Statement;

  constructor(database: DatabaseSync, runs: RunRows) {
    this.#runs = runs;
    this.#ahead = new Statement(database, AHEAD);
    this.#next = new Statement(database, NEXT);
    this.#beside = new Statement(database, NEXT_BESIDE);
    this.#behind = new Statement(database, NEXT_BEHIND);
    this.#claim = new Statement(database, CLAIM);
    this.#redefine = new Statement(database, REDEFINE);
    this.#due = new Statement(
      database,
      `SELECT id FROM runs WHERE wake_at_ms <= ? ORDER BY wake_at_ms, number LIMIT ?`,
    );
    this.#nextWake = new Statement(
      database,
      `SELECT min(wake_at_ms) AS at_ms FROM runs WHERE wake_at_ms IS NOT NULL`,
    );
  }

  /** Queued runs of its pipeline that are claimed before this one, counted up to `limit`. */
  countAhead(run: QueuePlace, limit: number): number {
    const { pipeline, number } = run;
    const order = claimOrder(run);
    const row = this.#ahead.get(pipeline, order, pipeline, order, number, limit);
    return row === undefined ? 0 : readNumber(row, "ahead");
  }

  /** Queued runs of a pipeline in the order of claims, each with what its head says. */
  listNext(pipeline: string, limit: number): readonly QueuedRun[] {
    return this.#next.lists(pipeline, limit).map((row) => {
      const [, runSeq, batch] = row.slice(QUEUED_COLUMNS.length + 3);
      const run = this.#toRun(row);
      return {
        run,
        head: {
          ...headOf(run),
          batch: batch === null ? null : asNumber(batch, "batch"),
          runSeq: asNumber(runSeq, "run_seq"),
        },
      };
    });
  }

  /** A page of the queue of a pipeline in the order of claims. */
  list({ pipeline, after, limit }: QueuedQuery): readonly RunRecord[] {
    const toRun = (row: readonly unknown[]): RunRecord => this.#toRun(row);
    if (after === undefined) return this.#next.lists(pipeline, limit).map(toRun);
    const { order, number } = after;
    const beside = this.#beside.lists(pipeline, order, number, limit);
    const rest = limit - beside.length;
    const behind = rest === 0 ? [] : this.#behind.lists(pipeline, order, rest);
    return [...beside, ...behind].map(toRun);
  }

  #toRun(row: readonly unknown[]): RunRecord {
    const epoch = row[QUEUED_COLUMNS.length + 3];
    // One that was claimed before has more to say.
    const run =
      epoch === 0 ? toQueuedRun(row) : this.#runs.findByNumber(asNumber(row[0], "number"));
    assert(run !== undefined, "A queued run has gone within a transaction.");
    return run;
  }

  /** Points a run at another definition. */
  redefine(number: number, definition: number): void {
    assertOne(this.#redefine.run(definition, number));
  }

  /** Stores the claim of a queued run, with its last event. */
  claim(run: RunRecord, runSeq: number): void {
    const { owner } = run.lease ?? {};
    assert(owner !== undefined, "A claimed run has an owner.");
    assertOne(
      this.#claim.run(
        run.epoch,
        runSeq,
        owner.worker,
        owner.host,
        owner.pid,
        owner.bootId,
        owner.processStart,
        run.lease?.expiresAtMs ?? null,
        run.startedAtMs,
        run.updatedAtMs,
        run.number,
      ),
    );
  }

  /** Ids of waiting runs whose time has come, the longest due first. */
  listDue(nowMs: number, limit: number): readonly string[] {
    return this.#due.all(nowMs, limit).map((row) => readText(row, "id"));
  }

  /** When the next waiting run is due; null: none waits for a time. */
  nextWakeMs(): number | null {
    return readNumberOrNull(this.#nextWake.get() ?? {}, "at_ms");
  }
}
