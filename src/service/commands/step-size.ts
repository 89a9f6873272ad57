// How much is deleted in one transaction: as much as takes a quarter of the time that a writer may be held up,
// found out while it goes on, with a pause after each step in which others get their turn.

import type { Clock } from "../../std/clock.ts";

/** Time of one step that is aimed at, ms; writers are held up for at most about 50. */
const STEP_MS = 12;
const ROWS_FIRST = 200;
const ROWS_MIN = 10;
const ROWS_MAX = 5_000;

/** Sizes of the steps of one long deletion. */
export class StepSize {
  readonly #clock: Clock;
  #rows = ROWS_FIRST;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Rows of the next step. */
  get rows(): number {
    return this.#rows;
  }

  /** Does one step, learns from how long it took, and lets others go first. */
  async step<T>(work: () => Promise<T>): Promise<T> {
    const startMs = this.#clock.monotonicMs();
    const result = await work();
    const tookMs = this.#clock.monotonicMs() - startMs;
    if (tookMs > STEP_MS) this.#rows = Math.max(ROWS_MIN, Math.floor(this.#rows / 2));
    else if (tookMs < STEP_MS / 2) this.#rows = Math.min(ROWS_MAX, this.#rows * 2);
    await this.#clock.sleep(Math.max(1, tookMs));
    return result;
  }
}
