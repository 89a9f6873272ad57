import { expect, test } from "vitest";
import { STAGE_STATES } from "../../model/outcome.ts";
import { RUN_STATES } from "../../model/run.ts";
import { alphabetOf, markOf, MARKS, resolveAlphabet } from "./marks.ts";
import { stateWord } from "../../model/drawing/state-words.ts";
import { textWidth } from "./width.ts";

test("every state of the model has a mark, and every mark a state", () => {
  const drawn = [...RUN_STATES, ...STAGE_STATES].map((state) => markOf(state));
  expect(new Set([...drawn, markOf("waiting", "retry")])).toEqual(new Set(MARKS));
});

test("what waits for a retry is drawn apart from what something outside holds", () => {
  expect(markOf("waiting", "retry")).toBe("retry");
  expect(markOf("waiting", "quota")).toBe("waiting");
  expect(markOf("running", "retry")).toBe("running");
});

test.each(["unicode", "ascii"] as const)("marks of %s are distinct and one column wide", (name) => {
  const signs = Object.values(alphabetOf(name).marks);
  expect(new Set(signs).size).toBe(MARKS.length);
  expect(signs.map(textWidth)).toEqual(signs.map(() => 1));
});

test("the ASCII alphabet holds nothing else", () => {
  expect(JSON.stringify(alphabetOf("ascii"))).toMatch(/^[\x20-\x7e]*$/);
});

test("words are the model's, with a blank for the underscore", () => {
  expect(stateWord("upstream_failed")).toBe("upstream failed");
});

test.each([
  [{}, "unicode"],
  [{ LANG: "de_DE.UTF-8" }, "unicode"],
  [{ LANG: "C" }, "ascii"],
  [{ LANG: "C.utf8" }, "unicode"],
  [{ LC_ALL: "POSIX", LANG: "en_US.UTF-8" }, "ascii"],
  [{ LC_ALL: "", LC_CTYPE: "en_US.UTF8", LANG: "C" }, "unicode"],
])("the locale %j is written in %s", (env, name) => {
  expect(resolveAlphabet({ ascii: false, env }).name).toBe(name);
  expect(resolveAlphabet({ ascii: true, env }).name).toBe("ascii");
});
