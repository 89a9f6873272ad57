// Finds the PDF files of one or more folders, in an order that does not depend on the file system, each under
// a key that stays the same wherever the folder lies. Subfolders count: a paper is not missed for lying deep.
import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { join, relative, sep } from "node:path";

/** One file to review. Content, not place: a changed file is another item on resume. */
export interface PaperFile {
  /** Path inside its folder, with forward slashes: the key of the item. */
  readonly file: string;
  readonly path: string;
  /** Of the content, hexadecimal. */
  readonly sha256: string;
  /** The first file with the same content, when this is not the first: one paper is evidence once. */
  readonly copyOf: string | null;
}

/** The PDF files below `folders`, sorted by path within each; folders that begin with a dot are left out. */
export async function* listPapers(folders: readonly string[]): AsyncGenerator<PaperFile> {
  const first = new Map<string, string>();
  for (const folder of folders) {
    for (const { file, path } of await listPaths(folder)) {
      const sha256 = createHash("sha256")
        .update(await readFile(path))
        .digest("hex");
      const copyOf = first.get(sha256) ?? null;
      if (copyOf === null) first.set(sha256, file);
      yield { file, path, sha256, copyOf };
    }
  }
}

async function listPaths(folder: string): Promise<Pick<PaperFile, "file" | "path">[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile() && entry.name.toLowerCase().endsWith(".pdf"))
    .map((entry) => join(entry.parentPath, entry.name))
    .map((path) => ({ path, file: relative(folder, path).split(sep).join("/") }))
    .filter(({ file }) => !file.split("/").some((part) => part.startsWith(".")))
    .sort((one, other) => (one.file < other.file ? -1 : 1));
}
