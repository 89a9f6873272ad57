// Items of map stages: one row each, known by key; their places only order lists.

import type { DatabaseSync } from "node:sqlite";
import type { ItemEnd, ItemRecord } from "../../../model/checkpoint.ts";
import { ITEM_ENDS_MAX } from "../../../model/limits.ts";
import { STAGE_STATES, type StageState } from "../../../model/outcome.ts";
import { ITEM_COLUMNS, itemColumns, toItemRecord } from "../../checkpoint-codec.ts";
import {
  readNumber,
  readNumberOrNull,
  readText,
  readTextOrNull,
  readWord,
  type Row,
} from "../../codec.ts";
import { KNOWN_ITEM_STATES, REOPENED_ITEM_STATES, STAGE_END_STATES } from "../../stage-rules.ts";
import type { ItemEndQuery, ItemQuery } from "../../store.ts";
import { assertPage } from "../../write-check.ts";
import { Statement } from "../statement.ts";

const COLUMNS = ITEM_COLUMNS.join(", ");
const ALL = `SELECT stage, key, ${COLUMNS} FROM items WHERE run = ?`;
const ENDED = wordList(STAGE_END_STATES);
const KNOWN = wordList(KNOWN_ITEM_STATES);
const REOPENED = wordList(REOPENED_ITEM_STATES);

/** Statements over `items`. */
export class ItemRows {
  readonly #database: DatabaseSync;
  readonly #insert: Statement;
  readonly #stateOf: Statement;
  readonly #update: Statement;
  readonly #place: Statement;
  readonly #drop: Statement;
  readonly #countStage: Statement;
  readonly #openStage: Statement;
  readonly #dropStage: Statement;
  readonly #takeOver: Statement;
  readonly #find: Statement;
  readonly #ends: Statement;
  readonly #known: Statement;
  /** By how many states they ask for, and which way. */
  readonly #lists = new Map<string, Statement>();

