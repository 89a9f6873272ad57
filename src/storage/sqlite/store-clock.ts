// The clock of a store on one machine: an anchor in the store plus the monotonic clock that all processes of a
// boot share. The first process of a boot sets the anchor, so that it reads about UTC and never less than any
// time the store already holds; from then on no jump of the wall clock can touch a lease. Where the platform
// has no boot id, it is wall time that never goes back.

import type { Clock } from "../../std/clock.ts";
import type { Machine } from "../../std/machine.ts";
import type { Meta } from "./statements/meta.ts";

/** Difference to UTC that is worth mending while nobody holds a lease, ms: a suspended laptop falls behind. */
const BEHIND_MS_MAX = 5_000;

/** What a store asks of its machine. */
export type StoreMachine = Pick<Machine, "bootId" | "sharedMonotonicMs" | "isGone">;

/** What the clock of a store is made of. */
export interface StoreClockOptions {
  readonly clock: Clock;
  readonly machine: StoreMachine;
}

/** Reads the store's time. Arithmetic alone; only `adopt` and `decideAnchor` look at what the store says. */
export class StoreClock {
  readonly #clock: Clock;
  readonly #machine: StoreMachine;
  #anchorMs: number | undefined;
  #lastMs = 0;

  constructor({ clock, machine }: StoreClockOptions) {
    this.#clock = clock;
    this.#machine = machine;
  }

  /** UTC ms, whole, never going back. */
  nowMs(): number {
    this.#lastMs = Math.max(this.#lastMs, Math.floor(this.#read()));
    return this.#lastMs;
  }

  /** Follows the anchor of the store, and never falls below a time that is written there. */
  adopt(meta: Meta): void {
    if (meta.bootId !== "" && meta.bootId === this.#machine.bootId)
      this.#anchorMs = meta.clockAnchorMs;
    this.#lastMs = Math.max(this.#lastMs, meta.writtenAtMs);
  }

  /** The anchor to be written now; undefined while the one in the store holds. `leased`: some run is owned. */
  decideAnchor(meta: Meta | undefined, floorMs: number, leased: boolean): Anchor | undefined {
    const { bootId } = this.#machine;
    const wallMs = this.#clock.wallMs();
    const sharedMs = this.#machine.sharedMonotonicMs();
    const anchor = { bootId, anchorMs: Math.max(wallMs, floorMs) - sharedMs };
    if (meta === undefined || meta.bootId !== bootId) return anchor;
    // Moved forward only, and only when no lease could run out by it.
    const behindMs = wallMs - (meta.clockAnchorMs + sharedMs);
    return bootId !== "" && behindMs > BEHIND_MS_MAX && !leased ? anchor : undefined;
  }

  #read(): number {
    if (this.#anchorMs === undefined || this.#machine.bootId === "") return this.#clock.wallMs();
    return this.#anchorMs + this.#machine.sharedMonotonicMs();
  }
}

/** An anchor and the boot under which it holds. */
export interface Anchor {
  readonly bootId: string;
  /** UTC ms at the zero of the shared monotonic clock. */
  readonly anchorMs: number;
}
