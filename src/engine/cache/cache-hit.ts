// A result that was found in the cache and is what it was when it was made.

import type { CacheEntry } from "../../model/cache.ts";
import type { EncodedValue } from "../../std/value.ts";

/** A found result, loaded and checked. */
export interface CacheHit {
  readonly entry: CacheEntry;
  readonly text: EncodedValue;
}
