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
import { Statement } from "../statement.ts";

const EVENT_TYPES: readonly EventType[] = [...STORED_EVENT_TYPES, ...EPHEMERAL_EVENT_TYPES];

const SELECT = `
  SELECT seq, runs.id AS run, events.run_seq AS run_seq, type, stage, item, attempt, at_ms, data
  FROM events JOIN runs ON runs.number = events.run`;

/** Where and when an event was told. */
export interface EventPlace {
  readonly seq: number;
  readonly run: number;
  readonly runSeq: number;
  readonly atMs: number;
}

/** Statements over `events`. */
export class EventRows {
  readonly #insert: Statement;
  readonly #list: Statement;
  readonly #listOfRun: Statement;

  constructor(database: DatabaseSync) {
    this.#insert = new Statement(
      database,
      `INSERT INTO events (seq, run, run_seq, type, stage, item, attempt, at_ms, data)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    );
    this.#list = new Statement(database, `${SELECT} WHERE seq > ? ORDER BY seq LIMIT ?`);
    this.#listOfRun = new Statement(
      database,
      `${SELECT} WHERE events.run = ? AND seq > ? ORDER BY seq LIMIT ?`,
    );
  }

  insert(place: EventPlace, draft: EventDraft): void {
    this.#insert.run(
      place.seq,
      place.run,
      place.runSeq,
      draft.type,
      draft.stage ?? null,
      draft.item ?? null,
      draft.attempt ?? null,
      place.atMs,
      draft.data === undefined ? null : JSON.stringify(draft.data),
    );
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
