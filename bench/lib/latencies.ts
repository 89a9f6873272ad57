// Times of many requests: what one in two, twenty and a hundred of them took at most, per round and over all rounds.

import { printFigures, summarize } from "./measure.ts";

/** What a share of some times took at most, ms. */
export interface Percentiles {
  readonly count: number;
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  readonly max: number;
}

/** Percentiles of some times; NaN where there are none. */
export function toPercentiles(timesMs: readonly number[]): Percentiles {
  const sorted = timesMs.toSorted((a, b) => a - b);
  // Rounded up: of a hundred times the 99th, and never one that is better than what was promised.
  const at = (share: number): number => sorted[Math.ceil(sorted.length * share) - 1] ?? Number.NaN;
  return { count: sorted.length, p50: at(0.5), p95: at(0.95), p99: at(0.99), max: at(1) };
}

/** Prints medians of the rounds with their ranges; answers them. */
export function printRounds(name: string, rounds: readonly Percentiles[]): Percentiles {
  const of = (key: "p50" | "p95" | "p99" | "max"): ReturnType<typeof summarize> =>
    summarize(
      `${name}, ${key}`,
      rounds.map((round) => round[key]),
    );
  const figures = [of("p50"), of("p95"), of("p99"), of("max")];
  printFigures(figures, "ms");
  const [p50, p95, p99, max] = figures.map(({ median }) => median);
  return {
    count: rounds.reduce((sum, { count }) => sum + count, 0),
    p50: p50 ?? Number.NaN,
    p95: p95 ?? Number.NaN,
    p99: p99 ?? Number.NaN,
    max: max ?? Number.NaN,
  };
}

/** Prints one line per kind of request. */
export function printKinds(times: ReadonlyMap<string, readonly number[]>): void {
  for (const [kind, timesMs] of times) {
    const { count, p50, p95, p99, max } = toPercentiles(timesMs);
    const cells = [p50, p95, p99, max].map((ms) => ms.toFixed(2).padStart(8)).join(" ");
    console.log(
      `  ${kind.padEnd(36)} ${String(count).padStart(7)} × ${cells}   p50 p95 p99 max, ms`,
    );
  }
}
