// Who may come in: the token of the token file, tokens that were made besides, sessions, and tickets for either. One
// per server. What it answers is who asks; what that one may do, the route says.

import {
  LOGIN_TICKET_MS_DEFAULT,
  SESSION_IDLE_MS_DEFAULT,
  SESSION_MS_DEFAULT,
  SOCKET_TICKET_MS_DEFAULT,
} from "../../model/defaults.ts";
import type { Clock } from "../../std/clock.ts";
import type { Random } from "../../std/random.ts";
import { systemRandom } from "../../std/random.ts";
import { contextOf, type MillContext } from "../mill-context.ts";
import { BadTokens } from "./bad-tokens.ts";
import type { Identity } from "./identity.ts";
import { hasHash, hashSecret } from "./secret.ts";
import { Sessions, type Session } from "./sessions.ts";
import { Tickets, type TicketHolder } from "./tickets.ts";
import { parseToken, type TokenRecord } from "./token-record.ts";
import { stateOf, TOKEN_PREFIX } from "./tokens.ts";

/** What access is decided with. */
export interface AccessOptions {
  /** The token that is always good, with the role admin; at least 32 characters. */
  readonly token: string;
  readonly clock: Clock;
  /** Default: the system's, as nothing else is fit for secrets. */
  readonly random?: Random;
}

/** The id of the token of the token file. */
const DEFAULT_TOKEN_ID = "default";

/** Tokens that were good lately, by hash: an address that has to wait because of others is still heard with these. */
const KNOWN_GOOD_MAX = 1_000;

/** Access to one server. */
export class Access {
  readonly #mill: MillContext;
  readonly #tokenHash: string;
  readonly #sessions: Sessions;
  readonly #logins: Tickets;
  readonly #sockets: Tickets;
  readonly #bad: BadTokens;
  readonly #knownGood: Set<string> = new Set();

  constructor(mill: object, { token, clock, random = systemRandom }: AccessOptions) {
    this.#mill = contextOf(mill);
    this.#tokenHash = hashSecret(token);
    this.#sessions = new Sessions({
      clock,
      random,
      lifeMs: SESSION_MS_DEFAULT,
      idleMs: SESSION_IDLE_MS_DEFAULT,
    });
    this.#logins = new Tickets({ clock, random, lifeMs: LOGIN_TICKET_MS_DEFAULT });
    this.#sockets = new Tickets({ clock, random, lifeMs: SOCKET_TICKET_MS_DEFAULT });
    this.#bad = new BadTokens(clock);
  }

  /** Ms for which tokens of this address are not looked at; 0: they are. One that was good lately always is. */
  waitMs(address: string, token: string): number {
    const waitMs = this.#bad.waitMs(address);
    return waitMs > 0 && this.#knownGood.has(hashSecret(token)) ? 0 : waitMs;
  }

  /** Whose token it is; null where it is none, expired or revoked, which counts against the address. */
  async identify(token: string, address: string): Promise<Identity | null> {
    const identity = await this.#find(token);
    const hash = hashSecret(token);
    if (identity === null) {
      this.#knownGood.delete(hash);
      this.#bad.count(address);
      return null;
    }
    const [oldest] = this.#knownGood;
    if (this.#knownGood.size >= KNOWN_GOOD_MAX && oldest !== undefined) {
      this.#knownGood.delete(oldest);
    }
    this.#knownGood.add(hash);
    return identity;
  }

  /** The session of a cookie; null where it has ended, or the token behind it has. */
  async useSession(secret: string): Promise<Session | null> {
    const session = this.#sessions.use(secret);
    if (session === null || (await this.isGood(session.identity))) return session;
    this.#sessions.close(secret);
    return null;
  }

  /** Whether the session of a cookie is open still. What stays open asks, and is no use of it. */
  hasSession(secret: string): boolean {
    return this.#sessions.has(secret);
  }

  /** Opens a session; answers the text of its cookie. */
  openSession(identity: Identity): string {
    const name = identity.actor.slice(identity.actor.indexOf(":") + 1);
    return this.#sessions.open({ ...identity, actor: `session:${name}` });
  }

  /** Ends a session. Safe to repeat. */
  closeSession(secret: string): void {
    this.#sessions.close(secret);
  }

  /** A ticket to sign in with, good once and for 60 s. Default: for whoever holds the token file. */
  makeLoginTicket(identity: Identity = DEFAULT_IDENTITY): string {
    return this.#logins.make({ identity, isStillGood: () => this.isGood(identity) });
  }

  /** For whom a ticket to sign in was made; null where it is used or too old, or the token behind it is no good any
   *  more, which counts against the address. */
  async redeemLogin(ticket: string, address: string): Promise<Identity | null> {
    const holder = await this.#logins.redeem(ticket);
    if (holder === null) this.#bad.count(address);
    return holder?.identity ?? null;
  }

  /** A ticket to open a socket with, good once and for 30 s. */
  makeSocketTicket(holder: TicketHolder): string {
    return this.#sockets.make(holder);
  }

  /** For whom a ticket to open a socket was made; null where it is used or too old, or the token or session behind it
   *  is no good any more. */
  async redeemSocket(ticket: string): Promise<TicketHolder | null> {
    return await this.#sockets.redeem(ticket);
  }

  /** Whether the token behind somebody who came in earlier is still good: what stays open asks again. */
  async isGood(identity: Identity): Promise<boolean> {
    if (identity.tokenId === DEFAULT_TOKEN_ID) return true;
    const name = identity.actor.slice(identity.actor.indexOf(":") + 1);
    const token = await this.#findToken(name);
    return token?.id === identity.tokenId && token.role === identity.role;
  }

  async #find(token: string): Promise<Identity | null> {
    if (hasHash(token, this.#tokenHash)) return DEFAULT_IDENTITY;
    const [, name, secret] = IS_TOKEN.exec(token) ?? [];
    if (name === undefined || secret === undefined) return null;
    const found = await this.#findToken(name);
    if (found === undefined || !hasHash(secret, found.hash)) return null;
    return { actor: `token:${name}`, tokenId: found.id, role: found.role };
  }

  async #findToken(name: string): Promise<TokenRecord | undefined> {
    const record = await this.#mill.store.findRecord("tokens", name);
    const token = record === undefined ? undefined : parseToken(record);
    if (token === undefined) return undefined;
    return stateOf(token, this.#mill.store.nowMs()) === "active" ? token : undefined;
  }
}

const DEFAULT_IDENTITY: Identity = {
  actor: `token:${DEFAULT_TOKEN_ID}`,
  tokenId: DEFAULT_TOKEN_ID,
  role: "admin",
};

const IS_TOKEN = new RegExp(`^${TOKEN_PREFIX}([A-Za-z0-9][A-Za-z0-9._-]{0,63})\\.([\\w-]{43})$`);
