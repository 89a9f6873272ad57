import assert from "node:assert/strict";
import {
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { onTestFinished, test } from "vitest";
import { isMillraceError, type ErrorCode } from "../../model/errors.ts";
import { FileBlobs } from "./file-blobs.ts";

const BYTES = new TextEncoder().encode("what a stage made");

function setup(): { readonly folder: string; readonly blobs: FileBlobs } {
  const parent = mkdtempSync(join(tmpdir(), "millrace-blobs-"));
  onTestFinished(() => rmSync(parent, { recursive: true, force: true }));
  const folder = join(parent, "blobs");
  return { folder, blobs: new FileBlobs({ folder }) };
}

const hasCode =
  (code: ErrorCode) =>
  (error: unknown): boolean =>
    isMillraceError(error) && error.code === code;

test("a blob is one file under its name, for its owner alone, and nothing else is left", async () => {
  const { folder, blobs } = setup();
  const name = await blobs.put(BYTES);
  const path = blobs.locate(name);

  assert.equal(path, join(folder, name.slice(0, 2), name.slice(2)));
  assert.equal((statSync(path).mode & 0o777).toString(8), "600");
  assert.equal((statSync(dirname(path)).mode & 0o777).toString(8), "700");
  assert.deepEqual(readdirSync(folder, { recursive: true }).length, 2);
  assert.deepEqual(Uint8Array.from((await blobs.get(name)) ?? []), BYTES);
});

test("no folder is made before there is something to put into it", async () => {
  const { folder, blobs } = setup();
  assert.equal(await blobs.get("0".repeat(64)), undefined);
  assert.throws(() => statSync(folder), /ENOENT/);
});

test("a blob that is there already is not written again, and counts as new", async () => {
  const { blobs } = setup();
  const path = blobs.locate(await blobs.put(BYTES));
  const { ino } = statSync(path);
  utimesSync(path, 1_000, 1_000);
  await blobs.put(BYTES);

  assert.equal(statSync(path).ino, ino);
  assert.ok(statSync(path).mtimeMs > 1_000_000);
});

test("a damaged blob is named, and mended by whoever stores its content again", async () => {
  const { blobs } = setup();
  const name = await blobs.put(BYTES);
  const path = blobs.locate(name);
  for (const harm of [
    () => truncateSync(path, 3),
    () => truncateSync(path, 0),
    () => writeFileSync(path, "what a stage mode"),
  ]) {
    harm();
    await assert.rejects(blobs.get(name), (error) => {
      assert.ok(isMillraceError(error) && error.code === "VALUE_DAMAGED");
      return error.message.includes(path);
    });
    assert.equal(await blobs.put(BYTES), name);
    assert.deepEqual(Uint8Array.from((await blobs.get(name)) ?? []), BYTES);
  }
});

test("many that store one blob at once leave it whole", async () => {
  const { folder, blobs } = setup();
  const other = new FileBlobs({ folder });
  const bytes = new Uint8Array(1_000_000).fill(7);
  const names = await Promise.all(
    Array.from({ length: 20 }, (_, index) => (index % 2 === 0 ? blobs : other).put(bytes)),
  );

  assert.equal(new Set(names).size, 1);
  assert.equal((await blobs.get(names[0] ?? ""))?.byteLength, bytes.byteLength);
  assert.equal(readdirSync(folder, { recursive: true }).length, 2);
});

test("a folder that cannot be one is a failed store, and nothing stays behind", async () => {
  const { folder, blobs } = setup();
  writeFileSync(folder, "");
  await assert.rejects(blobs.put(BYTES), hasCode("STORE_FAILED"));
});

test("blobs that were opened to be read are not written", async () => {
  const { folder, blobs } = setup();
  const name = await blobs.put(BYTES);
  const reader = new FileBlobs({ folder, readOnly: true });
  assert.equal((await reader.get(name))?.byteLength, BYTES.byteLength);
  await assert.rejects(reader.put(BYTES), hasCode("STORE_READ_ONLY"));
});
