// The slots of a run of which a part is isolated: one at a time meanwhile, then as many as the pool has.

import type { SlotPool, SlotWaiter } from "../../slots.ts";

/** Slots of one run. */
export class IsolatedSlots implements SlotPool {
  readonly #pool: SlotPool;
  readonly #isActive: () => boolean;
  #used: number = 0;
  #waiter: SlotWaiter | null = null;

  constructor(pool: SlotPool, isActive: () => boolean) {
    this.#pool = pool;
    this.#isActive = isActive;
  }

  tryTake(): boolean {
    if (this.#used > 0 && this.#isActive()) return false;
    if (!this.#pool.tryTake()) return false;
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

  /** Only the run itself waits here: for the pool, or for its own slot. */
  wait(waiter: SlotWaiter): void {
    if (this.#used > 0 && this.#isActive()) this.#waiter = waiter;
    else this.#pool.wait(waiter);
  }

  leave(waiter: SlotWaiter): void {
    this.#waiter = null;
    this.#pool.leave(waiter);
  }
}
