// Half, 95 %, 99 % and the longest of some times, each a time that was really measured.

/** Percentiles of times in ms. */
export interface Percentiles {
  /** Times that they are of, 1 or more. */
  readonly count: number;
  readonly p50Ms: number;
  readonly p95Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

/** Measures times in any order; undefined where there are none. */
export function measureTimes(times: readonly number[]): Percentiles | undefined {
  if (times.length === 0) return undefined;
  const sorted = times.toSorted((one, other) => one - other);
  const at = (share: number): number => sorted[Math.ceil(share * sorted.length) - 1] ?? 0;
  return {
    count: sorted.length,
    p50Ms: at(0.5),
    p95Ms: at(0.95),
    p99Ms: at(0.99),
    maxMs: at(1),
  };
}
