// The app over a mill of its own, without a port: requests are handed in, answers come back. Also what a caller of it
// says: a bearer token of each role.

import { onTestFinished } from "vitest";
import { makeApp, type App, type AppOptions } from "../../src/http/app.ts";
import type { HttpContext } from "../../src/http/http-context.ts";
import type { Route } from "../../src/http/route.ts";
import { Access } from "../../src/service/access/access.ts";
import type { Role } from "../../src/service/access/identity.ts";
import { createToken } from "../../src/service/access/tokens.ts";
import type { EventBus } from "../../src/service/feed/event-bus.ts";
import { openMillrace, type Millrace } from "../../src/service/millrace.ts";
import type { OpenOptions } from "../../src/service/mill/open-options.ts";
import { systemClock, type Clock } from "../../src/std/clock.ts";
import type { SomePipeline } from "./durable/durable-world.ts";

export interface HttpWorld {
  readonly mill: Millrace;
  readonly app: App;
  readonly http: HttpContext;
  /** The token of the role admin that needs no record. */
  readonly token: string;
  /** A token of that role, made on first use. */
  readonly tokenOf: (role: Role) => Promise<string>;
  /** Asks with the admin's token unless `init` brings headers of its own. A body is sent as JSON. */
  readonly ask: (method: string, path: string, init?: AskOptions) => Promise<Answer>;
}

export interface AskOptions {
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** Null: without credentials. */
  readonly token?: string | null;
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  /** Parsed JSON; undefined where there is none. */
  readonly json: unknown;
  readonly text: string;
}

export interface HttpWorldOptions {
  readonly pipelines?: readonly SomePipeline[];
  readonly open?: Partial<OpenOptions>;
  readonly clock?: Clock;
  readonly app?: AppOptions;
  readonly http?: Partial<HttpContext>;
}

/** Opens it over a memory store unless `open` names another. Closed with the test. */
export async function makeHttpWorld(
  routes: readonly Route[],
  options: HttpWorldOptions = {},
): Promise<HttpWorld> {
  const clock = options.clock ?? systemClock;
  const mill = await openMillrace({
    store: "memory:",
    pipelines: options.pipelines ?? [],
    clock,
    graceMs: 50,
    ...options.open,
  });
  onTestFinished(() => mill.close({ drainMs: 0 }));
  const token = "t".repeat(43);
  const access = new Access(mill, { token, clock });
  const http: HttpContext = {
    mill,
    bus: quietBus,
    clock,
    access,
    basePath: "",
    isSecure: false,
    version: "0.0.0-test",
    startedAtMs: clock.wallMs(),
    isStopping: () => false,
    stopSignal: new AbortController().signal,
    ...options.http,
  };
  const app = makeApp(http, routes, options.app);
  const tokens = new Map<Role, Promise<string>>();
  return {
    mill,
    app,
    http,
    token,
    tokenOf: (role) => {
      const made =
        tokens.get(role) ??
        createToken(mill, { name: role, role }).then((created) => created.token);
      tokens.set(role, made);
      return made;
    },
    ask: (method, path, init = {}) => ask(app, { method, path, fallback: token, ...init }),
  };
}

async function ask(
  app: App,
  {
    method,
    path,
    body,
    headers = {},
    token,
    fallback,
  }: AskOptions & { readonly method: string; readonly path: string; readonly fallback: string },
): Promise<Answer> {
  const bearer = token === undefined ? fallback : token;
  const response = await app.request(path, {
    method,
    headers: {
      ...(bearer === null ? {} : { authorization: `Bearer ${bearer}` }),
      ...(body === undefined ? {} : { "content-type": "application/json" }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  const isJson = response.headers.get("content-type") === "application/json";
  const json: unknown = isJson && text !== "" ? JSON.parse(text) : undefined;
  return { status: response.status, headers: response.headers, json, text };
}

/** For tests that hear nothing. */
const quietBus: EventBus = {
  async *subscribe() {},
  recent: () => [],
  lastSeq: 0,
  subscriberCount: 0,
  publish: () => undefined,
  close: () => Promise.resolve(),
};
