// How many messages and pings one client may send: a few at once, fewer over time.

import { SOCKET_MESSAGES_AT_ONCE_MAX, SOCKET_MESSAGES_PER_SECOND_MAX } from "../../model/limits.ts";
import type { Clock } from "../../std/clock.ts";

/** The budget of one client. */
export class FrameBudget {
  readonly #clock: Clock;
  #left = SOCKET_MESSAGES_AT_ONCE_MAX;
  #atMs: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#atMs = clock.monotonicMs();
  }

  /** Takes one; false: it is spent. */
  take(): boolean {
    const nowMs = this.#clock.monotonicMs();
    const grown = ((nowMs - this.#atMs) / 1_000) * SOCKET_MESSAGES_PER_SECOND_MAX;
    this.#left = Math.min(SOCKET_MESSAGES_AT_ONCE_MAX, this.#left + grown);
    this.#atMs = nowMs;
    if (this.#left < 1) return false;
    this.#left -= 1;
    return true;
  }
}
