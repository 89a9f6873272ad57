// Percentiles of durations without keeping the durations: counts in buckets that grow by a tenth, so that an
// answer is off by five percent at most. A hundred million values cost as much as ten.

const GROWTH = Math.log(1.1);

/** Takes durations and answers percentiles. */
export class DurationSketch {
  readonly #buckets: number[] = [];
  #count = 0;
  #max = 0;

  get count(): number {
    return this.#count;
  }

  /** A duration in ms; negative ones count as zero. */
  add(ms: number): void {
    const value = Math.max(0, ms);
    const index = Math.round(Math.log1p(value) / GROWTH);
    this.#buckets[index] = (this.#buckets[index] ?? 0) + 1;
    this.#count += 1;
    if (value > this.#max) this.#max = value;
  }

  /** The duration that `share` of all do not exceed, in ms; undefined when there is none. */
  percentile(share: number): number | undefined {
    if (this.#count === 0) return undefined;
    const rank = Math.max(1, Math.ceil(share * this.#count));
    let seen = 0;
    for (const [index, count] of this.#buckets.entries()) {
      seen += count ?? 0;
      if (seen >= rank) return Math.min(this.#max, Math.expm1(index * GROWTH));
    }
    return this.#max;
  }
}
