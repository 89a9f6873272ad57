import { expect, test } from "vitest";
import fc from "fast-check";
import { toHex } from "../image/picture.ts";
import { makeUnique, nameColor } from "./name-color.ts";

test.each([
  ["#ffffff", "white"],
  ["#000000", "black"],
  ["#e53935", "red-500"],
  ["#d32f2f", "red-600"],
  ["#f2a93b", "amber-300"],
  ["#177e89", "teal-600"],
  ["#0b3c5d", "blue-900"],
  ["#808080", "gray-500"],
  ["#f5f2ea", "stone-50"],
  ["#5a6a7a", "slate-600"],
])("%s is called %s", (hex, name) => {
  expect(nameColor(hex)).toBe(name);
});

test("every colour has a name that is fit for a file", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 0xffffff }), (packed) => {
      expect(nameColor(toHex(packed))).toMatch(/^[a-z]+(-\d+)?$/);
    }),
  );
});

test("names that are taken are numbered, in order", () => {
  expect(makeUnique(["a", "b", "a", "a"])).toEqual(["a", "b", "a-2", "a-3"]);
});
