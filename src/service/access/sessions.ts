// Sessions of people who signed in, in the memory of one server: they end with it, after 12 hours, or after an hour
// without a request. Only hashes of their secrets are held.

import { SESSIONS_MAX } from "../../model/limits.ts";
import type { Clock } from "../../std/clock.ts";
import type { Random } from "../../std/random.ts";
import type { Identity } from "./identity.ts";
import { hashSecret, makeSecret } from "./secret.ts";

/** What sessions are made with. */
export interface SessionTerms {
  readonly clock: Clock;
  readonly random: Random;
  /** Longest life, ms. */
  readonly lifeMs: number;
  /** Longest silence, ms. */
  readonly idleMs: number;
}

/** A session that is open. */
export interface Session {
  readonly identity: Identity;
  /** Ms until it ends at the latest. */
  readonly leftMs: number;
}

interface Entry {
  readonly identity: Identity;
  readonly endMs: number;
  usedMs: number;
}

/** The sessions of one server. */
export class Sessions {
  readonly #terms: SessionTerms;
  /** In the order of their last use. */
  readonly #byHash: Map<string, Entry> = new Map();

  constructor(terms: SessionTerms) {
    this.#terms = terms;
  }

  /** Opens one; answers its secret. Of too many the one that was idle longest goes. */
  open(identity: Identity): string {
    const secret = makeSecret(this.#terms.random);
    const nowMs = this.#terms.clock.monotonicMs();
    const [idlest] = this.#byHash.keys();
    if (this.#byHash.size >= SESSIONS_MAX && idlest !== undefined) this.#byHash.delete(idlest);
    const entry = { identity, endMs: nowMs + this.#terms.lifeMs, usedMs: nowMs };
    this.#byHash.set(hashSecret(secret), entry);
    return secret;
  }

  /** The session of a secret, used by this; null where it has ended or never was. */
  use(secret: string): Session | null {
    const hash = hashSecret(secret);
    const entry = this.#byHash.get(hash);
    if (entry === undefined) return null;
    this.#byHash.delete(hash);
    const nowMs = this.#terms.clock.monotonicMs();
    if (nowMs >= entry.endMs || nowMs - entry.usedMs >= this.#terms.idleMs) return null;
    entry.usedMs = nowMs;
    this.#byHash.set(hash, entry);
    return { identity: entry.identity, leftMs: entry.endMs - nowMs };
  }

  /** Whether it is open still; asking does not use it. */
  has(secret: string): boolean {
    const entry = this.#byHash.get(hashSecret(secret));
    const nowMs = this.#terms.clock.monotonicMs();
    return entry !== undefined && nowMs < entry.endMs && nowMs - entry.usedMs < this.#terms.idleMs;
  }

  /** Ends one. Safe to repeat. */
  close(secret: string): void {
    this.#byHash.delete(hashSecret(secret));
  }
}
