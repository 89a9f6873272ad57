import { expect, test } from "vitest";
import { classifyError } from "../../../policy/classify/classify.ts";
import { CommandError } from "./command-error.ts";
import { parseOutput } from "./parse-output.ts";

function faultOf(parse: "json" | "jsonl", stdout: Buffer | string): CommandError {
  try {
    parseOutput(parse, Buffer.from(stdout));
  } catch (error) {
    if (error instanceof CommandError) return error;
    throw error;
  }
  throw new Error("It was read without a fault.");
}

test("each way to read stdout gives its own kind of value", () => {
  const printed = Buffer.from('{"a":1}\n\n{"a":2}\r\n');

  expect(parseOutput("none", printed)).toBeUndefined();
  expect(parseOutput("text", printed)).toBe('{"a":1}\n\n{"a":2}\r\n');
  expect(parseOutput("jsonl", printed)).toEqual([{ a: 1 }, { a: 2 }]);
  expect(parseOutput("json", Buffer.from(' \n{"a":[1]}\n'))).toEqual({ a: [1] });
});

test("nothing printed is an empty list and an empty text", () => {
  expect(parseOutput("jsonl", Buffer.from(""))).toEqual([]);
  expect(parseOutput("text", Buffer.from(""))).toBe("");
});

test("a byte order mark before JSON is taken off", () => {
  expect(parseOutput("json", Buffer.from("\uFEFF[1]"))).toEqual([1]);
});

test("text that is not UTF-8 is replaced and never refused", () => {
  expect(parseOutput("text", Buffer.from([0x61, 0xff, 0x00, 0x62]))).toBe("a\uFFFD\0b");
});

test("a key named __proto__ changes nothing but the object that has it", () => {
  const value = parseOutput("json", Buffer.from('{"__proto__":{"isAdmin":true}}'));

  expect(Object.keys(Object(value))).toEqual(["__proto__"]);
  expect(Reflect.get({}, "isAdmin")).toBeUndefined();
});

test.each([
  ["json", "hello \u001b[31mworld", 'Expected JSON on stdout, got text "hello \\x1b[31mworld".'],
  ["json", "  \n", "Expected JSON on stdout, got nothing."],
  ["json", '{"a":1}\n{"a":2}', 'Expected JSON on stdout, got text "{"a":1}\\n{"a":2}".'],
  ["jsonl", '{"a":1}\noops\n', 'Expected JSON on line 2 of stdout, got text "oops".'],
] as const)("R23: %s from %j is refused by name", (parse, stdout, message) => {
  expect(faultOf(parse, stdout).message).toBe(message);
});

test("bytes that are no text are not read as JSON", () => {
  expect(faultOf("json", Buffer.from([0x22, 0xff, 0x22])).message).toBe(
    "Expected JSON on stdout, got bytes that are not UTF-8 text.",
  );
});

test("what was printed is quoted in part only", () => {
  expect(faultOf("json", "x".repeat(1_000_000)).message.length).toBeLessThan(300);
});

test("output of the wrong kind is a permanent failure with a code", () => {
  const fault = faultOf("json", "hello");

  expect(fault.code).toBe("COMMAND_OUTPUT_INVALID");
  expect(classifyError(fault)).toMatchObject({ class: "permanent" });
});
