import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { findStartTicks } from "./process-stat.ts";

/** A line as Linux writes it, of a process that was started 4711 ticks after the boot. */
function makeStat(state: string, threads: number, name: string = "node"): string {
  const before = "1 200 200 0 -1 4194304 9 0 0 0 15 3 0 0 20 0";
  return `200 (${name}) ${state} ${before} ${threads} 0 4711 999 88 18446744073709551615 1 1\n`;
}

test("a process that runs, sleeps or is stopped is known by its start, whatever its program is called", () => {
  for (const state of ["R", "S", "D", "T", "t", "I"])
    expect(findStartTicks(makeStat(state, 11))).toBe("4711");
  for (const name of ["a b", "Z) Z 0 (", ") ", ""])
    expect(findStartTicks(makeStat("S", 1, name))).toBe("4711");
});

test("a process of which nothing but its exit code is left has ended", () => {
  expect(findStartTicks(makeStat("Z", 1))).toBeUndefined();
  expect(findStartTicks(makeStat("X", 0))).toBeUndefined();
});

test("a process whose main thread has ended lives until its last thread has: that one still holds its files", () => {
  expect(findStartTicks(makeStat("Z", 2))).toBe("4711");
});

test("no line, no process", () => {
  for (const text of ["", "\n", "200 (node)"]) expect(findStartTicks(text)).toBeUndefined();
});

test.skipIf(process.platform !== "linux")("the line of this process has its start", () => {
  expect(findStartTicks(readFileSync("/proc/self/stat", "utf8"))).toMatch(/^\d+$/);
});
