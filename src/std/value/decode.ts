// Turns tagged JSON back into values. Text of ours never fails here; damaged text is named, never guessed
// at. The tree that JSON.parse made is changed in place, since nobody else holds it.

import { boundedText } from "../json.ts";
import { makeNamedError } from "../error/named-error.ts";
import { isRecord } from "../record.ts";
import { isTagKey, setOwn, TAG_PREFIX, VALUE_DEPTH_MAX } from "./tag.ts";

/** Restores what `JSON.parse` gave for a text with tags. Throws an Error that names the damage. */
export function restoreTagged(tree: unknown): unknown {
  return restore(tree, 0);
}

function restore(tree: unknown, depth: number): unknown {
  if (!isRecord(tree)) return tree;
  if (depth > VALUE_DEPTH_MAX) throw damage(`it is nested over ${VALUE_DEPTH_MAX} deep`);
  if (Array.isArray(tree)) return restoreItems(tree, depth);
  for (const key of Object.keys(tree)) {
    if (isTagKey(key)) return restoreTag(key, tree, depth);
  }
  return restoreFields(tree, depth);
}

function restoreItems(items: unknown[], depth: number): unknown[] {
  for (let index = 0; index < items.length; index++)
    items[index] = restore(items[index], depth + 1);
  return items;
}

function restoreFields(fields: Record<string, unknown>, depth: number): Record<string, unknown> {
  for (const key of Object.keys(fields)) {
    const field = fields[key];
    const restored = restore(field, depth + 1);
    if (restored !== field) setOwn(fields, key, restored);
  }
  return fields;
}

/** `depth` counts as the encoder does: containers of the value, not of its text. */
type Restorer = (content: unknown, depth: number) => unknown;

const RESTORERS: ReadonlyMap<string, Restorer> = new Map<string, Restorer>([
  ["undefined", (content) => (content === true ? undefined : refuse("undefined", content))],
  ["number", restoreNumber],
  ["bigint", restoreBigint],
  ["date", restoreDate],
  ["map", restoreMap],
  ["set", restoreSet],
  ["bytes", restoreBytes],
  ["error", restoreError],
  ["object", restoreObject],
]);

function restoreTag(key: string, holder: Record<string, unknown>, depth: number): unknown {
  const restorer = RESTORERS.get(key.slice(TAG_PREFIX.length));
  if (restorer === undefined) throw damage(`it has the unknown tag ${JSON.stringify(key)}`);
  if (Object.keys(holder).length > 1) throw damage(`something stands beside the tag "${key}"`);
  return restorer(holder[key], depth);
}

const SPECIAL_NUMBERS: ReadonlyMap<unknown, number> = new Map([
  ["NaN", NaN],
  ["Infinity", Infinity],
  ["-Infinity", -Infinity],
  ["-0", -0],
]);

function restoreNumber(content: unknown): number {
  return SPECIAL_NUMBERS.get(content) ?? refuse("number", content);
}

function restoreBigint(content: unknown): bigint {
  if (typeof content === "string" && /^-?\d+$/.test(content)) return BigInt(content);
  return refuse("bigint", content);
}

function restoreDate(content: unknown): Date {
  const date = new Date(typeof content === "string" ? content : NaN);
  return Number.isNaN(date.getTime()) ? refuse("date", content) : date;
}

function restoreMap(content: unknown, depth: number): Map<unknown, unknown> {
  if (!Array.isArray(content)) return refuse("map", content);
  const map = new Map<unknown, unknown>();
  for (const entry of content) {
    if (!Array.isArray(entry) || entry.length !== 2) return refuse("map", content);
    map.set(restore(entry[0], depth + 1), restore(entry[1], depth + 1));
  }
  return map;
}

function restoreSet(content: unknown, depth: number): Set<unknown> {
  return Array.isArray(content) ? new Set(restoreItems(content, depth)) : refuse("set", content);
}

function restoreObject(content: unknown, depth: number): Record<string, unknown> {
  if (!isRecord(content) || Array.isArray(content)) return refuse("object", content);
  return restoreFields(content, depth);
}

const VIEWS: ReadonlyMap<unknown, (bytes: ArrayBuffer) => unknown> = new Map<
  unknown,
  (bytes: ArrayBuffer) => unknown
>([
  ["ArrayBuffer", (bytes) => bytes],
  ["Uint8Array", (bytes) => new Uint8Array(bytes)],
  ["Uint8ClampedArray", (bytes) => new Uint8ClampedArray(bytes)],
  ["Uint16Array", (bytes) => new Uint16Array(bytes)],
  ["Uint32Array", (bytes) => new Uint32Array(bytes)],
  ["Int8Array", (bytes) => new Int8Array(bytes)],
  ["Int16Array", (bytes) => new Int16Array(bytes)],
  ["Int32Array", (bytes) => new Int32Array(bytes)],
  ["Float16Array", (bytes) => new Float16Array(bytes)],
  ["Float32Array", (bytes) => new Float32Array(bytes)],
  ["Float64Array", (bytes) => new Float64Array(bytes)],
  ["BigInt64Array", (bytes) => new BigInt64Array(bytes)],
  ["BigUint64Array", (bytes) => new BigUint64Array(bytes)],
]);

function restoreBytes(content: unknown): unknown {
  const [className, base64]: readonly unknown[] = Array.isArray(content) ? content : [];
  const makeView = VIEWS.get(className);
  if (makeView === undefined || typeof base64 !== "string") return refuse("bytes", content);
  const pooled = Buffer.from(base64, "base64");
  // What is no base64 is passed over without a word, and then the length is not what the text promised.
  if (pooled.length !== Buffer.byteLength(base64, "base64")) return refuse("bytes", content);
  // Copied out of the pool, so that the view owns its bytes and starts where its class needs it to.
  const bytes = new ArrayBuffer(pooled.length);
  new Uint8Array(bytes).set(pooled);
  try {
    return makeView(bytes);
  } catch {
    return refuse("bytes", content);
  }
}

function restoreError(content: unknown, depth: number): Error {
  if (!isRecord(content)) return refuse("error", content);
  const { name, message, stack, cause, errors, fields } = content;
  if (typeof name !== "string" || typeof message !== "string") return refuse("error", content);
  const error = makeNamedError({
    name,
    message,
    ...(typeof stack === "string" ? { stack } : {}),
    ...("cause" in content ? { cause: restore(cause, depth + 1) } : {}),
    ...("errors" in content ? { errors: restore(errors, depth + 1) } : {}),
  });
  if (isRecord(fields))
    Object.defineProperties(error, describeFields(restoreFields(fields, depth)));
  return error;
}

function describeFields(fields: Record<string, unknown>): PropertyDescriptorMap {
  return Object.getOwnPropertyDescriptors(fields);
}

function refuse(kind: string, content: unknown): never {
  const shown = boundedText(JSON.stringify(content) ?? "nothing", 80);
  throw damage(`the tag "${TAG_PREFIX}${kind}" cannot hold ${shown}`);
}

function damage(what: string): Error {
  return new Error(`A stored value is damaged: ${what}.`);
}
