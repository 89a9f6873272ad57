// One call under a retry: what the caller's function is handed, and the clock that ends it. The signal is made when it
// is first asked for, since most calls never look at it. A call that outlives its timeout is asked to stop and waited
// for, so that the next one does not work beside it; its result counts no more.

import { AbortReason } from "../../model/context.ts";
import { ABORT_GRACE_MS_DEFAULT } from "../../model/defaults.ts";
import type { Limit } from "../../policy/timeout.ts";
import { formatDuration } from "../../std/duration.ts";
import type { Clock, Timer } from "../../std/clock.ts";
import { turnTimers, type Armable, type TurnTimers } from "./turn-timers.ts";

/** What a function that is retried gets. */
export interface RetryCall {
  /** Which call this is, from 1; one that was only told to slow down does not count. */
  readonly attempt: number;
  /** Aborted by the caller's signal, and by the timeout of this call. Pass it on. */
  readonly signal: AbortSignal;
}

/** A function that is retried. */
export type RetryWork<T> = (call: RetryCall) => T | PromiseLike<T>;

/** Of a call without a limit. */
export class PlainCall implements RetryCall {
  readonly attempt: number;
  #signal: AbortSignal | undefined;

  constructor(attempt: number, signal: AbortSignal | undefined) {
    this.attempt = attempt;
    this.#signal = signal;
  }

  get signal(): AbortSignal {
    return (this.#signal ??= new AbortController().signal);
  }
}

/** How a call is ended. */
export interface CallLimit extends Limit {
  /** How long it may take, ms. */
  readonly leftMs: number;
  /** True: nobody would call again, so nobody waits for it to stop. */
  readonly isLast: boolean;
  readonly clock: Clock;
}

/** Of a call with a limit. */
export class LimitedCall<T> implements RetryCall, Armable {
  readonly attempt: number;
  before: Armable | null = null;
  after: Armable | null = null;
  readonly #outer: AbortSignal | undefined;
  readonly #limit: CallLimit;
  readonly #timers: TurnTimers;
  readonly #startedMs: number;
  #reject: (error: unknown) => void = ignore;
  #controller: AbortController | null = null;
  #timer: Timer | null = null;
  /** Set once its time is over. */
  #late: AbortReason | null = null;
  #stuck: boolean = false;

  constructor(attempt: number, outer: AbortSignal | undefined, limit: CallLimit) {
    this.attempt = attempt;
    this.#outer = outer;
    this.#limit = limit;
    this.#timers = turnTimers(limit.clock);
    this.#startedMs = limit.clock.monotonicMs();
  }

  /** True where it was given up while it was still at work. */
  get isStuck(): boolean {
    return this.#stuck;
  }

  get signal(): AbortSignal {
    if (this.#controller !== null) return this.#controller.signal;
    this.#controller = new AbortController();
    if (this.#late !== null) this.#controller.abort(this.#late);
    else if (this.#outer?.aborted === true) this.#controller.abort(this.#outer.reason);
    else this.#outer?.addEventListener("abort", this.#pass, { once: true });
    return this.#controller.signal;
  }

  /** Calls once. Rejects with what the function threw, or with the reason of its limit. */
  run(work: RetryWork<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#reject = reject;
      this.#timers.add(this);
      const fail = (error: unknown): void => {
        this.#end();
        reject(this.#late ?? error);
      };
      try {
        const result = work(this);
        if (!isThenable(result)) {
          this.#end();
          resolve(result);
          return;
        }
        result.then((value) => {
          this.#end();
          if (this.#late === null) resolve(value);
          else reject(this.#late);
        }, fail);
      } catch (error) {
        fail(error);
      }
    });
  }

  /** Of the timers of its turn alone. */
  arm(): void {
    const { clock, leftMs } = this.#limit;
    const goneMs = clock.monotonicMs() - this.#startedMs;
    this.#timer = clock.setTimer(leftMs - goneMs, () => this.#expire());
  }

  #expire(): void {
    const { kind, isLast, leftMs, clock } = this.#limit;
    const text =
      kind === "timeout"
        ? `Attempt ${this.attempt} took longer than its timeout of ${formatDuration(leftMs)}.`
        : `Attempt ${this.attempt} was still running at the deadline.`;
    const late = new AbortReason(kind, text);
    this.#late = late;
    this.#controller?.abort(late);
    if (isLast || kind === "deadline") {
      this.#end();
      this.#reject(late);
      return;
    }
    this.#outer?.addEventListener("abort", this.#leave, { once: true });
    this.#timer = clock.setTimer(ABORT_GRACE_MS_DEFAULT, () => {
      this.#stuck = true;
      this.#end();
      this.#reject(late);
    });
  }

  readonly #pass = (): void => {
    this.#controller?.abort(this.#outer?.reason);
  };

  /** Who is not interested any more need not wait until a call has stopped whose result does not count. */
  readonly #leave = (): void => {
    this.#end();
    this.#reject(this.#outer?.reason);
  };

  /** Leaves no timer and no listener behind. */
  #end(): void {
    this.#timers.drop(this);
    this.#timer?.cancel();
    if (this.#controller !== null) this.#outer?.removeEventListener("abort", this.#pass);
    if (this.#late !== null) this.#outer?.removeEventListener("abort", this.#leave);
  }
}

function ignore(): void {
  // Nobody listens before it runs.
}

function isThenable<T>(value: T | PromiseLike<T>): value is PromiseLike<T> {
  return typeof value === "object" && value !== null && "then" in value;
}
