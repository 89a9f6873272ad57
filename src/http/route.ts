// A route: what it is called by, who may call it, what it takes and gives, and what answers. The policy is a field
// without a default, so that a route that forgot it does not compile; no middleware decides about access.

import type { IncomingMessage, ServerResponse } from "node:http";
import type { Context } from "hono";
import type * as z from "zod";
import type { Identity, Role } from "../service/access/identity.ts";
import type { Answer } from "./answers/text-answer.ts";
import type { HttpContext } from "./http-context.ts";

/** Methods of routes. HEAD is answered by GET. */
export const METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"] as const;

/** Method of a route. */
export type HttpMethod = (typeof METHODS)[number];

/** Who may call: `public` needs no credentials; the rest are roles, each of which includes the one before. */
export type RouteAccess = "public" | Role;

/** What a handler gets: its parts are parsed and checked. */
export interface RouteRequest<Params, Query, Body> {
  readonly params: Params;
  readonly query: Query;
  readonly body: Body;
  /** For what is none of these: headers, the raw stream. */
  readonly context: Context<HttpEnv>;
  readonly http: HttpContext;
  /** Who asks, for events and audit: `token:ci`, `session:admin`. */
  readonly actor: string;
  /** With an `Idempotency-Key`: the id for the run that this request makes, however often it is sent. */
  readonly runId?: string;
}

/** What the guards put into Hono's context, and what the server gives them. */
export interface HttpEnv {
  readonly Variables: { requestId: string; address: string; caller: Caller | null };
  /** Both are absent where the app is called without a server. */
  readonly Bindings: { readonly incoming?: IncomingMessage; readonly outgoing?: ServerResponse };
}

/** Who asks. */
export interface Caller extends Identity {
  /** How it was known: cookies need the checks against foreign pages. */
  readonly via: "bearer" | "cookie";
}

/** An answer that is JSON. `json` becomes the body as it is. */
export interface JsonAnswer<Result> {
  readonly status?: 200 | 201 | 202;
  readonly json: Result;
  readonly headers?: Readonly<Record<string, string>>;
}

/** What a handler answers: JSON, or other texts, streams, files and pages. */
export type RouteAnswer<Result> = JsonAnswer<Result> | Answer;

/** A route with its types; `defineRoute` infers them. */
export interface RouteSpec<Params, Query, Body, Result> {
  readonly method: HttpMethod;
  /** With braces: `/api/v1/runs/{run}`. */
  readonly path: string;
  readonly access: RouteAccess;
  /** One line for the reference. */
  readonly summary: string;
  /** Heading of the reference it stands under: `runs`, `schedules`. */
  readonly tag: string;
  readonly params?: z.ZodType<Params>;
  readonly query?: z.ZodType<Query>;
  /** Undefined: it takes no body, and one that comes is refused. */
  readonly body?: z.ZodType<Body>;
  /** Bytes of the body at most. Default 1 MiB. */
  readonly bodyBytesMax?: number;
  /** Content type of the body. Default `application/json`. */
  readonly bodyType?: "application/json" | "application/jsonl" | "text/csv";
  /** What it answers, for the reference; undefined: no JSON. */
  readonly result?: z.ZodType<Result>;
  /** Honours `Idempotency-Key`. Default: true for POST, else false. */
  readonly idempotent?: boolean;
  /** Answers with an ETag and 304. Default false. */
  readonly etag?: boolean;
  /** Of a GET whose JSON rests on the store, the address and the time alone, whoever asks: it is given again while the
   *  store is not written, for a second at most. Default false. */
  readonly kept?: boolean;
  /** Sheds last under load: cancels, health. Default false. */
  readonly control?: boolean;
  handle(
    request: RouteRequest<Params, Query, Body>,
  ): Promise<RouteAnswer<Result>> | RouteAnswer<Result>;
}

/** A route among others, whatever its types. */
export type Route = RouteSpec<never, never, never, unknown>;

/** Gives a route its types. */
export function defineRoute<Params = unknown, Query = unknown, Body = unknown, Result = unknown>(
  spec: RouteSpec<Params, Query, Body, Result>,
): Route {
  // Its handler is called with what its own schemas gave, and with nothing else.
  return spec as unknown as Route;
}
