import fc from "fast-check";
import { expect, test } from "vitest";
import { formatDuration, parseDuration } from "./duration.ts";

test.each([
  [0, 0],
  [250, 250],
  ["250ms", 250],
  ["30s", 30_000],
  ["1.5s", 1500],
  ["1.005s", 1005],
  ["0.5d", 43_200_000],
  ["5m", 300_000],
  ["2h", 7_200_000],
  ["1d", 86_400_000],
  ["1.0ms", 1],
  ["0s", 0],
])("the duration %j is %d ms", (input, ms) => {
  expect(parseDuration(input)).toEqual({ ok: true, value: ms });
});

test.each([
  "30",
  "",
  "s",
  "-5s",
  "+5s",
  "5 s",
  " 5s",
  "5S",
  "5s\n",
  ".5s",
  "5.s",
  "1e3s",
  "1s500ms",
  "5 minutes",
  "5w",
  "0.5ms",
  "1.0005s",
  "Infinitys",
  "99999999999999d",
  -1,
  0.5,
  NaN,
  Infinity,
  2 ** 53,
  null,
  undefined,
  true,
  5n,
  {},
])("%s is refused as a duration", (input) => {
  expect(parseDuration(input).ok).toBe(false);
});

test("the refusal says what is expected, what was given, and what a number without unit may mean", () => {
  expect(parseDuration("30")).toEqual({
    ok: false,
    error:
      'expected whole milliseconds or a number with a unit, such as 250, "250ms", "1.5s", "5m", "2h" or "1d"; ' +
      'got "30", which has no unit: write "30ms" or "30s"',
  });
  expect(parseDuration("soon")).toMatchObject({ error: expect.stringMatching(/; got "soon"$/) });
  expect(parseDuration(-1)).toMatchObject({ error: expect.stringMatching(/; got -1$/) });
  expect(parseDuration(null)).toMatchObject({ error: expect.stringMatching(/; got null$/) });
  expect(parseDuration({})).toMatchObject({ error: expect.stringMatching(/of type object$/) });
});

test("every whole number of a unit is read exactly", () => {
  const units = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
  fc.assert(
    fc.property(fc.nat(100_000_000), fc.constantFrom("ms", "s", "m", "h", "d"), (count, unit) => {
      expect(parseDuration(`${count}${unit}`)).toEqual({ ok: true, value: count * units[unit] });
    }),
  );
});

test("seconds with three decimals are read exactly", () => {
  fc.assert(
    fc.property(fc.nat(), (ms) => {
      expect(parseDuration(`${(ms / 1000).toFixed(3)}s`)).toEqual({ ok: true, value: ms });
    }),
  );
});

test.each([
  [0, "0ms"],
  [250, "250ms"],
  [0.4, "0ms"],
  [999.4, "999ms"],
  [999.6, "1s"],
  [1000, "1s"],
  [1234, "1.2s"],
  [59_949, "59.9s"],
  [59_960, "1m"],
  [2_840_000, "47m 20s"],
  [3_599_600, "1h"],
  [3_780_000, "1h 3m"],
  [86_399_000, "1d"],
  [187_200_000, "2d 4h"],
  [-1500, "-1.5s"],
  [Infinity, "Infinity"],
])("%d ms is shown as %s", (ms, shown) => {
  expect(formatDuration(ms)).toBe(shown);
});

test("no unit is ever shown full: neither 60s nor 60m nor 24h", () => {
  fc.assert(
    fc.property(fc.double({ min: 0, max: 4e8, noNaN: true }), (ms) => {
      expect(formatDuration(ms)).not.toMatch(/\b(1000ms|60s|60m|24h)/);
    }),
  );
});
