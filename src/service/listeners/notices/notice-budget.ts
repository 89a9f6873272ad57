// Bounds the notices of a target by the minute in which what they tell happened: a batch that fails a thousand times
// fills no chat. What was left out is said by the next notice.

import { NOTICES_PER_MINUTE_MAX } from "../../../model/limits.ts";

interface Minute {
  readonly minute: number;
  readonly count: number;
  readonly leftOut: number;
}

const MINUTE_MS = 60_000;

/** Counts notices by target. */
export class NoticeBudget {
  readonly #minutes: Map<string, Minute> = new Map();

  /** Takes one at this time, UTC ms: how many were left out since the last that was taken; null: it is left out. */
  take(target: string, atMs: number): number | null {
    const minute = Math.floor(atMs / MINUTE_MS);
    const known = this.#minutes.get(target);
    const leftOut = known?.leftOut ?? 0;
    const count = known?.minute === minute ? known.count : 0;
    const isTaken = count < NOTICES_PER_MINUTE_MAX;
    const next = isTaken
      ? { minute, count: count + 1, leftOut: 0 }
      : { minute, count, leftOut: leftOut + 1 };
    this.#minutes.set(target, next);
    return isTaken ? leftOut : null;
  }
}
