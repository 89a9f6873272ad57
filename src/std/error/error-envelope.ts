// Errors as plain data and back: for rows, threads and answers. Whatever was thrown gives an envelope, and
// making one never throws: getters that throw count as absent, cycles end, everything has a bound, and known
// secrets are redacted. What an error means, and whether it is worth another try, is judged elsewhere.

import { boundedText, type Json } from "../json.ts";
import { makeNamedError } from "./named-error.ts";
import { isRecord } from "../record.ts";
import { redact } from "../redact.ts";

/** An error as JSON. Absent parts were absent, or could not be kept. */
export interface ErrorEnvelope {
  /** The error's own name; "Thrown" when what was thrown is no error. */
  readonly name: string;
  /** At most 16 KiB of text. */
  readonly message: string;
  /** At most 16 KiB of text. */
  readonly stack?: string;
  /** Such as `ECONNRESET`. */
  readonly code?: string | number;
  /** Of HTTP: the field `status`, else `statusCode`. */
  readonly status?: number;
  readonly cause?: ErrorEnvelope;
  /** What an AggregateError gathers, the first 50. */
  readonly errors?: readonly ErrorEnvelope[];
  /** The error's other own fields, as far as JSON holds them. */
  readonly details?: Json;
}

const TEXT_CHARS_MAX = 16 * 1024;
const DEPTH_MAX = 8;
const ENVELOPES_MAX = 50;
const DETAIL_DEPTH_MAX = 4;
const DETAIL_VALUES_MAX = 200;
const DETAIL_CHARS_MAX = 16 * 1024;

/**
 * Turns whatever was thrown into an envelope: at most 8 causes deep, 50 errors in all, 16 KiB of details
 * each. Never throws.
 */
export function toErrorEnvelope(thrown: unknown): ErrorEnvelope {
  try {
    return toEnvelope(thrown, { above: [], left: ENVELOPES_MAX });
  } catch {
    // Only a revoked proxy comes here: each single read is guarded below.
    return { name: "Thrown", message: "an object that cannot be read" };
  }
}

/** What one envelope after the other uses up, and the errors that lead to the present one. */
interface Walk {
  readonly above: unknown[];
  left: number;
}

function toEnvelope(thrown: unknown, walk: Walk): ErrorEnvelope {
  walk.left -= 1;
  if (!isRecord(thrown)) {
    return { name: "Thrown", message: boundedText(redact(String(thrown)), TEXT_CHARS_MAX) };
  }
  walk.above.push(thrown);
  const envelope = { ...ownParts(thrown), ...innerParts(thrown, walk) };
  walk.above.pop();
  return envelope;
}

function ownParts(thrown: Record<string, unknown>): ErrorEnvelope {
  const stack = readText(thrown, "stack");
  const code = read(thrown, "code");
  const status = read(thrown, "status") ?? read(thrown, "statusCode");
  const details = readDetails(thrown);
  return {
    name: readText(thrown, "name") ?? "Thrown",
    message:
      readText(thrown, "message") ?? boundedText(JSON.stringify(details ?? {}), TEXT_CHARS_MAX),
    ...(stack === undefined ? {} : { stack }),
    ...(typeof code === "string" ? { code: redact(code) } : {}),
    // JSON has no negative zero: + 0 makes it the other one.
    ...(isFiniteNumber(code) ? { code: code + 0 } : {}),
    ...(isFiniteNumber(status) ? { status: status + 0 } : {}),
    ...(details === undefined ? {} : { details }),
  };
}

function isFiniteNumber(value: unknown): value is number {
  return Number.isFinite(value);
}

