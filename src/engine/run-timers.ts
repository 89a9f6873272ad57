// The waits of one run that is being driven: retries, deadlines, drains. All of them go with the run.

import type { Clock, Timer } from "../std/clock.ts";

/** Timers of one run. */
export class RunTimers {
  readonly #clock: Pick<Clock, "setTimer" | "monotonicMs">;
  readonly #onFault: (error: unknown) => void;
  /** With the monotonic ms at which each is due. */
  readonly #timers: Map<Timer, number> = new Map();
  #waits: number = 0;

  /** @param onFault Told of whatever a callback throws: nobody else could hear it. */
  constructor(clock: Pick<Clock, "setTimer" | "monotonicMs">, onFault: (error: unknown) => void) {
    this.#clock = clock;
    this.#onFault = onFault;
  }

  /** How many are set. */
  get size(): number {
    return this.#timers.size;
  }

  /** How many of them are waits of stages and items: with them something goes on. */
  get waits(): number {
    return this.#waits;
  }

  /** Calls back once after `delayMs`, unless `cancel` or `clear` comes first. */
  after(delayMs: number, callback: () => void): Timer {
    const timer = this.#clock.setTimer(delayMs, () => {
      if (!this.#timers.delete(timer)) return;
      try {
        callback();
      } catch (error) {
        this.#onFault(error);
      }
    });
    this.#timers.set(timer, this.#clock.monotonicMs() + delayMs);
    return timer;
  }

  /** The same for a stage or item that waits. It cannot be called off alone. */
  wait(delayMs: number, callback: () => void): void {
    this.#waits += 1;
    this.after(delayMs, () => {
      this.#waits -= 1;
      callback();
    });
  }

  /** How long until the next one is due, ms; null where that is not longer than this, or none is set. */
  findLeftMs(longerThanMs: number): number | null {
    const nowMs = this.#clock.monotonicMs();
    let earliestMs = Infinity;
    for (const dueMs of this.#timers.values()) {
      if (dueMs <= nowMs + longerThanMs) return null;
      earliestMs = Math.min(earliestMs, dueMs);
    }
    return earliestMs === Infinity ? null : earliestMs - nowMs;
  }

  /** Calls one wait off. */
  cancel(timer: Timer): void {
    if (this.#timers.delete(timer)) timer.cancel();
  }

  /** Calls all waits off. */
  clear(): void {
    for (const timer of this.#timers.keys()) timer.cancel();
    this.#timers.clear();
    this.#waits = 0;
  }
}

/** Ends a run when its deadline has come; false: it has come already. */
export function armDeadline(
  core: {
    readonly deadlineMs: number | null;
    /** How much of it was used up before, ms. */
    readonly spentMs: number;
  },
  timers: RunTimers,
  end: (reason: string) => void,
): boolean {
  if (core.deadlineMs === null) return true;
  const reason = `the run did not finish within its deadline of ${core.deadlineMs} ms`;
  const leftMs = core.deadlineMs - core.spentMs;
  if (leftMs > 0) timers.after(leftMs, () => end(reason));
  else end(reason);
  return leftMs > 0;
}
