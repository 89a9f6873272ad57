// What this connection knows of runs that are being worked on, kept from one transaction to the next: asking the
// table again for each checkpoint would cost as much as storing it. It holds as long as no other connection has
// written, which SQLite tells; the write lock keeps it true until the commit.

import type { DatabaseSync } from "node:sqlite";
import { readNumber } from "../codec.ts";
import { Statement } from "./statement.ts";
import type { RunHead } from "./statements/runs.ts";

/** Runs that are remembered: more than one process works on at once. */
const HEADS_MAX = 10_000;

/** Heads of running runs, by id. */
export class KnownHeads {
  readonly #version: Statement;
  readonly #heads: Map<string, RunHead> = new Map();
  #known: number = -1;

  constructor(database: DatabaseSync) {
    this.#version = new Statement(database, "PRAGMA data_version");
  }

  /** Called under the write lock, before anything is read. */
  begin(): void {
    const version = readNumber(this.#version.get() ?? {}, "data_version");
    if (version !== this.#known) this.#heads.clear();
    this.#known = version;
  }

  find(id: string): RunHead | undefined {
    return this.#heads.get(id);
  }

  /** After the last write of a transaction: what is worth keeping of the heads that it touched. */
  keep(touched: Iterable<RunHead>): void {
    for (const head of touched) {
      if (head.state !== "running") this.#heads.delete(head.id);
      else if (this.#heads.size < HEADS_MAX) this.#heads.set(head.id, head);
    }
  }

  forget(id: string): void {
    this.#heads.delete(id);
  }

  /** Nothing of what a transaction did has happened. */
  clear(): void {
    this.#heads.clear();
  }
}
