// Finds the PNG files of a folder, in an order that does not depend on the file system, each under a key
// that stays the same wherever the folder lies.
import { createHash } from "node:crypto";
import { readdir, readFile, stat } from "node:fs/promises";
import { join, relative, sep } from "node:path";
import { FILE_BYTES_MAX } from "./png-file.ts";

/** One file to read. `sha256` is part of it so that a changed file is another item on resume. */
export interface ImageFile {
  /** Path inside the folder, with forward slashes: the key of the item. */
  readonly file: string;
  readonly path: string;
  readonly bytes: number;
  /** Of the content; null above the size limit, where the content is not read. */
  readonly sha256: string | null;
}

/** The PNG files below `folder`, sorted by path; folders that begin with a dot are left out. */
export async function* listImages(folder: string): AsyncGenerator<ImageFile> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries
    .filter((entry) => entry.isFile() && entry.name.toLowerCase().endsWith(".png"))
    .map((entry) => join(entry.parentPath, entry.name))
    .map((path) => ({ path, file: relative(folder, path).split(sep).join("/") }))
    .filter(({ file }) => !file.split("/").some((part) => part.startsWith(".")))
    .sort((one, other) => (one.file < other.file ? -1 : 1));
  for (const { path, file } of files) {
    const { size } = await stat(path);
    yield { file, path, bytes: size, sha256: size > FILE_BYTES_MAX ? null : await hashFile(path) };
  }
}

async function hashFile(path: string): Promise<string> {
  return createHash("sha256")
    .update(await readFile(path))
    .digest("hex");
}

/** A file's path as an item key: at most 512 bytes, no control characters, still unique. */
export function toItemKey(file: string): string {
  const plain = file.replace(/[\p{Cc}\p{Cs}]/gu, "\ufffd");
  if (plain === file && Buffer.byteLength(file) <= 512) return file;
  const hash = createHash("sha256").update(file).digest("hex").slice(0, 16);
  return `${Array.from(plain).slice(-80).join("")} ${hash}`;
}
