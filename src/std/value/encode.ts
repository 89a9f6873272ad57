// The thorough half of encoding: turns whatever is no plain JSON into tagged JSON, or finds the place of
// what cannot be stored. `../value.ts` comes here only when its quick walk met something unusual.

import { types } from "node:util";
import { isRecord } from "../record.ts";
import { err, ok, type Result } from "../result.ts";
import { refusalOf } from "./refusal.ts";
import { isTagKey, setOwn, TAG_PREFIX, VALUE_DEPTH_MAX, type ValueFault } from "./tag.ts";

/** Encodes any storable value as JSON text with tags. */
export function encodeTagged(value: unknown): Result<string, ValueFault> {
  const tagger = new Tagger();
  try {
    const tagged = tagger.tag(value);
    return tagger.fault === undefined ? ok(JSON.stringify(tagged)) : err(tagger.fault);
  } catch (error) {
    return err(tagger.faultOf(`something that throws when it is read: ${sayThrown(error)}`));
  }
}

/** One part of a path: a field's name, a list's index, or ready-made text such as `.get("eur")`. */
type PathPart = string | number | { readonly text: string };

/** Walks one value. Once `fault` is set, the walk unwinds and what it returns means nothing. */
class Tagger {
  fault: ValueFault | undefined;
  readonly #path: PathPart[] = [];
  readonly #ancestors: object[] = [];

  tag(value: unknown): unknown {
    switch (typeof value) {
      case "string":
      case "boolean":
        return value;
      case "number":
        if (Object.is(value, -0)) return makeTag("number", "-0");
        return Number.isFinite(value) ? value : makeTag("number", String(value));
      case "bigint":
        return makeTag("bigint", String(value));
      case "undefined":
        return makeTag("undefined", true);
      case "object":
        return value === null ? null : this.#tagObject(value);
      case "function":
      case "symbol":
        return this.#refuse(value);
    }
  }

