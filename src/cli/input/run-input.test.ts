import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { afterEach, expect, test } from "vitest";
import { applyChange, readRunInput } from "./run-input.ts";

const cwd = mkdtempSync(join(tmpdir(), "millrace-input-"));

afterEach(() => {
  rmSync(join(cwd, "input.json"), { force: true });
});

function read(options: Record<string, string | readonly string[]>, typed: string = "") {
  const stdin = new PassThrough();
  stdin.end(typed);
  return readRunInput({ cwd, stdin: () => stdin }, options);
}

test("without --input and --set nothing is given", async () => {
  expect(await read({})).toEqual({ isGiven: false, value: undefined, words: [] });
});

test("the input is JSON, a file or stdin", async () => {
  writeFileSync(join(cwd, "input.json"), '{"from":"file"}');

  expect((await read({ input: '{"from":"flag"}' })).value).toEqual({ from: "flag" });
  expect((await read({ input: "@input.json" })).value).toEqual({ from: "file" });
  expect((await read({ input: "-" }, '{"from":"stdin"}')).value).toEqual({ from: "stdin" });
});

test("--set goes on top, and both are given back as words of a command", async () => {
  const { value, words } = await read({ input: '{"a":{"b":1},"c":2}', set: ["a.b=3", "d=text"] });

  expect(value).toEqual({ a: { b: 3 }, c: 2, d: "text" });
  expect(words).toEqual(["--input", '{"a":{"b":1},"c":2}', "--set", "a.b=3", "--set", "d=text"]);
});

test("what is no JSON is refused with its beginning", async () => {
  await expect(read({ input: "{oops" })).rejects.toMatchObject({
    code: "USAGE_INVALID",
    message: expect.stringMatching(/^The input from --input is no JSON: /),
    hint: expect.stringContaining('it begins with "{oops"'),
  });
});

test("a file that is not there is named", async () => {
  await expect(read({ input: "@nowhere.json" })).rejects.toMatchObject({
    code: "FILE_UNREADABLE",
    message: expect.stringContaining('"nowhere.json"'),
  });
});

test.each<[unknown, string, unknown]>([
  [undefined, "a.b=1", { a: { b: 1 } }],
  [{ a: 1 }, 'a="1"', { a: "1" }],
  [{ a: 1 }, "a=", { a: "" }],
  [{ a: 1 }, "a=x=y", { a: "x=y" }],
  [{ a: [1, 2] }, "a.0=9", { a: [9, 2] }],
  [{ a: [1, 2] }, "a.2=9", { a: [1, 2, 9] }],
  [{ a: [{ b: 1 }] }, "a.0.b=null", { a: [{ b: null }] }],
])("%j with --set %s is %j", (before, change, after) => {
  expect(applyChange(before, change)).toEqual(after);
});

test("--set leaves the value it was given as it was", () => {
  const before = { a: { b: [1] } };

  applyChange(before, "a.b.0=2");

  expect(before).toEqual({ a: { b: [1] } });
});

test.each(["a", "=1", "a..b=1", "__proto__.x=1", "a.__proto__=1"])(
  "--set %s is refused",
  (change) => {
    expect(() => applyChange({}, change)).toThrow(/^--set: /);
  },
);

test("--set does not go through text, nor past the end of a list", () => {
  expect(() => applyChange({ a: "text" }, "a.b=1")).toThrow("there is no record there");
  expect(() => applyChange({ a: [1] }, "a.5=1")).toThrow("expected 0 to 1");
});
