// A clock that stands still until told to advance, for tests and simulations. Timers fire in time order,
// ties in the order they were set; after each, everything it set off (promise chains and deferred
// callbacks) runs to its end before time moves on. Deferred callbacks need no advance: a turn of the event
// loop is not time. Work that waits for a thread, a file or a child process is not waited for.

import { assert } from "./error/assert.ts";
import { type Clock, sleepOn, systemClock, type Timer } from "./clock.ts";

/** A Clock whose time passes only in `advance`. Timers set with `unref` count like any other. */
export interface VirtualClock extends Clock {
  /**
   * Moves time on by `ms`, firing what falls due, new timers included. Calls queue up behind each other.
   * Rejects with what a timer's callback throws; time then stands at that timer.
   */
  advance(ms: number): Promise<void>;
  /** How many timers are set and have neither fired nor been cancelled. */
  readonly pendingTimers: number;
  /** Milliseconds from now to the next timer; undefined when none is set. */
  readonly nextTimerMs: number | undefined;
}

/** Where a virtual clock starts. */
export interface VirtualClockOptions {
  /** Wall time at the start, UTC ms. Default 2026-01-01T00:00:00Z. Monotonic time starts at 0. */
  readonly startAtMs?: number;
}

/** Makes a clock that stands still. */
export function makeVirtualClock(options: VirtualClockOptions = {}): VirtualClock {
  return new StandingClock(options.startAtMs ?? Date.UTC(2026, 0, 1));
}

// Enough for any real cascade at one instant; more is a callback that defers itself for ever.
const TURNS_MAX = 1_000_000;

interface Entry {
  readonly dueMs: number;
  readonly order: number;
  readonly callback: () => void;
  live: boolean;
}

class StandingClock implements VirtualClock {
  readonly #startAtMs: number;
  readonly #heap: Entry[] = [];
  #nowMs = 0;
  #order = 0;
  #live = 0;
  #deferred = 0;
  #lastAdvance: Promise<void> = Promise.resolve();

  constructor(startAtMs: number) {
    this.#startAtMs = startAtMs;
  }

  get pendingTimers(): number {
    return this.#live;
  }

  get nextTimerMs(): number | undefined {
    const next = this.#peek();
    return next === undefined ? undefined : Math.max(0, next.dueMs - this.#nowMs);
  }

  wallMs(): number {
    return Math.floor(this.#startAtMs + this.#nowMs);
  }

  monotonicMs(): number {
    return this.#nowMs;
  }

  setTimer(delayMs: number, callback: () => void): Timer {
    assert(!Number.isNaN(delayMs), "A timer needs a delay in milliseconds, got NaN.");
    const dueMs = this.#nowMs + Math.max(0, delayMs);
    const entry: Entry = { dueMs, order: this.#order++, callback, live: true };
    pushEntry(this.#heap, entry);
    this.#live += 1;
    return { cancel: () => this.#retire(entry) };
  }

  sleep(delayMs: number, signal?: AbortSignal): Promise<void> {
    return sleepOn(this, delayMs, signal);
  }

  defer(callback: () => void): void {
    this.#deferred += 1;
    systemClock.defer(() => {
      this.#deferred -= 1;
      callback();
    });
  }

  advance(ms: number): Promise<void> {
    assert(ms >= 0, `A clock advances by zero or more milliseconds, got ${ms}.`);
    const advanced = this.#lastAdvance.then(() => this.#advanceTo(this.#nowMs + ms));
    this.#lastAdvance = advanced.catch(() => undefined);
    return advanced;
  }

  async #advanceTo(targetMs: number): Promise<void> {
    await this.#settle();
    for (
      let next = this.#peek();
      next !== undefined && next.dueMs <= targetMs;
      next = this.#peek()
    ) {
      this.#nowMs = next.dueMs;
      this.#retire(next);
      next.callback();
      await this.#settle();
    }
    this.#nowMs = targetMs;
  }

  /** One turn of the real loop drains every promise chain; one more for each deferred generation. */
  async #settle(): Promise<void> {
    let turns = 0;
    do {
      assert(turns++ < TURNS_MAX, `Callbacks still defer each other after ${TURNS_MAX} turns.`);
      await new Promise<void>((resolve) => systemClock.defer(resolve));
    } while (this.#deferred > 0);
  }

  #retire(entry: Entry): void {
    if (!entry.live) return;
    entry.live = false;
    this.#live -= 1;
  }

  #peek(): Entry | undefined {
    while (this.#heap[0]?.live === false) popEntry(this.#heap);
    return this.#heap[0];
  }
}

function isBefore(left: Entry, right: Entry): boolean {
  return left.dueMs < right.dueMs || (left.dueMs === right.dueMs && left.order < right.order);
}

function pushEntry(heap: Entry[], entry: Entry): void {
  let at = heap.length;
  while (at > 0) {
    const parentAt = (at - 1) >> 1;
    const parent = heap[parentAt];
    if (parent === undefined || isBefore(parent, entry)) break;
    heap[at] = parent;
    at = parentAt;
  }
  heap[at] = entry;
}

function popEntry(heap: Entry[]): void {
  const last = heap.pop();
  if (last === undefined || heap.length === 0) return;
  let at = 0;
  for (;;) {
    let childAt = at * 2 + 1;
    let child = heap[childAt];
    const right = heap[childAt + 1];
    if (child !== undefined && right !== undefined && isBefore(right, child)) {
      child = right;
      childAt += 1;
    }
    if (child === undefined || isBefore(last, child)) break;
    heap[at] = child;
    at = childAt;
  }
  heap[at] = last;
}