function innerParts(
  thrown: Record<string, unknown>,
  walk: Walk,
): Pick<ErrorEnvelope, "cause" | "errors"> {
  if (walk.above.length >= DEPTH_MAX) return {};
  const cause = read(thrown, "cause");
  const errors = read(thrown, "errors");
  const mayFollow = (inner: unknown): boolean => walk.left > 0 && !walk.above.includes(inner);
  return {
    ...(cause !== undefined && mayFollow(cause) ? { cause: toEnvelope(cause, walk) } : {}),
    ...(Array.isArray(errors)
      ? { errors: errors.flatMap((inner) => (mayFollow(inner) ? [toEnvelope(inner, walk)] : [])) }
      : {}),
  };
}

function read(source: Record<string, unknown>, key: string): unknown {
  try {
    return source[key];
  } catch {
    // A getter that throws: as good as absent, and no reason to lose the rest.
    return undefined;
  }
}

function readText(source: Record<string, unknown>, key: string): string | undefined {
  const text = read(source, key);
  return typeof text === "string" ? boundedText(redact(text), TEXT_CHARS_MAX) : undefined;
}

const OWN_PARTS: ReadonlySet<string> = new Set([
  "name",
  "message",
  "stack",
  "code",
  "status",
  "cause",
  "errors",
]);

function readDetails(thrown: Record<string, unknown>): Json | undefined {
  const room = { values: DETAIL_VALUES_MAX, chars: DETAIL_CHARS_MAX };
  const keys = Object.keys(thrown).filter((key) => !OWN_PARTS.has(key));
  const details = toJsonFields(thrown, keys, { room, depth: 0 });
  return Object.keys(details).length === 0 ? undefined : details;
}

/** How much may still be kept, and how deep we are. */
interface Extent {
  readonly room: { values: number; chars: number };
  readonly depth: number;
}

function toJsonFields(
  source: Record<string, unknown>,
  keys: readonly string[],
  extent: Extent,
): Record<string, Json> {
  const fields: Record<string, Json> = {};
  for (const key of keys) {
    if (extent.room.values <= 0) break;
    const kept = key === "__proto__" ? undefined : toJson(read(source, key), extent);
    if (kept !== undefined) fields[redact(key)] = kept;
  }
  return fields;
}

/** As much of a value as JSON holds and the room allows; undefined for nothing. */
function toJson(value: unknown, { room, depth }: Extent): Json | undefined {
  room.values -= 1;
  if (value === null || typeof value === "boolean") return value;
  if (typeof value === "number") return Number.isFinite(value) ? value + 0 : String(value);
  if (typeof value === "bigint") return String(value);
  if (typeof value === "string") {
    const text = boundedText(redact(value), room.chars);
    room.chars -= text.length;
    return text;
  }
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString();
  if (!isRecord(value) || depth >= DETAIL_DEPTH_MAX) return undefined;
  const inner: Extent = { room, depth: depth + 1 };
  if (!Array.isArray(value)) return toJsonFields(value, Object.keys(value), inner);
  // Not map, which would keep the holes.
  return Array.from(
    value.slice(0, Math.max(0, room.values)),
    (item) => toJson(item, inner) ?? null,
  );
}

/**
 * Builds the error again: in JavaScript's own class for its name, else an Error with that name. Code,
 * status and details become fields of its own.
 */
export function fromErrorEnvelope(envelope: ErrorEnvelope): Error {
  const { name, message, stack, cause, errors, code, status, details } = envelope;
  const error = makeNamedError({
    name,
    message,
    ...(stack === undefined ? {} : { stack }),
    ...(cause === undefined ? {} : { cause: fromErrorEnvelope(cause) }),
    ...(errors === undefined ? {} : { errors: errors.map(fromErrorEnvelope) }),
  });
  const fields = Object.entries(isRecord(details) ? details : {}).filter(([key]) =>
    isOwnField(key),
  );
  return Object.assign(
    error,
    Object.fromEntries(fields),
    code === undefined ? {} : { code },
    status === undefined ? {} : { status },
  );
}

// An envelope may come from outside: its details must not overwrite what they stand beside.
function isOwnField(key: string): boolean {
  return !OWN_PARTS.has(key) && key !== "__proto__";
}
