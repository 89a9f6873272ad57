// How every figure is taken: variants of one question run interleaved in one process, a warm-up first, then at
// least five rounds; the median is quoted with its range, and as a ratio to the baseline of the same rounds.

import os from "node:os";

/** `small` tries a question out within seconds; its figures mean nothing. */
export type Size = "whole" | "small";

/** One thing that is measured. */
export interface Variant {
  readonly name: string;
  /** Does the work once; `units` of it. */
  readonly run: () => Promise<unknown>;
  /** What the time is divided by. */
  readonly units: number;
  /** Repetitions per round, so that a round lasts some tens of ms. */
  readonly repeat: number;
}

/** One question with the conditions it was asked under. */
export interface Figure {
  readonly name: string;
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/** Measures all variants, interleaved. Figures are µs per unit. */
export async function measure(
  variants: readonly Variant[],
  rounds: number = 7,
): Promise<readonly Figure[]> {
  for (const variant of variants) await once(variant);
  const samples = variants.map((): number[] => []);
  for (let round = 0; round < rounds; round += 1) {
    for (const [index, variant] of variants.entries()) samples[index]?.push(await once(variant));
  }
  return variants.map((variant, index) => summarize(variant.name, samples[index] ?? []));
}

async function once(variant: Variant): Promise<number> {
  const startedMs = performance.now();
  for (let count = 0; count < variant.repeat; count += 1) await variant.run();
  return ((performance.now() - startedMs) * 1_000) / (variant.repeat * variant.units);
}

/** Median and range of samples. */
export function summarize(name: string, samples: readonly number[]): Figure {
  const sorted = samples.toSorted((a, b) => a - b);
  const at = (share: number): number =>
    sorted[Math.floor((sorted.length - 1) * share)] ?? Number.NaN;
  return { name, median: at(0.5), min: at(0), max: at(1) };
}

/** The conditions, printed above every figure. */
export function printConditions(question: string): void {
  const cpu = os.cpus()[0]?.model ?? "unknown processor";
  console.log(`\n${question}`);
  console.log(
    `  ${os.cpus().length} × ${cpu}, ${Math.round(os.totalmem() / 2 ** 30)} GiB, ${os.platform()} ${os.release()}, ` +
      `Node ${process.versions.node}, SQLite ${process.versions["sqlite"] ?? "?"}, load ${(os.loadavg()[0] ?? 0).toFixed(1)}`,
  );
}

/** Prints figures with the first one as baseline. */
export function printFigures(figures: readonly Figure[], unit: string): void {
  const baseline = figures[0]?.median ?? Number.NaN;
  for (const { name, median, min, max } of figures) {
    const ratio = `${(median / baseline).toFixed(2)}x`;
    console.log(
      `  ${name.padEnd(28)} ${median.toFixed(3).padStart(10)} ${unit}   ${min.toFixed(3)} to ${max.toFixed(3)}   ${ratio}`,
    );
  }
}

/** Prints a floor or aim and whether it was met; answers that. */
export function printTarget(name: string, value: number, atMost: number): boolean {
  const met = value <= atMost;
  console.log(`  ${met ? "met   " : "MISSED"} ${name}: ${value.toFixed(3)}, at most ${atMost}`);
  return met;
}
