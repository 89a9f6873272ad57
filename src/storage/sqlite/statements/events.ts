// Stored events: appended in the transaction of the change they tell, read by number.

import type { DatabaseSync } from "node:sqlite";
import {
  EPHEMERAL_EVENT_TYPES,
  type EventDraft,
  type EventType,
  type MillraceEvent,
  selectEventTypes,
  STORED_EVENT_TYPES,
} from "../../../model/event.ts";
import {
  readJson,
  readNumber,
  readNumberOrNull,
  readText,
  readTextOrNull,
  readWord,
  type Row,
} from "../../codec.ts";
import type { EventQuery } from "../../store.ts";
import { findSince, type TimedRows } from "../find-since.ts";
import { type SqlValue, Statement } from "../statement.ts";

const EVENT_TYPES: readonly EventType[] = [...STORED_EVENT_TYPES, ...EPHEMERAL_EVENT_TYPES];

const SELECT = `
  SELECT seq, coalesce(runs.id, '') AS run, events.run_seq AS run_seq, type, stage, item, attempt, at_ms, data
  FROM events LEFT JOIN runs ON runs.number = events.run`;

/** Where and when an event was told. */
export interface EventPlace {
  readonly seq: number;
  readonly run: number;
  readonly runSeq: number;
  readonly atMs: number;
}

const COLUMNS = "seq, run, run_seq, type, stage, item, attempt, at_ms, data";
const COLUMN_COUNT = 9;

/** Events that one statement stores: a quarter less time than one by one; more at once save no more. */
const GROUP = 8;

const insertOf = (rows: number): string => {
  const row = `(${Array.from({ length: COLUMN_COUNT }, () => "?").join(", ")})`;
  return `INSERT INTO events (${COLUMNS}) VALUES ${Array.from({ length: rows }, () => row).join(", ")}`;
};

/** Statements over `events`. What is added is in the table once it is flushed, which its transaction sees to. */
export class EventRows {
  readonly #insert: Statement;
  readonly #insertGroup: Statement;
  /** Columns of those that are added and not stored yet, one after the other; places are used again. */
  readonly #added: SqlValue[] = [];
  #count = 0;
  readonly #database: DatabaseSync;
  /** By which of their conditions they have: few of the eight are ever asked. */
  readonly #lists = new Map<string, Statement>();
  readonly #told: TimedRows;

  constructor(database: DatabaseSync) {
    this.#insert = new Statement(database, insertOf(1));
    this.#insertGroup = new Statement(database, insertOf(GROUP));
    this.#database = database;
    this.#told = {
      newest: new Statement(database, "SELECT coalesce(max(seq), 0) AS number FROM events"),
      from: new Statement(
        database,
        "SELECT seq AS number, at_ms FROM events WHERE seq >= ? ORDER BY seq LIMIT 1",
      ),
    };
  }

  /** Stores an event, now or with those that follow. */
  add(place: EventPlace, draft: EventDraft): void {
    const added = this.#added;
    const at = this.#count * COLUMN_COUNT;
    added[at] = place.seq;
    added[at + 1] = place.run;
    added[at + 2] = place.runSeq;
    added[at + 3] = draft.type;
    added[at + 4] = draft.stage ?? null;
    added[at + 5] = draft.item ?? null;
    added[at + 6] = draft.attempt ?? null;
    added[at + 7] = place.atMs;
    added[at + 8] = draft.data === undefined ? null : JSON.stringify(draft.data);
    this.#count += 1;
    if (this.#count < GROUP) return;
    this.#insertGroup.run(...added);
    this.#count = 0;
  }

  /** Stores what was added. Before a commit, and before anything reads or deletes events. */
  flush(): void {
    const end = this.#count * COLUMN_COUNT;
    for (let at = 0; at < end; at += COLUMN_COUNT)
      this.#insert.run(...this.#added.slice(at, at + COLUMN_COUNT));
    this.#count = 0;
  }

  /** Forgets what was added: its transaction is undone. */
  clear(): void {
    this.#count = 0;
  }

  /** Events that answer the query, of the run with this number; null: of any, and of none. */
  list(query: EventQuery, run: number | null): readonly MillraceEvent[] {
    const { before = Number.MAX_SAFE_INTEGER, limit, newestFirst = false, types } = query;
    const values: SqlValue[] = [this.#startOf(query), before];
    if (run !== null) values.push(run);
    if (types !== undefined) values.push(JSON.stringify([...selectEventTypes(types)]));
    const statement = this.#listOf({
      isOfRun: run !== null,
      isOfTypes: types !== undefined,
      newestFirst,
    });
    return statement.all(...values, limit).map(toEvent);
  }

  /** The number after which what is asked begins. */
  #startOf({ after, sinceMs }: EventQuery): number {
    return sinceMs === undefined ? after : Math.max(after, findSince(this.#told, sinceMs) - 1);
  }

  #listOf(shape: ListShape): Statement {
    const { isOfRun, isOfTypes, newestFirst } = shape;
    const name = `${isOfRun} ${isOfTypes} ${newestFirst}`;
    const known = this.#lists.get(name);
    if (known !== undefined) return known;
    const statement = new Statement(
      this.#database,
      `${SELECT} WHERE seq > ? AND seq < ?${isOfRun ? " AND events.run = ?" : ""}${
        isOfTypes ? " AND type IN (SELECT value FROM json_each(?))" : ""
      } ORDER BY seq${newestFirst ? " DESC" : ""} LIMIT ?`,
    );
    this.#lists.set(name, statement);
    return statement;
  }
}

/** Which conditions a list has. */
interface ListShape {
  readonly isOfRun: boolean;
  readonly isOfTypes: boolean;
  readonly newestFirst: boolean;
}

function toEvent(row: Row): MillraceEvent {
  const stage = readTextOrNull(row, "stage");
  const item = readTextOrNull(row, "item");
  const attempt = readNumberOrNull(row, "attempt");
  return {
    seq: readNumber(row, "seq"),
    runSeq: readNumber(row, "run_seq"),
    atMs: readNumber(row, "at_ms"),
    type: readWord(row, "type", EVENT_TYPES),
    run: readText(row, "run"),
    ...(stage === null ? {} : { stage }),
    ...(item === null ? {} : { item }),
    ...(attempt === null ? {} : { attempt }),
    ...(row["data"] === null ? {} : { data: readJson(row, "data", {}) }),
  };
}
