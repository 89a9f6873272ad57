// Tickets: secrets that are good once and for a short time, in the memory of one process. Only their hashes are held.

import { TICKETS_MAX } from "../../model/limits.ts";
import type { Clock } from "../../std/clock.ts";
import type { Random } from "../../std/random.ts";
import type { Identity } from "./identity.ts";
import { hashSecret, makeSecret } from "./secret.ts";

/** What tickets of one kind are made with. */
export interface TicketTerms {
  readonly clock: Clock;
  readonly random: Random;
  readonly lifeMs: number;
}

/** For whom a ticket was made. */
export interface TicketHolder {
  readonly identity: Identity;
  /** Whether who asked for it may still be here: the token or the session behind it is good. */
  isStillGood(): Promise<boolean>;
}

interface Ticket {
  readonly holder: TicketHolder;
  readonly untilMs: number;
}

/** Tickets of one kind. */
export class Tickets {
  readonly #terms: TicketTerms;
  readonly #byHash: Map<string, Ticket> = new Map();

  constructor(terms: TicketTerms) {
    this.#terms = terms;
  }

  /** A ticket for whom it is made for. Of too many the oldest goes. */
  make(holder: TicketHolder): string {
    const secret = makeSecret(this.#terms.random);
    const untilMs = this.#terms.clock.monotonicMs() + this.#terms.lifeMs;
    const [oldest] = this.#byHash.keys();
    if (this.#byHash.size >= TICKETS_MAX && oldest !== undefined) this.#byHash.delete(oldest);
    this.#byHash.set(hashSecret(secret), { holder, untilMs });
    return secret;
  }

  /** For whom it was made; it is gone with this. Null: used, too old, none of ours, or no longer theirs. */
  async redeem(secret: string): Promise<TicketHolder | null> {
    const hash = hashSecret(secret);
    const ticket = this.#byHash.get(hash);
    this.#byHash.delete(hash);
    if (ticket === undefined || this.#terms.clock.monotonicMs() >= ticket.untilMs) return null;
    return (await ticket.holder.isStillGood()) ? ticket.holder : null;
  }
}
