// Stored events: appended in the transaction of the change they tell, read by number.

import type { DatabaseSync } from "node:sqlite";
import {
  EPHEMERAL_EVENT_TYPES,
  type EventDraft,
  type EventType,
  type MillraceEvent,
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
  readonly #list: Statement;
  readonly #listOfRun: Statement;

  constructor(database: DatabaseSync) {
    this.#insert = new Statement(database, insertOf(1));
    this.#insertGroup = new Statement(database, insertOf(GROUP));
    this.#list = new Statement(database, `${SELECT} WHERE seq > ? ORDER BY seq LIMIT ?`);
    this.#listOfRun = new Statement(
      database,
      `${SELECT} WHERE events.run = ? AND seq > ? ORDER BY seq LIMIT ?`,
    );
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

  list(after: number, limit: number): readonly MillraceEvent[] {
    return this.#list.all(after, limit).map(toEvent);
  }

  listOfRun(run: number, after: number, limit: number): readonly MillraceEvent[] {
    return this.#listOfRun.all(run, after, limit).map(toEvent);
  }
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
