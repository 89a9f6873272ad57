// At most so many at once under each key, within one process, and as an option at most so many in all. A permit
// covers all its keys or does not exist: who needs several waits in the line of one that is full and holds nothing
// meanwhile. Whatever gets free is handed on in the same call. Between keys FairLines decides, inside a key priority
// and age. No clock and no promises: the caller brings the time and is woken by a callback.
//
// Waiters with the same keys are one group with one place in one line, since what holds up the first of them holds up
// all. So what a change costs depends on the groups it concerns and not on how many wait in them. The rule that all
// else rests on: whenever a call ends, each group stands in the line of a full key, or there is no slot left.

import { RESOURCE_IDLE_KEYS_MAX } from "../../model/limits.ts";
import { assert } from "../../std/error/assert.ts";
import { FairLines, KEY_WEIGHT_MAX, type Entry } from "./fair-lines.ts";
import {
  checkCount,
  KeyLedger,
  type KeyFigures,
  type KeyLimits,
  type PermitEnd,
} from "./key-ledger.ts";
import {
  Grant,
  keysOf,
  notHeld,
  type KeyUse,
  type Permit,
  type Refusal,
  type Ticket,
  type WaitOptions,
} from "./permit.ts";
import { orderMsOf, WaitingLine, type LineMember } from "./waiting-line.ts";

/** What a limiter is made of. */
export interface KeyedLimiterOptions {
  /** Limits of the keys. Default: only those that come with uses or by `setLimit`. */
  readonly limits?: KeyLimits;
  /** Permits at once over all keys, 1 to 10,000; contending keys take turns for them. Default null: any number. */
  readonly slots?: number | null;
  /** Keys remembered while nobody uses them, at least 32. Default 100,000. */
  readonly idleKeysMax?: number;
}

/** Figures of one key. */
export interface KeyStats extends KeyFigures {
  /** Who stands in its line. Who needs several keys stands in one line at a time. */
  readonly waiting: number;
}

interface Waiter extends Ticket, LineMember {
  readonly group: Group;
  readonly wake: (permit: Permit) => void;
  /** Granted, but not yet brought. */
  permit: Permit | null;
}

/** All who wait for the same keys, in whichever order they named them. */
interface Group {
  readonly id: string;
  readonly keys: readonly string[];
  /** The first key: its line is where who lacks a slot alone waits. */
  readonly home: string;
  readonly line: WaitingLine<Waiter>;
  weight: number | undefined;
  /** Where its head stands; null: nowhere yet. */
  entry: Entry<Group> | null;
}

/** Grants permits, all keys or none, and hands on what gets free. */
export class KeyedLimiter {
  readonly #ledger: KeyLedger;
  readonly #slots: number | null;
  readonly #lines: FairLines<Group> = new FairLines();
  readonly #groups: Map<string, Group> = new Map();
  #held: number = 0;
  /** All who were not brought their permit yet. */
  readonly #waiters: Map<Ticket, Waiter> = new Map();
  /** Those of them that have one, in the order of the grants. */
  readonly #granted: (readonly [Waiter, Permit])[] = [];
  #isWaking: boolean = false;
  #permits: number = 0;
  #joined: number = 0;

  /** OPTION_INVALID where a limit is none. */
  constructor(options: KeyedLimiterOptions = {}) {
    this.#slots = options.slots ?? null;
    if (this.#slots !== null) checkCount(this.#slots, "The number of slots");
    this.#ledger = new KeyLedger(
      options.limits ?? {},
      options.idleKeysMax ?? RESOURCE_IDLE_KEYS_MAX,
    );
  }

  /** Permits out there. */
  get held(): number {
    return this.#held;
  }

  /** How many wait, those included whose permit is on its way. */
  get waiting(): number {
    return this.#waiters.size;
  }

  /** Keys that are known, idle ones included. */
  get keys(): number {
    return this.#ledger.size;
  }

  /** Takes a place under each key at once, or none. Overtakes nobody who waits for the same. Codes: USE_INVALID. */
  tryTake(uses: readonly KeyUse[]): Permit | Refusal {
    const keys = this.#declare(uses);
    return this.#refusalOf(keys) ?? this.#mint(keys);
  }

