import { expect, test } from "vitest";
import { ERROR_CODES, MillraceError } from "../model/errors.ts";
import { exitCodeOf, exitCodeOfError, worstExitCode } from "./exit-code.ts";

test("every error code has an exit code, and none of them is success", () => {
  for (const code of ERROR_CODES) expect([1, 2, 4, 5, 6, 130]).toContain(exitCodeOf(code));
});

test("what is none of our errors is a fault of ours", () => {
  expect(exitCodeOfError(new TypeError("x"))).toBe(6);
  expect(exitCodeOfError(undefined)).toBe(6);
  expect(exitCodeOfError(new MillraceError("SHUTDOWN", "x"))).toBe(130);
  const details = { signal: "SIGTERM" };
  expect(exitCodeOfError(new MillraceError("SHUTDOWN", "x", { details }))).toBe(143);
  expect(exitCodeOfError(new MillraceError("RUN_NOT_FOUND", "x"))).toBe(2);
});

test.each<[number[], number]>([
  [[], 0],
  [[0, 0], 0],
  [[0, 3], 3],
  [[3, 4, 0], 4],
  [[4, 5], 5],
  [[5, 1, 3], 1],
  [[1, 6], 6],
  [[6, 143], 143],
  [[143, 130, 0], 130],
])("%j together are %d", (codes, worst) => {
  expect(worstExitCode(codes)).toBe(worst);
});
