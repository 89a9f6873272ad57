// Lists that keep the newest of what comes and let go of the rest.

import { assert } from "./error/assert.ts";

/** Holds the last `capacity` entries. Adding is constant in time; memory grows only as it fills. */
export class RingBuffer<T> {
  readonly #capacity: number;
  readonly #entries: T[] = [];
  /** Once full: where the oldest entry is. */
  #start = 0;
  #dropped = 0;

  /** `capacity` is a whole number from 1. */
  constructor(capacity: number) {
    assert(
      Number.isSafeInteger(capacity) && capacity > 0,
      `A ring cannot hold ${capacity} entries.`,
    );
    this.#capacity = capacity;
  }

  /** The most entries it holds. */
  get capacity(): number {
    return this.#capacity;
  }

  /** How many entries it holds now. */
  get size(): number {
    return this.#entries.length;
  }

  /** How many entries were let go since the start. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Adds an entry, in place of the oldest when full. */
  push(entry: T): void {
    if (this.#entries.length < this.#capacity) {
      this.#entries.push(entry);
      return;
    }
    this.#entries[this.#start] = entry;
    this.#start = this.#start + 1 === this.#capacity ? 0 : this.#start + 1;
    this.#dropped += 1;
  }

  /** A new array, oldest first. */
  toArray(): T[] {
    return [...this.#entries.slice(this.#start), ...this.#entries.slice(0, this.#start)];
  }
}

/** Remembers the last `capacity` values that were added, each once; an older one is as if it had never been there. */
export class RecentSet<T> {
  readonly #capacity: number;
  readonly #values: Set<T> = new Set();

  /** `capacity` is a whole number from 1. */
  constructor(capacity: number) {
    assert(
      Number.isSafeInteger(capacity) && capacity > 0,
      `A set cannot remember ${capacity} values.`,
    );
    this.#capacity = capacity;
  }

  /** Values that are remembered. */
  get size(): number {
    return this.#values.size;
  }

  /** Adds it as the newest. */
  add(value: T): void {
    this.#values.delete(value);
    this.#values.add(value);
    if (this.#values.size <= this.#capacity) return;
    for (const oldest of this.#values) {
      this.#values.delete(oldest);
      return;
    }
  }

  /** Forgets it; false: it is not remembered. */
  delete(value: T): boolean {
    return this.#values.delete(value);
  }
}
