// Many keys that contend for shared slots: one line of waiters per key, and a round of the keys that may go.
// Between keys deficit round robin with weights, every grant costing one; inside a key a WaitingLine. With K
// contending keys of equal weight the head of each is granted within K grants. Knows no limits and no clock: who
// may go is asked of the caller, and a key that cannot go is held, which takes it out of the round at no cost to
// the others however many wait behind it.

import { assert } from "../../std/error/assert.ts";
import { Ring, type RingLinks } from "./ring.ts";
import { orderMsOf, WaitingLine, type LineMember, type Place } from "./waiting-line.ts";

/** Highest weight of a key: with K keys, K times this bounds the grants a head waits for. */
export const KEY_WEIGHT_MAX = 1_000;

/** Somebody in the line of a key, known to the object that made it and to no other. */
export interface Entry<T> extends Place {
  readonly key: string;
  readonly waiter: T;
  /** False once it was granted or removed. */
  readonly isWaiting: boolean;
}

/** With what a waiter joins. */
export interface Joining {
  /** When it joined, on the caller's clock; all callers of one object use the same. */
  readonly nowMs: number;
  /** One unit is worth 60 s of waiting. Default 0. */
  readonly priority?: number;
  /** Grants in a row that its key gets per round, from now on: a whole number, 1 to 1,000. Default: as it is, or 1. */
  readonly weight?: number;
  /** Place among those who go at the same time, unique. Default: after all who joined. */
  readonly number?: number;
}

/** May the head of this key go now? It may hold, release, add and remove. */
export type MayGo<T> = (key: string, waiter: T) => boolean;

interface Member<T> extends Entry<T>, LineMember {
  isWaiting: boolean;
}

/** The line of a key. In the round while somebody waits in it and it is not held. */
interface KeyLine<T> extends RingLinks<KeyLine<T>> {
  readonly key: string;
  readonly line: WaitingLine<Member<T>>;
  weight: number;
  /** Grants left of its turn; 0: its turn has not begun. Lost with the turn, so that nobody saves up a burst. */
  credit: number;
  isHeld: boolean;
}

/** Lines of waiters, one per key, and whose turn it is. */
export class FairLines<T> {
  readonly #lines: Map<string, KeyLine<T>> = new Map();
  readonly #round: Ring<KeyLine<T>> = new Ring();
  #joined: number = 0;
  #size: number = 0;
  #visits: number = 0;

  /** How many wait, over all keys. */
  get size(): number {
    return this.#size;
  }

  /** Keys in the round. */
  get contending(): number {
    return this.#round.size;
  }

  /** Heads that `next` has looked at so far: what its grants have cost, whoever else waits. */
  get visits(): number {
    return this.#visits;
  }

