// Sockets: a request to upgrade passes the same guards as any other, in the same order, before whoever registered its
// path gets the connection. A browser may open one to anywhere, so the Origin is asked for, exactly.

import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { MillraceError } from "../model/errors.ts";
import type { Logger } from "../std/logger.ts";
import { authenticate, stillGood, requireRole, unauthenticated } from "./guards/credentials.ts";
import { isAllowedOrigin, type OriginTerms } from "./guards/request-origin.ts";
import { readQuery } from "./guards/request-parts.ts";
import type { HttpContext } from "./http-context.ts";
import { checkRaw, refusalText } from "./raw-guard.ts";
import { parseTarget, type RequestTarget } from "./request-path.ts";
import type { Caller, RouteAccess } from "./route.ts";
import { nameIn, piecesOf } from "./route-table.ts";

/** A connection that may become a socket: everything about it was checked. */
export interface SocketRequest {
  readonly incoming: IncomingMessage;
  readonly socket: Duplex;
  readonly head: Buffer;
  readonly caller: Caller;
  readonly query: Readonly<Record<string, string | readonly string[]>>;
  /** By the names in braces of the path. */
  readonly params: Readonly<Record<string, string>>;
  /** Whether the caller may still be here; ask every minute while it is open. */
  isStillGood(): Promise<boolean>;
}

/** As it came from the server. */
type Connection = Pick<SocketRequest, "incoming" | "socket" | "head">;

/** Takes a connection over. */
export type SocketHandler = (request: SocketRequest) => void;

/** Sub-protocol that a client names; the one besides it may carry a ticket. */
export const SOCKET_PROTOCOL = "millrace.v1";

/** What stands before a ticket in the list of sub-protocols. */
const TICKET_PROTOCOL_PREFIX = "millrace.ticket.";

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

  /** Opens a path, without its prefix, to whoever has the role. Parts of it may be names in braces. */
  register(path: string, access: Exclude<RouteAccess, "public">, open: SocketHandler): void {
    this.#routes.set(path, { access, open });
  }

  /** The paths with their policies, for who checks them all. */
  list(): readonly { readonly path: string; readonly access: RouteAccess }[] {
    return [...this.#routes].map(([path, { access }]) => ({ path, access }));
  }

  /** Judges a request to upgrade; refused ones are answered and closed. */
  async take(connection: Connection, terms: UpgradeTerms): Promise<void> {
    const { incoming, socket } = connection;
    const onError = (): void => {
      socket.destroy();
    };
    socket.on("error", onError);
    try {
      const { route, ...passed } = await this.#pass(incoming, terms);
      socket.off("error", onError);
      route.open({ ...connection, ...passed });
    } catch (error) {
      terms.logger.debug("A socket was refused.", { error });
      socket.end(refusalText(error));
    }
  }

  async #pass(
    incoming: IncomingMessage,
    terms: UpgradeTerms,
  ): Promise<Omit<SocketRequest, keyof Connection> & { readonly route: SocketRoute }> {
    checkRaw(incoming, terms.origin);
    if (incoming.method !== "GET") {
      throw new MillraceError("METHOD_NOT_ALLOWED", "Only GET becomes a socket.", {
        details: { allowed: ["GET"] },
      });
    }
    const { segments, query } = this.#readTarget(incoming);
    const found = this.#find(segments);
    if (terms.isOverloaded()) throw new MillraceError("UNAVAILABLE", "The server is overloaded.");
    const { caller, isStillGood } = await this.#identify(incoming, terms);
    if (found === undefined) {
      throw new MillraceError("ROUTE_NOT_FOUND", "There is no such socket.");
    }
    const { route, params } = found;
    requireRole(caller, route.access);
    checkSocketOrigin(incoming, caller, terms.origin);
    return { route, caller, params, query: readQuery(query), isStillGood };
  }

  /** Piece by piece: a slash that was written in percent signs is no slash. */
  #find(
    segments: readonly string[],
  ): { readonly route: SocketRoute; readonly params: SocketRequest["params"] } | undefined {
    for (const [path, route] of this.#routes) {
      const params = matchPath(path, segments);
      if (params !== undefined) return { route, params };
    }
    return undefined;
  }

  #readTarget(incoming: IncomingMessage): RequestTarget {
    const { basePath } = this.#http;
    const whole = incoming.url ?? "";
    const parsed = parseTarget(
      whole.startsWith(`${basePath}/`) ? whole.slice(basePath.length) : "/",
    );
    if (!parsed.ok) throw new MillraceError("REQUEST_INVALID", parsed.error);
    return parsed.value;
  }

  async #identify(
    incoming: IncomingMessage,
    { addressOf }: UpgradeTerms,
  ): Promise<Pick<SocketRequest, "caller" | "isStillGood">> {
    const { access } = this.#http;
    const ticket = readTicket(incoming);
    if (ticket !== undefined) {
      const holder = await access.redeemSocket(ticket);
      if (holder === null) throw unauthenticated("The ticket is unknown, used or too old.");
      const caller: Caller = { ...holder.identity, via: "cookie" };
      return { caller, isStillGood: () => holder.isStillGood() };
    }
    const headers = new Headers();
    for (const name of ["authorization", "cookie"] as const) {
      const value = incoming.headers[name];
      if (value !== undefined) headers.set(name, value);
    }
    const caller = await authenticate(headers, addressOf(incoming), this.#http);
    if (caller === null)
      throw unauthenticated("No token, session or ticket came with the request.");
    return { caller, isStillGood: stillGood(caller, headers.get("cookie"), this.#http) };
  }
}

/** What the names in braces of a path stand for; undefined: it is another path. */
function matchPath(
  path: string,
  segments: readonly string[],
): Readonly<Record<string, string>> | undefined {
  const pieces = piecesOf(path);
  if (pieces.length !== segments.length) return undefined;
  const params: Record<string, string> = {};
  for (const [index, piece] of pieces.entries()) {
    const segment = segments[index] ?? "";
    const name = nameIn(piece);
    if (name === undefined && piece !== segment) return undefined;
    if (name !== undefined) params[name] = segment;
  }
  return params;
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
