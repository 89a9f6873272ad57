// What the cache keeps of a success for later runs: the result with what it set and counted, and everything its
// key was made of, so that the part that changed can be named. How a key is made stands in
// `policy/cache-key.ts`, what still counts in `policy/cache-entry.ts`.

import type { MetricChange, StateEntry } from "./checkpoint.ts";
import type { StoredValue } from "./outcome.ts";

/** Everything that decides whether an earlier result may stand for a new one. */
export interface CacheComponents {
  /** Raised when keys are made in another way. */
  readonly format: 1;
  readonly pipeline: string;
  readonly stage: string;
  /** `version` of the stage; null: none. */
  readonly version: string | null;
  /** `version` of its `cache` option; null: none. */
  readonly cacheVersion: string | null;
  /** Hash of its code, where neither version is declared. */
  readonly code: string | null;
  /** What the author's `key` gave; it stands for needs, item and environment. Null: they count themselves. */
  readonly key: string | null;
  /** Data version of each need by its name. */
  readonly needs: Readonly<Record<string, string>>;
  /** Data version of the item; null: the stage itself. */
  readonly item: string | null;
  /** Hash of the value of each variable that a command declares. */
  readonly environment: Readonly<Record<string, string>>;
}

/** One kept success. */
export interface CacheEntry {
  readonly key: string;
  /** Key of the item; null: the stage itself. */
  readonly item: string | null;
  readonly components: CacheComponents;
  readonly output: StoredValue;
  /** Hash of the output as text. */
  readonly outputVersion: string;
  readonly state: readonly StateEntry[];
  readonly metrics: Readonly<Record<string, MetricChange>>;
  /** Why it had to be made, in words; null: nothing like it was there. */
  readonly reason: string | null;
  /** Number of the run that made it. */
  readonly run: number;
  /** UTC ms of the store's clock. */
  readonly madeAtMs: number;
  /** Null: never. */
  readonly expiresAtMs: number | null;
  /** Hash over key, components and what is given back; an entry without its own is not complete. */
  readonly seal: string;
}

/** An entry on its way to the store, which adds run and times. */
export type NewCacheEntry = Omit<CacheEntry, "run" | "madeAtMs" | "expiresAtMs"> & {
  /** Counts from when it is stored, ms; null: it does not expire. */
  readonly ttlMs: number | null;
};

/** What the cache did for a stage or item. `off`: it was not asked. `error`: it could not be. */
export type CacheOutcome = "hit" | "miss" | "off" | "error";

/** Names of the metrics under which a stage counts what the cache did for it and its items. */
export const CACHE_METRICS: Readonly<Record<CacheOutcome | "added" | "changed", string>> =
  Object.freeze({
    hit: "cache.hit",
    miss: "cache.miss",
    off: "cache.off",
    error: "cache.error",
    /** Misses without an earlier entry, and those whose earlier entry has another key. */
    added: "cache.added",
    changed: "cache.changed",
  });
