// `serve(mill)`: the API over a port or a Unix socket, and `handler(mill)`: the same inside somebody else's server.
// Neither starts a worker or a schedule, and neither closes the mill.

import type { IncomingMessage } from "node:http";
import { Access } from "../service/access/access.ts";
import {
  checkToken,
  findTokenFile,
  makePassingToken,
  readTokenFile,
} from "../service/access/token-file.ts";
import { busOf } from "../service/feed/open-bus.ts";
import { contextOf } from "../service/mill-context.ts";
import type { Millrace } from "../service/millrace.ts";
import { MillraceError } from "../model/errors.ts";
import type { Clock } from "../std/clock.ts";
import { silentLogger, type Logger } from "../std/logger.ts";
import { noteSecret } from "../std/redact.ts";
import { LoopDelay } from "../std/figures/loop-delay.ts";
import { readVersion } from "../std/version.ts";
import { ALL_ROUTES } from "./all-routes.ts";
import { makeApp, type App, type AppOptions } from "./app.ts";
import { toClientAddress } from "./client-address.ts";
import type { CompatibleOptions } from "./compatible/compatible-options.ts";
import type { HttpContext } from "./http-context.ts";
import { planListen, type ListenOptions, type ListenPlan } from "./listen-plan.ts";
import { registerLiveSockets } from "./live/live-socket.ts";
import { LoadShed, type DelaySource } from "./load-shed.ts";
import type { Route } from "./route.ts";
import { HttpServer, type ClientLimits } from "./server.ts";
import { Upgrades } from "./upgrades.ts";

/** How the API is offered. */
export interface HandlerOptions {
  /** Prefix of every path: `/millrace`. Default none. */
  readonly basePath?: string;
  /** The token of the role admin, 32 to 512 characters. Default: the one in `tokenFile`. */
  readonly token?: string;
  /** Where the token lies; made where there is none. Default: `token` beside the store; for a store in memory one that
   *  ends with the process. */
  readonly tokenFile?: string;
  /** Told what goes wrong inside. Default silent. */
  readonly logger?: Logger;
}

/** How `handler` is called besides. */
export interface MountOptions extends HandlerOptions {
  /** Names it answers to, as a Host header says them. Default: those of this machine for itself, at any port. */
  readonly hosts?: readonly string[];
  /** Reached by TLS: then its cookie is for TLS alone. Default false. */
  readonly isSecure?: boolean;
}

/** How the server is started. */
export interface ServeOptions extends HandlerOptions, ListenOptions {
  /** Times that slow clients are given. */
  readonly clients?: ClientLimits;
  /** Time that requests have to end when the server stops, ms. Default 3 s. */
  readonly stopMs?: number;
  /** Also offers the API of an older system, over this pipeline and schedule. Default: it does not. */
  readonly compatible?: CompatibleOptions;
}

/** A server that listens. */
export interface RunningServer {
  /** Where it is: `http://127.0.0.1:4400`, with its prefix, without a slash at its end. */
  readonly url: string;
  /** 0 on a Unix socket. */
  readonly port: number;
  /** The token of the role admin. Secret. */
  readonly token: string;
  /** An address that signs a browser in, once and within 60 s. Secret. */
  makeSignInUrl(): string;
  /** From now on it says that it takes no work; requests are still answered. */
  beginStop(): void;
  /** Answers what is under way, closes everything. The mill stays open. Safe to repeat. */
  stop(): Promise<void>;
}

/** Time that requests have to end when the server stops, ms. */
const STOP_MS_DEFAULT = 3_000;

/**
 * Offers the API of a mill. SERVER_UNSAFE where others could listen in, PORT_IN_USE, TOKEN_FILE_UNSAFE, OPTION_INVALID;
 * PIPELINE_UNKNOWN, SCHEDULE_UNKNOWN for what `compatible` names.
 */
export async function serve(mill: Millrace, options: ServeOptions = {}): Promise<RunningServer> {
  return await startServer(mill, options, {});
}

/** What is offered besides the API. */
export interface ServerExtras {
  /** Default none. */
  readonly routes?: readonly Route[];
  /** Registers sockets. Default none. */
  readonly sockets?: (upgrades: Upgrades) => void;
  /** How late the event loop is. Default: as measured. */
  readonly delays?: DelaySource;
}

/** `serve`, with routes and sockets besides those of the API. */
export async function startServer(
  mill: Millrace,
  options: ServeOptions,
  extras: ServerExtras,
): Promise<RunningServer> {
  const plan = planListen(options);
  const { compatible } = options;
  const older = compatible === undefined ? [] : await openOlder(mill, compatible);
  const { http, token, stop, beginStop } = openHttp(mill, options, plan.isSecure);
  const shed = new LoadShed(http.clock, extras.delays ?? new LoopDelay());
  const terms = makeTerms(options, plan, shed);
  const upgrades = new Upgrades(http);
  registerLiveSockets(upgrades, http, { compatible: compatible !== undefined });
  extras.sockets?.(upgrades);
  const server = new HttpServer({
    app: makeApp(http, [...ALL_ROUTES, ...older, ...(extras.routes ?? [])], terms),
    clock: http.clock,
    listen: options,
    plan,
    upgrades,
    upgradeTerms: {
      origin: terms,
      logger: terms.logger,
      isOverloaded: () => shed.isOverloaded(),
      addressOf: (incoming) => addressOf(incoming, options),
    },
    ...(options.clients === undefined ? {} : { limits: options.clients }),
  });
  try {
    await server.listen();
  } catch (error) {
    shed.close();
    throw error;
  }
  terms.bind(server.port);
  const url = toUrl(options, plan, server.port);
  return {
    url,
    port: server.port,
    token,
    makeSignInUrl: () => `${url}/#t=${http.access.makeLoginTicket()}`,
    beginStop,
    stop: async () => {
      stop();
      await server.stop(options.stopMs ?? STOP_MS_DEFAULT);
      shed.close();
    },
  };
}

