// Reads a report from outside: unknown until every part of it was looked at. All faults come together.

import { describeValue, isPlainRecord, OptionReader } from "../../model/compile/option-reader.ts";
import type { DefinitionFault } from "../../model/definition.ts";
import { MillraceError } from "../../model/errors.ts";
import {
  ERROR_LIST_CHARS_MAX,
  REPORT_AHEAD_MS_MAX,
  REPORT_DATA_BYTES_MAX,
  REPORT_KEY_CHARS_MAX,
  REPORT_NAME_CHARS_MAX,
  REPORT_SOURCE_CHARS_MAX,
} from "../../model/limits.ts";
import { isUuid } from "../../std/id.ts";
import { parseIsoTime } from "../views/iso-time.ts";
import { canonicalJson, type Json } from "../../std/json.ts";
import { isRecord } from "../../std/record.ts";

/** A report that may be told. Null: it says nothing of it. */
export interface CheckedReport {
  readonly name: string;
  readonly source: string;
  readonly atMs: number;
  readonly message: string | null;
  readonly data: Readonly<Record<string, Json>> | null;
  /** Short name or id by its grammar, which may still mean no run. */
  readonly run: string | null;
  readonly key: string | null;
}

const KEYS = ["name", "source", "at", "message", "data", "run", "key"];
const NAME = /^[a-z][a-z0-9_]*(?:\.[a-z0-9_]+)+$/;
const SHORT_NAME = /^[0-9A-Za-z]{1,13}$/;
const VISIBLE = /^[\x21-\x7e]+$/;

/** Reads it. EVENT_INVALID with every fault. */
export function parseReport(raw: unknown, nowMs: number): CheckedReport {
  const faults: DefinitionFault[] = [];
  if (!isPlainRecord(raw)) {
    faults.push({ path: "event", message: `expected a record; got ${describeValue(raw)}` });
    throw invalid(faults);
  }
  const reader = new OptionReader(raw, "event", faults);
  reader.refuseUnknown(KEYS);
  const checked = {
    name: required(reader, "name", { charsMax: REPORT_NAME_CHARS_MAX, form: NAME }),
    source: required(reader, "source", { charsMax: REPORT_SOURCE_CHARS_MAX }),
    atMs: parseAt(reader, nowMs),
    message: reader.text("message", ERROR_LIST_CHARS_MAX) ?? null,
    data: parseData(reader),
    run: parseRun(reader),
    key: parseKey(reader),
  };
  if (faults.length > 0) throw invalid(faults);
  return checked;
}

function required(
  reader: OptionReader,
  key: string,
  { charsMax, form }: { readonly charsMax: number; readonly form?: RegExp },
): string {
  if (!reader.has(key)) reader.fault(key, "is missing");
  const text = reader.text(key, charsMax) ?? "";
  if (text !== "" && form?.test(text) === false)
    reader.fault(
      key,
      `expected words in lower case with dots; got ${describeValue(text)}`,
      "say what happened, as in import.finished",
    );
  return text;
}

function parseAt(reader: OptionReader, nowMs: number): number {
  const text = reader.text("at", 64);
  if (text === undefined) return nowMs;
  const parsed = parseIsoTime(text);
  if (!parsed.ok) {
    reader.fault("at", parsed.error, "a time without zone is taken as UTC");
    return nowMs;
  }
  if (parsed.value < 0 || parsed.value > nowMs + REPORT_AHEAD_MS_MAX)
    reader.fault("at", `expected a time from 1970 to a day from now; got ${describeValue(text)}`);
  return parsed.value;
}

function parseData(reader: OptionReader): Readonly<Record<string, Json>> | null {
  const raw = reader.raw("data");
  if (raw === undefined) return null;
  if (!isPlainRecord(raw)) {
    reader.fault("data", `expected a record of JSON; got ${describeValue(raw)}`);
    return null;
  }
  try {
    const text = canonicalJson(raw);
    const bytes = Buffer.byteLength(text);
    // Read back, so that nothing of the sender's own object is kept.
    const data: unknown = JSON.parse(text);
    if (bytes <= REPORT_DATA_BYTES_MAX && isJsonRecord(data)) return data;
    reader.fault("data", `expected at most ${REPORT_DATA_BYTES_MAX} bytes as JSON; got ${bytes}`);
  } catch (error) {
    reader.fault("data", error instanceof Error ? error.message : "is no JSON");
  }
  return null;
}

/** What was parsed from JSON holds nothing else. */
function isJsonRecord(value: unknown): value is Readonly<Record<string, Json>> {
  return isRecord(value) && !Array.isArray(value);
}

function parseRun(reader: OptionReader): string | null {
  const text = reader.text("run", 128);
  if (text === undefined) return null;
  // Nothing is looked up, let alone a file named, by what is no name of a run.
  if (isUuid(text) || SHORT_NAME.test(text)) return text;
  reader.fault("run", `expected the short name or the id of a run; got ${describeValue(text)}`);
  return null;
}

function parseKey(reader: OptionReader): string | null {
  const text = reader.text("key", REPORT_KEY_CHARS_MAX);
  if (text === undefined || VISIBLE.test(text)) return text ?? null;
  reader.fault("key", `expected visible ASCII characters; got ${describeValue(text)}`);
  return null;
}

function invalid(faults: readonly DefinitionFault[]): MillraceError {
  const lines = faults.map(({ path, message }) => `${path}: ${message}`);
  const [first = ""] = lines;
  const message =
    lines.length === 1
      ? `The event cannot be told. ${first}`
      : `The event cannot be told, for ${lines.length} reasons:\n${lines.map((line) => `  ${line}`).join("\n")}`;
  return new MillraceError("EVENT_INVALID", message, {
    hint: "nothing of it was told: send it again as it should be",
    details: { faults: faults.map((fault) => ({ ...fault })) },
  });
}
