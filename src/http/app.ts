// The app: one route table, and one line of guards that every request passes in the same order: its address, its Host,
// its method, its route, who asks and with what role, where it comes from, and what it carries. No route is reached
// past it, whatever the path: Hono only carries the request.

import { Hono, type Context } from "hono";
import { MillraceError } from "../model/errors.ts";
import { Replies } from "../service/access/replies.ts";
import { assert } from "../std/error/assert.ts";
import { makeIdSource } from "../std/id.ts";
import { silentLogger, type Logger } from "../std/logger.ts";
import { systemRandom } from "../std/random.ts";
import { jsonAnswer, toErrorAnswer } from "./answers/answer.ts";
import { finishAnswer, isJsonAnswer, toTaggedText, toTextAnswer } from "./answers/finish-answer.ts";
import { KeptTexts } from "./answers/kept-texts.ts";
import type { Answer } from "./answers/text-answer.ts";
import { authenticate, requireRole } from "./guards/credentials.ts";
import { answerOnce, readIdempotencyKey } from "./guards/idempotency.ts";
import { readBody, takesStream } from "./guards/request-body.ts";
import { checkHost, checkOrigin } from "./guards/request-origin.ts";
import { parsePart, readQuery, refuseQuery } from "./guards/request-parts.ts";
import type { HttpContext } from "./http-context.ts";
import { parseTarget, type RequestTarget } from "./request-path.ts";
import { METHODS, type HttpEnv, type Route } from "./route.ts";
import { makeRouteTable, type RoutePlace, type RouteTable } from "./route-table.ts";

/** How the app is made. */
export interface AppOptions {
  /** `host:port` in lower case, as a Host header says it. Default null: any name of this machine, with any port. */
  readonly hosts?: ReadonlySet<string> | null;
  /** TLS of our own, and not of a proxy. Default false. */
  readonly hasTls?: boolean;
  /** The address a request comes from. Default: that of its connection. */
  readonly addressOf?: (request: Request, connection: string) => string;
  /** Whether only what controls work is answered at the moment. Default: never. */
  readonly isOverloaded?: () => boolean;
  /** Told what nobody outside is told. Default silent. */
  readonly logger?: Logger;
  /** Time for a whole body, or between two pieces of a stream, ms. Default HTTP_BODY_MS_DEFAULT. */
  readonly bodyMs?: number;
}

/** When what was shed may come again, ms. */
const SHED_RETRY_MS = 5_000;

/** Answers requests. `request` is for tests: it takes a path. */
export type App = Hono<HttpEnv>;

/** Makes the app of a route table. */
export function makeApp(
  http: HttpContext,
  routes: readonly Route[],
  options: AppOptions = {},
): App {
  const line = new GuardLine(http, routes, options);
  // One handler for every path, so that Hono reads none: ours is read once, by the guards.
  const app = new Hono<HttpEnv>({ getPath: () => "/" });
  app.all("/", (context) => line.answer(context));
  return app;
}

/** A request on its way. */
interface Passage {
  readonly context: Context<HttpEnv>;
  readonly target: RequestTarget;
  readonly route: Route;
  readonly place: RoutePlace;
}

class GuardLine {
  readonly #http: HttpContext;
  readonly #table: RouteTable;
  readonly #options: AppOptions;
  readonly #logger: Logger;
  readonly #nextId: () => string;
  readonly #replies: Replies;
  readonly #kept: KeptTexts;

  constructor(http: HttpContext, routes: readonly Route[], options: AppOptions) {
    this.#http = http;
    this.#table = makeRouteTable(routes);
    this.#options = options;
    this.#logger = options.logger ?? silentLogger;
    this.#nextId = makeIdSource(http.clock, systemRandom);
    this.#replies = new Replies(http.mill);
    this.#kept = new KeptTexts(http.mill.store);
  }

  async answer(context: Context<HttpEnv>): Promise<Response> {
    const requestId = this.#nextId();
    context.set("requestId", requestId);
    context.set("caller", null);
    context.set("address", this.#addressOf(context));
    const answer = await this.#pass(context).catch((error: unknown) =>
      this.#refuse(context, error),
    );
    return finishAnswer(answer, {
      requestId,
      isHead: context.req.method === "HEAD",
      hasTls: this.#options.hasTls === true,
      outgoing: context.env?.outgoing,
    });
  }

  async #pass(context: Context<HttpEnv>): Promise<Answer> {
    const target = this.#readTarget(context);
    checkHost(hostOf(context), this.#originTerms);
    const method = this.#readMethod(context);
    const place = this.#table.find(target.segments);
    const route = place?.routes.get(method);
    this.#shed(route);
    if (place === undefined || route === undefined) return await this.#refusePlace(context, place);
    if (route.access !== "public") requireRole(await this.#authenticate(context), route.access);
    checkOrigin(context.req.raw, context.get("caller"), this.#originTerms);
    return await this.#call({ context, target, route, place });
  }

  /** The address is read only where no text of it holds. */
  async #answerKept(passage: Passage): Promise<Answer> {
    const { context, route } = passage;
    const text = await this.#kept.get(targetOf(context), async () => {
      const parts = readParts(passage, undefined);
      const answer = await route.handle({ ...parts, context, http: this.#http, actor: "nobody" });
      assert(isJsonAnswer(answer), "What is kept is JSON.");
      return toTaggedText(answer, route);
    });
    return toTextAnswer(text, context.req.raw);
  }

  #readTarget(context: Context<HttpEnv>): RequestTarget {
    const { basePath } = this.#http;
    const whole = targetOf(context);
    const isInside = whole.startsWith(basePath) && /^[/?]|^$/.test(whole.slice(basePath.length));
    const rest = isInside ? whole.slice(basePath.length) : "/";
    const parsed = parseTarget(rest.startsWith("/") ? rest : `/${rest}`);
    if (!parsed.ok) throw new MillraceError("REQUEST_INVALID", parsed.error);
    // What lies outside of our prefix is nowhere: a segment that no route has.
    return isInside ? parsed.value : { segments: [""], query: "" };
  }

