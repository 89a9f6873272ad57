// The last lines that stages wrote: of the whole run, and of every attempt under way, so that a failure can
// show what led to it. Bounded in lines and in attempts, whatever is written.

import { RingBuffer } from "../../../std/bounded-list.ts";

/** One line of `ctx.log` or of a command's output. */
export interface LogLine {
  readonly atMs: number;
  readonly stage: string;
  readonly item: string | undefined;
  readonly level: string;
  readonly text: string;
}

/** Lines kept of the run, for the log panel. */
const RUN_LINES_MAX = 100;
/** Lines kept of one attempt: what is shown when it fails. */
const ATTEMPT_LINES_MAX = 10;
/** Attempts whose lines are kept; beyond, the one that began to write first is forgotten. */
const ATTEMPTS_MAX = 1_000;

/** Keeps the last lines. */
export class LogTails {
  readonly #run = new RingBuffer<LogLine>(RUN_LINES_MAX);
  readonly #attempts = new Map<string, RingBuffer<LogLine>>();

  add(line: LogLine): void {
    this.#run.push(line);
    const key = toKey(line.stage, line.item);
    let tail = this.#attempts.get(key);
    if (tail === undefined) {
      if (this.#attempts.size >= ATTEMPTS_MAX) this.#forgetOldest();
      tail = new RingBuffer(ATTEMPT_LINES_MAX);
      this.#attempts.set(key, tail);
    }
    tail.push(line);
  }

  /** The last lines of the run, oldest first. */
  last(count: number): readonly LogLine[] {
    return this.#run.toArray().slice(-count);
  }

  /** The last lines of a stage or item since it was last forgotten, oldest first. */
  of(stage: string, item: string | undefined): readonly LogLine[] {
    return this.#attempts.get(toKey(stage, item))?.toArray() ?? [];
  }

  /** Drops the lines of a stage or item, because it has ended or starts anew. */
  forget(stage: string, item: string | undefined): void {
    if (this.#attempts.size > 0) this.#attempts.delete(toKey(stage, item));
  }

  #forgetOldest(): void {
    for (const key of this.#attempts.keys()) {
      this.#attempts.delete(key);
      return;
    }
  }
}

function toKey(stage: string, item: string | undefined): string {
  return item === undefined ? stage : `${stage}\0${item}`;
}
