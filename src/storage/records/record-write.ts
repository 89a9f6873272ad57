// Small things that the service remembers apart from runs: schedules and their ticks, access tokens, replies to
// idempotent requests, duties, operations. One table, one rule: a record is changed by who knows its revision, so
// that of any number of processes one wins, and several records with a run are one transaction.

import type { Json } from "../../std/json.ts";

/** Every collection. Its users alone know the shape of its values, and parse what they read. */
export const RECORD_COLLECTIONS = [
  "schedules",
  "ticks",
  "tokens",
  "replies",
  "duties",
  "operations",
  "acknowledgements",
  "verdicts",
  "reports",
  "rollups",
  "cursors",
  "settings",
  "workers",
  "failures",
] as const;

/** Name of a collection. */
export type RecordCollection = (typeof RECORD_COLLECTIONS)[number];

/** One record as it is stored. */
export interface StoreRecord {
  readonly collection: RecordCollection;
  /** Unique in its collection; 1 to RECORD_KEY_CHARS_MAX characters. Lists are in order of its UTF-8 bytes. */
  readonly key: string;
  /** 1 when it is made, and one more with every change. */
  readonly revision: number;
  /** At most RECORD_BYTES_MAX as JSON. */
  readonly value: Json;
  /** When something is to be done about it: it fires, it expires. Null: never. UTC ms of the store's clock. */
  readonly dueAtMs: number | null;
  readonly updatedAtMs: number;
}

/** One change of a record. */
export interface RecordPut {
  readonly collection: RecordCollection;
  readonly key: string;
  /** The revision it must have; 0: it must not be there. Null: whatever it has. */
  readonly expected: number | null;
  /** Undefined: it is deleted. */
  readonly value: Json | undefined;
  /** Default null. */
  readonly dueAtMs?: number | null;
}

/** Which records; in order of key. */
export interface RecordQuery {
  readonly collection: RecordCollection;
  /** Only keys that begin so. */
  readonly prefix?: string;
  /** Only keys after this one; with `newestFirst` before it. */
  readonly after?: string;
  /** In falling order of key. Default false. */
  readonly newestFirst?: boolean;
  /** 1 to PAGE_ROWS_MAX. */
  readonly limit: number;
}

/** Which records are due; the longest due first. */
export interface DueQuery {
  readonly collection: RecordCollection;
  /** Due at this time or before. */
  readonly untilMs: number;
  /** 1 to PAGE_ROWS_MAX. */
  readonly limit: number;
}
