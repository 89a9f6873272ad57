// When a run that never waits must let the event loop take a turn: endless synchronous or microtask work would
// keep timers, signals and other runs waiting.

import type { Clock } from "../std/clock.ts";

/** Starts between two looks at the time. */
const STARTS_PER_LOOK = 256;
/** Longest time without giving the event loop a turn, ms. */
const TURN_MS_MAX = 15;

/** Turns of the event loop that one run takes. */
export class Turns {
  /** True while the event loop has its turn: nothing is started. */
  isGivingWay: boolean = false;
  readonly #clock: Pick<Clock, "monotonicMs" | "defer">;
  readonly #goOn: () => void;
  #starts: number = 0;
  #sinceMs: number;

  /** @param goOn Called when the turn comes back. */
  constructor(clock: Pick<Clock, "monotonicMs" | "defer">, goOn: () => void) {
    this.#clock = clock;
    this.#goOn = goOn;
    this.#sinceMs = clock.monotonicMs();
  }

  /** Counts a start. True if the turn has lasted long enough: no other one now, `goOn` will be called. */
  giveWayIfLong(): boolean {
    this.#starts += 1;
    if (this.#starts % STARTS_PER_LOOK !== 0) return false;
    if (this.#clock.monotonicMs() - this.#sinceMs < TURN_MS_MAX) return false;
    this.isGivingWay = true;
    this.#clock.defer(() => {
      this.isGivingWay = false;
      this.begin();
      this.#goOn();
    });
    return true;
  }

  /** A new turn has begun. */
  begin(): void {
    this.#sinceMs = this.#clock.monotonicMs();
  }
}
