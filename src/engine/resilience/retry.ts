// Retry around any call: the policies of stages, without a pipeline. What follows a failure is decided in
// `policy/retry.ts`; here is the loop, its waits, and the error that tells the whole story at the end.

import type { ErrorClass } from "../../model/outcome.ts";
import type { RetryOptions, RetryPolicy } from "../../model/retry.ts";
import { classifyError } from "../../policy/classify/classify.ts";
import type { ClassifyHook } from "../../policy/classify/classify-hook.ts";
import { messageOf } from "../../policy/failure.ts";
import { decideRetry, type RetryEnd } from "../../policy/retry.ts";
import { nextLimit } from "../../policy/timeout.ts";
import { systemClock, type Clock } from "../../std/clock.ts";
import type { Duration } from "../../std/duration.ts";
import { systemRandom, type Random } from "../../std/random.ts";
import { readDurationMs } from "./read-options.ts";
import { readPolicy } from "./read-policy.ts";
import { LimitedCall, PlainCall, type RetryWork } from "./retry-call.ts";
import { tell } from "./tell.ts";

/** A failed call that will be repeated. */
export interface RetryNotice {
  /** The call that failed, from 1. */
  readonly attempt: number;
  readonly error: unknown;
  readonly class: ErrorClass;
  /** The wait that follows, ms. */
  readonly delayMs: number;
}

/** How a call is repeated, besides its policy. */
export interface RetryCallOptions {
  /** Ends a wait at once, and is passed on to the call. The promise rejects with its reason. */
  readonly signal?: AbortSignal;
  /**
   * Longest time of one call; over it the call fails with class `timeout`. A call that does not stop when its signal
   * is aborted is waited for, 5 s at most, and is not repeated if it is still at work then. Default: none.
   */
  readonly timeout?: Duration;
  /** Longest time of all calls and waits together; no wait reaches past it. Default: none. */
  readonly deadline?: Duration;
  /** Names a class of what only you know; undefined leaves it to the table. */
  readonly classify?: ClassifyHook;
  /** False: what may have done its work (a timeout, a broken connection) is not repeated. Default true. */
  readonly idempotent?: boolean;
  /** Hears of each failure that is followed by another call; what it throws is dropped. */
  readonly onRetry?: (notice: RetryNotice) => unknown;
  /** Default: the machine's. */
  readonly clock?: Clock;
  /** Default: the machine's. */
  readonly random?: Random;
}

/** Why no further call followed, in the words of `RetryError`. */
export type RetryEndReason = RetryEnd | "stuck";

/** Rejects a retry that made more than one call; a single call that failed rejects with its own error. */
export class RetryError extends Error {
  /** Calls made. */
  readonly attempts: number;
  /** What the first call threw. */
  readonly first: unknown;
  /** What the last call threw; also the `cause`. */
  readonly last: unknown;
  /** Why no further call followed: `attempts`, `deadline`, `permanent` and so on. */
  readonly because: RetryEndReason;

  constructor(story: Pick<RetryError, "attempts" | "first" | "last" | "because">) {
    const { attempts, first, last, because } = story;
    const [began, ended] = [messageOf(first), messageOf(last)];
    const at = began === ended ? "" : `; the first failure was: ${began}`;
    super(`Failed after ${attempts} attempts (${because}): ${ended}${at}`, { cause: last });
    this.name = "RetryError";
    this.attempts = attempts;
    this.first = first;
    this.last = last;
    this.because = because;
  }
}

const NO_OPTIONS: RetryCallOptions = {};

/**
 * Calls `work` until it succeeds, or its policy says that it is over. `policy`: as in `retry` of a stage; a number is
 * `attempts`; an object is read once and should be made once. Rejects with the error itself where one call was made,
 * else with a `RetryError`; with the signal's reason where that was aborted. OPTION_INVALID before anything is called.
 */
export async function retry<T>(
  work: RetryWork<T>,
  policy: number | RetryOptions,
  options: RetryCallOptions = NO_OPTIONS,
): Promise<T> {
  const terms = readPolicy(policy);
  const { signal } = options;
  const limits = readLimits(options);
  signal?.throwIfAborted();
  let story: RetryStory | null = null;
  for (;;) {
    const attempt = story === null ? 1 : story.attempts + 1;
    const call = limits === null ? null : limitCall<T>(limits, { attempt, terms, options });
    try {
      return await (call === null ? work(new PlainCall(attempt, signal)) : call.run(work));
    } catch (error) {
      if (signal?.aborted === true) throw signal.reason;
      story ??= new RetryStory(terms, options, limits);
      await story.follow(error, { attempt, isStuck: call?.isStuck === true });
    }
  }
}