  /**
   * Takes a place under each key at once, or joins the line: `wake` is not called before this has returned. Nothing
   * is kept free for who needs several keys, so those who need one of them alone may go first again and again.
   */
  acquire(uses: readonly KeyUse[], options: WaitOptions): Permit | Ticket {
    const keys = this.#declare(uses);
    const refusal = this.#refusalOf(keys);
    if (refusal === undefined) return this.#mint(keys);
    return this.#join(keys, refusal.key ?? undefined, options);
  }

  /** Takes a waiter out of line, without a scan. False: it has had its permit or left before. After true none comes. */
  leave(ticket: Ticket): boolean {
    const waiter = this.#waiters.get(ticket);
    if (waiter === undefined) return false;
    this.#waiters.delete(ticket);
    if (waiter.permit !== null) {
      this.release(waiter.permit, "cancelled");
      return true;
    }
    const { group } = waiter;
    const wasHead = group.line.peek() === waiter;
    group.line.remove(waiter);
    if (wasHead) this.#park(group, group.entry?.key ?? group.home);
    return true;
  }

  /** Gives a permit back and hands its places on. USE_INVALID if nobody holds it: a second release frees nothing. */
  release(permit: Permit, end: PermitEnd = "succeeded"): void {
    if (!(permit instanceof Grant) || !permit.end(this)) throw notHeld(permit);
    this.#held -= 1;
    for (const key of permit.keys) {
      this.#ledger.end(key, end);
      this.#settle(key);
    }
    this.#refill();
  }

  /**
   * Sets the limit of a key, which beats all others until null takes it back. Holders keep what they have: after it
   * was lowered nobody starts until enough have ended. OPTION_INVALID where it is none.
   */
  setLimit(key: string, limit: number | null): void {
    this.#ledger.setLimit(key, limit);
    this.#settle(key);
    this.#refill();
  }

