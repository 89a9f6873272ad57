// A time in which no lease is reclaimed unless its owner is proven dead. It begins where many holders may have missed
// their renewals for one reason, which is not theirs: a clock was set, or the store was away. To reclaim them then
// would do all their work twice.

/** What an amnesty is made of. */
export interface AmnestyParts {
  /** The store's clock, which leases go by. */
  readonly nowMs: () => number;
  /** One lease: after it every holder that lives has renewed. */
  readonly lengthMs: number;
}

/** The amnesty of one process. */
export class Amnesty {
  readonly #parts: AmnestyParts;
  #untilMs: number = 0;

  constructor(parts: AmnestyParts) {
    this.#parts = parts;
  }

  /** True while leases that ran out prove nothing. */
  get isOn(): boolean {
    return this.#untilMs > 0 && this.#parts.nowMs() < this.#untilMs;
  }

  /** Begins it, or makes it last from now on. */
  begin(): void {
    this.#untilMs = this.#parts.nowMs() + this.#parts.lengthMs;
  }
}