interface Limits {
  readonly timeoutMs: number | null;
  readonly deadlineAtMs: number | null;
  readonly clock: Clock;
}

/** Null where there are none: then no timer is armed and no clock is read. */
function readLimits(options: RetryCallOptions): Limits | null {
  const { timeout, deadline, clock = systemClock } = options;
  if (timeout === undefined && deadline === undefined) return null;
  return {
    timeoutMs: timeout === undefined ? null : readDurationMs("timeout of a retry", timeout, 1),
    deadlineAtMs:
      deadline === undefined
        ? null
        : clock.monotonicMs() + readDurationMs("deadline of a retry", deadline, 1),
    clock,
  };
}

function limitCall<T>(
  limits: Limits,
  at: {
    readonly attempt: number;
    readonly terms: RetryPolicy;
    readonly options: RetryCallOptions;
  },
): LimitedCall<T> | null {
  const { attempt, terms, options } = at;
  const { clock } = limits;
  const isLast = attempt >= terms.attempts || options.idempotent === false;
  if (limits.deadlineAtMs === null) {
    const leftMs = limits.timeoutMs ?? 0;
    return new LimitedCall(attempt, options.signal, {
      atMs: 0,
      kind: "timeout",
      leftMs,
      isLast,
      clock,
    });
  }
  const nowMs = clock.monotonicMs();
  const limit = nextLimit({ ...limits, nowMs, runDeadlineAtMs: null });
  if (limit === null) return null;
  const leftMs = limit.atMs - nowMs;
  return new LimitedCall(attempt, options.signal, { ...limit, leftMs, isLast, clock });
}

/** What failed so far. Made at the first failure, so that a call that succeeds at once costs nothing. */
class RetryStory {
  readonly #terms: RetryPolicy;
  readonly #options: RetryCallOptions;
  readonly #limits: Limits | null;
  /** Calls that count: those that were only told to slow down do not. */
  attempts: number = 0;
  #calls: number = 0;
  #first: unknown = undefined;
  #previousDelayMs: number = 0;
  #deferrals: number = 0;
  #deferredMs: number = 0;
  #onceUsed: boolean = false;

  constructor(terms: RetryPolicy, options: RetryCallOptions, limits: Limits | null) {
    this.#terms = terms;
    this.#options = options;
    this.#limits = limits;
  }

  /** Waits for the next call, or rejects with the end of it all. */
  async follow(
    error: unknown,
    call: { readonly attempt: number; readonly isStuck: boolean },
  ): Promise<void> {
    if (this.#calls === 0) this.#first = error;
    this.#calls += 1;
    this.attempts = call.attempt;
    if (call.isStuck) throw this.#end(error, "stuck");
    const { signal, clock = systemClock } = this.#options;
    const delayMs = this.#decide(error);
    await clock.sleep(delayMs, signal);
  }

  #decide(error: unknown): number {
    const { clock = systemClock, random = systemRandom, idempotent, onRetry } = this.#options;
    const classified = classifyError(error, this.#options.classify, clock.wallMs());
    const decision = decideRetry({
      policy: this.#terms,
      classified,
      error,
      attempt: this.attempts,
      deferrals: this.#deferrals,
      deferredMs: this.#deferredMs,
      previousDelayMs: this.#previousDelayMs,
      onceUsed: this.#onceUsed,
      noRetry: false,
      ...(idempotent === undefined ? {} : { idempotent }),
      nowMs: clock.monotonicMs(),
      deadlineAtMs: this.#limits?.deadlineAtMs ?? null,
      random,
    });
    const said = classified.instead ?? error;
    // There is nothing to skip and no run to end here: what such a rule says is that it is over.
    if (decision.kind === "skip" || decision.kind === "abort-run") throw this.#end(said, "rule");
    if (decision.kind === "fail") throw this.#end(said, decision.because);
    const { attempts: attempt } = this;
    if (classified.retry === "once") this.#onceUsed = true;
    this.#previousDelayMs = decision.delayMs;
    if (decision.deferral) {
      this.attempts -= 1;
      this.#deferrals += 1;
      this.#deferredMs += decision.delayMs;
    }
    tell(onRetry, { attempt, error, class: classified.class, delayMs: decision.delayMs });
    return decision.delayMs;
  }

  #end(error: unknown, because: RetryEndReason): unknown {
    if (this.#calls === 1) return error;
    return new RetryError({ attempts: this.#calls, first: this.#first, last: error, because });
  }
}
