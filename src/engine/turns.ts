// When a run that never waits must let the event loop take a turn: endless synchronous or microtask work would
// keep timers, signals and other runs waiting.

import type { Clock } from "../std/clock.ts";

/** Starts between two looks at the time. */
const STARTS_PER_LOOK = 256;
/** Longest time without giving the event loop a turn, ms. */
const TURN_MS_MAX = 15;

/** Turns of the event loop that one run takes. */
export class Turns {
  readonly #clock: Pick<Clock, "monotonicMs">;
  #starts: number = 0;
  #sinceMs: number;

  constructor(clock: Pick<Clock, "monotonicMs">) {
    this.#clock = clock;
    this.#sinceMs = clock.monotonicMs();
  }

  /** Counts a start; true if the turn has lasted long enough. */
  isLong(): boolean {
    this.#starts += 1;
    if (this.#starts % STARTS_PER_LOOK !== 0) return false;
    return this.#clock.monotonicMs() - this.#sinceMs >= TURN_MS_MAX;
  }

  /** A new turn has begun. */
  begin(): void {
    this.#sinceMs = this.#clock.monotonicMs();
  }
}
