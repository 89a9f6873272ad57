// Positions of stages that may start now, lowest first: ready stages start in declaration order. A binary heap
// of small integers, so that a thousand ready stages cost no scan.

/** A set of positions that gives the lowest first. */
export class ReadyHeap {
  readonly #heap: number[] = [];
  readonly #inside: Uint8Array;

  /** @param size Number of stages; positions are below it. */
  constructor(size: number) {
    this.#inside = new Uint8Array(size);
  }

  get size(): number {
    return this.#heap.length;
  }

  /** The lowest position, or -1. */
  peek(): number {
    return this.#heap[0] ?? -1;
  }

  /** Adds a position; nothing happens if it is there already. */
  push(position: number): void {
    if (this.#inside[position] === 1) return;
    this.#inside[position] = 1;
    const heap = this.#heap;
    let at = heap.length;
    heap.push(position);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = heap[parent] ?? 0;
      if (above <= position) break;
      heap[at] = above;
      at = parent;
    }
    heap[at] = position;
  }

  /** Takes the lowest position out; -1 if there is none. */
  pop(): number {
    const heap = this.#heap;
    const top = heap[0];
    const last = heap.pop();
    if (top === undefined || last === undefined) return -1;
    this.#inside[top] = 0;
    if (heap.length > 0) this.#sink(last);
    return top;
  }

  clear(): void {
    this.#heap.length = 0;
    this.#inside.fill(0);
  }

  #sink(value: number): void {
    const heap = this.#heap;
    const size = heap.length;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= size) break;
      const right = child + 1;
      if (right < size && (heap[right] ?? 0) < (heap[child] ?? 0)) child = right;
      const below = heap[child] ?? 0;
      if (below >= value) break;
      heap[at] = below;
      at = child;
    }
    heap[at] = value;
  }
}
