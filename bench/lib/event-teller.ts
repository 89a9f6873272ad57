// Tells events at a steady rate, each with the time at which it was due, so that who hears it knows how late it is.

import type { Millrace } from "millrace";

/** Time between two lots, ms. */
const LOT_MS = 10;

/** What was told. */
export interface Told {
  readonly count: number;
  /** Number of the last one in the store. */
  readonly lastSeq: number;
  /** How far it fell behind its rate at the worst moment, in events. */
  readonly behindMax: number;
}

/** One source of events. */
export class EventTeller {
  readonly #mill: Millrace;
  #timer: NodeJS.Timeout | undefined;
  #begunMs = 0;
  #perMs = 0;
  #asked = 0;
  #count = 0;
  #lastSeq = 0;
  #behindMax = 0;
  #lots: Promise<unknown>[] = [];

  constructor(mill: Millrace) {
    this.#mill = mill;
  }

  start(perSecond: number): void {
    this.#perMs = perSecond / 1_000;
    this.#begunMs = performance.now();
    this.#asked = 0;
    this.#count = 0;
    this.#behindMax = 0;
    this.#timer = setInterval(() => this.#tellDue(), LOT_MS);
  }

  /** Resolves once all that was told is stored. */
  async stop(): Promise<Told> {
    clearInterval(this.#timer);
    await Promise.all(this.#lots);
    this.#lots = [];
    return { count: this.#count, lastSeq: this.#lastSeq, behindMax: this.#behindMax };
  }

  /** What is due by now, however late this comes, as one lot: its events share a commit. */
  #tellDue(): void {
    const due = Math.floor((performance.now() - this.#begunMs) * this.#perMs);
    this.#behindMax = Math.max(this.#behindMax, due - this.#count);
    const lot: Promise<unknown>[] = [];
    for (; this.#asked < due; this.#asked += 1) lot.push(this.#tell(this.#asked));
    this.#lots.push(Promise.all(lot));
  }

  async #tell(number: number): Promise<void> {
    const dueMs = performance.timeOrigin + this.#begunMs + number / this.#perMs;
    const { seq = 0 } = await this.#mill.recordEvent({
      name: "bench.told",
      source: "bench",
      data: { dueMs: Math.round(dueMs * 1_000) / 1_000 },
    });
    this.#count += 1;
    this.#lastSeq = Math.max(this.#lastSeq, seq);
  }
}
