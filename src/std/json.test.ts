import fc from "fast-check";
import { expect, test } from "vitest";
import { boundedText, canonicalJson, cutText, freezeJson, sha256Hex } from "./json.ts";

test("canonical text has its keys in order of UTF-16 units, at every depth, and no spaces", () => {
  const value = { b: 1, a: [{ d: null, c: true }], "\u20ac": "€", "\r": 1e21, "\ud83d\ude00": 0.1 };
  expect(canonicalJson(value)).toBe(
    '{"\\r":1e+21,"a":[{"c":true,"d":null}],"b":1,"€":"€","😀":0.1}',
  );
});

test("canonical text does not depend on the order in which fields were set", () => {
  const entries = fc.uniqueArray(fc.tuple(fc.string({ unit: "grapheme" }), fc.jsonValue()), {
    selector: ([key]) => key,
  });
  fc.assert(
    fc.property(entries, (fields) => {
      const forward = canonicalJson(Object.fromEntries(fields));
      expect(canonicalJson(Object.fromEntries(fields.toReversed()))).toBe(forward);
      expect(JSON.parse(forward)).toEqual(JSON.parse(JSON.stringify(Object.fromEntries(fields))));
    }),
  );
});

test.each([
  ["undefined", { a: undefined }, "$.a"],
  ["NaN", [0, NaN], "$[1]"],
  ["Infinity", { a: [Infinity] }, "$.a[0]"],
  ["a bigint", { a: { b: 1n } }, "$.a.b"],
  ["a function", [() => 1], "$[0]"],
  ["a symbol", Symbol("x"), "$"],
  ["a Date", { at: new Date(0) }, "$.at"],
  ["a Map", { a: new Map() }, "$.a"],
  ["an instance", { a: new (class Money {})() }, "$.a"],
])("canonical text refuses %s and names the place", (_, value, place) => {
  expect(() => canonicalJson(value)).toThrow(TypeError);
  expect(() => canonicalJson(value)).toThrow(`at ${place}`);
});

test("canonical text refuses a cycle, and half a surrogate pair", () => {
  const cycle: Record<string, unknown> = {};
  cycle["self"] = cycle;
  expect(() => canonicalJson(cycle)).toThrow("holds itself");
  expect(() => canonicalJson("\ud800")).toThrow();
});

test("objects without prototype are as good as any", () => {
  expect(canonicalJson(Object.assign(Object.create(null), { a: 1 }))).toBe('{"a":1}');
});

test("text that fits is left alone, and longer text says how much is missing", () => {
  expect(boundedText("hello", 5)).toBe("hello");
  expect(boundedText("x".repeat(1000), 100)).toBe(`${"x".repeat(80)}… (+920 characters)`);
  expect(boundedText("hello world", 5)).toBe("hell…");
  expect(boundedText("hello", 0)).toBe("");
});

test("bounded text keeps its bound and cuts no surrogate pair", () => {
  const texts = fc.array(fc.constantFrom("a", "é", "😀", "𝒳"), { maxLength: 200 });
  fc.assert(
    fc.property(texts, fc.nat(200), (parts, charsMax) => {
      const text = parts.join("");
      const bounded = boundedText(text, charsMax);
      expect(bounded.length).toBeLessThanOrEqual(charsMax);
      expect(bounded.isWellFormed()).toBe(true);
      const [, missing] = /… \(\+(\d+) characters\)$/.exec(bounded) ?? [];
      if (missing === undefined) return;
      const kept = bounded.slice(0, bounded.lastIndexOf("…"));
      expect(text.startsWith(kept)).toBe(true);
      expect(kept.length + Number(missing)).toBe(text.length);
    }),
  );
});

test("a cut before, inside and after a surrogate pair", () => {
  expect([1, 2, 3, 0].map((chars) => cutText("a😀b", chars))).toEqual(["a", "a", "a😀", ""]);
});

test("hashes are SHA-256 in hexadecimal, the same for text and for its bytes", () => {
  expect(sha256Hex("abc")).toBe("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  expect(sha256Hex("é")).toBe(sha256Hex(new Uint8Array([0xc3, 0xa9])));
});

test("frozen JSON is frozen to its leaves, and the same value", () => {
  const value = { list: [{ deep: 1 }], text: "a", none: null };
  expect(freezeJson(value)).toBe(value);
  expect([value, value.list, value.list[0]].every((one) => Object.isFrozen(one))).toBe(true);
  expect(() => value.list.push({ deep: 2 })).toThrow(TypeError);
});
