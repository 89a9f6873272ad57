// Rows to records and back, the same for every database: the one place that believes what a column says. Words
// and JSON are checked for being words of ours and JSON; their inner shape is trusted, since only we write it.

import { MillraceError } from "../model/errors.ts";
import type { StoredValue } from "../model/outcome.ts";
import type { Json } from "../std/json.ts";
import type { EncodedValue } from "../std/value.ts";

/** A row as a database gives it. */
export type Row = Readonly<Record<string, unknown>>;

/** What a column takes. */
export type Column = string | number | null;

/** A text that must be there. Every reader here throws STORE_DAMAGED for what no row of ours holds. */
export function readText(row: Row, column: string): string {
  return asText(row[column], column);
}

/** The same of a value that is at hand already; `column` is for the message. */
export function asText(value: unknown, column: string): string {
  return typeof value === "string" ? value : damaged(column, value);
}

/** A text or null. */
export function readTextOrNull(row: Row, column: string): string | null {
  return asTextOrNull(row[column], column);
}

/** The same of a value that is at hand already. */
export function asTextOrNull(value: unknown, column: string): string | null {
  return typeof value === "string" || value === null ? value : damaged(column, value);
}

/** A number that must be there. */
export function readNumber(row: Row, column: string): number {
  return asNumber(row[column], column);
}

/** The same of a value that is at hand already. */
export function asNumber(value: unknown, column: string): number {
  return typeof value === "number" ? value : damaged(column, value);
}

/** A number or null. */
export function readNumberOrNull(row: Row, column: string): number | null {
  return asNumberOrNull(row[column], column);
}

/** The same of a value that is at hand already. */
export function asNumberOrNull(value: unknown, column: string): number | null {
  return typeof value === "number" || value === null ? value : damaged(column, value);
}

/** One of the words of a closed set. */
export function readWord<Word extends string>(
  row: Row,
  column: string,
  words: readonly Word[],
): Word {
  return asWord(row[column], column, words);
}

/** The same of a value that is at hand already. */
export function asWord<Word extends string>(
  value: unknown,
  column: string,
  words: readonly Word[],
): Word {
  for (const word of words) if (word === value) return word;
  return damaged(column, value);
}

/** A stored value as it was encoded; what is in it is checked when it is decoded. */
export function readEncoded(row: Row, column: string): EncodedValue {
  return asEncoded(row[column], column);
}

/** The same of a value that is at hand already. */
export function asEncoded(value: unknown, column: string): EncodedValue {
  // Only encoded values are written to such a column, and a brand exists for the compiler alone.
  return asText(value, column) as EncodedValue;
}

/** An output: text in the row, a blob, or none. */
export function readOutput(row: Row): StoredValue | null {
  if (row["output"] !== null) return { kind: "inline", text: readEncoded(row, "output") };
  if (row["output_blob"] === null) return null;
  const bytes = readNumber(row, "output_bytes");
  return { kind: "blob", blob: readText(row, "output_blob"), bytes };
}

/** The columns `output`, `output_blob` and `output_bytes`. */
export function outputColumns(output: StoredValue | null): readonly [Column, Column, Column] {
  if (output === null) return NO_OUTPUT;
  return output.kind === "inline" ? [output.text, null, null] : [null, output.blob, output.bytes];
}

const NO_OUTPUT: readonly [Column, Column, Column] = [null, null, null];

/** A record of plain data; `none` where the column is null. */
export function readJson<T>(row: Row, column: string, none: T): T {
  return asJson(row[column], column, none);
}

/** The same of a value that is at hand already. */
export function asJson<T>(value: unknown, column: string, none: T): T {
  const text = asTextOrNull(value, column);
  if (text === null) return none;
  try {
    // The shape is the one that `jsonColumn` was given for this column.
    return JSON.parse(text) as T;
  } catch {
    return damaged(column, text);
  }
}

/** JSON of plain data; null for null and for a record without entries, which most are. */
export function jsonColumn(data: object | null | undefined): Column {
  if (data === null || data === undefined) return null;
  for (const _key in data) return JSON.stringify(data);
  return null;
}

/** JSON of a list. */
export function listColumn(list: readonly Json[]): string {
  return JSON.stringify(list);
}

function damaged(column: string, value: unknown): never {
  const shown = typeof value === "string" ? JSON.stringify(value.slice(0, 60)) : String(value);
  throw new MillraceError("STORE_DAMAGED", `A stored row holds ${shown} in column "${column}".`, {
    hint: "The file was changed by something else, or the disk is failing. Restore a backup.",
    next: "npx millrace doctor",
  });
}
