// Files of this machine as the engine asks for them: stamps of what stages say they made, and a folder for each
// run. Folders are 0700: what a run leaves may be private.

import fs, { mkdirSync } from "node:fs";
import { join } from "node:path";
import { MillraceError } from "../model/errors.ts";
import { isUuid } from "../std/id.ts";

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

  /** Folder of a run. The id is checked by whoever made it: a UUID. FILE_UNWRITABLE: a link is in its place. */
  runFolder(runId: string): string {
    const folder = join(this.#root, runId);
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    // What is there already may be a link to elsewhere, if others can write where runs have their folders.
    if (fs.lstatSync(folder).isDirectory()) return folder;
    throw new MillraceError("FILE_UNWRITABLE", `The folder "${folder}" of a run is a link.`, {
      hint: "remove the link; folders of runs belong in a folder that only you can write",
      details: { folder },
    });
  }

  /** Ids of the runs that have a folder: what is named like one and is no link. */
  async listRunFolders(): Promise<ReadonlySet<string>> {
    try {
      const entries = await fs.promises.readdir(this.#root, { withFileTypes: true });
      const folders = entries.filter((entry) => entry.isDirectory() && isUuid(entry.name));
      return new Set(folders.map(({ name }) => name));
    } catch (error) {
      if (isMissing(error)) return new Set();
      throw error;
    }
  }

  /** Bytes in the folder of a run that has one. With `remove` it is gone then. Undefined: it may not be touched, or is
   *  gone already; what is left of it stays. */
  async measureRunFolder(
    runId: string,
    { remove }: { readonly remove: boolean },
  ): Promise<number | undefined> {
    const folder = join(this.#root, runId);
    try {
      const bytes = await measure(folder);
      if (remove) await fs.promises.rm(folder, { recursive: true });
      return bytes;
    } catch (error) {
      if (error instanceof Error && "code" in error) return undefined;
      throw error;
    }
  }
}

/** Bytes of all files below a folder; links count as nothing, and are not followed. */
async function measure(folder: string): Promise<number> {
  let bytes = 0;
  const entries = await fs.promises.readdir(folder, { withFileTypes: true, recursive: true });
  for (const entry of entries) {
    if (!entry.isFile()) continue;
    const found = await fs.promises.lstat(join(entry.parentPath, entry.name)).catch(() => null);
    bytes += found?.size ?? 0;
  }
  return bytes;
}

function isMissing(error: unknown): boolean {
  if (!(error instanceof Error) || !("code" in error)) return false;
  return error.code === "ENOENT" || error.code === "ENOTDIR";
}
