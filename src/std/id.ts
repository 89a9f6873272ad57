// Ids: UUID version 7 from a given clock and given dice, strictly rising within one source, and a brand so
// that the ids of two kinds of thing cannot be swapped. Which kinds there are is said by the rooms above. The
// layout is that of RFC 9562, section 5.7, with a 32-bit sequence after the milliseconds. Written here because
// the library is twenty modules that every start of the command would load for one function.

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
    return layOut(lastMs, sequence, bytes);
  };
}

const DIGITS: readonly string[] = Array.from({ length: 256 }, (_, byte) =>
  byte.toString(16).padStart(2, "0"),
);

/** 48 bits of milliseconds, version 7, the sequence in 12 + 14 + 6 bits around the variant, then chance. */
function layOut(ms: number, sequence: number, chance: Uint8Array): string {
  const high = Math.floor(ms / 0x1_0000);
  const [, , , , , , , , , , last = 0, b11 = 0, b12 = 0, b13 = 0, b14 = 0, b15 = 0] = chance;
  const d = (byte: number): string => DIGITS[byte & 0xff] ?? "00";
  const time = `${d(high >>> 24)}${d(high >>> 16)}${d(high >>> 8)}${d(high)}-${d(ms >>> 8)}${d(ms)}`;
  const version = `${d(0x70 | (sequence >>> 28))}${d(sequence >>> 20)}`;
  const variant = `${d(0x80 | ((sequence >>> 14) & 0x3f))}${d(sequence >>> 6)}`;
  const rest = `${d((sequence << 2) | (last & 0x03))}${d(b11)}${d(b12)}${d(b13)}${d(b14)}${d(b15)}`;
  return `${time}-${version}-${variant}-${rest}`;
}

// Starts at random in the lower half, so that at least 2^31 ids fit above it.
function startSequence(bytes: Uint8Array): number {
  const [, , , , , , a = 0, b = 0, c = 0, d = 0] = bytes;
  return ((a & 0x7f) << 24) | (b << 16) | (c << 8) | d;
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/i;

/** Whether the text is a UUID of any version, in either case. */
export function isUuid(text: string): boolean {
  return UUID.test(text);
}
