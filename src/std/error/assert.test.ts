import { expect, test } from "vitest";
import { assert, InvariantError, unreachable } from "./assert.ts";

test("an assertion that holds says nothing", () => {
  expect(() => assert(1, "unused")).not.toThrow();
});

test("an assertion that fails throws an InvariantError with its message", () => {
  expect(() => assert(0, "the lease is gone")).toThrow(new InvariantError("the lease is gone"));
  expect(new InvariantError("x").name).toBe("InvariantError");
});

test("a case that slipped past the compiler is named", () => {
  const stray: unknown = "purple";
  // The compiler must be told a lie to reach this line: that is the point of the test.
  expect(() => unreachable(stray as never)).toThrow('No case handles the value "purple".');
});
