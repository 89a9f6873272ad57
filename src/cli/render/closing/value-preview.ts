// A value in one short line, for people who want to see that something came out. Large values are described,
// not cut: half a document says less than its size.

import { isRecord } from "../../../std/record.ts";
import { escapeControl, quoteList } from "../../../std/text.ts";
import { showBytes, showCountOf } from "../../../std/shown/figures.ts";

/** Characters up to which a value is shown as it is. */
const SHOWN_CHARS_MAX = 72;
/** Names of fields that a description lists. */
const FIELDS_MAX = 5;
/** Entries beyond which a value is described without being written out first. */
const ENTRIES_MAX = 20;

/** `"text"`, `3`, `{"a":1}`, or `list of 10,000`, `record with "a", "b"`. Never a control byte. */
export function previewValue(value: unknown): string {
  const shown = showWhole(value);
  return shown !== undefined && shown.length <= SHOWN_CHARS_MAX ? shown : describe(value);
}

/** The value written out; undefined: too large to try, or not JSON. */
function showWhole(value: unknown): string | undefined {
  if (typeof value === "string" && value.length > SHOWN_CHARS_MAX) return undefined;
  if (typeof value === "bigint") return String(value);
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? "no date" : value.toISOString();
  if (!isSmallJson(value, 0)) return undefined;
  return escapeControl(JSON.stringify(value) ?? "undefined");
}

function isSmallJson(value: unknown, depth: number): boolean {
  if (value === null || ["string", "number", "boolean"].includes(typeof value)) return true;
  if (depth > 3 || !isRecord(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  if (!Array.isArray(value) && prototype !== Object.prototype && prototype !== null) return false;
  const entries = Object.values(value);
  return entries.length <= ENTRIES_MAX && entries.every((entry) => isSmallJson(entry, depth + 1));
}

function describe(value: unknown): string {
  if (typeof value === "string") return `text of ${showCountOf(value.length, "character")}`;
  if (Array.isArray(value)) return `list of ${showCountOf(value.length, "entry", "entries")}`;
  if (value instanceof Map) return `map of ${showCountOf(value.size, "entry", "entries")}`;
  if (value instanceof Set) return `set of ${showCountOf(value.size, "entry", "entries")}`;
  if (ArrayBuffer.isView(value)) return `${showBytes(value.byteLength)} of bytes`;
  if (value instanceof Error)
    return `error ${JSON.stringify(escapeControl(value.message)).slice(0, SHOWN_CHARS_MAX)}`;
  if (!isRecord(value)) return `a value of type ${typeof value}`;
  const names = Object.keys(value).map((name) => escapeControl(name));
  const more = names.length > FIELDS_MAX ? ` and ${names.length - FIELDS_MAX} more` : "";
  return `record with ${quoteList(names.slice(0, FIELDS_MAX))}${more}`;
}
