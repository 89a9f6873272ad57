import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { listPapers } from "./paper-folder.ts";
import type { PaperFile } from "./paper-folder.ts";

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "paper-folder-"));
});
afterEach(() => rm(folder, { recursive: true }));

async function put(path: string, content = path): Promise<void> {
  await mkdir(join(folder, path, ".."), { recursive: true });
  await writeFile(join(folder, path), content);
}

async function list(...folders: readonly string[]): Promise<PaperFile[]> {
  const files: PaperFile[] = [];
  for await (const file of listPapers(folders.map((name) => join(folder, name)))) files.push(file);
  return files;
}

test("PDF files of all subfolders are listed by path, in one order everywhere", async () => {
  for (const path of ["b.pdf", "a/z.PDF", "B.pdf", "a.pdf", "a/b/c.pdf"]) await put(path);
  for (const path of ["note.txt", ".hidden/x.pdf", "a/.cache/y.pdf", "pdf"]) await put(path);
  const files = await list(".");
  expect(files.map(({ file }) => file)).toEqual([
    "B.pdf",
    "a.pdf",
    "a/b/c.pdf",
    "a/z.PDF",
    "b.pdf",
  ]);
});

test("the content is part of a file, so that a changed one is another item", async () => {
  await put("a.pdf", "one");
  const [before] = await list(".");
  await put("a.pdf", "two");
  const [after] = await list(".");
  expect(after).toMatchObject({ file: before?.file, path: before?.path });
  expect(after?.sha256).not.toBe(before?.sha256);
});

test("a copy names the first of its kind, over several folders too", async () => {
  await put("one/a.pdf", "same");
  await put("two/b.pdf", "same");
  await put("two/c.pdf", "other");
  const files = await list("one", "two");
  expect(files.map(({ copyOf }) => copyOf)).toEqual([null, "a.pdf", null]);
});

test("a missing folder is an error", async () => {
  await expect(list("none")).rejects.toThrow("ENOENT");
});
