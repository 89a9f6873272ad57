// One line of waiters: who goes next. Effective priority is priority + waited / 60 s; since all age alike, the
// order never changes while they wait, and one number per waiter, fixed when it joins, says it all. A binary heap
// by that number. Who leaves is only marked, and taken out when it comes to the front, or with all other marked
// ones once they outnumber those who wait: O(1) per leave, and never a scan for one waiter.

import { PRIORITY_STEP_MS } from "../../model/limits.ts";
import { assert } from "../../std/error/assert.ts";

/** Where somebody stands: lower `orderMs` first, then lower `number`. */
export interface Place {
  /** See `orderMsOf`. */
  readonly orderMs: number;
  /** Order of joining, unique in a line. */
  readonly number: number;
}

/** A member of a line. Each object joins one line, once. */
export interface LineMember extends Place {
  /** Written by the line alone. False before it joined and after it left or was taken. */
  isWaiting: boolean;
}

/** The ageing key: when it joined, one minute earlier per unit of priority. The order in which runs are claimed. */
export function orderMsOf(joinedAtMs: number, priority: number): number {
  return joinedAtMs - PRIORITY_STEP_MS * priority;
}

/** True if `left` goes before `right`. */
export function goesBefore(left: Place, right: Place): boolean {
  if (left.orderMs !== right.orderMs) return left.orderMs < right.orderMs;
  return left.number < right.number;
}

/** Waiters in the order in which they go. */
export class WaitingLine<M extends LineMember> {
  /** Those who left are still in it until they are swept out. */
  #heap: M[] = [];
  #size: number = 0;

  /** How many wait. */
  get size(): number {
    return this.#size;
  }

  /** Lets a member join, in O(log n); O(1) if it goes after all others. */
  push(member: M): void {
    assert(!member.isWaiting, "A waiter joined a line in which it waits already.");
    assert(Number.isFinite(member.orderMs), "The place of a waiter is not a number of ms.");
    member.isWaiting = true;
    this.#size += 1;
    this.#heap.push(member);
    this.#rise(member);
  }

  /** Who goes next. */
  peek(): M | undefined {
    for (;;) {
      const top = this.#heap[0];
      if (top === undefined || top.isWaiting) return top;
      this.#dropTop();
    }
  }

  /** Takes out who goes next, in O(log n). */
  shift(): M | undefined {
    const top = this.peek();
    if (top === undefined) return undefined;
    top.isWaiting = false;
    this.#size -= 1;
    this.#dropTop();
    return top;
  }

  /** Lets a member of this line leave. False: it waits no more, and nothing happens. */
  remove(member: M): boolean {
    if (!member.isWaiting) return false;
    member.isWaiting = false;
    this.#size -= 1;
    if (this.#heap.length > 2 * this.#size) this.#sweep();
    return true;
  }

  /** Who goes before a member, counted: for people, O(n). */
  countBefore(member: M): number {
    return this.#heap.filter((other) => other.isWaiting && goesBefore(other, member)).length;
  }

  /** All who wait, in the order in which they go: for people, O(n log n). */
  toArray(): M[] {
    return this.#heap
      .filter((member) => member.isWaiting)
      .toSorted((left, right) => (goesBefore(left, right) ? -1 : 1));
  }

  /** Pays for itself: at least every second member it looks at has left. */
  #sweep(): void {
    this.#heap = this.#heap.filter((member) => member.isWaiting);
    for (let at = (this.#heap.length >> 1) - 1; at >= 0; at -= 1) this.#sink(at);
  }

  #dropTop(): void {
    const last = this.#heap.pop();
    if (last !== undefined && this.#heap.length > 0) this.#heap[0] = last;
    this.#sink(0);
  }

  /** Moves the last member up to where it belongs. */
  #rise(member: M): void {
    const heap = this.#heap;
    let at = heap.length - 1;
    while (at > 0) {
      const parentAt = (at - 1) >> 1;
      const parent = heap[parentAt];
      if (parent === undefined || goesBefore(parent, member)) break;
      heap[at] = parent;
      at = parentAt;
    }
    heap[at] = member;
  }

  /** Moves the member at a position, if there is one, down to where it belongs. */
  #sink(from: number): void {
    const heap = this.#heap;
    const member = heap[from];
    if (member === undefined) return;
    let at = from;
    for (;;) {
      const childAt = this.#firstChildOf(at);
      const child = heap[childAt];
      if (child === undefined || !goesBefore(child, member)) break;
      heap[at] = child;
      at = childAt;
    }
    heap[at] = member;
  }

  /** The position of the child that goes first; past the end if there is none. */
  #firstChildOf(at: number): number {
    const leftAt = 2 * at + 1;
    const left = this.#heap[leftAt];
    const right = this.#heap[leftAt + 1];
    if (left === undefined || right === undefined) return leftAt;
    return goesBefore(right, left) ? leftAt + 1 : leftAt;
  }
}
