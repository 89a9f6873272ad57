// Where the items of a map come from: a list that is there, or a stream that is read as far as there is room.
// Anything else fails and names what it was.

import { describeValue } from "../../model/compile/option-reader.ts";
import { MillraceError } from "../../model/errors.ts";

/** A list, or an iterator that is asked for one item at a time. */
export type ItemSource =
  | { readonly kind: "list"; readonly items: readonly unknown[] }
  | { readonly kind: "stream"; readonly iterator: AsyncIterator<unknown> | Iterator<unknown> };

/** What a map runs over, and whether a function gave it: only then it may be something that is iterated. */
export interface Given {
  readonly value: unknown;
  readonly byFunction: boolean;
}

/** Makes a source of what `over` gave. Throws for anything that is no list and no iterable of items. */
export function toItemSource(stage: string, { value, byFunction }: Given): ItemSource {
  if (Array.isArray(value)) return { kind: "list", items: value };
  const iterator = byFunction ? findIterator(value) : undefined;
  if (iterator !== undefined) return { kind: "stream", iterator };
  const isText = typeof value === "string";
  throw new NotAList(stage, isText ? `a string (${describeValue(value)})` : kindOf(value));
}

/** A generator is read like a stream, so that an endless one meets `maxItems` and not the end of memory. */
function findIterator(value: unknown): AsyncIterator<unknown> | Iterator<unknown> | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  // The checks are all that can be known of a stranger's iterable.
  if (Symbol.asyncIterator in value && typeof value[Symbol.asyncIterator] === "function") {
    return (value as AsyncIterable<unknown>)[Symbol.asyncIterator]();
  }
  if (Symbol.iterator in value && typeof value[Symbol.iterator] === "function") {
    return (value as Iterable<unknown>)[Symbol.iterator]();
  }
  return undefined;
}

/** What a map runs over is no list. Permanent: the same code gives the same thing again. */
export class NotAList extends MillraceError {
  readonly millraceClass = "permanent" as const;
  /** @param found What was there instead, in words. */
  constructor(stage: string, found: string) {
    super(
      "INPUT_INVALID",
      `Map stage "${stage}" needs a list to run over, got ${found}. Return a list; for a single value a list of one: [value].`,
    );
  }
}

function kindOf(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  const name = typeof value === "object" ? value.constructor?.name : undefined;
  return name === undefined ? `a ${typeof value}` : `a value of type ${typeof value} (${name})`;
}

/** The list is longer than the stage allows. */
export class TooManyItems extends MillraceError {
  readonly millraceClass = "permanent" as const;
  constructor(stage: string, count: number | string, itemsMax: number) {
    super(
      "INPUT_INVALID",
      `Map stage "${stage}" has ${count} items, its maxItems is ${itemsMax}.`,
      {
        hint: "raise the option maxItems of this stage, or split the list",
      },
    );
  }
}
