// What a limiter knows about each key: which limit holds, who runs, and what came of it. Decides nothing about
// waiters. A limit that was set by hand beats one named in the options, which beats the one that comes with a use,
// which beats the default.

import { MillraceError } from "../../model/errors.ts";
import {
  CONCURRENCY_MAX,
  RESOURCE_KEYS_LISTED_MAX,
  RESOURCE_USES_MAX,
} from "../../model/limits.ts";
import { IdleKeys } from "./idle-keys.ts";

/** Limits that hold from the start. */
export interface KeyLimits {
  /** Permits at once of a key that nothing else is said about, 1 to 10,000. Default null: no limit. */
  readonly default?: number | null;
  /** Limits of single keys, at most 10,000 of them. */
  readonly keys?: Readonly<Record<string, number>>;
}

/** How the work under a permit ended. `cancelled`: it counts neither as done nor as failed. */
export type PermitEnd = "succeeded" | "failed" | "cancelled";

/** Figures of one key, since it was last forgotten for being idle. */
export interface KeyFigures {
  readonly running: number;
  readonly succeeded: number;
  readonly failed: number;
  /** Succeeded and failed. */
  readonly total: number;
  /** Null: no limit. */
  readonly limit: number | null;
}

interface KeyState {
  /** What came with the latest use that named a limit; null: none did. */
  declared: number | null;
  running: number;
  succeeded: number;
  failed: number;
}

/** A full key. */
export interface Crowd {
  readonly holders: number;
  readonly limit: number;
}

/** Limits and figures of keys. */
export class KeyLedger {
  readonly #states: IdleKeys<KeyState>;
  readonly #default: number | null;
  readonly #named: ReadonlyMap<string, number>;
  readonly #set: Map<string, number> = new Map();

  /** OPTION_INVALID where a limit is none. */
  constructor(limits: KeyLimits, idleKeysMax: number) {
    this.#default = limits.default ?? null;
    if (this.#default !== null) checkCount(this.#default, "The default limit");
    this.#named = new Map(Object.entries(limits.keys ?? {}));
    for (const [key, limit] of this.#named) checkCount(limit, `The limit of key "${key}"`);
    this.#states = new IdleKeys({
      make: () => ({ declared: null, running: 0, succeeded: 0, failed: 0 }),
      idleMax: checkedIdleMax(idleKeysMax),
    });
  }

  /** Known keys, idle ones included. */
  get size(): number {
    return this.#states.size;
  }

  /** Who fills a key; undefined: there is room for one more. */
  findCrowd(key: string): Crowd | undefined {
    const limit = this.#limitOf(key);
    if (limit === null) return undefined;
    const holders = this.#states.find(key)?.running ?? 0;
    return holders >= limit ? { holders, limit } : undefined;
  }

  /** Notes the limit that comes with a use. True: it is another one than before. OPTION_INVALID where it is none. */
  declare(key: string, limit: number): boolean {
    checkCount(limit, `The limit of key "${key}"`);
    const state = this.#states.get(key);
    const isOther = state.declared !== limit;
    state.declared = limit;
    return isOther;
  }

  /** Sets the limit of a key by hand; null takes that back. OPTION_INVALID where it is none or one too many. */
  setLimit(key: string, limit: number | null): void {
    if (limit === null) {
      this.#set.delete(key);
      return;
    }
    checkCount(limit, `The limit of key "${key}"`);
    if (!this.#set.has(key) && this.#set.size >= RESOURCE_KEYS_LISTED_MAX) {
      const said = `Key "${key}" gets no limit: ${RESOURCE_KEYS_LISTED_MAX} keys have one of their own already.`;
      throw new MillraceError("OPTION_INVALID", said, { hint: "Take one back, or set a default." });
    }
    this.#set.set(key, limit);
  }

  /** One more runs. The key is kept until it ended. */
  begin(key: string): void {
    const state = this.#states.pin(key);
    state.running += 1;
  }

  /** One less runs. */
  end(key: string, end: PermitEnd): void {
    const state = this.#states.get(key);
    state.running -= 1;
    if (end !== "cancelled") state[end] += 1;
    this.#states.unpin(key);
  }

  /** Keeps a key that somebody waits for. */
  pin(key: string): void {
    this.#states.pin(key);
  }

  /** Takes one pin back. */
  unpin(key: string): void {
    this.#states.unpin(key);
  }

  /** Makes no key known. */
  figuresOf(key: string): KeyFigures {
    const { running = 0, succeeded = 0, failed = 0 } = this.#states.find(key) ?? {};
    return { running, succeeded, failed, total: succeeded + failed, limit: this.#limitOf(key) };
  }

  #limitOf(key: string): number | null {
    const fixed = this.#set.get(key) ?? this.#named.get(key);
    return fixed ?? this.#states.find(key)?.declared ?? this.#default;
  }
}

/** OPTION_INVALID unless `count` is a whole number from 1 to `countMax`. */
export function checkCount(count: number, what: string, countMax: number = CONCURRENCY_MAX): void {
  if (Number.isInteger(count) && count >= 1 && count <= countMax) return;
  const expected = `expected a whole number from 1 to ${countMax}`;
  throw new MillraceError("OPTION_INVALID", `${what}: ${expected}, got "${count}".`);
}

/** Fewer would let a use forget the limits that came with it while it is still being answered. */
function checkedIdleMax(idleKeysMax: number): number {
  if (Number.isInteger(idleKeysMax) && idleKeysMax >= RESOURCE_USES_MAX) return idleKeysMax;
  const expected = `expected a whole number of at least ${RESOURCE_USES_MAX}`;
  throw new MillraceError("OPTION_INVALID", `Idle keys: ${expected}, got "${idleKeysMax}".`);
}
