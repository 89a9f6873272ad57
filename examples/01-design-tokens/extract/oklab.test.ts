import { expect, test } from "vitest";
import fc from "fast-check";
import { oklab } from "culori";
import { toHex } from "../image/picture.ts";
import { fromOklab, toOklab } from "./oklab.ts";

const color = fc.integer({ min: 0, max: 0xffffff });

test("the fast conversion agrees with culori", () => {
  fc.assert(
    fc.property(color, (packed) => {
      const expected = oklab(toHex(packed));
      const [lightness = 0, a = 0, b = 0] = toOklab([packed]);
      expect(lightness).toBeCloseTo(expected?.l ?? NaN, 5);
      expect(a).toBeCloseTo(expected?.a ?? NaN, 5);
      expect(b).toBeCloseTo(expected?.b ?? NaN, 5);
    }),
  );
});

test("there and back is the same colour", () => {
  fc.assert(
    fc.property(color, (packed) => {
      const [lightness = 0, a = 0, b = 0] = toOklab([packed]);
      expect(toHex(fromOklab(lightness, a, b))).toBe(toHex(packed));
    }),
  );
});

test("colours outside sRGB are clamped", () => {
  expect(toHex(fromOklab(2, 0, 0))).toBe("#ffffff");
  expect(toHex(fromOklab(-1, 0, 0))).toBe("#000000");
});
