// Retry budget: how many retries a resource key bears in one process, as a share of its first tries over the
// last ten seconds. It only counts and answers; waiting, and saying why, is its callers' part. Times are
// monotonic ms.

import { assert } from "../std/error/assert.ts";

const BUCKETS = 10;
const BUCKET_MS = 1_000;

/** What a retry budget allows. */
export interface RetryBudgetTerms {
  /** Retries per first try of the last ten seconds, 0 or more. */
  readonly share: number;
  /** Retries per second that are admitted whatever the first tries, 0 or more. */
  readonly minPerSecond: number;
}

/** Answer to a retry: go (it is counted already), or ask again at `retryAtMs`. */
export type RetryAdmission =
  | { readonly admitted: true }
  | { readonly admitted: false; readonly retryAtMs: number };

/** One key's first tries and retries of the last ten seconds, in ten buckets: its size never grows. */
export class RetryBudget {
  readonly #terms: RetryBudgetTerms;
  readonly #tries: number[] = Array.from({ length: BUCKETS }, () => 0);
  readonly #retries: number[] = Array.from({ length: BUCKETS }, () => 0);
  /** Number, since 0 ms, of the newest bucket. */
  #newest = Number.NEGATIVE_INFINITY;

  constructor(terms: RetryBudgetTerms) {
    for (const value of [terms.share, terms.minPerSecond]) {
      assert(
        Number.isFinite(value) && value >= 0,
        `A retry budget needs 0 or more; got "${value}".`,
      );
    }
    this.#terms = terms;
  }

  /** Counts a first try. */
  noteTry(nowMs: number): void {
    this.#moveTo(nowMs);
    add(this.#tries, this.#newest);
  }

  /**
   * Counts and admits a retry, or names the first moment at which it would be admitted if nothing else came;
   * first tries in between may make room sooner. Where no such moment exists it names the next full second.
   */
  admitRetry(nowMs: number): RetryAdmission {
    this.#moveTo(nowMs);
    if (this.#hasRoom(0)) {
      add(this.#retries, this.#newest);
      return { admitted: true };
    }
    return { admitted: false, retryAtMs: (this.#newest + this.#bucketsToRoom()) * BUCKET_MS };
  }

  /** Is there room once the `gone` oldest buckets have passed out of the window? */
  #hasRoom(gone: number): boolean {
    const retries = sumOfLast(this.#retries, this.#newest, BUCKETS - gone);
    const tries = sumOfLast(this.#tries, this.#newest, BUCKETS - gone);
    return retries < this.#terms.share * tries + BUCKETS * this.#terms.minPerSecond;
  }

  #bucketsToRoom(): number {
    for (let gone = 1; gone <= BUCKETS; gone += 1) {
      if (this.#hasRoom(gone)) return gone;
    }
    return 1;
  }

  /** Empties the buckets between the newest and that of `nowMs`; a clock that went back stays where it was. */
  #moveTo(nowMs: number): void {
    assert(
      Number.isFinite(nowMs) && nowMs >= 0,
      `A retry budget's time must be 0 ms or more; got "${nowMs}".`,
    );
    const bucket = Math.floor(nowMs / BUCKET_MS);
    const passed = Math.min(BUCKETS, bucket - this.#newest);
    for (let back = 0; back < passed; back += 1) {
      this.#tries[placeOf(bucket - back)] = 0;
      this.#retries[placeOf(bucket - back)] = 0;
    }
    this.#newest = Math.max(this.#newest, bucket);
  }
}

/** Where a bucket is kept; the first seconds look back at up to nine that never were. */
function placeOf(bucket: number): number {
  return (bucket + BUCKETS) % BUCKETS;
}

function add(buckets: number[], bucket: number): void {
  const place = placeOf(bucket);
  buckets[place] = (buckets[place] ?? 0) + 1;
}

/** Sum of the `count` newest buckets. */
function sumOfLast(buckets: readonly number[], newest: number, count: number): number {
  let sum = 0;
  for (let back = 0; back < count; back += 1) sum += buckets[placeOf(newest - back)] ?? 0;
  return sum;
}
