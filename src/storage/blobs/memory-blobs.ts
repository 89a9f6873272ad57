// Large values of a store that lives in memory.

import { sha256Hex } from "../../std/json.ts";
import type { BlobStore } from "../blob-store.ts";

/** Blobs that end with their process. */
export class MemoryBlobs implements BlobStore {
  readonly #blobs = new Map<string, Uint8Array>();

  async put(bytes: Uint8Array): Promise<string> {
    const name = sha256Hex(bytes);
    // A copy: the caller may go on writing into its buffer.
    if (!this.#blobs.has(name)) this.#blobs.set(name, Uint8Array.from(bytes));
    return name;
  }

  async get(name: string): Promise<Uint8Array | undefined> {
    const blob = this.#blobs.get(name);
    return blob === undefined ? undefined : Uint8Array.from(blob);
  }

  locate(name: string): string {
    return `memory:${name}`;
  }
}
