// Large values as files beside the store: <folder>/ab/cdef..., named by content. A file is written under another
// name, synced, then renamed, and its folder synced: a name that can be read is there whole, and stays.

// Its promises come with streams and more, so they wait for the first large value.
import fs from "node:fs";
import type { FileHandle } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { MillraceError } from "../../model/errors.ts";
import { systemClock } from "../../std/clock.ts";
import { sha256Hex } from "../../std/json.ts";
import type { BlobStore } from "../blob-store.ts";
import { syncFolder } from "./new-file.ts";

const FOLDER_MODE = 0o700;
const FILE_MODE = 0o600;
const TEMPORARY_NAMES_MAX = 1_000;

/** Where blobs are. */
export interface FileBlobsOptions {
  /** Absolute; made at the first `put`. */
  readonly folder: string;
  /** True: `put` is refused. Default false. */
  readonly readOnly?: boolean;
}

/** Blobs in a folder that any number of processes share. STORE_FULL, STORE_READ_ONLY, STORE_FAILED. */
export class FileBlobs implements BlobStore {
  readonly #folder: string;
  readonly #readOnly: boolean;

  constructor(options: FileBlobsOptions) {
    this.#folder = options.folder;
    this.#readOnly = options.readOnly ?? false;
  }

  async put(bytes: Uint8Array): Promise<string> {
    if (this.#readOnly) throw refusal("STORE_READ_ONLY", this.#folder, "was opened to be read");
    const name = sha256Hex(bytes);
    // A file that does not match its name is written anew; what is there and matches is durable already.
    if ((await this.#read(name)) === "sound" && (await this.#touch(name))) return name;
    try {
      await this.#write(name, bytes);
    } catch (error) {
      throw toBlobError(error, this.#folder);
    }
    return name;
  }

  async get(name: string): Promise<Uint8Array | undefined> {
    const bytes = await this.#load(name);
    if (bytes === undefined || sha256Hex(bytes) === name) return bytes;
    throw new MillraceError("VALUE_DAMAGED", `The file "${this.locate(name)}" is damaged.`, {
      hint: "Its content does not match its name. What made it has to be done again.",
      details: { file: this.locate(name), bytes: bytes.byteLength },
    });
  }

  locate(name: string): string {
    return join(this.#folder, name.slice(0, 2), name.slice(2));
  }

  async #read(name: string): Promise<"sound" | "absent"> {
    const bytes = await this.#load(name);
    return bytes !== undefined && sha256Hex(bytes) === name ? "sound" : "absent";
  }

  /** Makes a blob young again, so that no sweep takes it before it is named by a row; false if that is too late. */
  async #touch(name: string): Promise<boolean> {
    const seconds = systemClock.wallMs() / 1000;
    try {
      await fs.promises.utimes(this.locate(name), seconds, seconds);
      return true;
    } catch {
      return false; // gone, or somebody else's: it is written anew
    }
  }

  async #load(name: string): Promise<Uint8Array | undefined> {
    const path = this.locate(name);
    // A sweep may have moved it aside for a moment, or be putting it back.
    for (const place of [path, sweptName(path), path]) {
      const bytes = await this.#readFile(place);
      if (bytes !== undefined) return bytes;
    }
    return undefined;
  }

  async #readFile(path: string): Promise<Uint8Array | undefined> {
    try {
      return await fs.promises.readFile(path);
    } catch (error) {
      if (codeOf(error) === "ENOENT") return undefined;
      throw toBlobError(error, this.#folder);
    }
  }

  async #write(name: string, bytes: Uint8Array): Promise<void> {
    const folder = join(this.#folder, name.slice(0, 2));
    const made = await fs.promises.mkdir(folder, { recursive: true, mode: FOLDER_MODE });
    const { file, path } = await openTemporary(join(folder, `.${name.slice(2)}`));
    try {
      await writeDurably(file, bytes);
      await fs.promises.rename(path, this.locate(name));
    } catch (error) {
      await fs.promises.rm(path, { force: true });
      throw error;
    }
    await syncFolder(folder);
    if (made === undefined) return;
    await syncFolder(this.#folder);
    await syncFolder(dirname(this.#folder));
  }
}

/** Where a sweep moves a blob before it removes it. */
export function sweptName(path: string): string {
  return join(dirname(path), `.${basename(path)}.swept`);
}

/** A file of our own: another store of this process, a thread or a process that died may have the first names. */
async function openTemporary(stem: string): Promise<{ file: FileHandle; path: string }> {
  for (let number = 0; ; number++) {
    const path = `${stem}.${process.pid}.${number}`;
    try {
      return { file: await fs.promises.open(path, "wx", FILE_MODE), path };
    } catch (error) {
      if (codeOf(error) !== "EEXIST" || number >= TEMPORARY_NAMES_MAX) throw error;
    }
  }
}

async function writeDurably(file: FileHandle, bytes: Uint8Array): Promise<void> {
  try {
    await file.writeFile(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
}

function toBlobError(error: unknown, folder: string): unknown {
  switch (codeOf(error)) {
    case "ENOSPC":
    case "EDQUOT":
      return refusal("STORE_FULL", folder, "has no room: the disk is full", error);
    case "EACCES":
    case "EPERM":
    case "EROFS":
      return refusal("STORE_READ_ONLY", folder, "cannot be written", error);
    case undefined:
      return error;
    default:
      return refusal("STORE_FAILED", folder, `failed: ${String(error)}`, error);
  }
}

function refusal(
  code: "STORE_FULL" | "STORE_READ_ONLY" | "STORE_FAILED",
  ...[folder, what, cause]: [folder: string, what: string, cause?: unknown]
): MillraceError {
  return new MillraceError(code, `The folder of large values "${folder}" ${what}.`, {
    hint: "Check the disk of the store, and who owns the folder.",
    next: "npx millrace doctor",
    retryable: code === "STORE_FULL",
    cause,
  });
}

function codeOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || !("code" in error)) return undefined;
  return typeof error.code === "string" ? error.code : undefined;
}
