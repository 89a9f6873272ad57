import fc from "fast-check";
import { expect, test } from "vitest";
import { nextLimit, type LimitOptions } from "./timeout.ts";

function limitOf(parts: Partial<LimitOptions>): ReturnType<typeof nextLimit> {
  return nextLimit({
    timeoutMs: null,
    deadlineAtMs: null,
    runDeadlineAtMs: null,
    nowMs: 1_000,
    ...parts,
  });
}

test("without limits nothing ends an attempt", () => {
  expect(limitOf({})).toBeNull();
});

test("each limit alone ends it at its own time", () => {
  expect(limitOf({ timeoutMs: 50 })).toEqual({ atMs: 1_050, kind: "timeout" });
  expect(limitOf({ deadlineAtMs: 1_200 })).toEqual({ atMs: 1_200, kind: "deadline" });
  expect(limitOf({ runDeadlineAtMs: 1_300 })).toEqual({ atMs: 1_300, kind: "deadline" });
});

test("at equal times the deadline counts, for a retry would have no time left", () => {
  expect(limitOf({ timeoutMs: 50, deadlineAtMs: 1_050 })?.kind).toBe("deadline");
  expect(limitOf({ timeoutMs: 49, deadlineAtMs: 1_050 })?.kind).toBe("timeout");
});

test("a deadline that has passed is the limit, though it lies in the past", () => {
  expect(limitOf({ timeoutMs: 0, runDeadlineAtMs: 10 })).toEqual({ atMs: 10, kind: "deadline" });
});

test("the first of all limits wins", () => {
  const limit = fc.option(fc.nat(10_000));
  fc.assert(
    fc.property(limit, limit, limit, (timeoutMs, deadlineAtMs, runDeadlineAtMs) => {
      const found = limitOf({ timeoutMs, deadlineAtMs, runDeadlineAtMs });
      const times = [timeoutMs === null ? null : 1_000 + timeoutMs, deadlineAtMs, runDeadlineAtMs];
      const given = times.filter((time) => time !== null);
      expect(found?.atMs ?? null).toBe(given.length === 0 ? null : Math.min(...given));
    }),
  );
});
