// Notices that a file has changed. What its folder tells is a hint; looking at the file every 2 s is the truth, since
// hints are lost on network drives and in containers. A file counts as changed when it has been still for 200 ms, so that
// one that is being written is not read by halves.

import { watch, type FSWatcher } from "node:fs";
import { stat } from "node:fs/promises";
import { basename, dirname } from "node:path";
import type { Clock, Timer } from "../std/clock.ts";

/** Time between two looks, ms. */
const LOOK_MS = 2_000;

/** How long a file has to be still, ms. */
const SETTLE_MS = 200;

/** What is watched. */
export interface FileWatchParts {
  readonly path: string;
  readonly clock: Pick<Clock, "setTimer" | "sleep">;
  /** Told of each change, one at a time. Where it rejects it is told again, with the next look. */
  readonly changed: () => Promise<void>;
  /** The file was read before this time, UTC ms: one that is newer has changed already. Default: it is as it was read. */
  readonly readAtMs?: number;
}

/** A watch over one file, until it is stopped. */
export class FileWatch {
  readonly #parts: FileWatchParts;
  #hints: FSWatcher | null = null;
  #timer: Timer | null = null;
  #seen: string | null = null;
  #looking: Promise<void> | null = null;
  #isOver: boolean = false;

  constructor(parts: FileWatchParts) {
    this.#parts = parts;
  }

  /** Begins. Resolves when it knows how the file is now. */
  async start(): Promise<void> {
    const { path, readAtMs } = this.#parts;
    const now = await readMark(path);
    this.#seen = readAtMs !== undefined && now.changedMs >= readAtMs ? null : now.mark;
    if (this.#isOver) return;
    this.#hints = this.#listen();
    this.#arm(this.#seen === null ? 0 : LOOK_MS);
  }

  /** Resolves when nothing of it runs any more. Safe to repeat. */
  async stop(): Promise<void> {
    this.#isOver = true;
    this.#timer?.cancel();
    this.#hints?.close();
    await this.#looking;
  }

  #listen(): FSWatcher | null {
    const { path } = this.#parts;
    try {
      // The folder: who saves a file often puts a new one in its place.
      const hints = watch(dirname(path), { persistent: false }, (_kind, name) => {
        if (name === null || name === basename(path)) this.#lookSoon();
      });
      hints.on("error", () => hints.close());
      return hints;
    } catch {
      // No hints here: looking is enough.
      return null;
    }
  }

  #lookSoon(): void {
    if (this.#looking === null && !this.#isOver) this.#arm(0);
  }

  #arm(delayMs: number): void {
    this.#timer?.cancel();
    this.#timer = this.#parts.clock.setTimer(
      delayMs,
      () => {
        this.#looking ??= this.#look().finally(() => {
          this.#looking = null;
          if (!this.#isOver) this.#arm(LOOK_MS);
        });
      },
      { unref: true },
    );
  }

  async #look(): Promise<void> {
    const { path, clock, changed } = this.#parts;
    const { mark } = await readMark(path);
    if (mark === this.#seen) return;
    await clock.sleep(SETTLE_MS);
    const { mark: settled } = await readMark(path);
    if (settled !== mark || this.#isOver) return;
    try {
      await changed();
      this.#seen = settled;
    } catch {
      // Who is told has said why; it is tried again with the next look.
    }
  }
}

/** What changes with the file. */
async function readMark(
  path: string,
): Promise<{ readonly mark: string; readonly changedMs: number }> {
  try {
    const { mtimeMs, size, ino } = await stat(path);
    return { mark: `${mtimeMs} ${size} ${ino}`, changedMs: mtimeMs };
  } catch {
    return { mark: "missing", changedMs: 0 };
  }
}
