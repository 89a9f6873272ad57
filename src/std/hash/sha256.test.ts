import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import fc from "fast-check";
import { expect, test } from "vitest";
import { hashHere, sha256 } from "./sha256.ts";

const native = (data: Uint8Array | string): string =>
  createHash("sha256").update(data).digest("hex");

test("the published values of the standard come out", () => {
  const abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
  assert.equal(hashHere(Buffer.from("abc")), abc);
  assert.equal(
    hashHere(new Uint8Array()),
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
  );
});

test("every length around the blocks, and any bytes, hash as they do natively", () => {
  for (let length = 0; length <= 200; length += 1) {
    const bytes = new Uint8Array(length).fill(length);
    assert.equal(hashHere(bytes), native(bytes));
  }
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 5_000 }), (bytes) => {
      expect(hashHere(bytes)).toBe(native(bytes));
    }),
  );
});

test("before and after the native one is loaded the same text has the same hash", () => {
  for (let count = 0; count < 200; count += 1)
    assert.equal(sha256(`ä${count}`), native(`ä${count}`));
  const large = "x".repeat(100_000);
  assert.equal(sha256(large), native(large));
});
