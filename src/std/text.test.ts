import fc from "fast-check";
import { expect, test } from "vitest";
import { escapeControl, quoteList, shortenMiddle } from "./text.ts";

test.each([
  ["\u001b[31mred\u001b[0m", "\\x1b[31mred\\x1b[0m"],
  ["a\u0000b\u007fc\u009bd", "a\\x00b\\x7fc\\x9bd"],
  ["abc\u202Etxt.exe\u2066x\u2069", "abc\\u202etxt.exe\\u2066x\\u2069"],
  ["line\nnext\tcell\rback", "line\\nnext\\tcell\\rback"],
  ["half \ud800 pair", "half \\ud800 pair"],
  ["\u2028\u2029\uFEFF\u061c", "\\u2028\\u2029\\ufeff\\u061c"],
  ["Grüße, 日本語, 👩‍👩‍👧 and עברית", "Grüße, 日本語, 👩‍👩‍👧 and עברית"],
])("%j is shown as %j", (text, shown) => {
  expect(escapeControl(text)).toBe(shown);
});

test("line feeds and tabs stay where asked, and only they", () => {
  const text = "a\nb\tc\r\u001b";
  expect(escapeControl(text, { keepNewline: true })).toBe("a\nb\\tc\\r\\x1b");
  expect(escapeControl(text, { keepTab: true })).toBe("a\\nb\tc\\r\\x1b");
  expect(escapeControl(text, { keepNewline: true, keepTab: true })).toBe("a\nb\tc\\r\\x1b");
});

// Compiled once: sets by property are slow to build.
const OBEYED = /[\p{Cc}\p{Cs}\p{Bidi_C}\u2028\u2029]/u;

test("nothing that is shown can move a cursor or turn a line", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      expect(escapeControl(text)).not.toMatch(OBEYED);
    }),
  );
});

test("a long text loses its middle and keeps both ends", () => {
  expect(shortenMiddle("abcdefghij", 10)).toBe("abcdefghij");
  expect(shortenMiddle("abcdefghij", 5)).toBe("ab…ij");
  expect(shortenMiddle("abcdefghij", 6)).toBe("abc…ij");
  expect([2, 1, 0, -1].map((charsMax) => shortenMiddle("abcdef", charsMax))).toEqual([
    "a…",
    "…",
    "",
    "",
  ]);
});

test("a shortened text keeps its bound and cuts no surrogate pair", () => {
  const texts = fc.array(fc.constantFrom("a", "é", "😀"), { maxLength: 40 });
  fc.assert(
    fc.property(texts, fc.nat(60), (parts, charsMax) => {
      const shortened = shortenMiddle(parts.join(""), charsMax);
      expect(shortened.length).toBeLessThanOrEqual(charsMax);
      expect(shortened.isWellFormed()).toBe(true);
    }),
  );
});

test("names are listed as a sentence has them", () => {
  expect(quoteList([])).toBe("none");
  expect(quoteList(["a"])).toBe('"a"');
  expect(quoteList(["a", "b"])).toBe('"a" and "b"');
  expect(quoteList(["a", "b", "c"])).toBe('"a", "b" and "c"');
});

test("of many names only twenty are listed", () => {
  const names = Array.from({ length: 25 }, (_, index) => `n${index}`);
  expect(quoteList(names.slice(0, 20))).toMatch(/"n18" and "n19"$/);
  expect(quoteList(names)).toMatch(/"n18", "n19" and 5 more$/);
});
