import { expect, test } from "vitest";
import fc from "fast-check";
import { parseLine } from "./parse-line.ts";

function read(value: unknown, options = {}) {
  return parseLine(typeof value === "string" ? value : JSON.stringify(value), options);
}

function keyOf(value: unknown, options = {}): string | undefined {
  const entry = read(value, options);
  return entry.ok ? entry.value.key : undefined;
}

test("R179: the key comes from key, else id, else artifact_id, and numbers are keys too", () => {
  expect(keyOf({ id: "i", key: "k", artifact_id: "a" })).toBe("k");
  expect(keyOf({ artifact_id: "a", id: 7 })).toBe("7");
  expect(keyOf({ artifact_id: "a", id: null })).toBe("a");
});

test("without a key of its own a line has the hash of its content, whatever the order of its fields", () => {
  const key = keyOf('{"a": 1, "b": [true]}');
  expect(key).toMatch(/^[0-9a-f]{32}$/u);
  expect(keyOf('{"b":[true],"a":1}')).toBe(key);
  expect(keyOf('{"b":[false],"a":1}')).not.toBe(key);
  expect(keyOf("7")).not.toBe(keyOf('"7"'));
});

test("a field that was asked for must be there, and hold a key", () => {
  expect(keyOf({ doi: "x", key: "k" }, { keyField: "doi" })).toBe("x");
  expect(read({ key: "k" }, { keyField: "doi" })).toEqual({
    ok: false,
    error: 'it has no field "doi"',
  });
  expect(read({}, { keyField: "toString" })).toMatchObject({ ok: false });
  expect(read({ id: true })).toMatchObject({ ok: false });
});

test("an envelope gives input, priority, delay and tags; anything else in it is bad", () => {
  const full = { key: "k", input: { key: "inner" }, priority: 3, delay: "5m", tags: { a: "b" } };
  expect(read(full, { envelope: true })).toEqual({ ok: true, value: full });
  const bad = (value: unknown): string => {
    const entry = read(value, { envelope: true });
    return entry.ok ? "good" : entry.error;
  };
  expect(bad([])).toContain("no envelope");
  expect(bad({ key: "k" })).toContain('no field "input"');
  expect(bad({ input: 1, prio: 3 })).toContain('no field "prio"');
  expect(bad({ input: 1, priority: "3" })).toContain("priority: expected a number");
  expect(bad({ input: 1, priority: 1.5 })).toContain("priority: expected a whole number");
  expect(bad({ input: 1, delay: "5 min" })).toContain("delay: expected");
  expect(bad({ input: 1, tags: { a: 1 } })).toContain("tags");
  expect(bad({ input: 1, key: [] })).toContain("no key");
  expect(bad({ input: null })).toBe("good");
});

test.each([
  ["{", "no JSON"],
  ['{"a":1} {"b":2}', "no JSON"],
  ['{"a":"\u0000"}', "no JSON"],
  ['{"key":""}', "1 to 512 characters"],
  [`{"key":"${"x".repeat(513)}"}`, "1 to 512 characters"],
  ['{"key":"\\ud800"}', "no Unicode text"],
  ['{"a":"\\ud800"}', "surrogate"],
  [`${"[".repeat(2_000)}${"]".repeat(2_000)}`, "nested"],
  [`{"key":"k","a":${"[".repeat(2_000)}${"]".repeat(2_000)}}`, "cannot be stored"],
])("the line %.40s is told as bad", (line, says) => {
  const entry = parseLine(line, {});
  expect(entry.ok ? "good" : entry.error).toContain(says);
});

test("no line makes it throw", () => {
  fc.assert(
    fc.property(
      fc.oneof(fc.string({ unit: "binary" }), fc.json()),
      fc.record({ envelope: fc.boolean(), keyField: fc.constantFrom("id", "a") }),
      (line, options) => {
        const entry = parseLine(line, options);
        if (entry.ok) expect(entry.value.key?.length).toBeGreaterThan(0);
        else expect(entry.error.length).toBeGreaterThan(0);
      },
    ),
  );
});
