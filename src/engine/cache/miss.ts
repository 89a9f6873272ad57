// Why there was nothing in the cache, in words that stay with the entry that is made instead.

import type { CacheComponents, CacheEntry } from "../../model/cache.ts";
import { explainDifference } from "../../policy/cache-key.ts";
import type { EntryVerdict } from "../../policy/cache-entry.ts";
import { boundedText } from "../../std/json.ts";
import { REASON_CHARS_MAX } from "../../model/limits.ts";
import { toCrockford } from "../../std/crockford.ts";

/** A result that has to be made. */
export interface Miss {
  /** Null: nothing was ever kept of it. */
  readonly reason: string | null;
  /** False: nothing was ever kept of it. */
  readonly isChange: boolean;
}

/** The cache was told to stay out of it. */
export const FORCED: Miss = Object.freeze({ reason: "asked by force", isChange: true });

/** Says why. `latest`: the newest entry of the same stage or item, or the one of the same key. */
export function explainMiss(
  now: CacheComponents,
  latest: CacheEntry | undefined,
  verdict: EntryVerdict | "missing",
): Miss {
  if (latest === undefined) return { reason: null, isChange: false };
  return { reason: boundedText(sayMiss(now, latest, verdict), REASON_CHARS_MAX), isChange: true };
}

function sayMiss(
  now: CacheComponents,
  latest: CacheEntry,
  verdict: EntryVerdict | "missing",
): string {
  const run = toCrockford(latest.run);
  if (verdict === "expired") return `what run ${run} made of it has expired`;
  if (verdict !== "missing") return `what run ${run} made of it was damaged`;
  const differences = explainDifference(latest.components, now).map(({ text }) => text);
  if (differences.length === 0) return `what run ${run} made of it was damaged`;
  return `${differences.join(", ")} since run ${run}`;
}
