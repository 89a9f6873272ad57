// The server: one or two listeners with the limits that slow and many clients meet, the guards that need the raw
// bytes, upgrades, and a stop that lets what is being answered end.

import { getRequestListener, RequestError } from "@hono/node-server";
import { chmodSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { Duplex } from "node:stream";
import { HTTP_HEADERS_MS_DEFAULT, HTTP_IDLE_MS_DEFAULT } from "../model/defaults.ts";
import { MillraceError } from "../model/errors.ts";
import { HTTP_CONNECTIONS_MAX, HTTP_HEADER_BYTES_MAX } from "../model/limits.ts";
import type { Clock } from "../std/clock.ts";
import { jsonAnswer, toErrorAnswer } from "./answers/answer.ts";
import { toResponse } from "./answers/text-answer.ts";
import type { App } from "./app.ts";
import { bindServer } from "./bind-server.ts";
import type { OriginTerms } from "./guards/request-origin.ts";
import type { ListenOptions, ListenPlan } from "./listen-plan.ts";
import { checkRaw, refusalText } from "./raw-guard.ts";
import { NOT_PLAIN } from "./request-path.ts";
import type { UpgradeTerms, Upgrades } from "./upgrades.ts";

/** Times of clients, ms. */
export interface ClientLimits {
  /** For the headers of a request. Default HTTP_HEADERS_MS_DEFAULT. */
  readonly headersMs?: number;
  /** Silence of a connection. Default HTTP_IDLE_MS_DEFAULT. */
  readonly idleMs?: number;
}

/** What the server is made of. */
export interface ServerParts {
  readonly app: App;
  readonly clock: Clock;
  readonly listen: ListenOptions;
  readonly plan: ListenPlan;
  readonly upgrades: Upgrades;
  /** Known once the port is. */
  readonly upgradeTerms: UpgradeTerms;
  readonly limits?: ClientLimits;
}

/** Longest time one request may take to arrive, ms: a file of runs over a slow line. What stands still is closed
 *  long before. */
const REQUEST_MS_MAX = 600_000;

/** How often connections are looked at, ms. */
const CHECK_MS = 1_000;

/** A server that listens, or did. */
export class HttpServer {
  readonly #parts: ServerParts;
  readonly #servers: Server[] = [];
  readonly #sockets: Set<Duplex> = new Set();
  #stopping: Promise<void> | undefined;
  #port: number = 0;

  constructor(parts: ServerParts) {
    this.#parts = parts;
  }

  /** The port it listens on; 0 before that, and on a Unix socket. */
  get port(): number {
    return this.#port;
  }

  /** Begins to listen. PORT_IN_USE, OPTION_INVALID. */
  async listen(): Promise<void> {
    const { listen, plan } = this.#parts;
    if (listen.socketPath !== undefined) {
      await bindServer(this.#make(), { path: listen.socketPath });
      chmodSync(listen.socketPath, 0o600);
      return;
    }
    const [first = "127.0.0.1", ...others] = plan.addresses;
    try {
      this.#port = await bindServer(this.#make(), { host: first, port: plan.port });
      for (const host of others) {
        await bindServer(this.#make(), { host, port: this.#port, isOptional: true });
      }
    } catch (error) {
      await this.stop(0);
      throw error;
    }
  }

  /** Takes no more connections, lets requests end for so long, then closes what is left. Safe to repeat. */
  stop(graceMs: number): Promise<void> {
    this.#stopping ??= this.#stop(graceMs);
    return this.#stopping;
  }

  async #stop(graceMs: number): Promise<void> {
    const timer = this.#parts.clock.setTimer(graceMs, () => this.#closeAll());
    await Promise.all(this.#servers.map(closeServer));
    this.#closeAll();
    timer.cancel();
  }

  #closeAll(): void {
    for (const server of this.#servers) server.closeAllConnections();
    for (const socket of this.#sockets) socket.destroy();
  }

  #make(): Server {
    const { listen, limits = {} } = this.#parts;
    const options = {
      maxHeaderSize: HTTP_HEADER_BYTES_MAX,
      headersTimeout: limits.headersMs ?? HTTP_HEADERS_MS_DEFAULT,
      requestTimeout: REQUEST_MS_MAX,
      keepAliveTimeout: limits.idleMs ?? HTTP_IDLE_MS_DEFAULT,
      connectionsCheckingInterval: Math.min(CHECK_MS, limits.headersMs ?? CHECK_MS),
      // Judged by ourselves, so that a missing Host is refused as a foreign one is.
      requireHostHeader: false,
      shouldUpgradeCallback: isWebSocket,
    };
    const server =
      listen.tls === undefined
        ? createServer(options)
        : createTlsServer({ ...options, ...listen.tls, minVersion: "TLSv1.2" });
    server.maxConnections = HTTP_CONNECTIONS_MAX;
    server.setTimeout(limits.idleMs ?? HTTP_IDLE_MS_DEFAULT);
    this.#wire(server);
    this.#servers.push(server);
    return server;
  }

  #wire(server: Server): void {
    const { app, clock, upgrades, upgradeTerms } = this.#parts;
    const answer = getRequestListener((request, env) => app.fetch(request, { ...env }), {
      overrideGlobalObjects: false,
      errorHandler: refuseTarget,
    });
    // A connection that falls idle after the stop has begun is one that nobody closes by itself.
    const closeIdle = (): void => {
      if (this.#stopping !== undefined) clock.defer(() => server.closeIdleConnections());
    };
    server.on("request", (incoming: IncomingMessage, outgoing: ServerResponse) => {
      outgoing.once("close", closeIdle);
      if (!isRefused(incoming, outgoing, upgradeTerms.origin)) void answer(incoming, outgoing);
    });
    server.on("upgrade", (incoming: IncomingMessage, socket: Duplex, head: Buffer) => {
      this.#sockets.add(socket);
      socket.once("close", () => this.#sockets.delete(socket));
      void upgrades.take({ incoming, socket, head }, upgradeTerms);
    });
  }
}

function isWebSocket({ headers }: IncomingMessage): boolean {
  return headers.upgrade?.toLowerCase() === "websocket";
}

/** Refuses what the parts behind could not read, or would read otherwise. */
function isRefused(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  terms: OriginTerms,
): boolean {
  try {
    checkRaw(incoming, terms);
    return false;
  } catch (error) {
    incoming.socket.end(refusalText(error));
    outgoing.destroy();
    return true;
  }
}

/** An address of which no Request can be made. Anything else is answered by the app. */
function refuseTarget(error: unknown): Response {
  const fault =
    error instanceof RequestError ? new MillraceError("REQUEST_INVALID", NOT_PLAIN) : error;
  const { status, body, headers } = toErrorAnswer(fault);
  const answer = jsonAnswer(JSON.stringify(body), status, headers);
  return toResponse(answer, Object.entries(answer.headers).flat());
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    // The only fault there is says that it was not listening.
    server.close(() => resolve());
    server.closeIdleConnections();
  });
}