  faultOf(found: string, hint: string = READ_HINT): ValueFault {
    return { path: this.#showPath(), found, hint };
  }

  #tagObject(value: object): unknown {
    const at = this.#ancestors.indexOf(value);
    if (at !== -1) {
      const hint = "Store the key of the other object instead of the object itself.";
      return this.#fail(`a cycle: the same object as ${this.#showPath(at)}`, hint);
    }
    if (this.#ancestors.length >= VALUE_DEPTH_MAX) {
      return this.#fail(
        `a value nested over ${VALUE_DEPTH_MAX} deep`,
        "Store a flat list instead.",
      );
    }
    this.#ancestors.push(value);
    const tagged = this.#tagContainer(value);
    this.#ancestors.pop();
    return tagged;
  }

  #tagContainer(value: object): unknown {
    if (types.isNativeError(value) || value instanceof Error) return this.#tagError(value);
    // Compared by name, not identity: values from another realm (node:vm) are as good as ours.
    const className = classNameOf(value);
    if (className === undefined) return this.#tagFields(value);
    if (Array.isArray(value) && className === "Array") return this.#tagArray(value);
    if (types.isDate(value) && className === "Date") return this.#tagDate(value);
    if (types.isMap(value) && className === "Map") return this.#tagMap(value);
    if (types.isSet(value) && className === "Set") return this.#tagSet(value);
    return toBytesTag(value, className) ?? this.#refuse(value);
  }

  #tagFields(value: object): unknown {
    if (!isRecord(value)) return this.#refuse(value);
    const fields: Record<string, unknown> = {};
    let hasTagKey = false;
    for (const key of Object.keys(value)) {
      hasTagKey ||= isTagKey(key);
      // The place is noted before the field is read: its getter may throw.
      this.#path.push(key);
      setOwn(fields, key, this.tag(value[key]));
      if (this.fault !== undefined) return null;
      this.#path.pop();
    }
    return hasTagKey ? makeTag("object", fields) : fields;
  }

  #tagArray(values: readonly unknown[]): unknown {
    const tagged: unknown[] = [];
    for (let index = 0; index < values.length; index++) {
      if (values[index] === undefined && !(index in values)) {
        this.#path.push(index);
        return this.#fail("a hole in a list", "Fill it, or store undefined there in the open.");
      }
      tagged.push(this.#tagPart(index, values[index]));
      if (this.fault !== undefined) return null;
    }
    return tagged;
  }

  #tagDate(value: Date): unknown {
    if (!Number.isNaN(value.getTime())) return makeTag("date", value.toISOString());
    return this.#fail("an invalid Date", "Store null or undefined where there is no date.");
  }

  #tagMap(map: ReadonlyMap<unknown, unknown>): unknown {
    const entries: unknown[] = [];
    for (const [key, value] of map) {
      const taggedKey = this.#tagPart({ text: `.keys()[${entries.length}]` }, key);
      const place = typeof key === "string" ? JSON.stringify(key) : `key ${entries.length}`;
      entries.push([taggedKey, this.#tagPart({ text: `.get(${place})` }, value)]);
      if (this.fault !== undefined) return null;
    }
    return makeTag("map", entries);
  }

  #tagSet(set: ReadonlySet<unknown>): unknown {
    const members: unknown[] = [];
    for (const member of set) {
      members.push(this.#tagPart({ text: `.values()[${members.length}]` }, member));
      if (this.fault !== undefined) return null;
    }
    return makeTag("set", members);
  }

  #tagError(error: Error): unknown {
    const tagged: Record<string, unknown> = {
      name: String(error.name),
      message: String(error.message),
    };
    if (typeof error.stack === "string") tagged["stack"] = error.stack;
    if (Object.hasOwn(error, "cause")) this.#keepField(tagged, "cause", error);
    if (Object.hasOwn(error, "errors")) this.#keepField(tagged, "errors", error);
    const fields: Record<string, unknown> = {};
    for (const key of Object.keys(error)) {
      if (!ERROR_PARTS.has(key)) this.#keepField(fields, key, error);
    }
    // The code of a DOMException is inherited, and still what callers branch on.
    if (!("code" in fields) && "code" in error) this.#keepField(fields, "code", error);
    if (Object.keys(fields).length > 0) tagged["fields"] = fields;
    return makeTag("error", tagged);
  }

  /** Keeps a field of an error if it can be read and stored, else leaves it out. */
  #keepField(target: Record<string, unknown>, key: string, error: Error): void {
    const depths = [this.#path.length, this.#ancestors.length] as const;
    try {
      const tagged = this.#tagPart(key, Reflect.get(error, key));
      if (this.fault === undefined) setOwn(target, key, tagged);
    } catch {
      // Its getter throws: left out like any field that cannot be stored.
    }
    this.fault = undefined;
    [this.#path.length, this.#ancestors.length] = depths;
  }

  /** The path stays as it is after a fault or a throw: it is then the place. */
  #tagPart(part: PathPart, value: unknown): unknown {
    if (this.fault !== undefined) return null;
    this.#path.push(part);
    const tagged = this.tag(value);
    if (this.fault === undefined) this.#path.pop();
    return tagged;
  }

  #refuse(value: unknown): null {
    const { found, hint } = refusalOf(value);
    return this.#fail(found, hint);
  }

  #fail(found: string, hint: string): null {
    this.fault = this.faultOf(found, hint);
    return null;
  }

  #showPath(parts: number = this.#path.length): string {
    return `$${this.#path.slice(0, parts).map(showPart).join("")}`;
  }
}

const READ_HINT = "Store plain data: no getters, no proxies, nothing too large for one text.";

function sayThrown(error: unknown): string {
  return error instanceof Error ? String(error) : `a thrown ${typeof error}`;
}

const ERROR_PARTS: ReadonlySet<string> = new Set(["name", "message", "stack", "cause", "errors"]);

function makeTag(kind: string, content: unknown): object {
  return { [`${TAG_PREFIX}${kind}`]: content };
}

/** The name of an object's class; undefined for a plain object, of this realm or another. */
function classNameOf(value: object): string | undefined {
  const prototype: unknown = Object.getPrototypeOf(value);
  // Only the root of all prototypes has this method of its own, in whatever realm.
  if (!isRecord(prototype) || Object.hasOwn(prototype, "isPrototypeOf")) return undefined;
  const maker = prototype["constructor"];
  return typeof maker === "function" ? maker.name : "";
}

function toBytesTag(value: object, className: string): object | undefined {
  if (types.isArrayBuffer(value))
    return makeTag("bytes", [className, toBase64(new Uint8Array(value))]);
  if (!types.isTypedArray(value)) return undefined;
  const storedName = className === "Buffer" ? "Uint8Array" : className;
  // A subclass would come back as something else.
  if (storedName !== value[Symbol.toStringTag]) return undefined;
  return makeTag("bytes", [storedName, toBase64(value)]);
}

function toBase64(view: NodeJS.TypedArray): string {
  return Buffer.from(view.buffer, view.byteOffset, view.byteLength).toString("base64");
}

function showPart(part: PathPart): string {
  if (typeof part === "number") return `[${part}]`;
  if (typeof part === "object") return part.text;
  return /^[\p{L}_$][\p{L}\p{N}_$]*$/u.test(part) ? `.${part}` : `[${JSON.stringify(part)}]`;
}
