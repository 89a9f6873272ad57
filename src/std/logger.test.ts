import { expect, test, vi } from "vitest";
import { silentLogger } from "./logger.ts";

test("the silent logger takes every level and writes nothing", () => {
  const wrote = vi.spyOn(process.stdout, "write").mockReturnValue(true);
  const complained = vi.spyOn(process.stderr, "write").mockReturnValue(true);
  for (const level of ["debug", "info", "warn", "error"] as const)
    silentLogger[level]("x", { a: 1 });
  const calls = wrote.mock.calls.length + complained.mock.calls.length;
  vi.restoreAllMocks();
  expect(calls).toBe(0);
});
