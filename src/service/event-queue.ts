// Events for a reader that takes them at its own pace: a bounded queue. A slow reader loses the oldest and is
// told of the gap by the numbers; whoever publishes never waits.

import type { MillraceEvent } from "../model/event.ts";

/** A queue that is an async iterator; it ends when `end` is called and everything was read. */
export class EventQueue implements AsyncIterableIterator<MillraceEvent> {
  readonly #sizeMax: number;
  readonly #onReturn: () => void;
  #events: MillraceEvent[] = [];
  #head: number = 0;
  #ended: boolean = false;
  #waiting: ((step: IteratorResult<MillraceEvent>) => void)[] = [];

  /** @param onReturn Called when the reader stops early. */
  constructor(sizeMax: number, onReturn: () => void) {
    this.#sizeMax = sizeMax;
    this.#onReturn = onReturn;
  }

  push(event: MillraceEvent): void {
    if (this.#ended) return;
    const reader = this.#waiting.shift();
    if (reader !== undefined) {
      reader({ done: false, value: event });
      return;
    }
    this.#events.push(event);
    if (this.#events.length - this.#head > this.#sizeMax) this.#head += 1;
    this.#compact();
  }

  /** No more events come. */
  end(): void {
    this.#ended = true;
    for (const reader of this.#waiting) reader({ done: true, value: undefined });
    this.#waiting = [];
  }

  next(): Promise<IteratorResult<MillraceEvent>> {
    const event = this.#events[this.#head];
    if (event !== undefined) {
      this.#head += 1;
      this.#compact();
      return Promise.resolve({ done: false, value: event });
    }
    if (this.#ended) return Promise.resolve({ done: true, value: undefined });
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  return(): Promise<IteratorResult<MillraceEvent>> {
    this.#onReturn();
    this.end();
    this.#events = [];
    return Promise.resolve({ done: true, value: undefined });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** Read events are let go in large steps, so that reading is no shift of the whole list. */
  #compact(): void {
    if (this.#head < 1_024 || this.#head * 2 < this.#events.length) return;
    this.#events = this.#events.slice(this.#head);
    this.#head = 0;
  }
}