  /** Figures of a key. They begin anew once it was idle for longest and forgotten. */
  stats(key: string): KeyStats {
    const groups = this.#lines.entriesOf(key);
    const waiting = groups.reduce((sum, { waiter: { line } }) => sum + line.size, 0);
    return { ...this.#ledger.figuresOf(key), waiting };
  }

  /** What holds a waiter up; undefined: it waits no more. */
  refusalOf(ticket: Ticket): Refusal | undefined {
    const isWaiting = this.#waiters.get(ticket)?.isWaiting ?? false;
    return isWaiting ? this.#refusalOf(ticket.keys) : undefined;
  }

  /** The place of a waiter in the line it stands in: 1 goes next, 0 waits no more. For people: O(n). */
  position(ticket: Ticket): number {
    const waiter = this.#waiters.get(ticket);
    const key = waiter?.isWaiting === true ? waiter.group.entry?.key : undefined;
    if (waiter === undefined || key === undefined) return 0;
    const groups = this.#lines.entriesOf(key);
    return groups.reduce((sum, each) => sum + each.waiter.line.countBefore(waiter), 1);
  }

  /** Checks the uses and takes note of the limits that come with them. */
  #declare(uses: readonly KeyUse[]): readonly string[] {
    const keys = keysOf(uses);
    let isOther = false;
    for (const { key, limit } of uses) {
      if (limit === undefined || !this.#ledger.declare(key, limit)) continue;
      this.#settle(key);
      isOther = true;
    }
    if (isOther) this.#refill();
    return keys;
  }

  #refusalOf(keys: readonly string[]): Refusal | undefined {
    for (const key of keys) {
      const crowd = this.#ledger.findCrowd(key);
      if (crowd !== undefined) return { kind: "refused", key, ...crowd };
    }
    if (this.#slots === null || this.#held < this.#slots) return undefined;
    return { kind: "refused", key: null, holders: this.#held, limit: this.#slots };
  }

  #mint(keys: readonly string[]): Permit {
    this.#permits += 1;
    const permit = new Grant(this.#permits, keys, this);
    this.#held += 1;
    for (const key of keys) {
      this.#ledger.begin(key);
      this.#settle(key);
    }
    return permit;
  }

  /** Takes a key that is full out of the round, and lets one that is not contend. */
  #settle(key: string): void {
    if (this.#ledger.findCrowd(key) !== undefined) this.#lines.hold(key);
    else this.#lines.release(key);
  }

  /** Grants what can be granted, and then tells those who got it. */
  #refill(): void {
    while (this.#slots === null || this.#held < this.#slots) {
      if (this.#lines.next(this.#letGo) === undefined) break;
    }
    this.#wakeAll();
  }

  /** Lets the head of a group go, or puts the group where it is held up. */
  readonly #letGo = (key: string, group: Group): boolean => {
    const full = group.keys.find((each) => this.#ledger.findCrowd(each) !== undefined);
    assert(full !== key, "A full key contends.");
    if (full !== undefined) {
      this.#park(group, full);
      return false;
    }
    const waiter = group.line.shift();
    assert(waiter !== undefined, "Nobody waits in a group that contends.");
    waiter.permit = this.#mint(group.keys);
    this.#granted.push([waiter, waiter.permit]);
    // The next one joins before the lines take this one out: a key that went empty would lose its turn.
    group.entry = null;
    this.#park(group, key);
    return true;
  };

  /**
   * Brings the permits, once nothing else is left to do: whoever is woken may use the limiter and finds it in order.
   * What that grants is brought by the loop that runs already, so a long chain of wakes needs no deep stack.
   */
  #wakeAll(): void {
    if (this.#isWaking || this.#granted.length === 0) return;
    this.#isWaking = true;
    const errors: unknown[] = [];
    for (const [waiter, permit] of this.#granted) {
      // False: it left meanwhile, and its permit has been given back.
      if (!this.#waiters.delete(waiter)) continue;
      try {
        waiter.wake(permit);
      } catch (error) {
        errors.push(error);
      }
    }
    this.#granted.length = 0;
    this.#isWaking = false;
    if (errors.length > 0) throw new AggregateError(errors, "Waiters threw as they were woken.");
  }

  #join(keys: readonly string[], full: string | undefined, options: WaitOptions): Ticket {
    const { nowMs, priority = 0, weight, wake } = options;
    const orderMs = orderMsOf(nowMs, priority);
    assert(
      Number.isFinite(orderMs),
      `Somebody waits for "${keys.join(", ")}" since no time at all.`,
    );
    if (weight !== undefined) checkCount(weight, "The weight of a key", KEY_WEIGHT_MAX);
    const group = this.#groupOf(keys);
    group.weight = weight ?? group.weight;
    this.#joined += 1;
    const waiter: Waiter = {
      kind: "waiting",
      keys,
      group,
      wake,
      permit: null,
      orderMs,
      number: this.#joined,
      isWaiting: false,
    };
    group.line.push(waiter);
    this.#waiters.set(waiter, waiter);
    if (group.line.peek() === waiter) this.#park(group, group.entry?.key ?? full ?? group.home);
    return waiter;
  }

  #groupOf(keys: readonly string[]): Group {
    const id = JSON.stringify(keys.toSorted());
    const known = this.#groups.get(id);
    if (known !== undefined) return known;
    for (const key of keys) this.#ledger.pin(key);
    const [home = ""] = keys;
    const line = new WaitingLine<Waiter>();
    const made: Group = { id, keys, home, line, weight: undefined, entry: null };
    this.#groups.set(id, made);
    return made;
  }

  /** Puts the head of a group in the line of a key, from wherever the group stood; without a head the group is over. */
  #park(group: Group, key: string): void {
    const { entry: old, weight } = group;
    const head = group.line.peek();
    if (head === undefined) {
      this.#groups.delete(group.id);
      for (const each of group.keys) this.#ledger.unpin(each);
    } else {
      const isWeighed = key === group.home && weight !== undefined;
      // Its ageing key already says all about its time and priority.
      const at = { nowMs: head.orderMs, number: head.number, ...(isWeighed ? { weight } : {}) };
      group.entry = this.#lines.add(key, group, at);
    }
    if (old !== null) this.#lines.remove(old);
  }
}
