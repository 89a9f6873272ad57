// Workers: one row per process, with what it was running at its last beat.

import type { DatabaseSync } from "node:sqlite";
import type { Owner } from "../../../model/lease.ts";
import type { WorkerFacts } from "../../../model/worker.ts";
import { jsonColumn, listColumn, readJson, readNumber, readText, type Row } from "../../codec.ts";
import type { WorkerRecord } from "../../store.ts";
import { Statement } from "../statement.ts";

/** Statements over `workers`. */
export class WorkerRows {
  readonly #put: Statement;
  readonly #trim: Statement;
  readonly #list: Statement;
  readonly #lastBeat: Statement;

  constructor(database: DatabaseSync) {
    this.#put = new Statement(
      database,
      `INSERT INTO workers (worker, host, pid, boot_id, process_start, beat_at_ms, running, facts)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET beat_at_ms = excluded.beat_at_ms, running = excluded.running,
         facts = excluded.facts`,
    );
    this.#trim = new Statement(database, `DELETE FROM workers WHERE beat_at_ms < ?`);
    this.#list = new Statement(
      database,
      `SELECT worker, host, pid, boot_id, process_start, beat_at_ms, running, facts FROM workers
       ORDER BY beat_at_ms DESC`,
    );
    this.#lastBeat = new Statement(
      database,
      `SELECT coalesce(max(beat_at_ms), 0) AS beat_at_ms FROM workers`,
    );
  }

  put({ owner, beatAtMs, running, facts }: WorkerRecord): void {
    const { worker, host, pid, bootId, processStart } = owner;
    const said = [listColumn(running), jsonColumn(facts)] as const;
    this.#put.run(worker, host, pid, bootId, processStart, beatAtMs, ...said);
  }

  /** Deletes workers whose last beat is older. */
  trim(beforeMs: number): void {
    this.#trim.run(beforeMs);
  }

  /** Latest beat first. */
  list(): readonly WorkerRecord[] {
    return this.#list.all().map(toWorker);
  }

  /** Time of the last beat of all; 0 without any. */
  lastBeatMs(): number {
    return readNumber(this.#lastBeat.get() ?? {}, "beat_at_ms");
  }
}

function toWorker(row: Row): WorkerRecord {
  const owner: Owner = {
    worker: readText(row, "worker"),
    host: readText(row, "host"),
    pid: readNumber(row, "pid"),
    bootId: readText(row, "boot_id"),
    processStart: readText(row, "process_start"),
  };
  return {
    owner,
    beatAtMs: readNumber(row, "beat_at_ms"),
    running: readJson(row, "running", []),
    facts: readJson<WorkerFacts | null>(row, "facts", null),
  };
}
