import { expect, test } from "vitest";
import { paintPicture } from "./paint.ts";
import { isPhotograph, packPicture, toPicture, UNSEEN, unpackPicture } from "./picture.ts";

const data = Uint8Array.from([
  229, 57, 53, 255, 229, 57, 53, 127, 255, 255, 255, 128, 0, 0, 0, 255,
]);
const picture = toPicture({ width: 2, height: 2, data });

test("equal colours are equal numbers; what is less than half visible is unseen", () => {
  expect([...picture.colors]).toEqual([0xe53935, UNSEEN, 0xffffff, 0]);
});

test("what is packed comes back as it was", () => {
  expect(unpackPicture(packPicture(picture), { width: 2, height: 2 })).toEqual(picture);
});

test("damaged bytes and another size are refused", () => {
  const bytes = packPicture(picture);
  expect(() => unpackPicture(bytes, { width: 2, height: 3 })).toThrow("are no picture of 2 x 3");
  expect(() => unpackPicture(bytes, { width: 1, height: 2 })).toThrow();
  expect(() => unpackPicture(bytes.subarray(0, 5), { width: 2, height: 2 })).toThrow();
});

test("a picture in which hardly two neighbours are alike is a photograph", () => {
  const size = { width: 40, height: 40 };
  const colors = Uint32Array.from({ length: 1600 }, (_, at) => (at * 7919) % 0xffffff);
  expect(isPhotograph({ ...size, colors })).toBe(true);
  const striped = Uint32Array.from({ length: 1600 }, (_, at) => Math.floor(at / 2) % 0xffffff);
  expect(isPhotograph({ ...size, colors: striped })).toBe(false);
  expect(isPhotograph(paintPicture({ ...size, color: "#ffffff" }))).toBe(false);
});
