import { expect, test } from "vitest";
import { combineConfidence } from "./token.ts";

const source = (
  confidence: number,
  weight = 1,
): Parameters<typeof combineConfidence>[0][number] => ({
  image: "a.png",
  value: "#ffffff",
  confidence,
  weight,
});

test("R300: sources together count their weighted mean, a tenth more for each further one", () => {
  expect(combineConfidence([source(0.6)])).toBeCloseTo(0.6);
  expect(combineConfidence([source(0.6), source(0.6)])).toBeCloseTo(0.66);
  expect(combineConfidence([source(0.8, 3), source(0.4, 1)])).toBeCloseTo(0.7 * 1.1);
});

test("R300: combined confidence never exceeds 1, and is 0 without sources", () => {
  expect(combineConfidence(Array.from({ length: 9 }, () => source(0.9)))).toBe(1);
  expect(combineConfidence([])).toBe(0);
});
