import { expect, test } from "vitest";
import type { Picture } from "../image/picture.ts";
import { toPicture } from "../image/picture.ts";
import { paintBitmap, paintPicture } from "../image/paint.ts";
import { extractColors } from "./color.ts";

const HEXES = (picture: Picture): string[] => extractColors(picture).map((color) => color.hex);

test("areas of one colour are found exactly, with their share", () => {
  const picture = paintPicture({ width: 200, height: 100, color: "#f5f2ea" }, [
    { left: 0, top: 0, width: 100, height: 50, color: "#e53935" },
    { left: 100, top: 0, width: 50, height: 50, color: "#e43836" },
  ]);
  expect(extractColors(picture)).toMatchObject([
    { hex: "#f5f2ea", coverage: 0.625, origin: "flat" },
    { hex: "#e53935", coverage: 0.25, origin: "flat" },
    { hex: "#e43836", coverage: 0.125, origin: "flat" },
  ]);
});

test("blended rims of round things are no colours", () => {
  const picture = paintPicture(
    { width: 300, height: 200, color: "#ffffff" },
    Array.from({ length: 6 }, (_, index) => ({
      left: 10 + 48 * index,
      top: 20,
      width: 40,
      height: 40,
      color: "#0b3c5d",
      radius: 20,
    })),
  );
  expect(HEXES(picture)).toEqual(["#ffffff", "#0b3c5d"]);
});

test("a gradient has no exact colours and gives the middles of its clouds", () => {
  const picture = paintPicture(
    { width: 256, height: 64, color: "#000000" },
    Array.from({ length: 256 }, (_, left) => {
      const level = left.toString(16).padStart(2, "0");
      return { left, top: 0, width: 1, height: 64, color: `#${level}80${level}` };
    }),
  );
  const colors = extractColors(picture);
  const blends = colors.filter((color) => color.origin === "blend");
  expect(blends.length).toBeGreaterThanOrEqual(3);
  for (const blend of blends) expect(blend.confidence).toBeLessThan(0.61);
});

test("R300: hidden pixels have no colour, whatever their channels say", () => {
  const red = paintBitmap({ width: 40, height: 40, color: "#e53935" });
  const hide = (until: number): Picture =>
    toPicture({
      ...red,
      data: red.data.map((byte, at) => (at % 4 === 3 && at < until ? 0 : byte)),
    });
  expect(extractColors(hide(6400))).toEqual([]);
  expect(extractColors(hide(3200))).toMatchObject([{ hex: "#e53935", coverage: 1 }]);
});

test("the same picture gives the same colours in the same order", () => {
  const picture = paintPicture({ width: 64, height: 64, color: "#808080" }, [
    { left: 0, top: 0, width: 32, height: 32, color: "#112233" },
    { left: 32, top: 32, width: 32, height: 32, color: "#332211" },
  ]);
  expect(extractColors(picture)).toEqual(extractColors(picture));
  expect(HEXES(picture)).toEqual(["#808080", "#112233", "#332211"]);
});
