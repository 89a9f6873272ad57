// THE codec of stored values: one for checkpoints, events and the interface, so that what was stored is
// what comes back. Encoded text is JSON. A value that is plain JSON is its own `JSON.stringify`. Whatever
// JSON lacks stands in an object with one key, a tag that begins with "$:":
//
//   {"$:undefined":true}                    undefined: alone, in a list, or as a field
//   {"$:number":"NaN"}                      NaN, Infinity, -Infinity, -0
//   {"$:bigint":"-12"}                      decimal
//   {"$:date":"2026-01-31T08:00:00.000Z"}   ISO 8601 in UTC
//   {"$:map":[[key,value],...]}             keys and values encoded; order kept
//   {"$:set":[value,...]}                   order kept
//   {"$:bytes":["Uint8Array","AQID"]}       any typed array or ArrayBuffer: class, little-endian base64
//   {"$:error":{"name","message","stack","cause","errors","fields":{...}}}
//                                           all but name and message only where present; fields are the
//                                           error's own enumerable ones, `code` included
//   {"$:object":{...}}                      a user's object that has a key beginning with "$:"; its keys
//                                           are read as they stand, its values as ever
//
// Only own enumerable fields with text as key count. A Buffer comes back as Uint8Array, an object without
// prototype as a plain one, and a value that stands in two places as two copies. A field of an error that
// cannot be stored is left out, since an error is worth more than its fields; anything else that cannot be
// stored is refused with its place, holes in arrays included. Equal values give equal text.

import { isRecord } from "./record.ts";
import { ok, type Result } from "./result.ts";
import { restoreTagged } from "./value/decode.ts";
import { encodeTagged } from "./value/encode.ts";
import {
  isTagKey,
  TAG_PREFIX,
  UNDEFINED_TEXT,
  VALUE_DEPTH_MAX,
  type ValueFault,
} from "./value/tag.ts";

export type { ValueFault };

declare const brand: unique symbol;

/** Text made by `encodeValue`. */
export type EncodedValue = string & { readonly [brand]: "EncodedValue" };

/** Encodes a value, or says where it holds what cannot be stored, and what to do about it. */
export function encodeValue(value: unknown): Result<EncodedValue, ValueFault> {
  if (value === undefined) return ok(brandText(UNDEFINED_TEXT));
  const text = stringifyPlain(value);
  if (text !== undefined) return ok(brandText(text));
  const encoded = encodeTagged(value);
  return encoded.ok ? ok(brandText(encoded.value)) : encoded;
}

/** Gives the value back. Throws an Error that names the damage when the text is none of ours. */
export function decodeValue(text: string): unknown {
  // A text that only contains the marker inside some string takes the longer way, and comes out the same.
  if (!text.includes(MARKER)) return parse(text);
  return text === UNDEFINED_TEXT ? undefined : restoreTagged(parse(text));
}

const MARKER = `"${TAG_PREFIX}`;

function stringifyPlain(value: unknown): string | undefined {
  try {
    return isPlain(value, 0) ? JSON.stringify(value) : undefined;
  } catch {
    // A getter threw. The slower walk meets it again, and knows the place.
    return undefined;
  }
}

function brandText(text: string): EncodedValue {
  // A brand exists for the compiler alone, so only an assertion can give it.
  return text as EncodedValue;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    const start = JSON.stringify(text.slice(0, 60));
    throw new Error(`A stored value is damaged: it is no JSON, and begins with ${start}.`, {
      cause,
    });
  }
}

/**
 * The hot walk: true when JSON.stringify alone keeps the value. It judges nothing; whatever it does not
 * know goes to the slower walk, which finds the reason. A cycle ends at the depth limit.
 */
function isPlain(value: unknown, depth: number): boolean {
  if (typeof value === "string" || typeof value === "boolean" || value === null) return true;
  if (typeof value === "number") return isPlainNumber(value);
  return typeof value === "object" && depth < VALUE_DEPTH_MAX && isPlainObject(value, depth + 1);
}

/** Finite, and not minus zero. */
function isPlainNumber(value: number): boolean {
  return value === 0 ? 1 / value > 0 : value - value === 0;
}

function isPlainObject(value: object, depth: number): boolean {
  if (Array.isArray(value)) return isPlainArray(value, depth);
  const prototype: unknown = Object.getPrototypeOf(value);
  return (prototype === Object.prototype || prototype === null) && hasPlainFields(value, depth);
}

function isPlainArray(values: readonly unknown[], depth: number): boolean {
  if (Object.getPrototypeOf(values) !== Array.prototype) return false;
  for (let index = 0; index < values.length; index++) {
    if (!isPlain(values[index], depth)) return false;
  }
  return true;
}

function hasPlainFields(value: object, depth: number): boolean {
  if (!isRecord(value)) return false;
  for (const key in value) {
    if (isTagKey(key) || !isPlain(value[key], depth)) return false;
  }
  return true;
}
