// JSON as a type, its one canonical text (RFC 8785), two helpers for text that goes into rows and keys (a
// bound and a hash), and a lock for what many are given. What JSON cannot hold is refused here; `value.ts`
// stores more than JSON.

import { sha256 } from "./hash/sha256.ts";
import canonicalize from "canonicalize";
import { isRecord } from "./record.ts";

/** What JSON can hold, and nothing else. */
export type Json =
  | null
  | boolean
  | number
  | string
  | readonly Json[]
  | { readonly [key: string]: Json };

/**
 * The one text of a JSON value, whatever the order of its keys (RFC 8785). Throws a TypeError that names
 * the place of whatever JSON cannot hold: undefined, NaN, a Date, a Map, an instance of a class, a cycle,
 * text with half a surrogate pair. Minus zero is written as zero, as the standard asks.
 */
export function canonicalJson(value: unknown): string {
  refuseForeign(value, "$", 0);
  const text = canonicalize(value);
  if (text === undefined) throw new TypeError("JSON cannot hold the value given.");
  return text;
}

// Far below where recursion ends, far above what anyone writes. A cycle ends here as well.
const DEPTH_MAX = 1000;

function refuseForeign(value: unknown, path: string, depth: number): void {
  if (value === null || typeof value === "string" || typeof value === "boolean") return;
  if (typeof value === "number") {
    if (Number.isFinite(value)) return;
    throw new TypeError(`JSON cannot hold the number ${value} at ${path}.`);
  }
  if (typeof value !== "object") {
    throw new TypeError(`JSON cannot hold a value of type "${typeof value}" at ${path}.`);
  }
  if (depth >= DEPTH_MAX) {
    throw new TypeError(`JSON is nested over ${DEPTH_MAX} deep, or holds itself, at ${path}.`);
  }
  if (Array.isArray(value)) {
    for (let index = 0; index < value.length; index++) {
      refuseForeign(value[index], `${path}[${index}]`, depth + 1);
    }
    return;
  }
  const prototype: unknown = Object.getPrototypeOf(value);
  if (!isRecord(value) || (prototype !== Object.prototype && prototype !== null)) {
    throw new TypeError(`JSON cannot hold an instance of a class at ${path}.`);
  }
  for (const key of Object.keys(value)) refuseForeign(value[key], `${path}.${key}`, depth + 1);
}

/** Freezes JSON, all of it, so that it can be given to many. Answers the same value. */
export function freezeJson<T>(value: T): T {
  if (typeof value !== "object" || value === null) return value;
  for (const inner of Object.values(value)) freezeJson(inner);
  return Object.freeze(value);
}

/**
 * Text of at most `charsMax` UTF-16 units, the mark `… (+N characters)` included; text that fits is
 * returned as it is. A surrogate pair is never cut in two.
 */
export function boundedText(text: string, charsMax: number): string {
  if (text.length <= charsMax) return text;
  const markMax = `… (+${text.length} characters)`.length;
  // No room for both text and mark: a bare ellipsis still says that something is gone.
  if (charsMax < markMax * 2) return charsMax < 1 ? "" : `${cutText(text, charsMax - 1)}…`;
  const kept = cutText(text, charsMax - markMax);
  return `${kept}… (+${text.length - kept.length} characters)`;
}

/** The first `chars` UTF-16 units, one less where the cut would fall inside a surrogate pair. */
export function cutText(text: string, chars: number): string {
  const code = chars > 0 ? text.codePointAt(chars - 1) : undefined;
  return text.slice(0, code !== undefined && code > 0xffff ? chars - 1 : chars);
}

/** Hexadecimal digits that tell contents apart: half a SHA-256. */
const VERSION_CHARS = 32;

/**
 * What tells contents apart: equal texts, and only they, have equal versions. A text shorter than 32 characters is
 * its own version, since hashing and storing one costs more than it; of a longer one half its SHA-256.
 */
export function versionOfText(text: string): string {
  return text.length < VERSION_CHARS ? text : sha256Hex(text).slice(0, VERSION_CHARS);
}

/** SHA-256 in lower-case hexadecimal. Text is hashed as UTF-8. */
export function sha256Hex(text: string | Uint8Array): string {
  return sha256(text);
}

/** Deepest nesting that is taken for JSON. */
const JSON_DEPTH_MAX = 64;

/** True for plain data that JSON gives back as it was. */
export function isJson(value: unknown, depth: number = 0): value is Json {
  if (value === null || typeof value === "boolean" || typeof value === "string") return true;
  if (typeof value === "number") return Number.isFinite(value);
  if (typeof value !== "object" || depth >= JSON_DEPTH_MAX) return false;
  const isPlain = Array.isArray(value) || Object.getPrototypeOf(value) === Object.prototype;
  return isPlain && Object.values(value).every((inner) => isJson(inner, depth + 1));
}
