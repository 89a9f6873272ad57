// Files that are there as a whole or not at all, and that are left alone while they would not change.
import { createHash } from "node:crypto";
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { dirname } from "node:path";

/** SHA-256 in hex. */
export function hashOf(bytes: Uint8Array | string): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** The text of a file; undefined where there is none. */
export async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
}

/** Puts the text there, by way of a file beside it. One that says the same already keeps even its time. */
export async function replaceFile(path: string, text: string): Promise<void> {
  if ((await readIfThere(path)) === text) return;
  await mkdir(dirname(path), { recursive: true });
  // The name holds what will be in it: two writers of the same path do not disturb each other.
  const beside = `${path}.${hashOf(text).slice(0, 8)}.new`;
  await writeFile(beside, text);
  await rename(beside, path);
}
