// Short names for numbers: Crockford's base 32, which has no letter that is taken for another one.

import { assert } from "./error/assert.ts";

const DIGITS = "0123456789abcdefghjkmnpqrstvwxyz";

/** Lower-case text of a whole number from 0 to 2^53-1, without leading zeros: `7f3k`. */
export function toCrockford(n: number): string {
  assert(Number.isSafeInteger(n) && n >= 0, `Base 32 needs a whole number from 0, got ${n}.`);
  let rest = n;
  let text = "";
  do {
    text = DIGITS.charAt(rest % 32) + text;
    rest = Math.floor(rest / 32);
  } while (rest > 0);
  return text;
}

/**
 * Reads such text back, in any case, with `i` and `l` as 1 and `o` as 0; undefined when it is none, or
 * names a number above 2^53-1.
 */
export function parseCrockford(text: string): number | undefined {
  if (text === "") return undefined;
  let n = 0;
  for (const letter of text.toLowerCase()) {
    const digit = DIGITS.indexOf(
      letter === "i" || letter === "l" ? "1" : letter === "o" ? "0" : letter,
    );
    if (digit === -1) return undefined;
    n = n * 32 + digit;
    if (n > Number.MAX_SAFE_INTEGER) return undefined;
  }
  return n;
}
