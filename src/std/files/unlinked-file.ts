// Opens a file of ours where others may be able to write: never through a link, and looked at again once it is open,
// so that nothing that was put in its place in between is read or written. Folders above it are the caller's, except
// for those of ours that it names.

// As a whole, so that it is asked for when it is needed, and can be watched.
import fs from "node:fs";
import type { FileHandle } from "node:fs/promises";
import { dirname } from "node:path";

/** How a file is opened. */
export interface UnlinkedOpen {
  /** As `fs.constants` has them; without O_TRUNC, which would cut off what has not been looked at yet. */
  readonly flags: number;
  /** How many folders above it are of our making, and no links either. Default 0. */
  readonly foldersMax?: number;
}

/** Opens it, made with 0600 where `flags` says so. Rejects as the file system does; ELOOP: a link is in its place. */
export async function openUnlinked(
  path: string,
  { flags, foldersMax = 0 }: UnlinkedOpen,
): Promise<FileHandle> {
  const file = await fs.promises.open(path, flags | unlinkedFlags(), 0o600);
  try {
    const [opened, named] = await Promise.all([
      file.stat({ bigint: true }),
      fs.promises.lstat(path, { bigint: true }),
    ]);
    if (!opened.isFile()) throw swapped(path, "is no file");
    if (opened.ino !== named.ino || opened.dev !== named.dev) throw swapped(path, "was swapped");
    for (let folder = path, left = foldersMax; left > 0; left -= 1) {
      folder = dirname(folder);
      if (!(await fs.promises.lstat(folder)).isDirectory()) throw swapped(folder, "is no folder");
    }
    return file;
  } catch (error) {
    await file.close();
    throw error;
  }
}

/** Flags for `open` that follow no link and wait for no other end of a pipe; 0 where the system has none. */
export function unlinkedFlags(): number {
  const { O_NOFOLLOW, O_NONBLOCK } = fs.constants;
  // Windows has neither, whatever their types say.
  return Number(O_NOFOLLOW ?? 0) | Number(O_NONBLOCK ?? 0);
}

function swapped(path: string, what: string): Error {
  const error = new Error(`ELOOP: "${path}" ${what} of its own`);
  return Object.assign(error, { code: "ELOOP", syscall: "open", path });
}
