// The words between a limiter and who uses it: what is asked for, and the three answers. A permit and a ticket are
// known to the limiter that made them and to no other.

import { isResourceKey } from "../../model/compile/resource-name.ts";
import { MillraceError } from "../../model/errors.ts";
import { RESOURCE_KEY_BYTES_MAX, RESOURCE_USES_MAX } from "../../model/limits.ts";

/** One key that a permit shall cover. */
export interface KeyUse {
  readonly key: string;
  /** The limit of this key, 1 to 10,000, unless one was named in the options or set. Default: as it is. */
  readonly limit?: number;
}

/** The right to be at work. Each counts once, and only where it was granted. */
export interface Permit {
  readonly kind: "permit";
  /** Unique in its limiter, rising. */
  readonly id: number;
  readonly keys: readonly string[];
}

/** A permit as its limiter makes it. It says itself who granted it: a set of all that are out there costs more. */
export class Grant implements Permit {
  readonly kind = "permit";
  readonly id: number;
  readonly keys: readonly string[];
  #by: object | null;

  constructor(id: number, keys: readonly string[], by: object) {
    this.id = id;
    this.keys = keys;
    this.#by = by;
  }

  /** Ends it, once. False: it has ended, or another one granted it. */
  end(by: object): boolean {
    if (this.#by !== by) return false;
    this.#by = null;
    return true;
  }
}

/** Why there is no permit now. */
export interface Refusal {
  readonly kind: "refused";
  /** The first full key; null: no slot is free. */
  readonly key: string | null;
  readonly holders: number;
  readonly limit: number;
}

/** How somebody waits. */
export interface WaitOptions {
  /** When the wait began, on the clock that all callers of this limiter use. */
  readonly nowMs: number;
  /** One unit is worth 60 s of waiting. Default 0. */
  readonly priority?: number;
  /** Turns in a row of the first key when keys contend for slots, 1 to 1,000. Default: as it is, or 1. */
  readonly weight?: number;
  /** Brings the permit, once. May use the limiter; what it throws comes out of the call that freed the place. */
  readonly wake: (permit: Permit) => void;
}

/** Somebody who waits. */
export interface Ticket {
  readonly kind: "waiting";
  readonly keys: readonly string[];
}

/** The keys of uses, in their order. USE_INVALID where there are none or more than 32, or one is no key or there twice. */
export function keysOf(uses: readonly KeyUse[]): readonly string[] {
  if (uses.length === 0 || uses.length > RESOURCE_USES_MAX) {
    const said = `A permit covers 1 to ${RESOURCE_USES_MAX} keys, got ${uses.length}.`;
    throw new MillraceError("USE_INVALID", said, { hint: "Name each key once." });
  }
  const [only] = uses;
  if (only !== undefined && uses.length === 1) {
    checkKey(only.key, true);
    return [only.key];
  }
  const keys = uses.map(({ key }) => key);
  for (const [at, key] of keys.entries()) checkKey(key, keys.indexOf(key) === at);
  return keys;
}

function checkKey(key: string, isFirst: boolean): void {
  if (!isResourceKey(key)) {
    const expected = `text of 1 to ${RESOURCE_KEY_BYTES_MAX} bytes without control characters`;
    throw new MillraceError("USE_INVALID", `A key is ${expected}, got ${JSON.stringify(key)}.`);
  }
  if (isFirst) return;
  throw new MillraceError("USE_INVALID", `A permit was asked for key "${key}" twice.`, {
    hint: "A permit holds one place under each of its keys.",
  });
}

/** What a limiter throws when it is given back what is not out there. */
export function notHeld({ id, keys }: Permit): MillraceError {
  const said = `Permit ${id} for "${keys.join('", "')}" was released, but nobody holds it.`;
  return new MillraceError("USE_INVALID", said, {
    hint: "Release each permit once, at the limiter that granted it.",
  });
}