  /** Puts a waiter in the line of a key. */
  add(key: string, waiter: T, { nowMs, priority = 0, weight, number }: Joining): Entry<T> {
    if (weight !== undefined) assertWeight(key, weight);
    const orderMs = orderMsOf(nowMs, priority);
    assert(Number.isFinite(orderMs), `A waiter joined the line of "${key}" at no time at all.`);
    this.#joined += 1;
    const member = { key, waiter, orderMs, number: number ?? this.#joined, isWaiting: false };
    const keyLine = this.#lineOf(key);
    keyLine.weight = weight ?? keyLine.weight;
    keyLine.line.push(member);
    this.#size += 1;
    if (keyLine.before === null && !keyLine.isHeld) this.#round.push(keyLine);
    return member;
  }

  /** Lets somebody leave, in O(1). False: it had left before. */
  remove(entry: Entry<T>): boolean {
    const keyLine = this.#lines.get(entry.key);
    if (keyLine === undefined || !keyLine.line.remove(entry)) return false;
    this.#size -= 1;
    this.#tidy(keyLine);
    return true;
  }

  /**
   * Takes out who goes next: the head of the first key, in the order of the round, that `mayGo` lets go. A key it
   * refuses loses its turn. Undefined: nobody may go. A key whose head `mayGo` took away is asked for the next one.
   * Costs one question per key of the round that is refused, so hold what stays refused.
   */
  next(mayGo: MayGo<T>): Entry<T> | undefined {
    for (let left = this.#round.size; left > 0;) {
      const keyLine = this.#round.first;
      const head = keyLine?.line.peek();
      if (keyLine === null || head === undefined) return undefined;
      this.#visits += 1;
      if (mayGo(keyLine.key, head.waiter)) return this.#grant(keyLine, head);
      if (this.#round.first !== keyLine) left -= 1;
      else if (head.isWaiting) {
        keyLine.credit = 0;
        this.#round.turn();
        left -= 1;
      }
    }
    return undefined;
  }

  /** Takes a key out of the round until it is released, in O(1); it need not have waiters. May be repeated. */
  hold(key: string): void {
    const keyLine = this.#lineOf(key);
    keyLine.isHeld = true;
    keyLine.credit = 0;
    this.#round.drop(keyLine);
  }

  /** Lets a held key contend again, after those that do already. Nothing happens if it is not held. */
  release(key: string): void {
    const keyLine = this.#lines.get(key);
    if (keyLine === undefined || !keyLine.isHeld) return;
    keyLine.isHeld = false;
    if (keyLine.line.size > 0) this.#round.push(keyLine);
    else this.#lines.delete(key);
  }

  /** True while a key is held. */
  isHeld(key: string): boolean {
    return this.#lines.get(key)?.isHeld ?? false;
  }

  /** How many wait in the line of a key. */
  waiting(key: string): number {
    return this.#lines.get(key)?.line.size ?? 0;
  }

  /** Its place in the line of its key: 1 goes next, 0 waits no more. For people: O(n). */
  position(entry: Entry<T>): number {
    const keyLine = this.#lines.get(entry.key);
    if (keyLine === undefined || !entry.isWaiting) return 0;
    return keyLine.line.countBefore(entry) + 1;
  }

  /** Who waits in the line of a key, in the order in which they go. For people. */
  entriesOf(key: string): readonly Entry<T>[] {
    return this.#lines.get(key)?.line.toArray() ?? [];
  }

  /** All who wait, key by key: those of the round as it stands, then the held ones. For people. */
  *[Symbol.iterator](): Generator<Entry<T>> {
    for (const { line } of this.#round) yield* line.toArray();
    for (const { line, isHeld } of this.#lines.values()) if (isHeld) yield* line.toArray();
  }

  #grant(keyLine: KeyLine<T>, head: Member<T>): Entry<T> {
    assert(keyLine.line.remove(head), `The head of "${keyLine.key}" left while it was let go.`);
    this.#size -= 1;
    // It is not, if letting its head go made it full and the caller held it.
    if (this.#round.first === keyLine) this.#spendTurn(keyLine);
    this.#tidy(keyLine);
    return head;
  }

  #spendTurn(keyLine: KeyLine<T>): void {
    if (keyLine.credit === 0) keyLine.credit = keyLine.weight;
    keyLine.credit -= 1;
    if (keyLine.credit === 0) this.#round.turn();
  }

  #lineOf(key: string): KeyLine<T> {
    const known = this.#lines.get(key);
    if (known !== undefined) return known;
    const made: KeyLine<T> = {
      key,
      line: new WaitingLine(),
      weight: 1,
      credit: 0,
      isHeld: false,
      before: null,
      after: null,
    };
    this.#lines.set(key, made);
    return made;
  }

  /** A key that nobody waits for and that is not held is forgotten. */
  #tidy(keyLine: KeyLine<T>): void {
    if (keyLine.line.size > 0) return;
    this.#round.drop(keyLine);
    if (!keyLine.isHeld) this.#lines.delete(keyLine.key);
  }
}

function assertWeight(key: string, weight: number): void {
  const isFit = Number.isInteger(weight) && weight >= 1 && weight <= KEY_WEIGHT_MAX;
  assert(isFit, `The weight of "${key}" is "${weight}", not a whole number from 1 to 1,000.`);
}
