// The lines of one process, one for each key of a resource, and who is called next.
//
// A line is `open`: as many of its heads are called as there may be room for. Or `held`: its last one was refused,
// and nobody is called until a permit is given back here, its time has come, or a look says that somebody elsewhere
// may have given one back. Those who are refused keep their place.

import type { Clock } from "../../std/clock.ts";
import { FairLines, type Entry } from "../../policy/fair-lines/fair-lines.ts";
import { IdleKeys } from "../../policy/fair-lines/idle-keys.ts";
import { KeyFacts } from "./key-facts.ts";
import type { Hindrance } from "./permit-request.ts";
import type { Visit } from "./visit.ts";

/** Lines that one look opens at most: a hundred thousand keys must not stop the loop. */
const LOOKS_MAX = 256;

/** The lines at a gate. */
export class KeyLines {
  readonly #clock: Pick<Clock, "setTimer" | "monotonicMs">;
  readonly #lines: FairLines<Visit> = new FairLines();
  readonly #keys: IdleKeys<KeyFacts> = new IdleKeys({ make: () => new KeyFacts() });
  /** Held lines; those that were not looked at for longest come first. */
  readonly #held: Set<string> = new Set();
  /** Of them, those that wait until somebody gives a permit back, wherever. */
  readonly #untimed: Set<string> = new Set();
  #isServing: boolean = false;

  constructor(clock: Pick<Clock, "setTimer" | "monotonicMs">) {
    this.#clock = clock;
  }

  /** How many wait. */
  get size(): number {
    return this.#lines.size;
  }

  /** True while some wait for what others may give back. */
  get isUntimed(): boolean {
    return this.#untimed.size > 0;
  }

  /** What is known of a key. It stays until as many take their pin back as have one. */
  pin(name: string): KeyFacts {
    return this.#keys.pin(name);
  }

  unpin(name: string): void {
    this.#keys.unpin(name);
  }

  /** What is known of a key; undefined: nothing, or no longer. */
  find(name: string): KeyFacts | undefined {
    return this.#keys.find(name);
  }

  /** What is known of a key, made if need be. */
  get(name: string): KeyFacts {
    return this.#keys.get(name);
  }

  waiting(name: string): number {
    return this.#lines.waiting(name);
  }

  /** Whoever comes has to join the line. */
  isBusy(name: string): boolean {
    return this.#lines.isHeld(name) || this.#lines.waiting(name) > 0;
  }

  /** How many of its line go before a visit. For people. */
  ahead(entry: Entry<Visit>): number {
    return Math.max(0, this.#lines.position(entry) - 1);
  }

  /** Puts a visit in the line of a key, at the place it had if it was there before. */
  join(name: string, visit: Visit): void {
    this.#keys.pin(name);
    visit.entry = this.#lines.add(name, visit, {
      nowMs: visit.sinceMs,
      priority: visit.asker.request.priority,
      ...(visit.number === null ? {} : { number: visit.number }),
    });
    visit.number ??= visit.entry.number;
  }

  /** Takes a visit out of its line. */
  quit(visit: Visit): void {
    const { entry } = visit;
    visit.entry = null;
    if (entry === null || !this.#lines.remove(entry)) return;
    // Nobody waits for it any more: the next one to come asks for itself.
    if (this.#lines.waiting(entry.key) === 0) this.open(entry.key, 1);
    this.#keys.unpin(entry.key);
  }

  /** Nobody of this line is called before its time has come or somebody gave a permit back. */
  hold(name: string, hindrance: Hindrance): void {
    const facts = this.#keys.get(name);
    facts.hindrance = hindrance;
    facts.room = 0;
    this.#lines.hold(name);
    this.#held.delete(name);
    this.#held.add(name);
    facts.timer?.cancel();
    facts.timer = null;
    if (hindrance.untilMs === null) {
      this.#untimed.add(name);
      return;
    }
    this.#untimed.delete(name);
    const leftMs = Math.max(1, Math.ceil(hindrance.untilMs - this.#clock.monotonicMs()));
    facts.timer = this.#clock.setTimer(leftMs, () => {
      facts.timer = null;
      this.open(name, 1);
      this.serve();
    });
  }

  /** There may be room for so many. */
  open(name: string, room: number): void {
    const facts = this.#keys.find(name);
    if (facts === undefined) return;
    facts.timer?.cancel();
    facts.timer = null;
    facts.hindrance = null;
    facts.room = Math.max(facts.room, room);
    this.#held.delete(name);
    this.#untimed.delete(name);
    this.#lines.release(name);
  }

  /** Opens lines whose state may have changed elsewhere. `timed`: also those that know their time. */
  look(timed: boolean): void {
    let left = LOOKS_MAX;
    for (const name of timed ? this.#held : this.#untimed) {
      if (left-- === 0) break;
      this.open(name, 1);
    }
    this.serve();
  }

  /** Opens the line of a key, and `below` also those of the keys of this resource. */
  reopen(name: string, below: boolean): void {
    this.open(name, 1);
    if (below) for (const held of this.#held) if (held.startsWith(`${name}/`)) this.open(held, 1);
    this.serve();
  }

  /** Calls those whose turn it is, as far as there may be room. */
  serve(): void {
    if (this.#isServing) return;
    this.#isServing = true;
    try {
      for (;;) {
        const next = this.#lines.next((name) => this.#mayCall(name));
        if (next === undefined) return;
        this.#call(next);
      }
    } finally {
      this.#isServing = false;
    }
  }

  #mayCall(name: string): boolean {
    const facts = this.#keys.get(name);
    if (facts.called < facts.room) return true;
    // Those who were called tell of room as they are answered.
    this.#lines.hold(name);
    return false;
  }

  #call({ key, waiter: visit }: Entry<Visit>): void {
    visit.entry = null;
    visit.called = key;
    this.#keys.get(key).called += 1;
    visit.asker.wake();
  }

  /** One who was called was answered, or left: its turn is over. */
  endCall(visit: Visit): void {
    const name = visit.called;
    if (name === null) return;
    visit.called = null;
    const facts = this.#keys.get(name);
    facts.called -= 1;
    if (facts.hindrance === null) this.#lines.release(name);
    this.#keys.unpin(name);
  }
}
