// What both directions of the value codec share: the tag's spelling, the depth limit, and what a refusal
// says. The format itself stands at the head of `../value.ts`.

/** Why a value cannot be stored. */
export interface ValueFault {
  /** The place, as one would write it in code: `$.rows[3].when`, `$.prices.get("eur")`. */
  readonly path: string;
  /** What is there: `a function`, `an instance of the class "Money"`. */
  readonly found: string;
  /** What to do about it. */
  readonly hint: string;
}

/** Every tag begins with this. */
export const TAG_PREFIX = "$:";

/** Most containers inside each other. More is a mistake, and would endanger the stack. */
export const VALUE_DEPTH_MAX = 1000;

/** The text of undefined: what a function without a result gives, so it deserves a short way. */
export const UNDEFINED_TEXT: string = `{"${TAG_PREFIX}undefined":true}`;

/** Whether an object's key reads as a tag. By codes, since every key of every value comes by here. */
export function isTagKey(key: string): boolean {
  return key.charCodeAt(0) === 36 && key.charCodeAt(1) === 58;
}

/** Sets an own field, also the one called `__proto__`, which plain assignment would take for a prototype. */
export function setOwn(target: Record<string, unknown>, key: string, value: unknown): void {
  if (key !== "__proto__") target[key] = value;
  else
    Object.defineProperty(target, key, {
      value,
      writable: true,
      enumerable: true,
      configurable: true,
    });
}
