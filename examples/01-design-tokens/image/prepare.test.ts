import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { decodePng } from "./png-file.ts";
import { prepareImage } from "./prepare.ts";

const FIXTURES = join(import.meta.dirname, "..", "fixtures");

test("R300: the 3000 x 2000 picture is read at 1620 x 1080", () => {
  const file = "faulty/large-3000x2000.png";
  const { image, png } = prepareImage(readFileSync(join(FIXTURES, file)), file);
  expect(image.source).toEqual({ width: 3000, height: 2000 });
  expect(image.size).toEqual({ width: 1620, height: 1080 });
  expect(decodePng(png, file)).toMatchObject({ width: 1620, height: 1080 });
});

test("R300: a picture that fits passes byte for byte, with a thumbnail beside it", () => {
  const bytes = readFileSync(join(FIXTURES, "brand", "logo2.png"));
  const { image, png } = prepareImage(bytes, "logo2.png");
  expect(image.size).toEqual({ width: 560, height: 120 });
  expect(png).toBe(bytes);
  expect(decodePng(image.thumbnail, "thumbnail")).toMatchObject({ width: 272, height: 58 });
  expect(image.thumbnail.length).toBeLessThan(64 * 1024);
});

test("how much can be seen is measured by alpha", () => {
  const share = (file: string): number =>
    prepareImage(readFileSync(join(FIXTURES, file)), file).image.seenShare;
  expect(share("faulty/transparent.png")).toBe(0);
  expect(share("brand/landing-512.png")).toBe(1);
  expect(share("brand/Minduka_Present_Blue_Pack.png")).toBeCloseTo(0.58, 1);
});
