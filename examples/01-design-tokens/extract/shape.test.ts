import { expect, test } from "vitest";
import { paintPicture } from "../image/paint.ts";
import type { PaintedBox } from "../image/paint.ts";
import { extractShapes } from "./shape.ts";

function draw(boxes: readonly PaintedBox[]): ReturnType<typeof extractShapes> {
  return extractShapes(paintPicture({ width: 320, height: 200, color: "#f5f2ea" }, boxes));
}

test.each([2, 4, 6, 8, 10, 12, 16, 20, 24, 32])("a radius of %i is measured exactly", (radius) => {
  const { corners, pills } = draw([
    { left: 20, top: 20, width: 200, height: 150, color: "#177e89", radius },
  ]);
  expect(corners).toEqual([{ px: radius, count: 4 }]);
  expect(pills).toBe(0);
});

test("square corners are corners of radius 0; what stands in a box does not change it", () => {
  const { corners, boxes } = draw([
    { left: 20, top: 20, width: 100, height: 80, color: "#ffffff" },
    { left: 40, top: 40, width: 40, height: 20, color: "#12263a", radius: 4 },
  ]);
  expect(corners).toEqual([
    { px: 0, count: 4 },
    { px: 4, count: 4 },
  ]);
  // The ground is a box as well; its corners lie on the rim and are not judged.
  expect(boxes).toBe(3);
});

test.each([
  { width: 90, height: 32 },
  { width: 64, height: 64 },
  { width: 120, height: 40 },
])("$width x $height with full radius is a pill, not a corner", ({ width, height }) => {
  const { corners, pills } = draw([
    { left: 50, top: 50, width, height, color: "#e53935", radius: Math.min(width, height) / 2 },
  ]);
  expect(pills).toBe(1);
  expect(corners).toEqual([]);
});

test("a box cut by the rim counts only the corners that can be seen", () => {
  const { corners } = draw([
    { left: 0, top: 120, width: 100, height: 80, color: "#ffffff", radius: 16 },
  ]);
  expect(corners).toEqual([{ px: 16, count: 1 }]);
});

test("small things and slanted ones are no boxes", () => {
  const steps = Array.from({ length: 40 }, (_, index) => ({
    left: 40 + index,
    top: 40 + index,
    width: 20,
    height: 1,
    color: "#e53935",
  }));
  const { boxes } = draw([
    ...steps,
    { left: 200, top: 20, width: 10, height: 10, color: "#177e89" },
  ]);
  expect(boxes).toBe(1);
});
