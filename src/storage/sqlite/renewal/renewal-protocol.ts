// What the main loop and the thread that renews its leases say to each other: orders and reports as messages, and
// two times in memory that both see, which need no turn of a loop to be read.

import type { LeasedRun, RenewalTerms } from "../../lease-renewer.ts";

/** What the thread begins with. */
export interface RenewalStart {
  readonly url: string;
  /** Absolute. */
  readonly path: string;
  readonly terms: RenewalTerms;
  readonly shared: SharedArrayBuffer;
}

/** What the thread is told. */
export type RenewalOrder =
  /** `untilMs`: by the clock that all processes share; null: no end. */
  | { readonly kind: "keep"; readonly run: LeasedRun; readonly untilMs: number | null }
  | { readonly kind: "release"; readonly id: string }
  /** One message instead of many: each costs as much as a small run. */
  | { readonly kind: "all"; readonly orders: readonly RenewalOrder[] }
  | { readonly kind: "close" };

/** What the thread tells. */
export type RenewalReport = { readonly kind: "lost"; readonly runs: readonly LeasedRun[] };

const LOOP_TICK = 0;
const RENEWED = 1;
const SLOTS = 2;

/** Two times by the clock that all processes of a boot share; 0: never. */
export class SharedTimes {
  readonly buffer: SharedArrayBuffer;
  readonly #times: BigInt64Array;

  /** Without a buffer it makes one. */
  constructor(
    buffer: SharedArrayBuffer = new SharedArrayBuffer(SLOTS * BigInt64Array.BYTES_PER_ELEMENT),
  ) {
    this.buffer = buffer;
    this.#times = new BigInt64Array(buffer);
  }

  /** When the main loop said last that it lives, ms. */
  get loopTickMs(): number {
    return Number(Atomics.load(this.#times, LOOP_TICK));
  }

  set loopTickMs(nowMs: number) {
    Atomics.store(this.#times, LOOP_TICK, BigInt(Math.floor(nowMs)));
  }

  /** When the last renewal was sent that succeeded, ms. */
  get renewedMs(): number {
    return Number(Atomics.load(this.#times, RENEWED));
  }

  set renewedMs(sentMs: number) {
    Atomics.store(this.#times, RENEWED, BigInt(Math.floor(sentMs)));
  }
}
