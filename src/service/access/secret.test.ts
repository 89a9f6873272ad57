// How secrets are compared: rightly, and in a time that does not say how much of them was right.

import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { systemRandom } from "../../std/random.ts";
import { hasHash, hashSecret, makeSecret } from "./secret.ts";

const TRIES = 100_000;
/** Tries that are timed as one, so that the clock's own grain is lost in them. */
const AT_ONCE = 50;

/** The same with another character at a place. */
function changedAt(secret: string, place: number): string {
  const other = secret[place] === "A" ? "B" : "A";
  return secret.slice(0, place) + other + secret.slice(place + 1);
}

/** Time of some tries, ns. Of many the median is told, which the slow moments of a machine do not move. */
function timeTries(secret: string, hash: string): number {
  const startNs = process.hrtime.bigint();
  for (let count = 0; count < AT_ONCE; count += 1) hasHash(secret, hash);
  return Number(process.hrtime.bigint() - startNs);
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;
}

test("S37: a token whose first byte is wrong takes as long as one whose last byte is, over 100,000 tries", () => {
  const secret = makeSecret(systemRandom);
  const hash = hashSecret(secret);
  const tokens = [changedAt(secret, 0), changedAt(secret, secret.length - 1), secret];
  expect(tokens.map((token) => hasHash(token, hash))).toEqual([false, false, true]);
  for (const token of tokens) timeTries(token, hash);
  const times: number[][] = tokens.map(() => []);
  // In turns, each beginning with another, so that a slow moment strikes all alike.
  for (let round = 0; round < TRIES / AT_ONCE; round += 1) {
    for (let turn = 0; turn < tokens.length; turn += 1) {
      const index = (round + turn) % tokens.length;
      times[index]?.push(timeTries(tokens[index] ?? "", hash));
    }
  }
  const [first = 0, last = 0, right = 0] = times.map(median);
  expect(first).toBeGreaterThan(0);
  // A comparison that stops at the first difference is seen in nanoseconds at most; a hash of each try is microseconds.
  for (const other of [last, right]) expect(Math.abs(other - first) / first).toBeLessThan(0.15);
}, 60_000);

test("S37: secrets are compared by their hashes alone, and hashes in constant time", () => {
  const source = readFileSync(new URL("secret.ts", import.meta.url), "utf8");
  expect(source).toContain("timingSafeEqual(given, wanted)");
  expect(source).not.toMatch(/secret [!=]==|hash [!=]==/);
  const hash = hashSecret("right");
  for (const wrong of ["", "righ", "rightx", "Right", "x".repeat(10_000)])
    expect([wrong.slice(0, 10), hasHash(wrong, hash)]).toEqual([wrong.slice(0, 10), false]);
  for (const broken of ["", "00", hash.slice(2), `${hash}00`])
    expect([broken, hasHash("right", broken)]).toEqual([broken, false]);
});