  constructor(database: DatabaseSync) {
    this.#database = database;
    this.#insert = new Statement(
      database,
      `INSERT INTO items (run, stage, key, ${COLUMNS})
       VALUES (?, ?, ?${", ?".repeat(ITEM_COLUMNS.length)}) ON CONFLICT DO NOTHING`,
    );
    this.#stateOf = new Statement(
      database,
      `SELECT state FROM items WHERE run = ? AND stage = ? AND key = ?`,
    );
    this.#update = new Statement(
      database,
      `UPDATE items SET ${ITEM_COLUMNS.map((column) => `${column} = ?`).join(", ")}
       WHERE run = ? AND stage = ? AND key = ?`,
    );
    this.#place = new Statement(
      database,
      `UPDATE items SET place = ? WHERE run = ? AND stage = ? AND key = ? AND place <> ?`,
    );
    this.#drop = new Statement(
      database,
      `DELETE FROM items WHERE run = ? AND stage = ? AND key = ? RETURNING state`,
    );
    this.#countStage = new Statement(
      database,
      `SELECT state, count(*) AS count FROM items WHERE run = ? AND stage = ? GROUP BY state`,
    );
    this.#openStage = new Statement(
      database,
      `UPDATE items SET state = 'pending', via = NULL, attempts = 0, reason = NULL, failure = NULL,
         metrics = NULL, waits = NULL, due_at_ms = NULL, blocker = NULL, started_at_ms = NULL,
         ended_at_ms = NULL, duration_ms = NULL
       WHERE run = ? AND stage = ? AND state IN (${REOPENED})`,
    );
    this.#dropStage = new Statement(database, `DELETE FROM items WHERE run = ? AND stage = ?`);
    this.#takeOver = new Statement(
      database,
      `INSERT INTO items (run, stage, key, ${COLUMNS})
       SELECT ?, stage, key, ${ITEM_COLUMNS.map(taken).join(", ")}
       FROM items WHERE run = ? AND stage = ? AND (state = 'succeeded' OR ? AND state IN (${ENDED}))`,
    );
    this.#find = new Statement(database, `${ALL} AND stage = ? AND key = ?`);
    this.#ends = new Statement(
      database,
      `SELECT key, place, state, attempts, blocker, ended_at_ms FROM items INDEXED BY items_place
       WHERE run = ? AND stage = ? AND place >= ? AND (place > ? OR key > ?)
       ORDER BY place, key LIMIT ?`,
    );
    this.#known = new Statement(database, `${ALL} AND state IN (${KNOWN})`);
  }

  /** Stores a first row; false if there is one. */
  insert(run: number, record: ItemRecord): boolean {
    return this.#insert.run(run, record.stage, record.key, ...itemColumns(record)) === 1;
  }

  stateOf(run: number, stage: string, key: string): StageState | undefined {
    const row = this.#stateOf.get(run, stage, key);
    return row === undefined ? undefined : readWord(row, "state", STAGE_STATES);
  }

  update(run: number, record: ItemRecord): void {
    this.#update.run(...itemColumns(record), run, record.stage, record.key);
  }

  /** Changes the place of a row, if there is one. */
  place(run: number, stage: string, item: { readonly key: string; readonly index: number }): void {
    this.#place.run(item.index, run, stage, item.key, item.index);
  }

  /** Deletes a row and answers its state; undefined if there was none. */
  drop(run: number, stage: string, key: string): StageState | undefined {
    const row = this.#drop.get(run, stage, key);
    return row === undefined ? undefined : readWord(row, "state", STAGE_STATES);
  }

  /** Recounts the items of a stage, for changes of many rows at once. */
  countStage(run: number, stage: string): readonly (readonly [StageState, number])[] {
    return this.#countStage
      .all(run, stage)
      .map((row) => [readWord(row, "state", STAGE_STATES), readNumber(row, "count")]);
  }

  /** Sets failed, cancelled and upstream_failed items back. */
  openStage(run: number, stage: string): void {
    this.#openStage.run(run, stage);
  }

  dropStage(run: number, stage: string): void {
    this.#dropStage.run(run, stage);
  }

  /** Copies what ended in another run, or only what succeeded there. */
  takeOver(of: { readonly run: number; readonly from: number }, stage: string, all: boolean): void {
    this.#takeOver.run(of.run, of.from, stage, all ? 1 : 0);
  }

  find(run: number, stage: string, key: string): ItemRecord | undefined {
    const row = this.#find.get(run, stage, key);
    return row === undefined ? undefined : toItemRecord(row);
  }

  /** All items of a run that ended, that wait, or whose start is recorded. */
  listKnown(run: number): readonly ItemRecord[] {
    return this.#known.all(run).map(toItemRecord);
  }

  list(run: number, query: ItemQuery): readonly ItemRecord[] {
    const states = [...new Set(query.states)];
    if (query.states !== undefined && states.length === 0) return [];
    const isBackwards = query.beforeIndex !== undefined;
    // Comparing a key with null is never true: then only the place counts.
    const at = query.beforeIndex ?? query.afterIndex ?? -1;
    const key = (isBackwards ? query.beforeKey : query.afterKey) ?? null;
    return this.#list(states.length, isBackwards)
      .all(run, query.stage, ...states, at, at, key, query.limit)
      .map(toItemRecord);
  }

  /** Three columns of the index and three of the row: nothing is decoded. */
  listEnds(run: number, query: ItemEndQuery): readonly ItemEnd[] {
    assertPage(query.limit, ITEM_ENDS_MAX);
    const after = query.afterIndex ?? -1;
    const afterKey = query.afterKey ?? null;
    return this.#ends.all(run, query.stage, after, after, afterKey, query.limit).map(toItemEnd);
  }

  /** Picks keys from the index alone, then reads only the rows of the page. */
  #list(stateCount: number, isBackwards: boolean): Statement {
    const name = `${stateCount} ${isBackwards}`;
    let statement = this.#lists.get(name);
    if (statement !== undefined) return statement;
    const states = stateCount === 0 ? "" : `AND state IN (?${", ?".repeat(stateCount - 1)})`;
    const [sign, order] = isBackwards ? ["<", "DESC"] : [">", "ASC"];
    statement = new Statement(
      this.#database,
      `SELECT items.stage, items.key, ${ITEM_COLUMNS.map((column) => `items.${column}`).join(", ")}
       FROM (
         SELECT rowid AS id FROM items INDEXED BY items_place
         WHERE run = ? AND stage = ? ${states} AND place ${sign}= ? AND (place ${sign} ? OR key ${sign} ?)
         ORDER BY place ${order}, key ${order} LIMIT ?
       ) AS page
       JOIN items ON items.rowid = page.id
       ORDER BY items.place, items.key`,
    );
    this.#lists.set(name, statement);
    return statement;
  }
}

function toItemEnd(row: Row): ItemEnd {
  return {
    key: readText(row, "key"),
    index: readNumber(row, "place"),
    state: readWord(row, "state", STAGE_STATES),
    attempts: readNumber(row, "attempts"),
    blocker: readTextOrNull(row, "blocker"),
    endedAtMs: readNumberOrNull(row, "ended_at_ms"),
  };
}

function wordList(words: readonly string[]): string {
  return words.map((word) => `'${word}'`).join(", ");
}

function taken(column: string): string {
  return column === "via" ? "iif(state = 'succeeded', 'checkpoint', via)" : column;
}

/** Items of a run by their stages, in the order they come. */
export function groupByStage(
  items: readonly ItemRecord[],
): ReadonlyMap<string, readonly ItemRecord[]> {
  const stages = new Map<string, ItemRecord[]>();
  for (const item of items) {
    const known = stages.get(item.stage);
    if (known === undefined) stages.set(item.stage, [item]);
    else known.push(item);
  }
  return stages;
}
