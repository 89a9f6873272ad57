// What an author may say about repeating failed attempts, and the parsed form the engine decides by.

import type { Duration } from "../std/duration.ts";
import type { ErrorClass } from "./outcome.ts";

/** How a wait is spread. A number j in (0, 1]: plus or minus that share, then capped. */
export type Jitter = "full" | "equal" | "decorrelated" | "none" | number;

/** What a rule looks at; every given part must match. */
export interface RetryMatch {
  readonly class?: ErrorClass;
  readonly code?: string;
  readonly exitCode?: number;
  /** Text that the message contains, any case; or a regular expression. */
  readonly message?: RegExp | string;
  /** The attempt that failed, from 1. */
  readonly attempt?: number;
}

/** What a rule decides. No rule exceeds `attempts` or a deadline. */
export type RetryVerb = "retry" | "fail" | "skip" | "abort-run" | { readonly retryAfter: Duration };

/** First match wins; without a match the ordinary rules decide. Permanent failures never reach them. */
export interface RetryRule {
  readonly match: RetryMatch;
  readonly then: RetryVerb;
}

/** How failed attempts are repeated. */
export interface RetryOptions {
  /** Tries in all, the first included; 1 to 1,000. Default 1. */
  readonly attempts?: number;
  /** Wait after the first failure. Default 1 s. */
  readonly initialDelay?: Duration;
  /** Growth of the wait per failure, at least 1. Default 2. */
  readonly factor?: number;
  /** Cap of one wait, or "none" (then `factor` must be 1). Default 60 s. */
  readonly maxDelay?: Duration | "none";
  /** Default "full": anything from 0 to the computed wait. */
  readonly jitter?: Jitter;
  /** Classes worth another attempt. Default: every retryable class and `unknown`; "conservative" leaves
   *  `unknown` out. Permanent classes are never retried. */
  readonly retryOn?: "conservative" | readonly ErrorClass[];
  readonly rules?: readonly RetryRule[];
}

/** Parsed. */
export interface RetryPolicy {
  readonly attempts: number;
  readonly initialDelayMs: number;
  readonly factor: number;
  /** Null: no cap. */
  readonly delayMsMax: number | null;
  readonly jitter: Jitter;
  /** Null: every retryable class and `unknown`. */
  readonly retryOn: readonly ErrorClass[] | "conservative" | null;
  readonly rules: readonly ParsedRule[];
}

/** A rule with its durations parsed. */
export interface ParsedRule {
  readonly match: RetryMatch;
  readonly verb: "retry" | "fail" | "skip" | "abort-run";
  readonly retryAfterMs: number | null;
}
