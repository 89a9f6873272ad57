// What one process has seen of the calls of a key: the failures in a row and the window that may open its breaker,
// refusals of its credentials, totals. Each process counts for itself; what all share is `breaker.ts`.

import type { BreakerRatio } from "./breaker.ts";

/** Counted calls of a tenth of the window. */
export interface BreakerBucket {
  /** When the tenth began. */
  readonly startMs: number;
  readonly calls: number;
  readonly failures: number;
}

/** Per process: plain data, never shared. */
export interface BreakerCounts {
  /** The move that the row and the window were counted since; a later one zeroes them. */
  readonly generation: number;
  /** Counted failures since the last success. */
  readonly failuresInARow: number;
  /** Calls refused for their credentials since the last success. */
  readonly authInARow: number;
  /** Of the window, oldest first, at most ten; empty without `ratio`. */
  readonly buckets: readonly BreakerBucket[];
  /** Calls that ended, whatever became of them, since the process began. */
  readonly calls: number;
  readonly successes: number;
  readonly failures: number;
  readonly lastFailureAtMs: number | null;
}

const BUCKETS = 10;
const NO_BUCKETS: readonly BreakerBucket[] = [];

/** Nothing seen yet. */
export function newCounts(): BreakerCounts {
  return {
    generation: 0,
    failuresInARow: 0,
    authInARow: 0,
    buckets: NO_BUCKETS,
    calls: 0,
    successes: 0,
    failures: 0,
    lastFailureAtMs: null,
  };
}

/** The counts as they stand after the move that began `generation`: what came before it tells nothing any more. */
export function countsSince(counts: BreakerCounts, generation: number): BreakerCounts {
  if (counts.generation === generation) return counts;
  return { ...counts, generation, failuresInARow: 0, authInARow: 0, buckets: NO_BUCKETS };
}

/** One more counted call in the window. */
export function countBucket(
  buckets: readonly BreakerBucket[],
  ratio: BreakerRatio | null,
  call: { readonly failed: boolean; readonly nowMs: number },
): readonly BreakerBucket[] {
  if (ratio === null) return NO_BUCKETS;
  const kept = keepWindow(buckets, ratio, call.nowMs);
  const startMs = startOfBucket(ratio, Math.max(call.nowMs, buckets.at(-1)?.startMs ?? 0));
  const last = kept.at(-1);
  const failures = call.failed ? 1 : 0;
  if (last?.startMs !== startMs) return [...kept, { startMs, calls: 1, failures }];
  return [
    ...kept.slice(0, -1),
    { startMs, calls: last.calls + 1, failures: last.failures + failures },
  ];
}

/** True where enough calls of the window failed. */
export function isRatioReached(
  buckets: readonly BreakerBucket[],
  ratio: BreakerRatio | null,
  nowMs: number,
): boolean {
  if (ratio === null) return false;
  let calls = 0;
  let failures = 0;
  for (const bucket of keepWindow(buckets, ratio, nowMs)) {
    calls += bucket.calls;
    failures += bucket.failures;
  }
  return calls >= ratio.minCalls && failures / calls >= ratio.of;
}

/** The buckets that the window still covers. One of the future is kept: the clock stepped back, the calls stand. */
function keepWindow(
  buckets: readonly BreakerBucket[],
  ratio: BreakerRatio,
  nowMs: number,
): readonly BreakerBucket[] {
  const oldestMs = startOfBucket(ratio, nowMs) - (BUCKETS - 1) * bucketMs(ratio);
  return buckets.filter(({ startMs }) => startMs >= oldestMs);
}

function startOfBucket(ratio: BreakerRatio, nowMs: number): number {
  return Math.floor(nowMs / bucketMs(ratio)) * bucketMs(ratio);
}

/** Whole ms, so that starts compare exactly; a window of no whole tenths is a little longer for it. */
function bucketMs({ windowMs }: BreakerRatio): number {
  return Math.ceil(windowMs / BUCKETS);
}
