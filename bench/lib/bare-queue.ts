// The rows of a queue of three-stage runs, written by the bare library into tables of ours: prepared statements,
// one transaction per batch, nothing decided, nothing checked. The limit that the house is measured against.

import { DatabaseSync, type SQLInputValue, type StatementSync } from "node:sqlite";

const STAGES = ["first", "second", "third"] as const;
const OWNER = ["01900000-0000-7000-8000-000000000000", "host", 4711, "boot", "17@1"] as const;

/** Writes what a queue writes. */
export interface BareQueue {
  enqueue(runs: number, perCommit: number): void;
  work(runs: number, atOnce: number): void;
  close(): void;
}

/** Opens a file that has our schema. */
export function openBareQueue(path: string): BareQueue {
  const database = new DatabaseSync(path);
  database.exec("PRAGMA synchronous = FULL");
  database.exec("INSERT INTO definitions (hash, json) VALUES ('hash', '{}')");
  const run = (statement: StatementSync, ...values: readonly SQLInputValue[]): void => {
    statement.run(...values);
  };
  const insertRun = database.prepare(
    `INSERT INTO runs (number, id, pipeline, epoch, state, foreground, run_seq, updated_at_ms, definition, key,
       input_version, crashes, resumes, retries, source, queued_at_ms, warnings, due_at_ms)
     VALUES (?, ?, 'three', 0, 'queued', 0, 1, ?, 1, ?, ?, 0, 0, 0, 'bench', ?, 0, ?)`,
  );
  const insertInput = database.prepare("INSERT INTO run_inputs VALUES (?, ?)");
  const insertEvent = database.prepare(
    "INSERT INTO events (seq, run, run_seq, type, stage, at_ms, data) VALUES (?, ?, ?, ?, ?, ?, ?)",
  );
  const claim = database.prepare(
    `UPDATE runs SET state = 'running', epoch = 1, run_seq = 2, lease_worker = ?, lease_host = ?, lease_pid = ?,
       lease_boot_id = ?, lease_process_start = ?, lease_expires_at_ms = ?, started_at_ms = ?, updated_at_ms = ?
     WHERE number = ? AND state = 'queued'`,
  );
  const next = database.prepare(
    `SELECT number FROM runs WHERE pipeline = 'three' AND state = 'queued'
     ORDER BY due_at_ms - 60000 * priority, number LIMIT ?`,
  );
  const insertStage = database.prepare(
    `INSERT INTO stages (run, stage, state, via, attempts, output, output_version, input_version, stage_version,
       started_at_ms, ended_at_ms, duration_ms)
     VALUES (?, ?, 'succeeded', 'run', 1, '1', ?, ?, '1', ?, ?, 0.1)`,
  );
  const end = database.prepare(
    `UPDATE runs SET state = 'succeeded', ended_at_ms = ?, duration_ms = 1, run_seq = 6, updated_at_ms = ?,
       lease_worker = NULL, lease_host = NULL, lease_pid = NULL, lease_boot_id = NULL,
       lease_process_start = NULL, lease_expires_at_ms = NULL
     WHERE number = ? AND state = 'running'`,
  );
  const atMs = 1_700_000_000_000;
  const version = "0123456789abcdef0123456789abcdef";
  let seq = 0;
  const tell = (number: number, runSeq: number, of: { type: string; stage?: string }): void => {
    seq += 1;
    const data = '{"via":"run","attempts":1,"durationMs":0.1}';
    run(insertEvent, seq, number, runSeq, of.type, of.stage ?? null, atMs, data);
  };
  const transact = (work: () => void): void => {
    database.exec("BEGIN IMMEDIATE");
    work();
    database.exec("COMMIT");
  };
  return {
    enqueue(runs, perCommit) {
      for (let from = 1; from <= runs; from += perCommit) {
        transact(() => {
          for (let number = from; number < from + perCommit; number += 1) {
            const id = `01900000-0000-7000-8000-${String(number).padStart(12, "0")}`;
            run(insertRun, number, id, atMs, `run-${number}`, version, atMs, atMs + number);
            run(insertInput, number, '"undefined"');
            tell(number, 1, { type: "run.created" });
          }
        });
      }
    },
    work(runs, atOnce) {
      for (let done = 0; done < runs; done += atOnce) {
        let claimed: number[] = [];
        transact(() => {
          claimed = next.all(atOnce).map((row) => Number(row["number"]));
          for (const number of claimed) {
            run(claim, ...OWNER, atMs, atMs, atMs, number);
            tell(number, 2, { type: "run.started" });
          }
        });
        for (const [index, stage] of STAGES.entries()) {
          transact(() => {
            for (const number of claimed) {
              run(insertStage, number, stage, version, version, atMs, atMs);
              tell(number, 3 + index, { type: "stage.succeeded", stage });
            }
          });
        }
        transact(() => {
          for (const number of claimed) {
            run(end, atMs, atMs, number);
            tell(number, 6, { type: "run.succeeded" });
          }
        });
      }
    },
    close: () => database.close(),
  };
}
