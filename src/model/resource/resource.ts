// A resource: a named outside thing with a concurrency limit, quotas and a breaker, optionally keyed. This file
// holds the declaration as written, and as terms: numbers that are checked, in ms and whole units.

import type { Clock } from "../../std/clock.ts";
import type { Duration } from "../../std/duration.ts";
import type { ErrorClass } from "../outcome.ts";

/** `rate` units per `per`, with bursts of `burst` (default: rate). */
export interface QuotaOptions<K = never> {
  /** Units per `per`, above 0. */
  readonly rate: number;
  readonly per: Duration;
  /** Units that may be taken at once, at least 1. Default: rate, rounded up. */
  readonly burst?: number;
  /** Units of one use, 0 or more and at most `burst`; 0 is free. Called with what `for` was called with. Default 1. */
  readonly cost?: (input: K) => number;
  /** A use that would wait longer fails. Default: none. */
  readonly maxWait?: Duration;
}

/** When a breaker opens and how it recovers. */
export interface BreakerOptions {
  /** Counted failures in a row that open it. Default 5. */
  readonly threshold?: number;
  /** How long the first opening lasts. Default 30 s. */
  readonly recovery?: Duration;
  /** Opens it besides at this share of failures, (0, 1], among at least `minCalls` calls in `window`. Default off. */
  readonly ratio?: { readonly of: number; readonly window: Duration; readonly minCalls: number };
  /** Probes at once while half open, 1 to 3. Default 1. */
  readonly probes?: number;
  /** Successes that close it. Default 1. */
  readonly successes?: number;
  /** Failures that are not counted: their classes, or a function that says true. */
  readonly exclude?: readonly ErrorClass[] | ((error: unknown) => boolean);
  /** What callers meet while it is open. Default: wait when durable, fail in memory. */
  readonly whenOpen?: "wait" | "fail";
}

/** A breaker whose settings may differ for some keys; what a key does not say is as for the others, and what is not
 *  counted is said for all of them. */
export interface KeyedBreakerOptions extends BreakerOptions {
  readonly keys?: Readonly<Record<string, Omit<BreakerOptions, "exclude">>>;
}

/** What a resource declares. */
export interface ResourceOptions<K> {
  /** Holders at once, over all processes, 1 to 10,000. Default: none. */
  readonly limit?:
    | number
    /** Without `default` the other keys have none. */
    | { readonly default?: number; readonly keys: Readonly<Record<string, number>> };
  /** One or up to 8 quotas; a use is granted by all or by none. */
  readonly quota?: QuotaOptions<K> | readonly QuotaOptions<K>[];
  readonly breaker?: KeyedBreakerOptions;
  /** Bounds retries to a share of first tries. Default off; `{}`: a fifth, and one per second. */
  readonly retryBudget?: { readonly share?: number; readonly minPerSecond?: number };
  /** Counts each key apart; `for(input)` binds one. */
  readonly key?: (input: K) => string;
  /** Hears of changes of breaker and limit in this process; one that throws harms nobody. */
  readonly onChange?: (change: ResourceChange) => void;
}

/** What a configuration says of a resource by its name: over what is declared, or all there is. */
export interface ResourceSetting {
  /** Holders at once, over all processes, 1 to 10,000. */
  readonly limit?: number;
  /** Limits of keys that have their own. */
  readonly limits?: Readonly<Record<string, number>>;
  /** One or up to 8 quotas, instead of those that are declared. What a use costs is code, and stays as declared. */
  readonly quota?: Omit<QuotaOptions, "cost"> | readonly Omit<QuotaOptions, "cost">[];
  /** What is not said stays as declared. */
  readonly breaker?: KeyedBreakerOptions;
  readonly retryBudget?: { readonly share?: number; readonly minPerSecond?: number };
}

/** A change of a resource's key. */
export interface ResourceChange {
  readonly resource: string;
  readonly key: string | null;
  readonly kind: "breaker" | "limit" | "quota" | "pause";
  /**
   * Breaker states. Of a limit or quota that is set: what is declared, then what holds, as text (`none` without a
   * limit); of one that is put back: `set`, then `declared`. Of a pause: `free`, then `paused`.
   */
  readonly from: string;
  readonly to: string;
  /** Who did it: `breaker`, `server`, `program`, or the user who asked for it. */
  readonly actor: string;
  readonly reason: string;
  /** When it lapses or may change again, UTC ms; null: nobody knows. */
  readonly untilMs: number | null;
}

/** One quota, in numbers. */
export interface QuotaDeclared {
  readonly rate: number;
  readonly perMs: number;
  readonly burst: number;
  readonly maxWaitMs: number | null;
}

/** A breaker, in numbers. */
export interface BreakerDeclared {
  readonly threshold: number;
  readonly recoveryMs: number;
  readonly ratio: {
    readonly of: number;
    readonly windowMs: number;
    readonly minCalls: number;
  } | null;
  readonly probes: number;
  readonly successes: number;
  /** Null: wait when durable, fail in memory. */
  readonly whenOpen: "wait" | "fail" | null;
}

