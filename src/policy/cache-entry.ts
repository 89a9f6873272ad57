// Whether a cache entry still counts. Anything that is not exactly what was sealed is treated as if it were not
// there: work is repeated rather than a wrong value given.

import type { CacheEntry } from "../model/cache.ts";
import { canonicalJson, sha256Hex } from "../std/json.ts";

/** What a seal covers. */
export type SealedParts = Pick<
  CacheEntry,
  "key" | "item" | "components" | "outputVersion" | "state" | "metrics"
>;

/** The seal of an entry: written with its last statement. */
export function sealEntry(parts: SealedParts): string {
  const { key, item, components, outputVersion, state, metrics } = parts;
  return sha256Hex(canonicalJson([key, item, components, outputVersion, state, metrics]));
}

/** What is asked of an entry. */
export interface EntryQuestion {
  readonly key: string;
  /** As the definition says it now; null: never. */
  readonly ttlMs: number | null;
  /** By the store's clock. */
  readonly nowMs: number;
}

/** `fresh`: may be used. Its output is still to be compared with `outputVersion`. */
export type EntryVerdict = "fresh" | "expired" | "damaged";

/** Judges an entry. Its age counts from when it was made, by the shorter of its own ttl and the present one. */
export function judgeEntry(entry: CacheEntry, question: EntryQuestion): EntryVerdict {
  if (entry.key !== question.key || !isSealed(entry)) return "damaged";
  const { expiresAtMs, madeAtMs } = entry;
  const { ttlMs, nowMs } = question;
  if (expiresAtMs !== null && expiresAtMs <= nowMs) return "expired";
  return ttlMs !== null && madeAtMs + ttlMs <= nowMs ? "expired" : "fresh";
}

function isSealed(entry: CacheEntry): boolean {
  try {
    return entry.seal === sealEntry(entry);
  } catch {
    return false; // what a row holds may be anything
  }
}
