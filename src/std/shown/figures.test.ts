import { expect, test } from "vitest";
import {
  showBytes,
  showCount,
  showCountOf,
  showDuration,
  showElapsed,
  showRate,
  showRemaining,
  showShare,
  showStopwatch,
} from "./figures.ts";

test("counts have separators", () => {
  expect([0, 999, 10_000, 1_234_567].map(showCount)).toEqual(["0", "999", "10,000", "1,234,567"]);
  expect(showCountOf(1, "item")).toBe("1 item");
  expect(showCountOf(10_000, "item")).toBe("10,000 items");
  expect(showCountOf(2, "retry", "retries")).toBe("2 retries");
});

test.each([
  [0, "<1 ms"],
  [0.4, "<1 ms"],
  [0.5, "1 ms"],
  [250, "250 ms"],
  [1_200, "1.2 s"],
  [41_000, "41 s"],
  [60_000, "1m"],
  [2_840_000, "47m 20s"],
  [3_780_000, "1h 3m"],
])("%d ms is shown as %s", (ms, text) => {
  expect(showDuration(ms)).toBe(text);
});

test("elapsed time has whole seconds, time to go is coarse", () => {
  expect([0, 1_999, 61_500].map(showElapsed)).toEqual(["0 s", "1 s", "1m 1s"]);
  expect([10, 7_100, 170_000, 7_800_000].map(showRemaining)).toEqual(["1s", "8s", "3m", "2h 10m"]);
});

test("rates change their unit before they become nothing", () => {
  expect([120.4, 3.33, 0.2, 0.01].map(showRate)).toEqual(["120/s", "3.3/s", "12/min", "36/h"]);
});

test("shares never round to all or nothing", () => {
  expect([
    showShare(0, 10),
    showShare(1, 10_000),
    showShare(31, 100),
    showShare(9_999, 10_000),
    showShare(5, 5),
    showShare(1, 0),
  ]).toEqual(["0%", "<1%", "31%", ">99%", "100%", "0%"]);
});

test("the stopwatch has hours, minutes and seconds", () => {
  expect([0, 3_012_450, 360_000_000].map(showStopwatch)).toEqual([
    "00:00:00",
    "00:50:12",
    "100:00:00",
  ]);
});

test("bytes have two or three digits and a unit", () => {
  expect([12, 999, 1_000, 2_345_678, 212_000_000].map(showBytes)).toEqual([
    "12 B",
    "999 B",
    "1 KB",
    "2.3 MB",
    "212 MB",
  ]);
});
