import fc from "fast-check";
import { expect, test } from "vitest";
import { ItemKeys } from "./item-keys.ts";

const keyOf = (key: string | readonly string[]): string =>
  new ItemKeys("m", () => key).next("x", 0);
// What an author without types may give.
const anyKeyOf = (key: unknown): string => keyOf(key as string);

test("the author's key is taken as it is", () => {
  const keys = new ItemKeys("m", (item, index) => `${String(item)}-${index}`);
  expect([keys.next("a", 0), keys.next("a", 1)]).toEqual(["a-0", "a-1"]);
});

test("equal keys of the author are refused and both items are named", () => {
  const keys = new ItemKeys("m", () => "same");
  keys.next("a", 3);
  expect(() => keys.next("b", 7)).toThrow('Items 3 and 7 of "m" have the same key "same".');
});

test("parts are joined by a slash; slashes and tildes inside are written", () => {
  expect(keyOf(["42", "page", "7"])).toBe("42/page/7");
  expect(keyOf(["a/b", "c~d", "~1"])).toBe("a~1b/c~0d/~01");
  expect(keyOf(["only"])).toBe("only");
});

test("different lists of parts never give the same key", () => {
  const parts = fc.array(fc.stringMatching(/^[a~/01]{1,6}$/), { minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(parts, parts, (left, right) => {
      const same = JSON.stringify(left) === JSON.stringify(right);
      expect(keyOf(left) === keyOf(right)).toBe(same);
    }),
    { numRuns: 500 },
  );
});

test.each([
  ["", "expected 1 to 512 bytes, got an empty text"],
  [[], "expected 1 to 512 bytes, got an empty text"],
  [7, "expected text, got number"],
  [undefined, "expected text, got undefined"],
  [null, "expected text, got object"],
  [{ id: 1 }, "expected text, got object"],
  [["a", 7], "expected a list of texts, got number in it"],
  [["a", undefined], "expected a list of texts, got undefined in it"],
  ["a\nb", "control characters are not allowed"],
  ["a\u0000", "control characters are not allowed"],
  ["a\u007f", "control characters are not allowed"],
  ["a\u0085", "control characters are not allowed"],
  ["a\ud800", "a lone surrogate is no text that can be stored"],
  ["a".repeat(513), "expected at most 512 bytes, got 513"],
  ["ä".repeat(257), "expected at most 512 bytes, got 514"],
] as const)("%j is no key", (key, fault) => {
  expect(() => anyKeyOf(key)).toThrow(`Key of item 0 of "m": ${fault}.`);
});

test.each(["a", "a b", "ä".repeat(256), "a".repeat(512), "😀", "../../etc/passwd", "__proto__"])(
  "%j is a key",
  (key) => {
    expect(keyOf(key)).toBe(key);
  },
);

test("the content of an item is its key unless the author says another", () => {
  const keys = new ItemKeys("m", null);
  const first = keys.next({ a: 1, b: [2] }, 0);
  expect(first).toMatch(/^[0-9a-f]{16}$/);
  expect(new ItemKeys("other", null).next({ a: 1, b: [2] }, 99)).toBe(first);
  expect(keys.next({ a: 1, b: [3] }, 1)).not.toBe(first);
});

test("equal items are told apart by a number, in order", () => {
  const keys = new ItemKeys("m", null);
  const [first = "", ...others] = ["x", "x", "y", "x"].map((item, index) => keys.next(item, index));
  expect(others).toEqual([`${first}-2`, expect.stringMatching(/^[0-9a-f]{16}$/), `${first}-3`]);
});

test("values of different kinds have different keys", () => {
  const values = [1, "1", 1n, [1], { 1: 1 }, null, undefined, true, "true", Number.NaN, -0, 0];
  const keys = new ItemKeys("m", null);
  const made = values.map((value, index) => keys.next(value, index));
  expect(new Set(made).size).toBe(values.length);
});

test("items that cannot be stored have a key all the same, for runs in memory", () => {
  const keys = new ItemKeys("m", null);
  expect([keys.next(() => 1, 0), keys.next(Symbol("s"), 1)]).toEqual([
    "unstorable-0",
    "unstorable-1",
  ]);
});
