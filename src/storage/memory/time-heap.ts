// A binary heap of what happens at a time: the earliest is at hand, adding and taking cost the logarithm of how
// much there is.

/** Something at a time. */
export interface TimeEntry<T> {
  readonly at: number;
  /** Decides among those of one time: lower comes first. */
  readonly number: number;
  readonly value: T;
}

/** Entries of which the first is taken out first. */
export class TimeHeap<T> {
  readonly #entries: TimeEntry<T>[] = [];

  /** The first entry; it stays. */
  peek(): TimeEntry<T> | undefined {
    return this.#entries[0];
  }

  push(entry: TimeEntry<T>): void {
    const entries = this.#entries;
    let place = entries.length;
    while (place > 0) {
      const above = (place - 1) >> 1;
      const parent = entries[above];
      if (parent === undefined || !isBefore(entry, parent)) break;
      entries[place] = parent;
      place = above;
    }
    entries[place] = entry;
  }

  /** Takes the first entry out. */
  pop(): TimeEntry<T> | undefined {
    const first = this.#entries[0];
    const last = this.#entries.pop();
    if (last !== undefined && this.#entries.length > 0) this.#sink(last);
    return first;
  }

  #sink(entry: TimeEntry<T>): void {
    const entries = this.#entries;
    let place = 0;
    for (;;) {
      const left = 2 * place + 1;
      const [child, at] = this.#firstOf(left, left + 1);
      if (child === undefined || !isBefore(child, entry)) break;
      entries[place] = child;
      place = at;
    }
    entries[place] = entry;
  }

  #firstOf(left: number, right: number): readonly [TimeEntry<T> | undefined, number] {
    const one = this.#entries[left];
    const other = this.#entries[right];
    const isRight = one !== undefined && other !== undefined && isBefore(other, one);
    return isRight ? [other, right] : [one, left];
  }
}

function isBefore<T>(left: TimeEntry<T>, right: TimeEntry<T>): boolean {
  return left.at < right.at || (left.at === right.at && left.number < right.number);
}
