// Statements that take a run away, in steps: what nobody may miss first, then its many rows by the thousand, then
// the run itself, with which goes whatever else points at it.

import type { DatabaseSync } from "node:sqlite";
import { STAGE_STATES, type StageState } from "../../../model/outcome.ts";
import { readText, readWord } from "../../codec.ts";
import { Statement } from "../statement.ts";

/** An item that is gone. */
export interface GoneItem {
  readonly stage: string;
  readonly state: StageState;
}

/** Statements that delete rows of one run. */
export class DeletionRows {
  readonly #stages: Statement;
  readonly #state: Statement;
  readonly #items: Statement;
  readonly #many: readonly Statement[];
  readonly #events: Statement;
  readonly #run: Statement;

  constructor(database: DatabaseSync) {
    this.#stages = new Statement(database, `DELETE FROM stages WHERE run = ?`);
    this.#state = new Statement(database, `DELETE FROM run_state WHERE run = ?`);
    this.#items = new Statement(
      database,
      `DELETE FROM items WHERE rowid IN (SELECT rowid FROM items WHERE run = ? LIMIT ?)
       RETURNING stage, state`,
    );
    this.#many = [
      new Statement(
        database,
        `DELETE FROM memos WHERE (run, stage, item, name) IN
           (SELECT run, stage, item, name FROM memos WHERE run = ? LIMIT ?)`,
      ),
      new Statement(
        database,
        `DELETE FROM retries WHERE (run, stage, item, ordinal) IN
           (SELECT run, stage, item, ordinal FROM retries WHERE run = ? LIMIT ?)`,
      ),
    ];
    this.#events = new Statement(
      database,
      `DELETE FROM events WHERE seq IN
         (SELECT seq FROM events WHERE run = ? ORDER BY seq LIMIT ?)`,
    );
    this.#run = new Statement(database, `DELETE FROM runs WHERE number = ?`);
  }

  /** Deletes what says that the run ever worked, so that half a run can only be one that begins anew. */
  deleteProgress(run: number): void {
    this.#stages.run(run);
    this.#state.run(run);
  }

  /** Deletes items, at most `limit`. */
  deleteItems(run: number, limit: number): readonly GoneItem[] {
    return this.#items.all(run, limit).map((row) => ({
      stage: readText(row, "stage"),
      state: readWord(row, "state", STAGE_STATES),
    }));
  }

  /** Deletes memos and retries, at most `limit` in all; answers how many. */
  deleteHistory(run: number, limit: number): number {
    return this.#many.reduce((gone, statement) => {
      return gone === limit ? gone : gone + statement.run(run, limit - gone);
    }, 0);
  }

  /** Deletes events, the oldest first, at most `limit`; answers how many. */
  deleteEvents(run: number, limit: number): number {
    return this.#events.run(run, limit);
  }

  /** Deletes the run and all that is left of it. */
  deleteRun(run: number): void {
    this.#run.run(run);
  }
}
