import { expect, test } from "vitest";
import { makeNamedError } from "./named-error.ts";

test.each([
  ["EvalError", EvalError],
  ["RangeError", RangeError],
  ["ReferenceError", ReferenceError],
  ["SyntaxError", SyntaxError],
  ["TypeError", TypeError],
  ["URIError", URIError],
  ["AggregateError", AggregateError],
  ["Error", Error],
] as const)("an error named %s is built in that class", (name, makeClass) => {
  const error = makeNamedError({ name, message: "x" });
  expect(Object.getPrototypeOf(error)).toBe(makeClass.prototype);
  expect(Object.hasOwn(error, "name")).toBe(false);
});

test("any other name is borne by a plain Error, out of sight of those who list fields", () => {
  const error = makeNamedError({ name: "QuotaError", message: "spent", cause: 1, errors: [2] });
  expect(String(error)).toBe("QuotaError: spent");
  expect(Object.keys(error)).toEqual([]);
  expect(error).toMatchObject({ cause: 1, errors: [2] });
});

test("a stack is kept, and none is invented", () => {
  expect(makeNamedError({ name: "Error", message: "x", stack: "far away" }).stack).toBe("far away");
  expect(makeNamedError({ name: "Error", message: "x" }).stack).toBe("Error: x");
  expect("cause" in makeNamedError({ name: "Error", message: "x" })).toBe(false);
});
