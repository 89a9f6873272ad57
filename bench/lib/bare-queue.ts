// The rows of a queue of three-stage runs, written by the bare library into tables of ours: prepared statements,
// one transaction per batch, nothing decided, nothing checked. The limit that the house is measured against.

import { DatabaseSync } from "node:sqlite";

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
  const rows = prepareRows(database);
  const transact = (work: () => void): void => {
    database.exec("BEGIN IMMEDIATE");
    work();
    database.exec("COMMIT");
  };
  return {
    enqueue(runs, perCommit) {
      for (let from = 1; from <= runs; from += perCommit) {
        transact(() => {
          for (let number = from; number < from + perCommit; number += 1) rows.create(number);
        });
      }
    },
    work(runs, atOnce) {
      for (let done = 0; done < runs; done += atOnce) {
        let claimed: readonly number[] = [];
        transact(() => (claimed = rows.claim(atOnce)));
        for (let stage = 0; stage < STAGES.length; stage += 1) {
          transact(() => claimed.forEach((number) => rows.putStage(number, stage)));
        }
        transact(() => claimed.forEach((number) => rows.end(number)));
      }
    },
    close: () => database.close(),
  };
}

interface Rows {
  create(number: number): void;
  claim(limit: number): readonly number[];
  putStage(number: number, stage: number): void;
  end(number: number): void;
}

const AT_MS = 1_700_000_000_000;
const INPUT = '{"$:undefined":true}';
const OF_NEEDS = "0123456789abcdef\n=1";

function prepareRows(database: DatabaseSync): Rows {
  const insertRun = database.prepare(
    `INSERT INTO runs (number, id, pipeline, epoch, state, foreground, run_seq, updated_at_ms, definition, key,
       input_version, crashes, resumes, retries, source, queued_at_ms, warnings, due_at_ms, input)
     VALUES (?, ?, 'three', 0, 'queued', 0, 1, ?, 1, ?, ?, 0, 0, 0, 'bench', ?, 0, ?, ?)`,
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
     VALUES (?, ?, 'succeeded', 'run', 1, '1', '1', ?, '0123456789abcdef', ?, ?, 0.1)`,
  );
  const end = database.prepare(
    `UPDATE runs SET state = 'succeeded', ended_at_ms = ?, duration_ms = 1, run_seq = 6, updated_at_ms = ?,
       lease_worker = NULL, lease_host = NULL, lease_pid = NULL, lease_boot_id = NULL,
       lease_process_start = NULL, lease_expires_at_ms = NULL
     WHERE number = ? AND state = 'running'`,
  );
  const tell = prepareEvents(database);
  return {
    create(number) {
      const id = `01900000-0000-7000-8000-${String(number).padStart(12, "0")}`;
      const dueMs = AT_MS + number;
      insertRun.run(number, id, AT_MS, `run-${number}`, INPUT, AT_MS, dueMs, INPUT);
      tell({ run: number, runSeq: 1, type: "run.created" });
    },
    claim(limit) {
      const numbers = next.all(limit).map((row) => Number(row["number"]));
      for (const number of numbers) {
        claim.run(...OWNER, AT_MS, AT_MS, AT_MS, number);
        tell({ run: number, runSeq: 2, type: "run.started" });
      }
      return numbers;
    },
    putStage(number, index) {
      const stage = STAGES[index] ?? null;
      insertStage.run(number, stage, OF_NEEDS, AT_MS, AT_MS);
      tell({ run: number, runSeq: 3 + index, type: "stage.succeeded", stage });
    },
    end(number) {
      end.run(AT_MS, AT_MS, number);
      tell({ run: number, runSeq: 6, type: "run.succeeded" });
    },
  };
}

interface Told {
  readonly run: number;
  readonly runSeq: number;
  readonly type: string;
  readonly stage?: string | null;
}

function prepareEvents(database: DatabaseSync): (told: Told) => void {
  const insert = database.prepare(
    "INSERT INTO events (seq, run, run_seq, type, stage, at_ms, data) VALUES (?, ?, ?, ?, ?, ?, ?)",
  );
  const data = '{"via":"run","attempts":1,"durationMs":0.1}';
  let seq = 0;
  return ({ run, runSeq, type, stage = null }) => {
    seq += 1;
    insert.run(seq, run, runSeq, type, stage, AT_MS, data);
  };
}
