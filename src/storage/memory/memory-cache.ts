// The cache of the memory store: entries by key, in the order in which they were stored.

import type { CacheEntry, NewCacheEntry } from "../../model/cache.ts";
import type { CacheAddress } from "../store.ts";

/** Cache entries of one store. */
export class MemoryCache {
  /** The one that was stored last is last. */
  readonly #entries: Map<string, CacheEntry> = new Map();
  readonly #byAddress: Map<string, CacheEntry[]> = new Map();

  put(entry: NewCacheEntry, at: { readonly run: number; readonly nowMs: number }): void {
    const { ttlMs, ...facts } = entry;
    const { nowMs: madeAtMs, run } = at;
    const expiresAtMs = ttlMs === null ? null : madeAtMs + ttlMs;
    const kept: CacheEntry = { ...facts, run, madeAtMs, expiresAtMs };
    this.#entries.set(kept.key, kept);
    const address = addressOf({ ...kept.components, item: kept.item });
    const others = (this.#byAddress.get(address) ?? []).filter(({ key }) => key !== kept.key);
    this.#byAddress.set(address, [...others, kept]);
  }

  find(key: string): CacheEntry | undefined {
    return this.#entries.get(key);
  }

  findLatest(address: CacheAddress): CacheEntry | undefined {
    const { run } = address;
    const entries = this.#byAddress.get(addressOf(address)) ?? [];
    return entries.findLast((entry) => run === undefined || entry.run === run);
  }
}

function addressOf({ pipeline, stage, item }: CacheAddress): string {
  return JSON.stringify([pipeline, stage, item]);
}
