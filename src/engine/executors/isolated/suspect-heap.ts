// Ready stages with suspects first: what may have crashed its process is found before anything else is begun.

import { ReadyHeap } from "../../ready-heap.ts";

/** A set of positions that gives the lowest suspect first, then the lowest. */
export class SuspectHeap extends ReadyHeap {
  readonly #suspects: ReadyHeap;
  readonly #isSuspect: (position: number) => boolean;

  constructor(size: number, isSuspect: (position: number) => boolean) {
    super(size);
    this.#suspects = new ReadyHeap(size);
    this.#isSuspect = isSuspect;
  }

  override get size(): number {
    return super.size + this.#suspects.size;
  }

  override peek(): number {
    return this.#suspects.size > 0 ? this.#suspects.peek() : super.peek();
  }

  override push(position: number): void {
    if (this.#isSuspect(position)) this.#suspects.push(position);
    else super.push(position);
  }

  override pop(): number {
    return this.#suspects.size > 0 ? this.#suspects.pop() : super.pop();
  }

  override clear(): void {
    super.clear();
    this.#suspects.clear();
  }
}
