import fc from "fast-check";
import { expect, test } from "vitest";
import { parseCrockford, toCrockford } from "./crockford.ts";

test.each([
  [0, "0"],
  [1, "1"],
  [31, "z"],
  [32, "10"],
  [18, "j"],
  [20, "m"],
  [22, "p"],
  [27, "v"],
  [Number.MAX_SAFE_INTEGER, "7zzzzzzzzzz"],
])("%d is written %s", (n, text) => {
  expect(toCrockford(n)).toBe(text);
});

test("every number comes back, in either case and with the letters people mistake", () => {
  fc.assert(
    fc.property(fc.maxSafeNat(), (n) => {
      const text = toCrockford(n);
      expect(parseCrockford(text)).toBe(n);
      expect(parseCrockford(text.toUpperCase())).toBe(n);
      expect(parseCrockford(text.replaceAll("1", "l").replaceAll("0", "O"))).toBe(n);
      expect(parseCrockford(text.replaceAll("1", "I"))).toBe(n);
    }),
  );
});

test.each(["", "u", "-1", "1.5", " 1", "7f3k!", "é", "😀", "80000000000", "zzzzzzzzzzzzzzzz"])(
  "%j is no such name",
  (text) => {
    expect(parseCrockford(text)).toBeUndefined();
  },
);

test.each([-1, 0.5, NaN, Infinity, 2 ** 53])("%d has no such name", (n) => {
  expect(() => toCrockford(n)).toThrow(`got ${n}.`);
});
