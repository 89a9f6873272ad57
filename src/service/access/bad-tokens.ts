// How often an address came with a bad token, and how long it has to wait for it: twenty within a minute cost nothing,
// each one more doubles the wait. What goes on coming while it waits is not even looked at.

import { BAD_TOKENS_PER_MINUTE_DEFAULT } from "../../model/defaults.ts";
import { BAD_TOKEN_ADDRESSES_MAX, BAD_TOKEN_WAIT_MS_MAX } from "../../model/limits.ts";
import type { Clock } from "../../std/clock.ts";

interface Count {
  /** Bad ones since `sinceMs`. */
  bad: number;
  sinceMs: number;
  /** Bad ones above what is free, in all. */
  above: number;
  untilMs: number;
}

const MINUTE_MS = 60_000;

/** First wait, ms; it doubles. */
const WAIT_MS_MIN = 1_000;

/** Bad tokens by address. */
export class BadTokens {
  readonly #clock: Clock;
  readonly #counts: Map<string, Count> = new Map();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Ms for which this address is not listened to; 0: it is. */
  waitMs(address: string): number {
    const untilMs = this.#counts.get(address)?.untilMs ?? 0;
    return Math.max(0, untilMs - this.#clock.monotonicMs());
  }

  /** Counts a bad one. */
  count(address: string): void {
    const nowMs = this.#clock.monotonicMs();
    const found = this.#counts.get(address) ?? { bad: 0, sinceMs: nowMs, above: 0, untilMs: 0 };
    // A minute without being held up, and all is forgotten.
    if (nowMs - Math.max(found.sinceMs, found.untilMs) >= MINUTE_MS) {
      Object.assign(found, { bad: 0, sinceMs: nowMs, above: 0 });
    }
    found.bad += 1;
    if (found.bad >= BAD_TOKENS_PER_MINUTE_DEFAULT) {
      found.untilMs = nowMs + Math.min(BAD_TOKEN_WAIT_MS_MAX, WAIT_MS_MIN * 2 ** found.above);
      found.above = Math.min(found.above + 1, 30);
    }
    this.#keep(address, found);
  }

  #keep(address: string, count: Count): void {
    this.#counts.delete(address);
    const [oldest] = this.#counts.keys();
    if (this.#counts.size >= BAD_TOKEN_ADDRESSES_MAX && oldest !== undefined) {
      this.#counts.delete(oldest);
    }
    this.#counts.set(address, count);
  }
}
