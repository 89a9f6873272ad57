// The check of a store whose last user did not close it: SQLite puts the write-ahead log right by itself, and
// this tells whether the file as a whole still hangs together.

import type { DatabaseSync } from "node:sqlite";
import { MillraceError } from "../../model/errors.ts";
import { sizeOf } from "./file-guard.ts";
import { Statement } from "./statement.ts";
import { WorkerRows } from "./statements/workers.ts";
import type { StoreMachine } from "./store-clock.ts";

/** Larger files are checked by `doctor` only: 64 MiB take about a tenth of a second. */
const CHECK_BYTES_MAX = 64 * 1024 * 1024;
const FAULTS_MAX = 5;

/** A store that was opened and had a write-ahead log before. */
export interface CheckOptions {
  readonly url: string;
  readonly path: string;
  readonly database: DatabaseSync;
  readonly machine: StoreMachine;
}

/** Throws STORE_DAMAGED if the file is. Does nothing while a live process explains the log, or if it is large. */
export function refuseDamaged({ url, path, database, machine }: CheckOptions): void {
  if (sizeOf(path) > CHECK_BYTES_MAX) return;
  const workers = new WorkerRows(database).list();
  if (workers.some(({ owner }) => machine.isGone(owner) === false)) return;
  const faults = new Statement(database, `PRAGMA quick_check(${FAULTS_MAX})`)
    .all()
    .map((row) => String(row["quick_check"]));
  if (faults.length === 1 && faults[0] === "ok") return;
  throw new MillraceError("STORE_DAMAGED", `The store "${url}" is damaged: ${faults.join("; ")}.`, {
    hint: "Stop all processes that use it, keep a copy, and restore a backup.",
    next: "npx millrace doctor",
    details: { faults },
  });
}
