// How a file is opened by who only reads. A plan must leave no trace, so a file that nobody writes is read without
// locks and without the files that readers share; it then has to notice by itself when a writer comes.

import type { DatabaseSync } from "node:sqlite";
import { type ConnectOptions, openImmutable, openReader } from "./connection.ts";
import { sizeOf, stampOf } from "./file-guard.ts";

/** Opens a file to read: without locks while it is still, in the ordinary way once someone writes. */
export class FileReader {
  readonly #connection: ConnectOptions;
  readonly #isPlan: boolean;
  /** What the file looked like when it was opened without locks. */
  #still: string | undefined;

  constructor(connection: ConnectOptions, isPlan: boolean) {
    this.#connection = connection;
    this.#isPlan = isPlan;
  }

  open(): DatabaseSync {
    const { path } = this.#connection;
    // Without a write-ahead log nobody has the file open for writing, or everything was put back into it.
    const isStill = this.#isPlan && sizeOf(`${path}-wal`) === 0;
    this.#still = isStill ? stampOf(path) : undefined;
    return isStill ? openImmutable(this.#connection) : openReader(this.#connection);
  }

  /** True once a writer came: what an unlocked connection read before no longer fits what it would read now. */
  isStale(): boolean {
    if (this.#still === undefined) return false;
    const { path } = this.#connection;
    return sizeOf(`${path}-wal`) > 0 || stampOf(path) !== this.#still;
  }
}
