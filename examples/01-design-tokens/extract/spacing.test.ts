import { expect, test } from "vitest";
import { paintPicture } from "../image/paint.ts";
import { findGridUnit } from "./grid-unit.ts";
import { extractSpacing } from "./spacing.ts";

test("paddings and gaps are measured between straight edges", () => {
  const picture = paintPicture({ width: 208, height: 128, color: "#ffffff" }, [
    { left: 24, top: 32, width: 64, height: 64, color: "#177e89" },
    { left: 104, top: 32, width: 80, height: 64, color: "#f2a93b" },
  ]);
  expect(extractSpacing(picture).gaps).toEqual([
    { px: 16, count: 1 },
    { px: 24, count: 2 },
    { px: 32, count: 2 },
  ]);
});

test("a card is entered past its round corners", () => {
  const picture = paintPicture({ width: 260, height: 220, color: "#f5f2ea" }, [
    { left: 20, top: 20, width: 200, height: 160, color: "#ffffff", radius: 16 },
    { left: 44, top: 44, width: 152, height: 40, color: "#0b3c5d", radius: 8 },
  ]);
  const counts = new Map(extractSpacing(picture).gaps.map(({ px, count }) => [px, count]));
  expect(counts.get(24)).toBe(3);
  expect(counts.get(96)).toBe(1);
});

test("ragged edges are text and give nothing", () => {
  const letters = Array.from({ length: 12 }, (_, index) => ({
    left: 30 + index * 9,
    top: 40 + (index % 3),
    width: 5,
    height: 12,
    color: "#12263a",
  }));
  expect(
    extractSpacing(paintPicture({ width: 200, height: 100, color: "#ffffff" }, letters)).gaps,
  ).toEqual([]);
});

test("an even picture and one without a ground give nothing", () => {
  expect(extractSpacing(paintPicture({ width: 50, height: 50, color: "#ffffff" })).gaps).toEqual(
    [],
  );
  const rows = Array.from({ length: 50 }, (_, top) => ({
    left: 0,
    top,
    width: 50,
    height: 1,
    color: `#${(top * 5).toString(16).padStart(2, "0").repeat(3)}`,
  }));
  expect(
    extractSpacing(paintPicture({ width: 50, height: 50, color: "#000000" }, rows)).gaps,
  ).toEqual([]);
});

const lengths = (...list: readonly number[]): { px: number; count: number }[] =>
  list.map((px) => ({ px, count: 4 }));

test.each([
  { gaps: [8, 16, 24, 32, 48, 64], unit: 8 },
  { gaps: [4, 8, 12, 20, 28, 36], unit: 4 },
  { gaps: [5, 10, 15, 25, 35], unit: 5 },
  { gaps: [8, 16, 24, 40, 56, 13, 27], unit: 8 },
  { gaps: [12, 24, 36, 60, 84], unit: 12 },
])("the unit of $gaps is $unit, not a part of it", ({ gaps, unit }) => {
  expect(findGridUnit(lengths(...gaps))?.px).toBe(unit);
});

test("distances without a common unit, or too few of them, have none", () => {
  expect(findGridUnit(lengths(7, 11, 13, 17, 19, 23, 29, 31, 37, 41))).toBeUndefined();
  expect(findGridUnit([{ px: 8, count: 3 }])).toBeUndefined();
  expect(findGridUnit([])).toBeUndefined();
});
