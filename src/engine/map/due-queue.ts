// Items of a map that may start now, besides those that were never started: first in, first out.

import type { Attempt } from "../attempt/attempt.ts";
import type { AttemptHistory } from "../attempt/attempt-history.ts";

/** An item that goes on with another attempt. */
export interface DueItem {
  readonly index: number;
  /** Null: its first attempt. */
  readonly history: AttemptHistory | null;
  /** Of an item that waited for a resource: its attempt, whose turn may have come. */
  readonly called?: Attempt;
}

/** A queue that neither moves its entries nor keeps those that were taken. */
export class DueQueue {
  readonly #items: DueItem[] = [];
  #head: number = 0;

  get isEmpty(): boolean {
    return this.#head === this.#items.length;
  }

  push(item: DueItem): void {
    this.#items.push(item);
  }

  /** The item that waits longest. */
  take(): DueItem | undefined {
    const item = this.#items[this.#head];
    if (item === undefined) return undefined;
    this.#head += 1;
    if (this.isEmpty) {
      this.#items.length = 0;
      this.#head = 0;
    }
    return item;
  }
}
