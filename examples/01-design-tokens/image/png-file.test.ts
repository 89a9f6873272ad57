import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { assertBytes, decodePng, encodePng, FILE_BYTES_MAX, ImageFault } from "./png-file.ts";
import { paintBitmap } from "./paint.ts";

const FAULTY = join(import.meta.dirname, "..", "fixtures", "faulty");

function readFaulty(name: string): Uint8Array {
  return readFileSync(join(FAULTY, name));
}

test("R300: a PNG cut at 60 % is refused by name", () => {
  const name = "cut-at-60-percent.png";
  expect(() => decodePng(readFaulty(name), name)).toThrow(ImageFault);
  expect(() => decodePng(readFaulty(name), name)).toThrow(
    '"cut-at-60-percent.png" is cut off: it begins like a PNG, and breaks off after 44398 bytes',
  );
});

test("R300: a text that is only named .png is refused with what it begins with", () => {
  expect(() => decodePng(readFaulty("text-named.png"), "text-named.png")).toThrow(
    '"text-named.png" is not a PNG, whatever its name says: it begins with "This is a note, "',
  );
});

test("R300: a file above 10 MB is refused before it is looked at", () => {
  expect(() => assertBytes(FILE_BYTES_MAX, "a.png")).not.toThrow();
  expect(() => assertBytes(FILE_BYTES_MAX + 1, "a.png")).toThrow("at most 10 MB");
  expect(() => decodePng(new Uint8Array(FILE_BYTES_MAX + 1), "a.png")).toThrow("too large");
});

test("a whole PNG with a wrong byte inside is damaged, not cut off", () => {
  const bytes = Uint8Array.from(readFaulty("transparent.png"));
  bytes[60] = (bytes[60] ?? 0) ^ 0xff;
  expect(() => decodePng(bytes, "a.png")).toThrow('"a.png" is a damaged PNG: ');
});

test("a small file that declares a giant picture is refused before it is unpacked", () => {
  const bytes = Uint8Array.from(encodePng(paintBitmap({ width: 4, height: 4, color: "#ffffff" })));
  new DataView(bytes.buffer).setUint32(16, 100_000);
  new DataView(bytes.buffer).setUint32(20, 100_000);
  expect(() => decodePng(bytes, "bomb.png")).toThrow("declares 100000 x 100000 pixels");
});

test("an empty file and a bare signature are refused", () => {
  expect(() => decodePng(new Uint8Array(0), "empty.png")).toThrow("is not a PNG");
  const signature = readFaulty("transparent.png").subarray(0, 8);
  expect(() => decodePng(signature, "bare.png")).toThrow("ends before its header");
});

test("what is packed comes back pixel by pixel, and packing twice gives the same bytes", () => {
  const bitmap = paintBitmap({ width: 9, height: 5, color: "#177e89" }, [
    { left: 2, top: 1, width: 4, height: 2, color: "#f2a93b" },
  ]);
  const bytes = encodePng(bitmap);
  expect(decodePng(bytes, "a.png").data).toEqual(Buffer.from(bitmap.data));
  expect(encodePng(bitmap)).toEqual(bytes);
  expect(decodePng(encodePng(bitmap, { opaque: true }), "a.png").data).toEqual(
    Buffer.from(bitmap.data),
  );
});
