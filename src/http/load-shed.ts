// Whether this process is so late that what can wait should come again: the event loop was late for five seconds on
// end, by its 99th percentile. Looked at once a second while the server listens.

import { SHED_AFTER_MS_DEFAULT, SHED_LOOP_DELAY_MS_DEFAULT } from "../model/defaults.ts";
import type { Clock, Timer } from "../std/clock.ts";

/** Where delays come from. */
export interface DelaySource {
  /** 99th percentile since the last call, ms. */
  takeP99Ms(): number;
  close(): void;
}

/** Time between two looks, ms. */
const LOOK_MS = 1_000;

/** Watches the delay of the event loop. */
export class LoadShed {
  readonly #clock: Clock;
  readonly #delays: DelaySource;
  #timer: Timer | undefined;
  /** Since when it is late; null: it is not. */
  #lateSinceMs: number | null = null;
  #isClosed: boolean = false;

  constructor(clock: Clock, delays: DelaySource) {
    this.#clock = clock;
    this.#delays = delays;
    this.#look();
  }

  /** Whether what can wait should come again. */
  isOverloaded(): boolean {
    if (this.#lateSinceMs === null) return false;
    return this.#clock.monotonicMs() - this.#lateSinceMs >= SHED_AFTER_MS_DEFAULT;
  }

  /** Safe to repeat. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#timer?.cancel();
    this.#delays.close();
  }

  #look(): void {
    this.#timer = this.#clock.setTimer(
      LOOK_MS,
      () => {
        const isLate = this.#delays.takeP99Ms() > SHED_LOOP_DELAY_MS_DEFAULT;
        this.#lateSinceMs = isLate ? (this.#lateSinceMs ?? this.#clock.monotonicMs()) : null;
        if (!this.#isClosed) this.#look();
      },
      { unref: true },
    );
  }
}
