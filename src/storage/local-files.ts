// Files of this machine as the engine asks for them: stamps of what stages say they made, and a folder for each
// run. Folders are 0700: what a run leaves may be private.

import fs, { mkdirSync } from "node:fs";
import { join } from "node:path";

/** What a file looked like. */
export interface LocalStamp {
  readonly bytes: number;
  readonly changedAtNs: bigint;
  readonly inode: bigint;
}

/** Files of this machine. */
export class LocalFiles {
  readonly #root: string;

  /** @param root Folder under which each run gets its own. Made on first need. */
  constructor(root: string) {
    this.#root = root;
  }

  /** Stamp of a file; null if it is not there or is no file. */
  async stamp(path: string): Promise<LocalStamp | null> {
    try {
      const found = await fs.promises.stat(path, { bigint: true });
      if (!found.isFile()) return null;
      return { bytes: Number(found.size), changedAtNs: found.mtimeNs, inode: found.ino };
    } catch (error) {
      if (isMissing(error)) return null;
      throw error;
    }
  }

  /** Folder of a run. The id is checked by whoever made it: a UUID. */
  runFolder(runId: string): string {
    const folder = join(this.#root, runId);
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    return folder;
  }
}

function isMissing(error: unknown): boolean {
  if (!(error instanceof Error) || !("code" in error)) return false;
  return error.code === "ENOENT" || error.code === "ENOTDIR";
}
