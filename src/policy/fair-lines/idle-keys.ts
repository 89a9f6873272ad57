// The states of keys, of which there may be any number: each is made when it is first asked for, and forgotten
// when nobody has used it for longest and too many are idle. A pinned key, one with holders or waiters, is never
// forgotten. Every call is O(1).

import { RESOURCE_IDLE_KEYS_MAX } from "../../model/limits.ts";
import { assert } from "../../std/error/assert.ts";
import { Ring, type RingLinks } from "./ring.ts";

/** How keys are kept. */
export interface IdleKeysOptions<State> {
  /** The state of a key that is not known, or no longer. */
  readonly make: (key: string) => State;
  /** Keys kept while nobody uses them, 0 or more. Default 100,000; lower it where a state is large. */
  readonly idleMax?: number;
}

/** A known key. In the ring while it is idle. */
interface Kept<State> extends RingLinks<Kept<State>> {
  readonly key: string;
  readonly state: State;
  pins: number;
}

/** States by key: those in use, and of the others the most recently used. */
export class IdleKeys<State> {
  readonly #make: (key: string) => State;
  readonly #idleMax: number;
  readonly #kept: Map<string, Kept<State>> = new Map();
  /** Oldest first. */
  readonly #idle: Ring<Kept<State>> = new Ring();

  constructor(options: IdleKeysOptions<State>) {
    this.#make = options.make;
    this.#idleMax = options.idleMax ?? RESOURCE_IDLE_KEYS_MAX;
  }

  /** Known keys, pinned ones included. */
  get size(): number {
    return this.#kept.size;
  }

  /** Known keys that nobody has pinned. */
  get idle(): number {
    return this.#idle.size;
  }

  /** The state of a key, made if need be; counts as a use. */
  get(key: string): State {
    const kept = this.#keep(key);
    if (kept.pins === 0) this.#rest(kept);
    return kept.state;
  }

  /** The state of a key if it is known; counts as no use. */
  find(key: string): State | undefined {
    return this.#kept.get(key)?.state;
  }

  /** Keeps a key until it is unpinned as often as it was pinned. */
  pin(key: string): State {
    const kept = this.#keep(key);
    kept.pins += 1;
    this.#idle.drop(kept);
    return kept.state;
  }

  /** Takes one pin back; with the last one the key is idle, and the most recently used. */
  unpin(key: string): void {
    const kept = this.#kept.get(key);
    assert(kept !== undefined && kept.pins > 0, `Key "${key}" was unpinned but not pinned.`);
    kept.pins -= 1;
    if (kept.pins === 0) this.#rest(kept);
  }

  #keep(key: string): Kept<State> {
    const known = this.#kept.get(key);
    if (known !== undefined) return known;
    const made = { key, state: this.#make(key), pins: 0, before: null, after: null };
    this.#kept.set(key, made);
    return made;
  }

  #rest(kept: Kept<State>): void {
    this.#idle.drop(kept);
    this.#idle.push(kept);
    const oldest = this.#idle.first;
    if (oldest === null || this.#idle.size <= this.#idleMax) return;
    this.#idle.drop(oldest);
    this.#kept.delete(oldest.key);
  }
}
