// Where the items of a map come from: a list that is there, or a stream that is read as far as there is room.
// Anything else fails and names what it was.

import { describeValue } from "../../model/compile/option-reader.ts";
import { MillraceError } from "../../model/errors.ts";

/** A list, or an iterator that is asked for one item at a time. */
export type ItemSource =
  | { readonly kind: "list"; readonly items: readonly unknown[] }
  | { readonly kind: "stream"; readonly iterator: AsyncIterator<unknown> };

/** Makes a source of what `over` gave. Throws for anything that is no list and no iterable of items. */
export function toItemSource(stage: string, over: unknown): ItemSource {
  if (Array.isArray(over)) return { kind: "list", items: over };
  if (typeof over === "object" && over !== null) {
    if (Symbol.asyncIterator in over && typeof over[Symbol.asyncIterator] === "function") {
      // The check above is all that can be known of a stranger's iterable.
      return { kind: "stream", iterator: (over as AsyncIterable<unknown>)[Symbol.asyncIterator]() };
    }
    if (Symbol.iterator in over && typeof over[Symbol.iterator] === "function") {
      return { kind: "stream", iterator: toAsync((over as Iterable<unknown>)[Symbol.iterator]()) };
    }
  }
  throw new NotAList(stage, over);
}

/** A generator is read like a stream, so that an endless one meets `maxItems` and not the end of memory. */
function toAsync(iterator: Iterator<unknown>): AsyncIterator<unknown> {
  return {
    next: () => Promise.resolve(iterator.next()),
    return: () => Promise.resolve(iterator.return?.() ?? { done: true, value: undefined }),
  };
}

/** What a map runs over is no list. Permanent: the same code gives the same thing again. */
class NotAList extends MillraceError {
  readonly millraceClass = "permanent" as const;
  constructor(stage: string, over: unknown) {
    const found = typeof over === "string" ? `a string (${describeValue(over)})` : kindOf(over);
    super("INPUT_INVALID", `Map stage "${stage}" needs a list to run over, got ${found}.`, {
      hint: "return a list; for a single value a list of one: [value]",
    });
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
