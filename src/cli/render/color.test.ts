import { expect, test } from "vitest";
import { makePaint, resolveColor } from "./color.ts";
import { MARKS } from "./marks.ts";

type Case = [flag: "auto" | "always" | "never", env: Record<string, string>, isTerminal: boolean];

test.each<[...Case, boolean]>([
  ["auto", {}, true, true],
  ["auto", {}, false, false],
  ["auto", { TERM: "dumb" }, true, false],
  ["auto", { NO_COLOR: "1" }, true, false],
  ["auto", { NO_COLOR: "" }, true, true],
  ["auto", { FORCE_COLOR: "1" }, false, true],
  ["auto", { FORCE_COLOR: "0" }, true, false],
  ["auto", { FORCE_COLOR: "false" }, true, false],
  ["auto", { FORCE_COLOR: "" }, true, true],
  ["auto", { NO_COLOR: "1", FORCE_COLOR: "3" }, true, false],
  ["always", { NO_COLOR: "1" }, false, true],
  ["never", { FORCE_COLOR: "1" }, true, false],
])("--color %s with %j, terminal %s: %s", (...row) => {
  const [flag, env, isTerminal, isColored] = row;
  expect(resolveColor({ flag, env, isTerminal })).toBe(isColored);
});

test("paint without colour changes nothing", () => {
  const paint = makePaint(false);
  expect(MARKS.map((mark) => paint.mark(mark, "x")).join("")).toBe("x".repeat(MARKS.length));
  expect(paint.tone("error", "x")).toBe("x");
});

test("paint with colour wraps the text and ends what it began", () => {
  const painted = makePaint(true).mark("failed", "◆");
  expect(painted).toBe("\x1b[31m\x1b[1m◆\x1b[22m\x1b[39m");
});
