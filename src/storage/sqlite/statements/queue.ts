// The queue as readers see it: how many runs are claimed before one.

import type { DatabaseSync } from "node:sqlite";
import { PRIORITY_STEP_MS } from "../../../model/limits.ts";
import { readNumber } from "../../codec.ts";
import { claimOrder } from "../../run-rules.ts";
import type { QueuePlace } from "../../store.ts";
import { Statement } from "../statement.ts";

// The expression of the index of claims, letter by letter. Two parts, since an index over an expression serves no
// comparison of pairs; the limit ends both, so that a long queue costs no more than it counts.
const ORDER = `due_at_ms - ${PRIORITY_STEP_MS} * priority`;
const AHEAD = `
  SELECT count(*) AS ahead FROM (
    SELECT 1 FROM runs WHERE pipeline = ? AND state = 'queued' AND ${ORDER} < ?
    UNION ALL
    SELECT 1 FROM runs WHERE pipeline = ? AND state = 'queued' AND ${ORDER} = ? AND number < ?
    LIMIT ?)`;

/** Statements over the queued rows of `runs`. */
export class QueueRows {
  readonly #ahead: Statement;

  constructor(database: DatabaseSync) {
    this.#ahead = new Statement(database, AHEAD);
  }

  /** Queued runs of its pipeline that are claimed before this one, counted up to `limit`. */
  countAhead(run: QueuePlace, limit: number): number {
    const { pipeline, number } = run;
    const order = claimOrder(run);
    const row = this.#ahead.get(pipeline, order, pipeline, order, number, limit);
    return row === undefined ? 0 : readNumber(row, "ahead");
  }
}
