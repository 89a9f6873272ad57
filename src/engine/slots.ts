// The attempts that one process has in flight: a number of slots shared by all its runs. Whoever finds none
// waits in line and is told once when one is free; a waiter holds nothing while it waits.

import { assert } from "../std/assert.ts";

/** Who waits for a slot. */
export interface SlotWaiter {
  /** A slot may be free: try again. */
  wake(): void;
}

/** Slots for attempts. */
export class Slots {
  readonly limit: number;
  #used: number = 0;
  readonly #waiters: Set<SlotWaiter> = new Set();

  constructor(limit: number) {
    this.limit = limit;
  }

  get used(): number {
    return this.#used;
  }

  /** Takes a slot if one is free. */
  tryTake(): boolean {
    if (this.#used >= this.limit) return false;
    this.#used += 1;
    return true;
  }

  /** Gives a slot back and wakes the first waiter. */
  release(): void {
    assert(this.#used > 0, "A slot was released that nobody held.");
    this.#used -= 1;
    if (this.#waiters.size === 0) return;
    for (const waiter of this.#waiters) {
      this.#waiters.delete(waiter);
      waiter.wake();
      return;
    }
  }

  /** Puts a waiter in line; asking again keeps its place. */
  wait(waiter: SlotWaiter): void {
    this.#waiters.add(waiter);
  }

  /** Takes a waiter out of line, in O(1). */
  leave(waiter: SlotWaiter): void {
    this.#waiters.delete(waiter);
  }
}
