import fc from "fast-check";
import { expect, test } from "vitest";
import { findNearest } from "./nearest.ts";

test.each([
  ["scroe", "score"],
  ["fecth", "fetch"],
  ["SCORE", "score"],
  ["scor", "score"],
  ["scoore", "score"],
  ["svore", "score"],
  ["max_delay", "maxDelay"],
  ["max-delay", "maxDelay"],
  ["MaxDelay", "maxDelay"],
  ["maxDealy", "maxDelay"],
  ["timeoutms", "timeoutMs"],
  ["fech", "fetch"],
  ["pasre", "parse"],
])('"%s" is taken for "%s"', (name, nearest) => {
  const known = ["fetch", "parse", "score", "maxDelay", "timeoutMs"];
  expect(findNearest(name, known)).toBe(nearest);
});

test.each(["", "x", "banana", "completely-different", "fetchAllThePages", "sc"])(
  'nothing is suggested for "%s"',
  (name) => {
    expect(findNearest(name, ["fetch", "parse", "score", "y"])).toBeUndefined();
  },
);

test("the same name but for case goes before an equally spelt one, and the first of equals wins", () => {
  expect(findNearest("maxdelay", ["max_delay", "maxDelay"])).toBe("maxDelay");
  expect(findNearest("cat", ["bat", "hat"])).toBe("bat");
  expect(findNearest("score", new Set<string>())).toBeUndefined();
});

test("a name of nothing but separators is no spelling of another one", () => {
  expect(findNearest("--", ["_"])).toBeUndefined();
});

test("a swap of two neighbours counts as one mistake", () => {
  expect(findNearest("ab", ["ba"])).toBe("ba");
  expect(findNearest("abcd", ["badc"])).toBeUndefined();
});

test("any one mistake in a name of four letters or more is forgiven", () => {
  const names = fc.stringMatching(/^[a-z]{4,12}$/);
  fc.assert(
    fc.property(names, fc.nat(), fc.constantFrom("drop", "add", "swap"), (name, seed, mistake) => {
      const at = seed % (name.length - 1);
      const [head, tail] = [name.slice(0, at), name.slice(at)];
      const [first = "", second = ""] = tail;
      const rest = tail.slice(2);
      const typed = {
        drop: head + second + rest,
        add: `${head}q${tail}`,
        swap: head + second + first + rest,
      };
      expect(findNearest(typed[mistake], [name])).toBe(name);
    }),
  );
});

test("a name longer than anyone types is not compared", () => {
  const long = "a".repeat(300);
  expect(findNearest(`${long}b`, [long])).toBeUndefined();
});
