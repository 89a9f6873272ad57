import { PassThrough } from "node:stream";
import { expect, test } from "vitest";
import { MillraceError } from "../model/errors.ts";
import { makeSeededRandom } from "../std/random.ts";
import type { CommonFlags } from "./cli-context.ts";
import { guessCommonFlags } from "./verb/common-flags.ts";
import { printError, renderError, toErrorParts } from "./render-error.ts";

const FLAGS: CommonFlags = guessCommonFlags([]);

/** Prints an error, and gives what stood on both streams. */
function print(error: unknown, flags: Partial<CommonFlags> = {}) {
  const stdout = new PassThrough();
  const stderr = new PassThrough();
  const code = printError(
    { stdout, stderr, env: {}, random: makeSeededRandom(1), flags: { ...FLAGS, ...flags } },
    error,
  );
  const read = (stream: PassThrough): string => String(stream.read() ?? "");
  return { code, stdout: read(stdout), stderr: read(stderr) };
}

const UNKNOWN = new MillraceError("STAGE_UNKNOWN", 'Pipeline "crawl" has no stage "scroe".', {
  hint: 'did you mean "score"?',
  next: "npx millrace run crawl.ts --only score",
  details: { given: "scroe", known: ["fetch", "score"] },
});

test("an error is one paragraph: what happened, given and known, what to do, the code", () => {
  expect(print(UNKNOWN)).toEqual({
    code: 2,
    stdout: "",
    stderr: [
      'error: pipeline "crawl" has no stage "scroe"',
      "  given  scroe",
      "  known  fetch, score",
      '  hint   did you mean "score"?',
      "  next   npx millrace run crawl.ts --only score",
      "  code   STAGE_UNKNOWN (exit 2)",
      "",
    ].join("\n"),
  });
});

test("with --json the error is also the one document on stdout", () => {
  const { stdout, stderr } = print(UNKNOWN, { json: true });

  expect(JSON.parse(stdout)).toEqual({
    schema: "millrace.error/1",
    error: {
      code: "STAGE_UNKNOWN",
      message: 'Pipeline "crawl" has no stage "scroe".',
      hint: 'did you mean "score"?',
      next: "npx millrace run crawl.ts --only score",
      details: { given: "scroe", known: ["fetch", "score"] },
    },
  });
  expect(stderr).toContain("error: pipeline");
});

test("the next command asks the same store", () => {
  const parts = toErrorParts({ flags: { ...FLAGS, store: "sqlite:a b.db" } }, UNKNOWN);

  expect(parts.next).toBe("npx millrace run crawl.ts --only score --store 'sqlite:a b.db'");
});

test("control bytes in a message are escaped, its lines are kept", () => {
  const error = new MillraceError("INPUT_INVALID", "Bad:\n  a: \u001B[31mred\u0007\u202E");

  const text = renderError(toErrorParts({ flags: FLAGS }, error));

  expect(text).toContain("error: Bad:\n  a: \\x1b[31mred\\x07\\u202e\n");
});

test("no stack is shown, unless it is asked for", () => {
  expect(print(UNKNOWN).stderr).not.toContain("render-error.test");
  expect(print(UNKNOWN, { verbose: true }).stderr).toContain("render-error.test");
});

test("a fault of ours is exit 6, with an id, its stack and its causes", () => {
  const { code, stderr } = print(new TypeError("x is undefined", { cause: new Error("deeper") }));

  expect(code).toBe(6);
  expect(stderr).toMatch(/^error: TypeError: x is undefined\n {2}code {3}INTERNAL \(exit 6\)\n/);
  expect(stderr).toMatch(/ {2}id {5}[0-9a-f]{8}: a report needs/);
  expect(stderr).toContain("render-error.test");
  expect(stderr).toContain("caused by: Error: deeper");
});

test("colour is on the first word alone, and only where it is asked for", () => {
  expect(print(UNKNOWN, { color: "always" }).stderr).toMatch(
    new RegExp(`^${"\u001B"}\\[[\\d;]+m.*error:`),
  );
  expect(print(UNKNOWN).stderr).not.toContain("\u001B");
});
