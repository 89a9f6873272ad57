// Sockets: a request to upgrade passes the same guards as any other, in the same order, before whoever registered its
// path gets the connection. A browser may open one to anywhere, so the Origin is asked for, exactly.

import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { MillraceError } from "../model/errors.ts";
import type { Logger } from "../std/logger.ts";
import { authenticate, requireRole, unauthenticated } from "./guards/credentials.ts";
import { isAllowedOrigin, type OriginTerms } from "./guards/request-origin.ts";
import { readQuery } from "./guards/request-parts.ts";
import type { HttpContext } from "./http-context.ts";
import { checkRaw, refusalText } from "./raw-guard.ts";
import { parseTarget } from "./request-path.ts";
import type { Caller, RouteAccess } from "./route.ts";

/** A connection that may become a socket: everything about it was checked. */
export interface SocketRequest {
  readonly incoming: IncomingMessage;
  readonly socket: Duplex;
  readonly head: Buffer;
  readonly caller: Caller;
  readonly query: Readonly<Record<string, string | readonly string[]>>;
  /** Whether the caller may still be here; ask every minute while it is open. */
  isStillGood(): Promise<boolean>;
}

/** Takes a connection over. */
export type SocketHandler = (request: SocketRequest) => void;

/** Sub-protocol that a client names; the one besides it may carry a ticket. */
export const SOCKET_PROTOCOL = "millrace.v1";

/** What stands before a ticket in the list of sub-protocols. */
export const TICKET_PROTOCOL_PREFIX = "millrace.ticket.";

interface SocketRoute {
  readonly access: Exclude<RouteAccess, "public">;
  readonly open: SocketHandler;
}

/** How upgrades are judged. */
export interface UpgradeTerms {
  readonly origin: OriginTerms;
  readonly logger: Logger;
  readonly addressOf: (incoming: IncomingMessage) => string;
  readonly isOverloaded: () => boolean;
}

/** The paths that may become sockets. */
export class Upgrades {
  readonly #http: HttpContext;
  readonly #routes: Map<string, SocketRoute> = new Map();

  constructor(http: HttpContext) {
    this.#http = http;
  }

  /** Opens a path, without its prefix, to whoever has the role. */
  register(path: string, access: Exclude<RouteAccess, "public">, open: SocketHandler): void {
    this.#routes.set(path, { access, open });
  }

  /** The paths with their policies, for who checks them all. */
  list(): readonly { readonly path: string; readonly access: RouteAccess }[] {
    return [...this.#routes].map(([path, { access }]) => ({ path, access }));
  }

  /** Judges a request to upgrade; refused ones are answered and closed. */
  async take(
    connection: Pick<SocketRequest, "incoming" | "socket" | "head">,
    terms: UpgradeTerms,
  ): Promise<void> {
    const { incoming, socket } = connection;
    const onError = (): void => {
      socket.destroy();
    };
    socket.on("error", onError);
    try {
      const { route, caller, query } = await this.#pass(incoming, terms);
      socket.off("error", onError);
      const { access } = this.#http;
      route.open({ ...connection, caller, query, isStillGood: () => access.isGood(caller) });
    } catch (error) {
      terms.logger.debug("A socket was refused.", { error });
      socket.end(refusalText(error));
    }
  }

  async #pass(
    incoming: IncomingMessage,
    terms: UpgradeTerms,
  ): Promise<Pick<SocketRequest, "caller" | "query"> & { readonly route: SocketRoute }> {
    checkRaw(incoming, terms.origin);
    if (incoming.method !== "GET") {
      throw new MillraceError("METHOD_NOT_ALLOWED", "Only GET becomes a socket.", {
        details: { allowed: ["GET"] },
      });
    }
    const { path, query } = this.#readTarget(incoming);
    const route = this.#routes.get(path);
    if (terms.isOverloaded()) throw new MillraceError("UNAVAILABLE", "The server is overloaded.");
    const caller = await this.#identify(incoming, terms);
    if (route === undefined) {
      throw new MillraceError("ROUTE_NOT_FOUND", "There is no such socket.");
    }
    requireRole(caller, route.access);
    checkSocketOrigin(incoming, caller, terms.origin);
    return { route, caller, query: readQuery(query) };
  }

  #readTarget(incoming: IncomingMessage): { readonly path: string; readonly query: string } {
    const { basePath } = this.#http;
    const whole = incoming.url ?? "";
    const parsed = parseTarget(
      whole.startsWith(`${basePath}/`) ? whole.slice(basePath.length) : "/",
    );
    if (!parsed.ok) throw new MillraceError("REQUEST_INVALID", parsed.error);
    return { path: `/${parsed.value.segments.join("/")}`, query: parsed.value.query };
  }

  async #identify(incoming: IncomingMessage, { addressOf }: UpgradeTerms): Promise<Caller> {
    const ticket = readTicket(incoming);
    if (ticket !== undefined) {
      const identity = this.#http.access.redeemSocket(ticket);
      if (identity === null) throw unauthenticated("The ticket is unknown, used or too old.");
      return { ...identity, via: "cookie" };
    }
    const headers = new Headers();
    for (const name of ["authorization", "cookie"] as const) {
      const value = incoming.headers[name];
      if (value !== undefined) headers.set(name, value);
    }
    const caller = await authenticate(headers, addressOf(incoming), this.#http);
    if (caller === null)
      throw unauthenticated("No token, session or ticket came with the request.");
    return caller;
  }
}

/** Only who has a bearer token is no browser, and needs none. `null` is the origin of every sandbox. */
function checkSocketOrigin(incoming: IncomingMessage, caller: Caller, terms: OriginTerms): void {
  const { origin } = incoming.headers;
  const isBare = origin === undefined || origin === "null";
  const isOurs = isBare ? caller.via === "bearer" : isAllowedOrigin(origin, terms);
  if (!isOurs) throw new MillraceError("FORBIDDEN", "A page of another origin may not ask this.");
}

function readTicket(incoming: IncomingMessage): string | undefined {
  const names = (incoming.headers["sec-websocket-protocol"] ?? "").split(",");
  return names
    .map((name) => name.trim())
    .find((name) => name.startsWith(TICKET_PROTOCOL_PREFIX))
    ?.slice(TICKET_PROTOCOL_PREFIX.length);
}