  #readMethod({ req }: Context<HttpEnv>): string {
    const method = req.method === "HEAD" ? "GET" : req.method;
    if (METHODS.some((known) => known === method)) return method;
    throw new MillraceError("METHOD_NOT_ALLOWED", "No route knows this method.", {
      details: { allowed: [...METHODS] },
    });
  }

  /** Who is not known learns of a path only that it is not for them. */
  async #refusePlace(context: Context<HttpEnv>, place: RoutePlace | undefined): Promise<never> {
    const routes = [...(place?.routes.values() ?? [])];
    if (!routes.some(({ access }) => access === "public")) {
      requireRole(await this.#authenticate(context), "read");
    }
    if (routes.length === 0) {
      throw new MillraceError("ROUTE_NOT_FOUND", "There is no such route.", {
        hint: `GET ${this.#http.basePath}/api lists them`,
      });
    }
    throw new MillraceError("METHOD_NOT_ALLOWED", "This route does not know the method.", {
      details: { allowed: routes.map(({ method }) => method).toSorted() },
    });
  }

  async #authenticate(context: Context<HttpEnv>): ReturnType<typeof authenticate> {
    const caller = await authenticate(context.req.raw.headers, context.get("address"), this.#http);
    context.set("caller", caller);
    return caller;
  }

  async #call(passage: Passage): Promise<Answer> {
    const { context, target, route, place } = passage;
    const { raw } = context.req;
    const key = readIdempotencyKey(raw.headers, route);
    let streamFault: MillraceError | undefined;
    const body = await readBody(raw, route, {
      clock: this.#http.clock,
      ...pickBodyMs(this.#options),
      onStreamFault: (fault) => {
        streamFault = fault;
      },
    });
    if (route.kept === true) return await this.#answerKept(passage);
    if (takesStream(route)) context.req.raw = withBody(raw, body);
    const parts = readParts(passage, body);
    const caller = context.get("caller");
    const work = async (runId?: string): Promise<Answer> => {
      const request = {
        ...parts,
        context,
        http: this.#http,
        actor: caller?.actor ?? "nobody",
        ...(runId === undefined ? {} : { runId }),
      };
      try {
        const answer = await route.handle(request);
        return isJsonAnswer(answer) ? toTextAnswer(toTaggedText(answer, route), raw) : answer;
      } catch (error) {
        throw streamFault ?? error;
      }
    };
    if (key === undefined || caller === null) return await work();
    const asked = { params: place.params, query: readQuery(target.query), body: body ?? null };
    return await answerOnce(this.#replies, { key, caller, route, asked }, work);
  }

  /** What ends or judges work goes on under load; all else comes again. */
  #shed(route: Route | undefined): void {
    if (route?.control === true || this.#options.isOverloaded?.() !== true) return;
    throw new MillraceError("UNAVAILABLE", "The server is overloaded.", {
      retryable: true,
      details: { retryAfterMs: SHED_RETRY_MS },
    });
  }

  #refuse(context: Context<HttpEnv>, error: unknown): Answer {
    const { status, headers, body } = toErrorAnswer(error);
    if (status >= 500) {
      this.#logger.error("A request could not be answered.", {
        requestId: context.get("requestId"),
        error,
      });
    }
    return jsonAnswer(JSON.stringify(body), status, headers);
  }

  get #originTerms(): Parameters<typeof checkHost>[1] {
    return { hosts: this.#options.hosts ?? null, isSecure: this.#http.isSecure };
  }

  #addressOf(context: Context<HttpEnv>): string {
    const connection = context.env?.incoming?.socket.remoteAddress ?? "";
    return this.#options.addressOf?.(context.req.raw, connection) ?? connection;
  }
}

/** What the route takes of the address and the body, parsed. */
function readParts(
  { route, place, target }: Passage,
  body: unknown,
): Record<"params" | "query" | "body", never> {
  const query = readQuery(target.query);
  if (route.query === undefined) refuseQuery(query);
  return {
    params: parse(route.params, place.params, "path"),
    query: parse(route.query, query, "query"),
    body: parse(route.body, body, "body"),
  };
}

function parse(
  schema: Route["params"],
  value: unknown,
  part: Parameters<typeof parsePart>[2],
): never {
  if (schema !== undefined) return parsePart(schema, value, part);
  const nothing: unknown = part === "body" ? undefined : {};
  return nothing as never; // A route without a schema for a part cannot read it.
}

function pickBodyMs({ bodyMs }: AppOptions): { readonly bodyMs?: number } {
  return bodyMs === undefined ? {} : { bodyMs };
}

/** From its parts: the server's own Request is none that could be copied. */
function withBody({ url, method, headers }: Request, body: unknown): Request {
  assert(body instanceof ReadableStream, "A route that reads a stream gets one.");
  return new Request(url, { method, headers, body, duplex: "half" });
}

/** As it came over the wire where there is a server: a Request has already been tidied up. */
function targetOf(context: Context<HttpEnv>): string {
  const raw = context.env?.incoming?.url;
  if (raw !== undefined) return raw;
  const { url } = context.req;
  const start = url.indexOf("/", url.indexOf("://") + 3);
  return start === -1 ? "/" : url.slice(start);
}

function hostOf(context: Context<HttpEnv>): string | undefined {
  const incoming = context.env?.incoming;
  if (incoming !== undefined) return incoming.headers.host;
  return context.req.header("host") ?? new URL(context.req.url).host;
}
