// Keys of the items of a map: the author's, or a hash of the content; never the position. Equal keys from the
// author are an error that names both items; equal items under the content hash are interchangeable and are
// told apart by "-2", "-3".

import { MillraceError } from "../../model/errors.ts";
import { ITEM_KEY_BYTES_MAX } from "../../model/limits.ts";
import { sha256Hex } from "../../std/json.ts";
import { encodeValue } from "../../std/value.ts";

/** Makes keys for items in order and remembers those it gave. */
export class ItemKeys {
  readonly #stage: string;
  readonly #author: ((item: unknown, index: number) => string | readonly string[]) | null;
  readonly #seen: Map<string, number> = new Map();

  constructor(
    stage: string,
    author: ((item: unknown, index: number) => string | readonly string[]) | null,
  ) {
    this.#stage = stage;
    this.#author = author;
  }

  /** The key of the next item. Throws ITEM_KEY faults as OPTION_INVALID naming the items. */
  next(item: unknown, index: number): string {
    if (this.#author === null) return this.#hashed(item, index);
    const key = toKey(this.#author(item, index));
    const fault = typeof key === "string" ? findFault(key) : key.fault;
    if (fault !== undefined || typeof key !== "string") {
      throw new MillraceError(
        "OPTION_INVALID",
        `Key of item ${index} of "${this.#stage}": ${fault}.`,
      );
    }
    const before = this.#seen.get(key);
    if (before !== undefined) {
      throw new MillraceError(
        "OPTION_INVALID",
        `Items ${before} and ${index} of "${this.#stage}" have the same key "${key}".`,
        { hint: "let `key` give something unique, or leave it out to key by content" },
      );
    }
    this.#seen.set(key, index);
    return key;
  }

  #hashed(item: unknown, index: number): string {
    const encoded = encodeValue(item);
    // Only a run in memory can meet an item that cannot be stored; nothing is resumed there.
    const base = encoded.ok ? sha256Hex(encoded.value).slice(0, 16) : `unstorable-${index}`;
    const count = (this.#seen.get(base) ?? 0) + 1;
    this.#seen.set(base, count);
    return count === 1 ? base : `${base}-${count}`;
  }
}

/** Several parts become one key: joined by "/", with "/" and "~" inside a part written "~1" and "~0". */
function toKey(given: unknown): string | { readonly fault: string } {
  if (typeof given === "string") return given;
  if (!Array.isArray(given)) return { fault: `expected text, got ${typeof given}` };
  const odd: unknown = given.find((part: unknown) => typeof part !== "string");
  if (!given.every((part): part is string => typeof part === "string")) {
    return { fault: `expected a list of texts, got ${typeof odd} in it` };
  }
  return given.map((part) => part.replaceAll("~", "~0").replaceAll("/", "~1")).join("/");
}

function findFault(key: string): string | undefined {
  if (key.length === 0) return "expected 1 to 512 bytes, got an empty text";
  if (key.length > ITEM_KEY_BYTES_MAX || Buffer.byteLength(key) > ITEM_KEY_BYTES_MAX) {
    return `expected at most ${ITEM_KEY_BYTES_MAX} bytes, got ${Buffer.byteLength(key)}`;
  }
  if (!key.isWellFormed()) return "a lone surrogate is no text that can be stored";
  // eslint-disable-next-line no-control-regex -- control characters are what is looked for
  return /[\u0000-\u001f\u007f-\u009f]/.test(key)
    ? "control characters are not allowed"
    : undefined;
}
