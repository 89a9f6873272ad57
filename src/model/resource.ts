// A resource: a named outside thing with a concurrency limit, quotas and a breaker, optionally keyed. This file
// holds the declaration alone; it is checked when it is made.

import type { Duration } from "../std/duration.ts";
import type { ErrorClass } from "./outcome.ts";

/** `rate` units per `per`, with bursts of `burst` (default: rate). */
export interface QuotaOptions {
  readonly rate: number;
  readonly per: Duration;
  readonly burst?: number;
  readonly maxWait?: Duration;
}

/** When a breaker opens and how it recovers. */
export interface BreakerOptions {
  /** Counted failures in a row that open it. Default 5. */
  readonly threshold?: number;
  /** How long the first opening lasts. Default 30 s. */
  readonly recovery?: Duration;
  readonly ratio?: { readonly of: number; readonly window: Duration; readonly minCalls: number };
  /** Probes at once while half open, 1 to 3. Default 1. */
  readonly probes?: number;
  /** Successes that close it. Default 1. */
  readonly successes?: number;
  readonly exclude?: readonly ErrorClass[] | ((error: unknown) => boolean);
  /** What callers meet while it is open. Default: wait when durable, fail in memory. */
  readonly whenOpen?: "wait" | "fail";
}

/** What a resource declares. */
export interface ResourceOptions<K> {
  /** Holders at once, over all processes. */
  readonly limit?:
    | number
    | { readonly default: number; readonly keys: Readonly<Record<string, number>> };
  readonly quota?: QuotaOptions | readonly QuotaOptions[];
  readonly breaker?: BreakerOptions;
  readonly retryBudget?: { readonly share?: number; readonly minPerSecond?: number };
  /** Counts each key apart; `for(input)` binds one. */
  readonly key?: (input: K) => string;
}

/** One use of a resource: the whole of it, or one key. */
export interface ResourceUse {
  readonly kind: "resource-use";
  readonly resource: string;
  readonly key: string | null;
}

/** A declared resource. Pass it, or `for(input)` of a keyed one, to `uses`. */
export interface Resource<K = never> extends ResourceUse {
  readonly options: ResourceOptions<K>;
  /** One key of a keyed resource. */
  for(input: K): ResourceUse;
}
