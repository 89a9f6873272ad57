// A file that appears whole or not at all, and never in the place of another: written under a name of its own,
// synced, then given its name by a link, which fails where there is one, unlike a rename.

import fs from "node:fs";
import { basename, dirname, join } from "node:path";

const FILE_MODE = 0o600;

/** What was written. */
export interface WrittenFile {
  readonly bytes: number;
}

/** True if something has this name, a dangling link included. */
export function isTaken(path: string): boolean {
  return fs.lstatSync(path, { throwIfNoEntry: false }) !== undefined;
}

/** The name under which a file is made that will have the name `path`. */
export function temporaryName(path: string): string {
  return join(dirname(path), `.${basename(path)}.${process.pid}.new`);
}

/**
 * Writes a file readable by its owner alone. Undefined: there is one of that name, and nothing was changed. Throws
 * what the file system says; nothing is left behind then.
 */
export async function writeNewFile(
  path: string,
  chunks: AsyncIterable<string>,
): Promise<WrittenFile | undefined> {
  if (isTaken(path)) return undefined;
  const temporary = temporaryName(path);
  try {
    const bytes = await writeAll(temporary, chunks);
    return (await giveName(temporary, path)) ? { bytes } : undefined;
  } finally {
    await fs.promises.rm(temporary, { force: true });
  }
}

async function writeAll(path: string, chunks: AsyncIterable<string>): Promise<number> {
  // A new one: what has this name, a link say, is not written through.
  await fs.promises.rm(path, { force: true });
  const file = await fs.promises.open(path, "wx", FILE_MODE);
  try {
    let bytes = 0;
    for await (const text of gather(chunks)) {
      const part = Buffer.from(text, "utf8");
      await file.writeFile(part);
      bytes += part.byteLength;
    }
    await file.sync();
    return bytes;
  } finally {
    await file.close();
  }
}

const PART_CHARS = 64 * 1024;

/** The same text in fewer pieces: each write is a call of the system. */
async function* gather(chunks: AsyncIterable<string>): AsyncGenerator<string> {
  let text = "";
  for await (const chunk of chunks) {
    text += chunk;
    if (text.length < PART_CHARS) continue;
    yield text;
    text = "";
  }
  if (text !== "") yield text;
}

/** Gives a finished file its name, durably; false if another has it. Its first name is gone then. */
export async function giveName(temporary: string, path: string): Promise<boolean> {
  try {
    await fs.promises.link(temporary, path);
    await fs.promises.rm(temporary, { force: true });
  } catch (error) {
    if (codeOf(error) === "EEXIST") return false;
    if (!NO_LINKS.includes(codeOf(error))) throw error;
    // A file system without links: looking first is the best there is.
    if (isTaken(path)) return false;
    await fs.promises.rename(temporary, path);
  }
  await syncFolder(dirname(path));
  return true;
}

const NO_LINKS: readonly string[] = ["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EMLINK"];

/** A new name is on the disk once its folder is. Windows has no such call, and needs none. */
export async function syncFolder(path: string): Promise<void> {
  if (process.platform === "win32") return;
  const folder = await fs.promises.open(path, "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "";
}
