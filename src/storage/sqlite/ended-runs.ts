// Records of runs that have ended, as they were read last. Pages of runs are asked for again and again, most of what
// stands in them is over, and what is over hardly ever changes. So a page asks which runs it holds and as of when, and
// takes from here what it knows already. What is given is shared: nobody can change it.

import { isRunOver, type RunRecord } from "../../model/run.ts";
import { freezeJson } from "../../std/json.ts";
import { asNumber } from "../codec.ts";

/** Records that are kept, some 2 KB each; of more, those asked for longest ago go. */
const RECORDS_MAX = 2_000;
/** Characters of a row up to which its record is kept: inputs and failures may have many more. */
const ROW_CHARS_MAX = 8_192;

/** Columns that tell one state of a run from every other: it has another epoch with each claim, and an event with each
 *  change. The time of its last event comes after them. */
export const VERSION_COLUMNS = ["runs.number", "runs.epoch"] as const;

/** Records by the numbers of their runs. */
export class EndedRuns {
  /** Asked for longest ago first. */
  readonly #records: Map<number, RunRecord> = new Map();

  /** The record of this state of a run; undefined: it is not known. `version` has VERSION_COLUMNS and the time. */
  find(version: readonly unknown[]): RunRecord | undefined {
    const number = numberOf(version);
    const record = this.#records.get(number);
    if (record === undefined) return undefined;
    this.#records.delete(number);
    if (record.epoch !== version[1] || record.updatedAtMs !== version[2]) return undefined;
    this.#records.set(number, record);
    return record;
  }

  /** Keeps the record of this row, if it is worth it. */
  keep(record: RunRecord, row: readonly unknown[]): void {
    if (!isRunOver(record.state) || countChars(row) > ROW_CHARS_MAX) return;
    this.#records.delete(record.number);
    this.#records.set(record.number, freezeJson(record));
    for (const oldest of this.#records.keys()) {
      if (this.#records.size <= RECORDS_MAX) break;
      this.#records.delete(oldest);
    }
  }
}

/** Number of the run of a version. */
export function numberOf(version: readonly unknown[]): number {
  return asNumber(version[0], "number");
}

function countChars(row: readonly unknown[]): number {
  let chars = 0;
  for (const value of row) if (typeof value === "string") chars += value.length;
  return chars;
}