/** What a resource declares, in numbers: equal terms are the same resource. Plain data. */
export interface ResourceTerms {
  readonly name: string;
  readonly keyed: boolean;
  /** Null: no limit. */
  readonly limit: number | null;
  readonly limits: Readonly<Record<string, number>>;
  readonly quotas: readonly QuotaDeclared[];
  readonly breaker: BreakerDeclared | null;
  /** Settings of keys that have their own. */
  readonly breakers: Readonly<Record<string, BreakerDeclared>>;
  readonly retryBudget: { readonly share: number; readonly minPerSecond: number } | null;
}

/** What a resource declares as code. */
export interface ResourceHooks {
  readonly exclude: readonly ErrorClass[] | ((error: unknown) => boolean);
  readonly onChange: ((change: ResourceChange) => void) | null;
}

/** What is declared under a name. */
export interface ResourceDeclaration {
  readonly terms: ResourceTerms;
  readonly hooks: ResourceHooks;
}

/** One use of a resource: the whole of it, or one key. */
export interface ResourceUse {
  readonly kind: "resource-use";
  readonly resource: string;
  /** Null: the resource has no keys. */
  readonly key: string | null;
  /** Null: it is named here and declared in the configuration. */
  readonly declaration: ResourceDeclaration | null;
  /** Units of each quota; null: 1 of each. */
  readonly costs: readonly number[] | null;
  /** Replaces the quotas' own; null: theirs hold. */
  readonly maxWaitMs: number | null;
}

/** What is held together, all of it or nothing; a name stands for a resource of the configuration. */
export type UseList = readonly (ResourceUse | string)[];

/** What one use may say for itself. */
export interface UseOptions {
  /** Units of each quota, 0 or more; 0 is free. Default: the quota's own cost. */
  readonly cost?: number;
  /** Fails where a quota would let it wait longer. Default: the quota's own. */
  readonly maxWait?: Duration;
}

/** A resource as it was declared, and nothing that acts. */
export interface DeclaredResource<K = never> extends ResourceUse {
  readonly options: ResourceOptions<K>;
  readonly declaration: ResourceDeclaration;
  /** One key of a keyed resource. USE_INVALID where the key or a cost is none. */
  for(input: K, options?: UseOptions): ResourceUse;
  /** The resource without keys, with a cost or a wait of its own. */
  with(options: UseOptions): ResourceUse;
}

/** Which part of a resource, and on which clock. */
export interface ResourceAt {
  /** One key of a resource with keys. Default: all of them. */
  readonly key?: string;
  /** That of the runs it is about; for tests. Default: the system's. */
  readonly clock?: Clock;
}

/** How a resource stands for runs in memory of this process. */
export interface ResourceStats {
  /** Holders at once, as it holds now; null: any number. */
  readonly limit: number | null;
  readonly held: number;
  readonly waiting: number;
  /** Whole units of each quota that could be taken now. Empty for a resource with keys as a whole. */
  readonly available: readonly number[];
  /** Null: it has none, or one for each key. */
  readonly breaker: {
    readonly state: "closed" | "open" | "half_open";
    readonly threshold: number;
    readonly recoveryMs: number;
    /** When a probe may go, UTC ms; null: it is not open. */
    readonly openUntilMs: number | null;
  } | null;
  /** The other side asked for a pause until then, UTC ms; null: it did not. */
  readonly pausedUntilMs: number | null;
  readonly granted: number;
  readonly succeeded: number;
  readonly failed: number;
  /** Uses that were refused for good, as they would have waited too long. */
  readonly throttled: number;
  /** Units debited, of all quotas. */
  readonly consumed: number;
  /** UTC ms; null: nothing that counts has failed. */
  readonly lastFailureAtMs: number | null;
}

/**
 * A declared resource. Pass it, or `for(input)` of a keyed one, to `uses` or to `ctx.use`. Its methods are about runs
 * in memory, which share it in their process; durable runs share it through their store, where the methods of the mill
 * do the same. They throw USE_INVALID where the key is none, OPTION_INVALID for an impossible value.
 */
export interface Resource<K = never> extends DeclaredResource<K> {
  /** How it stands, one key or all together. */
  stats(at?: string | ResourceAt): ResourceStats;
  /** Opens its breaker until a date, or for so long; then a probe may go. */
  trip(reason: string, until: Date | Duration, at?: string | ResourceAt): void;
  /** Lifts what was set and what the other side asked for, and closes the breaker; without a key, of all keys. */
  reset(at?: string | ResourceAt): void;
  /** Holders at once from now on, 1 to 10,000, until `reset`; a lower one takes nothing from holders. */
  setLimit(limit: number, at?: string | ResourceAt): void;
}
