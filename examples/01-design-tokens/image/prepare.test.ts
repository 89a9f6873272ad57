import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { toPicture } from "./picture.ts";
import { decodePng } from "./png-file.ts";
import { prepareImage } from "./prepare.ts";

const FIXTURES = join(import.meta.dirname, "..", "fixtures");

test("R300: the 3000 x 2000 picture is read at 1620 x 1080", () => {
  const file = "faulty/large-3000x2000.png";
  const { image, picture } = prepareImage(readFileSync(join(FIXTURES, file)), file);
  expect(image.source).toEqual({ width: 3000, height: 2000 });
  expect(image.size).toEqual({ width: 1620, height: 1080 });
  expect(picture).toMatchObject({ width: 1620, height: 1080 });
  expect(picture.colors).toHaveLength(1620 * 1080);
});

test("R300: a picture that fits keeps its pixels, with a thumbnail beside it", () => {
  const bytes = readFileSync(join(FIXTURES, "brand", "logo2.png"));
  const { image, picture } = prepareImage(bytes, "logo2.png");
  expect(image.size).toEqual({ width: 560, height: 120 });
  expect(picture).toEqual(toPicture(decodePng(bytes, "logo2.png")));
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
