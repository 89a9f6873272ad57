// Documents by their content: `files/ab/abcd….pdf`. The same bytes are kept once, whoever brings them and however
// often; a name never holds half a file, because a file gets its name after all of it is on the disk.
import { link, mkdir, open, readdir, rename, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";

/** A document in the store. */
export interface StoredFile {
  /** Relative to the folder of results. */
  readonly file: string;
  /** False: the same bytes were there already. */
  readonly isNew: boolean;
}

const EXTENSIONS: Readonly<Record<string, string>> = { "application/pdf": ".pdf" };

/** The name of a content, relative to the folder of results. */
export function toFileName(sha256: string, type: string): string {
  return join("files", sha256.slice(0, 2), `${sha256}${EXTENSIONS[type] ?? ""}`);
}

/**
 * Gives a part its name; both are relative to `out`. Safe to repeat: a part that has moved already is fine, as long
 * as the file is there.
 */
export async function adoptPart(out: string, part: string, file: string): Promise<StoredFile> {
  const path = join(out, file);
  await mkdir(dirname(path), { recursive: true });
  const isNew = await linkOnce(join(out, part), path);
  await syncFolder(dirname(path));
  await rm(join(out, part), { force: true });
  return { file, isNew };
}

/** Gives the part a second name; false when the name is taken, or when the part has gone there before. */
async function linkOnce(part: string, path: string): Promise<boolean> {
  try {
    await link(part, path);
    return true;
  } catch (error) {
    if (isCode(error, "EEXIST")) return false;
    if (isCode(error, "ENOENT") && (await exists(path))) return false;
    throw error;
  }
}

/** Replaces a small file as a whole; makes its folder. */
export async function replaceFile(path: string, content: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  // The process is part of the name: two workers may write the same file.
  const draft = `${path}.${process.pid}.draft`;
  const file = await open(draft, "w");
  try {
    await file.writeFile(content);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(draft, path);
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

const LEFT_OVER_MS = 3_600_000;

/** Removes parts that nobody has written to for an hour: what crashes left. Gives their number. */
export async function sweepParts(out: string, nowMs: number): Promise<number> {
  const folder = join(out, "parts");
  let swept = 0;
  for (const name of (await exists(folder)) ? await readdir(folder) : []) {
    const path = join(folder, name);
    const { mtimeMs } = await stat(path);
    if (nowMs - mtimeMs <= LEFT_OVER_MS) continue;
    await rm(path, { force: true });
    swept++;
  }
  return swept;
}

async function exists(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (error) {
    if (isCode(error, "ENOENT")) return false;
    throw error;
  }
}

/** True for an error of the system with this code. */
export function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}
