// From one line of a file of runs to an entry of the queue, or to what is wrong with it. Never throws for a line.

import { isMillraceError } from "../../model/errors.ts";
import { IMPORT_LINE_BYTES_MAX } from "../../model/limits.ts";
import { parseDuration, type Duration } from "../../std/duration.ts";
import { canonicalJson, sha256Hex } from "../../std/json.ts";
import { isRecord } from "../../std/record.ts";
import { err, ok, type Result } from "../../std/result.ts";
import { VALUE_DEPTH_MAX } from "../../std/value/tag.ts";
import { encodeValue } from "../../std/value.ts";
import { checkEntry, type EnqueueEntry } from "../commands/enqueue-runs.ts";

/** How lines are read. */
export interface LineOptions {
  /** The field that holds the key; a line without it is bad. Default: `key`, `id` or `artifact_id`, else a hash. */
  readonly keyField?: string;
  /** True: a line is `{ key?, input, priority?, delay?, tags? }`. Default false: the line is the input. */
  readonly envelope?: boolean;
}

/** What is said of a line that is longer than a line may be. */
export function describeTooLong(bytes: number): string {
  return `it has ${bytes} bytes; at most ${IMPORT_LINE_BYTES_MAX} are read`;
}

/** What is said of a line that is no text. */
export const NOT_TEXT = "it is no UTF-8";

/** Reads a line; the error is what is wrong with it. */
export function parseLine(text: string, options: LineOptions): Result<EnqueueEntry, string> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return err(
      `it is no JSON: ${JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}…` : text)}`,
    );
  }
  const entry =
    options.envelope === true ? readEnvelope(value) : readInput(value, options.keyField);
  if (!entry.ok) return entry;
  return checkStorable(entry.value, text);
}

function readInput(value: unknown, keyField: string | undefined): Result<EnqueueEntry, string> {
  const key = keyField === undefined ? findKey(value) : readKey(value, keyField);
  if (!key.ok) return key;
  return withKey({ input: value }, key.value);
}

const KEY_FIELDS = ["key", "id", "artifact_id"] as const;

/** The first of the usual fields that is there; undefined: none is. */
function findKey(value: unknown): Result<string | undefined, string> {
  if (!isRecord(value)) return ok(undefined);
  const field = KEY_FIELDS.find((name) => value[name] !== undefined && value[name] !== null);
  return field === undefined ? ok(undefined) : readKey(value, field);
}

function readKey(value: unknown, field: string): Result<string, string> {
  const key: unknown = isRecord(value) && Object.hasOwn(value, field) ? value[field] : undefined;
  if (typeof key === "string") return ok(key);
  if (typeof key === "number") return ok(String(key));
  return err(
    key === undefined
      ? `it has no field "${field}"`
      : `its "${field}" is no text and no number, so it is no key`,
  );
}

const ENVELOPE_FIELDS: readonly string[] = ["key", "input", "priority", "delay", "tags"];

function readEnvelope(value: unknown): Result<EnqueueEntry, string> {
  if (!isRecord(value) || Array.isArray(value))
    return err("it is no envelope: expected { key, input, priority, delay, tags }");
  const unknown = Object.keys(value).find((name) => !ENVELOPE_FIELDS.includes(name));
  if (unknown !== undefined)
    return err(`an envelope has no field "${unknown}"; known: ${ENVELOPE_FIELDS.join(", ")}`);
  const { key, input, priority, delay, tags } = value;
  if (input === undefined) return err(`it has no field "input"`);
  if (priority !== undefined && typeof priority !== "number")
    return err(`priority: expected a number; got ${JSON.stringify(priority)}`);
  if (delay !== undefined && !isDuration(delay)) {
    const parsed = parseDuration(delay);
    return err(`delay: ${parsed.ok ? "" : parsed.error}`);
  }
  if (tags !== undefined && !isTags(tags)) return err("tags: expected text by name");
  const given = key === undefined || key === null ? ok(undefined) : readKey(value, "key");
  if (!given.ok) return given;
  const entry: EnqueueEntry = {
    input,
    ...(priority === undefined ? {} : { priority }),
    ...(delay === undefined ? {} : { delay }),
    ...(tags === undefined ? {} : { tags }),
  };
  return withKey(entry, given.value);
}

function isDuration(value: unknown): value is Duration {
  return parseDuration(value).ok;
}

function isTags(value: unknown): value is Readonly<Record<string, string>> {
  return (
    isRecord(value) &&
    !Array.isArray(value) &&
    Object.values(value).every((each) => typeof each === "string")
  );
}

/** Equal content is equal work, in whatever order its fields stand. */
function withKey(entry: EnqueueEntry, key: string | undefined): Result<EnqueueEntry, string> {
  if (key !== undefined) return ok({ ...entry, key });
  try {
    return ok({ ...entry, key: sha256Hex(canonicalJson(entry.input)).slice(0, 32) });
  } catch (error) {
    return err(error instanceof Error ? error.message : String(error));
  }
}

function checkStorable(entry: EnqueueEntry, text: string): Result<EnqueueEntry, string> {
  try {
    checkEntry(entry, "");
  } catch (error) {
    if (isMillraceError(error)) return err(error.message);
    throw error;
  }
  // What is JSON can be stored unless it nests too deep, which a short line or one with few brackets cannot.
  if (text.length < 2 * VALUE_DEPTH_MAX || countOpenings(text) < VALUE_DEPTH_MAX) return ok(entry);
  const encoded = encodeValue(entry.input);
  if (encoded.ok) return ok(entry);
  const { path, found } = encoded.error;
  return err(`it cannot be stored: ${path} is ${found}`);
}

/** How many brackets open: nothing nests deeper than that. */
function countOpenings(text: string): number {
  let count = 0;
  for (let at = text.indexOf("["); at !== -1; at = text.indexOf("[", at + 1)) count += 1;
  for (let at = text.indexOf("{"); at !== -1; at = text.indexOf("{", at + 1)) count += 1;
  return count;
}
