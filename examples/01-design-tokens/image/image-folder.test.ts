import { mkdtemp, mkdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { listImages, toItemKey } from "./image-folder.ts";
import type { ImageFile } from "./image-folder.ts";
import { FILE_BYTES_MAX } from "./png-file.ts";

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "image-folder-"));
});
afterEach(() => rm(folder, { recursive: true }));

async function put(path: string, content = "x"): Promise<void> {
  await mkdir(join(folder, path, ".."), { recursive: true });
  await writeFile(join(folder, path), content);
}

async function listFiles(): Promise<ImageFile[]> {
  const files: ImageFile[] = [];
  for await (const file of listImages(folder)) files.push(file);
  return files;
}

test("PNG files of all subfolders are listed by path, in one order everywhere", async () => {
  for (const path of ["b.png", "a/z.PNG", "B.png", "a.png", "a/b/c.png"]) await put(path);
  for (const path of ["note.txt", ".hidden/x.png", "a/.cache/y.png", "png"]) await put(path);
  expect((await listFiles()).map(({ file }) => file)).toEqual([
    "B.png",
    "a.png",
    "a/b/c.png",
    "a/z.PNG",
    "b.png",
  ]);
});

test("the content is part of a file, so that a changed one is another item", async () => {
  const hash = async (): Promise<unknown> => (await listFiles())[0]?.sha256;
  await put("a.png", "one");
  const before = await hash();
  await put("a.png", "two");
  expect(await hash()).not.toBe(before);
});

test("a file above the limit is listed without being read", async () => {
  await put("large.png", "x".repeat(FILE_BYTES_MAX + 1));
  const [file] = await listFiles();
  expect(file).toMatchObject({ bytes: FILE_BYTES_MAX + 1, sha256: null });
});

test("a missing folder is an error", async () => {
  folder = join(folder, "none");
  await expect(listFiles()).rejects.toThrow("ENOENT");
  await mkdir(folder);
});

test("keys are paths, unless those are too long or hold control characters", () => {
  expect(toItemKey("a/b.png")).toBe("a/b.png");
  const [one, other] = [toItemKey("a\nb.png"), toItemKey("a\tb.png")];
  expect(one).not.toBe(other);
  expect(one).not.toMatch(/\p{Cc}/u);
  const long = `${"ä".repeat(400)}.png`;
  expect(Buffer.byteLength(toItemKey(long))).toBeLessThanOrEqual(512);
  expect(toItemKey(long)).not.toBe(toItemKey(`b${long}`));
});
