// What all stores hold of records: whether a change may be made, and what comes of it.

import { assert } from "../../std/error/assert.ts";
import {
  COMMIT_WRITES_MAX,
  RECORD_BYTES_MAX,
  RECORD_KEY_CHARS_MAX,
  RECORD_PUTS_MAX,
} from "../../model/limits.ts";
import type { WriteResult } from "../write-result.ts";
import type { PutRecordsWrite } from "../write.ts";
import type { RecordPut, StoreRecord } from "./record-write.ts";

/** The first key after all that begin so. */
export function keyAfter(prefix: string): string {
  return `${prefix}\u{10FFFF}`;
}

/** The refusal of a change whose record is not at the revision that was expected. */
export function refusePut(put: RecordPut, found: StoreRecord | undefined): WriteResult | undefined {
  // Nothing there and 0 expected is what a new record asks for.
  if (put.expected === null || put.expected === (found?.revision ?? 0)) return undefined;
  return { kind: "record-conflict", key: put.key, record: found ?? null };
}

/** A record as it is after a change. */
export function changeRecord(
  { collection, key, value, dueAtMs = null }: RecordPut,
  found: StoreRecord | undefined,
  nowMs: number,
): StoreRecord | undefined {
  if (value === undefined) return undefined;
  return {
    collection,
    key,
    revision: (found?.revision ?? 0) + 1,
    value,
    dueAtMs,
    updatedAtMs: nowMs,
  };
}

/** Asserts the bounds of a change of records. */
export function assertRecords({ puts, events }: PutRecordsWrite): void {
  assert(
    puts.length <= RECORD_PUTS_MAX && events.length <= COMMIT_WRITES_MAX,
    `${puts.length} records and ${events.length} events are changed at once.`,
  );
  const names = new Set(puts.map(({ collection, key }) => `${collection}/${key}`));
  assert(names.size === puts.length, "A record is changed twice in one write.");
  for (const put of puts) assertRecord(put);
}

function assertRecord({ key, value, dueAtMs = null, expected }: RecordPut): void {
  assert(
    key !== "" &&
      key.length <= RECORD_KEY_CHARS_MAX &&
      key.isWellFormed() &&
      !key.includes("\u{10FFFF}"),
    `The key of a record cannot be ${JSON.stringify(key.slice(0, 100))}.`,
  );
  assert(dueAtMs === null || Number.isSafeInteger(dueAtMs), `A record is due at ${dueAtMs}.`);
  assert(
    expected === null || (Number.isSafeInteger(expected) && expected >= 0),
    `A record cannot have the revision ${expected}.`,
  );
  if (value === undefined) return;
  const bytes = Buffer.byteLength(JSON.stringify(value));
  assert(bytes <= RECORD_BYTES_MAX, `The record "${key.slice(0, 100)}" has ${bytes} bytes.`);
}
