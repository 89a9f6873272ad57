// The clock port, and its system half: the only file that reads real time or arms a real timer. All else
// takes a Clock, so that tests and simulations can own time.
//
// Node fires a timer longer than 2^31-1 ms at once, and counts a timer from the start of the current turn,
// so that it may come early. Hence every wait is cut into pieces of at most 30 s, and each piece reads the
// monotonic clock again: a callback never comes before its time, however long the wait.

import { assert } from "./error/assert.ts";

/** A wait that can be called off. */
export interface Timer {
  /** Calls the wait off. Safe to repeat, and after the callback has run. */
  cancel(): void;
}

/** How a timer relates to the process. */
export interface TimerOptions {
  /** When true the timer alone does not keep the process alive. Default false. */
  readonly unref?: boolean;
}

/** Where time comes from. Wall time is for schedules and display, monotonic time for every duration. */
export interface Clock {
  /** UTC in whole milliseconds since 1970. May jump, in both directions. */
  wallMs(): number;
  /** Milliseconds with a fraction since some fixed moment. Never goes back. */
  monotonicMs(): number;
  /** Calls back once, not before `delayMs` have passed. Zero or less: soon, but never in this call. */
  setTimer(delayMs: number, callback: () => void, options?: TimerOptions): Timer;
  /** Resolves after `delayMs`; rejects with the signal's reason, at once when it is aborted. */
  sleep(delayMs: number, signal?: AbortSignal): Promise<void>;
  /** Calls back in the next turn of the event loop, in the order asked. */
  defer(callback: () => void): void;
}

const PIECE_MS_MAX = 30_000;

/** The clock behind `performance.now()`; some 10 ns slower a read, but the first use of `performance` loads nine modules. */
function monotonicMs(): number {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * 1e3 + nanoseconds / 1e6;
}

class SystemTimer implements Timer {
  readonly #dueMs: number;
  readonly #callback: () => void;
  readonly #unref: boolean;
  #handle: NodeJS.Timeout | undefined;

  constructor(delayMs: number, callback: () => void, options?: TimerOptions) {
    assert(!Number.isNaN(delayMs), "A timer needs a delay in milliseconds, got NaN.");
    this.#dueMs = monotonicMs() + delayMs;
    this.#callback = callback;
    this.#unref = options?.unref === true;
    this.#arm(delayMs);
  }

  cancel(): void {
    clearTimeout(this.#handle);
  }

  #arm(leftMs: number): void {
    this.#handle = setTimeout(fire, Math.min(Math.ceil(leftMs), PIECE_MS_MAX), this);
    if (this.#unref) this.#handle.unref();
  }

  fire(): void {
    const leftMs = this.#dueMs - monotonicMs();
    if (leftMs > 0) this.#arm(leftMs);
    else this.#callback();
  }
}

// One function for all timers: setTimeout hands it its timer, so arming allocates no closure.
function fire(timer: SystemTimer): void {
  timer.fire();
}

/** `Clock.sleep` on top of any clock's timers. Leaves no timer and no listener behind. */
export function sleepOn(
  clock: Pick<Clock, "setTimer">,
  delayMs: number,
  signal?: AbortSignal,
): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal === undefined) {
      clock.setTimer(delayMs, resolve);
      return;
    }
    signal.throwIfAborted();
    const onAbort = (): void => {
      timer.cancel();
      reject(signal.reason);
    };
    const timer = clock.setTimer(delayMs, () => {
      signal.removeEventListener("abort", onAbort);
      resolve();
    });
    signal.addEventListener("abort", onAbort, { once: true });
  });
}

/** The machine's own time. */
export const systemClock: Clock = {
  wallMs: () => Date.now(),
  monotonicMs,
  setTimer: (delayMs, callback, options) => new SystemTimer(delayMs, callback, options),
  sleep: (delayMs, signal) => sleepOn(systemClock, delayMs, signal),
  defer: (callback) => {
    setImmediate(callback);
  },
};
