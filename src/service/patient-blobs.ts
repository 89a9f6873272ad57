// Large values on a disk that may be full: that is a pause and no failure, as it is for rows. Closed, a value gets
// one last try.

import { FULL_RETRY_MS } from "../storage/group-commit.ts";
import type { BlobStore } from "../storage/blob-store.ts";
import { isMillraceError } from "../model/errors.ts";
import type { Clock } from "../std/clock.ts";

/** Blobs whose `put` waits for room. */
export class PatientBlobs implements BlobStore {
  readonly #blobs: BlobStore;
  readonly #clock: Clock;
  readonly #closing: AbortController = new AbortController();

  constructor(blobs: BlobStore, clock: Clock) {
    this.#blobs = blobs;
    this.#clock = clock;
  }

  /** Tries again every second while the disk is full; STORE_FULL only after `close`. */
  async put(bytes: Uint8Array): Promise<string> {
    for (;;) {
      const { aborted } = this.#closing.signal;
      try {
        return await this.#blobs.put(bytes);
      } catch (error) {
        if (aborted || !isMillraceError(error) || error.code !== "STORE_FULL") throw error;
      }
      await this.#clock.sleep(FULL_RETRY_MS, this.#closing.signal).catch(() => undefined);
    }
  }

  get(name: string): Promise<Uint8Array | undefined> {
    return this.#blobs.get(name);
  }

  locate(name: string): string {
    return this.#blobs.locate(name);
  }

  /** Waits for room no longer. */
  close(): void {
    this.#closing.abort();
  }
}
