// Ids: UUID version 7 from a given clock and given dice, strictly rising within one source, and a brand so
// that the ids of two kinds of thing cannot be swapped. Which kinds there are is said by the rooms above.

import { v7, validate } from "uuid";
import type { Clock } from "./clock.ts";
import type { Random } from "./random.ts";

declare const brand: unique symbol;

/** Text that names a thing of one kind: `type OrderId = Id<"OrderId">`. At run time a plain string. */
export type Id<Kind extends string> = string & { readonly [brand]: Kind };

/** Gives text its brand. The caller vouches that it names a thing of that kind. */
export function brandId<Kind extends string>(text: string): Id<Kind> {
  // A brand exists for the compiler alone, so only an assertion can give it.
  return text as Id<Kind>;
}

const SEQUENCE_END = 0x1_0000_0000;

/**
 * A source of UUID v7 texts, each greater than the one before: also within one millisecond, and while the
 * wall clock stands still or goes back. Two sources agree only on the millisecond.
 */
export function makeIdSource(clock: Clock, random: Random): () => string {
  let lastMs = -1;
  let sequence = 0;
  return () => {
    const bytes = random.bytes(16);
    const nowMs = clock.wallMs();
    if (nowMs > lastMs) {
      lastMs = nowMs;
      sequence = startSequence(bytes);
    } else if (++sequence === SEQUENCE_END) {
      // Four thousand million ids in one millisecond: borrow the next one rather than wrap round.
      lastMs += 1;
      sequence = startSequence(bytes);
    }
    return v7({ msecs: lastMs, random: bytes, seq: sequence });
  };
}

// Starts at random in the lower half, so that at least 2^31 ids fit above it.
function startSequence(bytes: Uint8Array): number {
  const [, , , , , , a = 0, b = 0, c = 0, d = 0] = bytes;
  return ((a & 0x7f) << 24) | (b << 16) | (c << 8) | d;
}

/** Whether the text is a UUID of any version, in either case. */
export function isUuid(text: string): boolean {
  return validate(text);
}