/** Most servers never load it. */
async function openOlder(mill: Millrace, options: CompatibleOptions): Promise<readonly Route[]> {
  const { openCompatibleApi } = await import("./compatible/compatible-api.ts");
  return await openCompatibleApi(mill, options);
}

/** The API as a function from Request to Response. TOKEN_FILE_UNSAFE, OPTION_INVALID. */
export function handler(
  mill: Millrace,
  options: MountOptions = {},
): (request: Request) => Promise<Response> {
  const { http } = openHttp(mill, options, options.isSecure === true);
  const hosts = options.hosts?.map((host) => host.toLowerCase());
  const app: App = makeApp(http, ALL_ROUTES, {
    hosts: hosts === undefined ? null : new Set(hosts),
    ...(options.logger === undefined ? {} : { logger: options.logger }),
  });
  return async (request) => await app.fetch(request);
}

interface OpenHttp {
  readonly http: HttpContext;
  readonly token: string;
  readonly beginStop: () => void;
  readonly stop: () => void;
}

function openHttp(mill: Millrace, options: HandlerOptions, isSecure: boolean): OpenHttp {
  const context = contextOf(mill);
  const clock: Clock = context.world.clock;
  const token = takeToken(context.store.url, options);
  const stopping = new AbortController();
  let isStopping = false;
  const http: HttpContext = {
    mill,
    bus: busOf(context),
    clock,
    access: new Access(mill, { token, clock }),
    basePath: checkBasePath(options.basePath ?? ""),
    isSecure,
    version: readVersion(),
    startedAtMs: clock.wallMs(),
    isStopping: () => isStopping,
    stopSignal: stopping.signal,
  };
  const beginStop = (): void => {
    isStopping = true;
  };
  const stop = (): void => {
    beginStop();
    stopping.abort();
  };
  return { http, token, beginStop, stop };
}

function takeToken(storeUrl: string, options: HandlerOptions): string {
  const token = findToken(storeUrl, options);
  // Stages run in this process and may come across it: it is kept out of what they say.
  noteSecret("server-token", token);
  return token;
}

function findToken(storeUrl: string, { token, tokenFile }: HandlerOptions): string {
  if (token !== undefined) return checkToken(token);
  const path = tokenFile ?? findTokenFile(storeUrl);
  return path === undefined ? makePassingToken() : readTokenFile(path);
}

function checkBasePath(basePath: string): string {
  if (/^(?:\/[A-Za-z0-9][A-Za-z0-9._-]*)*$/.test(basePath)) return basePath;
  throw new MillraceError("OPTION_INVALID", `"${basePath}" is no prefix of paths.`, {
    hint: 'like "/millrace": a slash before each part, none at the end',
  });
}

/** The app's options, and what a Host may say: known once the port is. */
interface ServeTerms extends AppOptions {
  readonly hosts: ReadonlySet<string>;
  readonly isSecure: boolean;
  readonly logger: Logger;
  readonly bind: (port: number) => void;
}

function makeTerms(options: ServeOptions, plan: ListenPlan, shed: LoadShed): ServeTerms {
  let hosts: ReadonlySet<string> = plan.hostsAt(plan.port);
  return {
    get hosts() {
      return hosts;
    },
    isSecure: plan.isSecure,
    hasTls: options.tls !== undefined,
    logger: options.logger ?? silentLogger,
    isOverloaded: () => shed.isOverloaded(),
    addressOf: (request, connection) =>
      toClientAddress(
        connection,
        request.headers.get("x-forwarded-for"),
        options.behindProxy === true,
      ),
    bind: (port) => {
      hosts = plan.hostsAt(port);
    },
  };
}

function addressOf(incoming: IncomingMessage, { behindProxy }: ServeOptions): string {
  const header = incoming.headers["x-forwarded-for"];
  const text = Array.isArray(header) ? header.join(",") : (header ?? null);
  return toClientAddress(incoming.socket.remoteAddress ?? "", text, behindProxy === true);
}

function toUrl(options: ServeOptions, plan: ListenPlan, port: number): string {
  const { socketPath, tls, hosts = [], basePath = "" } = options;
  if (socketPath !== undefined) return `unix:${socketPath}`;
  const [name] = hosts;
  // Reached by TLS, people come by the name that the certificate has, the server's or the proxy's.
  if (plan.isSecure && name !== undefined) return `https://${name}${basePath}`;
  return `${tls === undefined ? "http" : "https"}://${plan.shownHost}:${port}${basePath}`;
}
