// Notices that the wall clock was set, or that the machine slept: it advanced otherwise than the monotonic clock did.
// Asked once a second by whoever lives in this process; who asks first after a jump finds it, and the others find
// nothing. A store's own clock follows one of the two on the same machine, and needs no look of its own.

import type { Clock } from "../../std/clock.ts";

/** A difference between two looks that is no drift, ms. */
const CLOCK_JUMP_MS_MIN = 5_000;

/** What a look needs. */
export interface ClockWatchParts {
  readonly clock: Pick<Clock, "wallMs" | "monotonicMs">;
  /** Told by how much the wall clock went ahead, ms; negative: back. */
  readonly jumped: (byMs: number) => void;
}

/** Looks at two clocks. */
export class ClockWatch {
  readonly #parts: ClockWatchParts;
  /** Wall time less monotonic time, at the last look. */
  #apartMs: number | null = null;

  constructor(parts: ClockWatchParts) {
    this.#parts = parts;
  }

  /** Looks; costs nothing. */
  look(): void {
    const { clock, jumped } = this.#parts;
    const apartMs = clock.wallMs() - clock.monotonicMs();
    const byMs = this.#apartMs === null ? 0 : apartMs - this.#apartMs;
    this.#apartMs = apartMs;
    if (Math.abs(byMs) > CLOCK_JUMP_MS_MIN) jumped(Math.round(byMs));
  }
}
