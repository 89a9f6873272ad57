// What a disk and a file on it hold.

import { stat, statfs } from "node:fs/promises";

/** Room on a disk, bytes. */
export interface DiskRoom {
  /** For who is not its administrator. */
  readonly freeBytes: number;
  readonly totalBytes: number;
}

/** Room on the disk that a folder is on. Rejects where there is no such folder. */
export async function readDiskRoom(folder: string): Promise<DiskRoom> {
  const { bavail, blocks, bsize } = await statfs(folder);
  return { freeBytes: bavail * bsize, totalBytes: blocks * bsize };
}

/** What tells a file from every other one, wherever it is moved; null if there is none. */
export async function readFileId(path: string): Promise<string | null> {
  try {
    const { dev, ino } = await stat(path, { bigint: true });
    return `${dev}:${ino}`;
  } catch {
    return null;
  }
}

/** Bytes of a file; 0 if there is none. */
export async function readFileBytes(path: string): Promise<number> {
  try {
    return (await stat(path)).size;
  } catch {
    return 0;
  }
}
