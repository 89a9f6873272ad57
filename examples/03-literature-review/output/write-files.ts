// Puts files into a folder so that a reader, or a crash, never meets half of one: each is written under
// another name, brought to the disk, and renamed. Doing it again gives the same files.
import { createHash } from "node:crypto";
import { mkdir, open, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";

/** A file to write. */
export interface OutputFile {
  readonly name: string;
  readonly content: string | Uint8Array;
}

/** A file that was written. */
export interface WrittenFile {
  readonly name: string;
  readonly bytes: number;
  /** Of the content, hexadecimal. */
  readonly sha256: string;
}

/** Writes all files, one after the other; makes the folder when it is missing. `owner` marks drafts. */
export async function writeFiles(
  folder: string,
  files: readonly OutputFile[],
  owner: string,
): Promise<WrittenFile[]> {
  await mkdir(folder, { recursive: true });
  const written: WrittenFile[] = [];
  for (const { name, content } of files) {
    const bytes = typeof content === "string" ? Buffer.from(content) : content;
    await replaceFile(join(folder, name), bytes, join(folder, `.${owner}-${name}`));
    const sha256 = createHash("sha256").update(bytes).digest("hex");
    written.push({ name, bytes: bytes.length, sha256 });
  }
  return written;
}

/** Replaces one file as a whole. The draft must lie in the same folder; it is gone afterwards. */
async function replaceFile(path: string, bytes: Uint8Array, draft: string): Promise<void> {
  try {
    const file = await open(draft, "w");
    try {
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(draft, path);
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
}

/** Throws when a file is missing or not what was written. Names the first such file. */
export async function assertWritten(folder: string, files: readonly WrittenFile[]): Promise<void> {
  for (const { name, sha256 } of files) {
    const found = createHash("sha256")
      .update(await readFile(join(folder, name)))
      .digest("hex");
    if (found !== sha256) throw new Error(`"${join(folder, name)}" is not what was written`);
  }
}
