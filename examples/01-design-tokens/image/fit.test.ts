import { expect, test } from "vitest";
import fc from "fast-check";
import { fitSize, shrink, SIZE_MAX } from "./fit.ts";
import { paintBitmap } from "./paint.ts";

test.each([
  { from: [3000, 2000], to: [1620, 1080] },
  { from: [560, 120], to: [560, 120] },
  { from: [1920, 1080], to: [1920, 1080] },
  { from: [1921, 1080], to: [1920, 1079] },
  { from: [100_000, 1], to: [1920, 1] },
])("R300: $from becomes $to", ({ from: [width = 0, height = 0], to }) => {
  const size = fitSize({ width, height }, SIZE_MAX);
  expect([size.width, size.height]).toEqual(to);
});

test("no size grows, and every size fits", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 9000 }), fc.integer({ min: 1, max: 9000 }), (w, h) => {
      const size = fitSize({ width: w, height: h }, SIZE_MAX);
      expect(size.width).toBeLessThanOrEqual(Math.min(w, SIZE_MAX.width));
      expect(size.height).toBeLessThanOrEqual(Math.min(h, SIZE_MAX.height));
      expect(Math.min(size.width, size.height)).toBeGreaterThan(0);
    }),
  );
});

test("a picture of one colour keeps it exactly at any size", () => {
  const bitmap = paintBitmap({ width: 37, height: 23, color: "#e43836" });
  for (const [width, height] of [
    [37, 22],
    [20, 13],
    [7, 23],
    [1, 1],
  ] as const) {
    const { data } = shrink(bitmap, { width, height });
    expect(data).toEqual(paintBitmap({ width, height, color: "#e43836" }).data);
  }
});

test("each new pixel is the mean of the area it covers", () => {
  const bitmap = paintBitmap({ width: 3, height: 1, color: "#000000" }, [
    { left: 2, top: 0, width: 1, height: 1, color: "#ffffff" },
  ]);
  // Three pixels become two: the second one covers half of the middle and all of the last.
  expect([...shrink(bitmap, { width: 2, height: 1 }).data]).toEqual([
    0, 0, 0, 255, 170, 170, 170, 255,
  ]);
});

test("a colour that nobody sees does not bleed into what is seen", () => {
  const data = Uint8Array.from([255, 0, 0, 0, 0, 0, 255, 255]);
  const small = shrink({ width: 2, height: 1, data }, { width: 1, height: 1 });
  expect([...small.data]).toEqual([0, 0, 255, 128]);
});

test("a picture that fits is given back as it is", () => {
  const bitmap = paintBitmap({ width: 560, height: 120, color: "#ffffff" });
  expect(shrink(bitmap, fitSize(bitmap, SIZE_MAX))).toBe(bitmap);
});
