// The waits of one run that is being driven: retries, deadlines, drains. All of them go with the run.

import type { Clock, Timer } from "../std/clock.ts";

/** Timers of one run. */
export class RunTimers {
  readonly #clock: Pick<Clock, "setTimer">;
  readonly #onFault: (error: unknown) => void;
  readonly #timers: Set<Timer> = new Set();

  /** @param onFault Told of whatever a callback throws: nobody else could hear it. */
  constructor(clock: Pick<Clock, "setTimer">, onFault: (error: unknown) => void) {
    this.#clock = clock;
    this.#onFault = onFault;
  }

  /** How many are set. */
  get size(): number {
    return this.#timers.size;
  }

  /** Calls back once after `delayMs`, unless `cancel` or `clear` comes first. */
  after(delayMs: number, callback: () => void): Timer {
    const timer = this.#clock.setTimer(delayMs, () => {
      if (!this.#timers.delete(timer)) return;
      try {
        callback();
      } catch (error) {
        this.#onFault(error);
      }
    });
    this.#timers.add(timer);
    return timer;
  }

  /** Calls one wait off. */
  cancel(timer: Timer): void {
    if (this.#timers.delete(timer)) timer.cancel();
  }

  /** Calls all waits off. */
  clear(): void {
    for (const timer of this.#timers) timer.cancel();
    this.#timers.clear();
  }
}
