// The attempts that one process has in flight: a number of slots shared by all its runs. Whoever finds none
// waits in line and is told once when one is free; a waiter holds nothing while it waits.

import { assert } from "../std/error/assert.ts";

/** Who waits for a slot. */
export interface SlotWaiter {
  /** A slot may be free: try again. */
  wake(): void;
}

/** Where attempts get their slots. */
export interface SlotPool {
  /** Takes a slot if one is free. */
  tryTake(): boolean;
  /** Gives a slot back and wakes who waits for it. */
  release(): void;
  /** Puts a waiter in line; asking again keeps its place. */
  wait(waiter: SlotWaiter): void;
  /** Takes a waiter out of line. */
  leave(waiter: SlotWaiter): void;
}

/** Slots for attempts. */
export class Slots implements SlotPool {
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

  /** Gives a slot back and wakes the first waiter; one that has no use for it any more leaves it to the next. */
  release(): void {
    assert(this.#used > 0, "A slot was released that nobody held.");
    this.#used -= 1;
    if (this.#waiters.size === 0) return;
    for (const waiter of this.#waiters) {
      this.#waiters.delete(waiter);
      waiter.wake();
      if (this.#used >= this.limit) return;
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

/** The slots of one run: those of the pool, and of them at most `limit`. */
export class SlotShare implements SlotPool {
  readonly #pool: SlotPool;
  readonly #limit: number;
  #used: number = 0;
  #waiter: SlotWaiter | null = null;

  constructor(pool: SlotPool, limit: number) {
    this.#pool = pool;
    this.#limit = limit;
  }

  tryTake(): boolean {
    if (this.#used >= this.#limit || !this.#pool.tryTake()) return false;
    this.#used += 1;
    return true;
  }

  release(): void {
    this.#used -= 1;
    this.#pool.release();
    const waiter = this.#waiter;
    this.#waiter = null;
    waiter?.wake();
  }

  /** Only the run itself waits here: for the pool, or for one of its own slots. */
  wait(waiter: SlotWaiter): void {
    if (this.#used >= this.#limit) this.#waiter = waiter;
    else this.#pool.wait(waiter);
  }

  leave(waiter: SlotWaiter): void {
    this.#waiter = null;
    this.#pool.leave(waiter);
  }
}
