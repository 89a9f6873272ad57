import { fc, test as propertyTest } from "@fast-check/vitest";
import { expect, test } from "vitest";
import { toIso } from "./time-view.ts";

/** The moments that a Date can hold, ms from 1970. */
const MOMENT_MS_MAX = 8_640_000_000_000_000;

propertyTest.prop([fc.integer({ min: -MOMENT_MS_MAX, max: MOMENT_MS_MAX })])(
  "a moment is written as the calendar of the platform writes it",
  (atMs) => {
    expect(toIso(atMs)).toBe(new Date(atMs).toISOString());
  },
);

test.each([
  0, -1, 86_399_999, 86_400_000, 951_782_400_000, 253_402_300_799_999, 1_763_738_000_000.9,
])("%d ms is written the same before and after another day was", (atMs) => {
  const expected = new Date(atMs).toISOString();
  expect(toIso(atMs)).toBe(expected);
  toIso(1_000_000_000_000);
  expect(toIso(atMs)).toBe(expected);
});

test("what no calendar has is refused", () => {
  expect(() => toIso(Number.NaN)).toThrow(RangeError);
  expect(() => toIso(MOMENT_MS_MAX + 86_400_000)).toThrow(RangeError);
});
