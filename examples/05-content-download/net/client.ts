// One polite client for all that a process asks: every address and every redirect is checked, robots.txt is heeded,
// nothing is sent to a host that was meant for another, and no answer may be endless. Redirects are followed here,
// hop by hop, so that each hop is a request of its own to whoever counts them.
import type { IncomingHttpHeaders } from "node:http";
import { Agent, request } from "undici";
import type { Dispatcher } from "undici";
import { PermanentError } from "millrace";
import { checkUrl } from "./check-url.ts";
import { HttpError } from "./http-error.ts";
import { makePinnedConnect } from "./pinned-connect.ts";
import type { ConnectOptions } from "./pinned-connect.ts";
import { RobotsCache } from "./robots.ts";

/** How the client behaves. */
export interface ClientOptions extends ConnectOptions {
  /** Who asks, and where to complain; robots.txt is read for its first word. */
  readonly userAgent: string;
  /** Longest silence before the headers and within a body, ms. */
  readonly silenceMsMax: number;
  /** Headers that one host alone is sent, such as a key of its interface; by host. */
  readonly headersByHost?: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

/** One request, as whoever counts them sees it. */
export interface Request {
  readonly url: string;
  readonly method: "GET" | "HEAD";
}

/** Holds what a request needs while `block` runs. */
export type Hold = <T>(request: Request, block: () => Promise<T>) => Promise<T>;

/** An answer whose body is not read yet. */
export interface Answer {
  readonly url: string;
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Dispatcher.ResponseData["body"];
}

/** What is asked. */
export interface Question<T> {
  readonly method: Request["method"];
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
  /** Default: runs the block as it is. */
  readonly hold?: Hold;
  /** Turns the last answer into what is wanted, while it is held. What it leaves of the body is thrown away. */
  readonly read: (answer: Answer) => Promise<T>;
}

/** What came of a question. */
export type Visit<T> =
  | { readonly kind: "answered"; readonly value: T }
  | { readonly kind: "forbidden"; readonly url: string };

const REDIRECTS_MAX = 5;
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

/** The client. Idle connections keep no process alive; `close` ends them at once. */
export class Client {
  readonly #options: ClientOptions;
  readonly #agent: Agent;
  readonly #robots: RobotsCache;

  constructor(options: ClientOptions) {
    this.#options = options;
    this.#agent = new Agent({
      connect: makePinnedConnect(options),
      headersTimeout: options.silenceMsMax,
      bodyTimeout: options.silenceMsMax,
    });
    const [agentName = "*"] = options.userAgent.split(/[/ ]/);
    this.#robots = new RobotsCache(agentName);
  }

  /**
   * Asks, and follows up to five redirects. `forbidden` names the address that robots.txt closes; it was not asked.
   * Throws an UnsafeUrlError, whatever the network throws, and a PermanentError for too many redirects.
   */
  async visit<T>(address: string, question: Question<T>): Promise<Visit<T>> {
    let url = this.#check(address);
    for (let hop = 0; hop <= REDIRECTS_MAX; hop++) {
      if (!(await this.#isAllowed(url, question))) return { kind: "forbidden", url: url.href };
      const step = await this.#hop(url, question);
      if (step.kind === "answered") return step;
      url = step.url;
    }
    throw tooMany(address);
  }

  /** Ends all connections. */
  async close(): Promise<void> {
    await this.#agent.destroy();
  }

  #check(address: string, base?: string): URL {
    const testNames = this.#options.testServer !== undefined;
    return checkUrl(address, base === undefined ? { testNames } : { testNames, base });
  }

  #isAllowed(url: URL, question: Question<unknown>): Promise<boolean> {
    return this.#robots.isAllowed(url, Date.now(), (robotsUrl) =>
      this.#readRobots(robotsUrl, question),
    );
  }

  /** The text of a robots.txt; undefined where there is none. */
  async #readRobots(address: string, question: Question<unknown>): Promise<string | undefined> {
    const { signal, hold } = question;
    const read = async (answer: Answer): Promise<string | undefined> => {
      // Until the host says what it allows, nothing is allowed: the attempt fails and is repeated.
      if (answer.status >= 500 || answer.status === 429) throw toHttpError("GET", answer);
      return answer.status < 300 ? readText(answer, 500 * 1024) : undefined;
    };
    const own: Question<string | undefined> = {
      method: "GET",
      signal,
      read,
      ...(hold && { hold }),
    };
    let url = this.#check(address);
    for (let hop = 0; hop <= REDIRECTS_MAX; hop++) {
      const step = await this.#hop(url, own);
      if (step.kind === "answered") return step.value;
      url = step.url;
    }
    return undefined;
  }

  /** One request: the answer, or where it points to. */
  #hop<T>(
    url: URL,
    question: Question<T>,
  ): Promise<{ kind: "answered"; value: T } | { kind: "moved"; url: URL }> {
    const hold: Hold = question.hold ?? ((_request, block) => block());
    return hold({ url: url.href, method: question.method }, async () => {
      const answer = await this.#ask(url, question);
      try {
        const { location } = answer.headers;
        if (REDIRECTS.has(answer.status) && typeof location === "string") {
          return { kind: "moved", url: this.#check(location, url.href) };
        }
        return { kind: "answered", value: await question.read(answer) };
      } finally {
        await discard(answer, question);
      }
    });
  }

  async #ask(url: URL, { method, headers, signal }: Question<unknown>): Promise<Answer> {
    const { userAgent, headersByHost } = this.#options;
    const {
      statusCode,
      headers: answered,
      body,
    } = await request(url, {
      method,
      signal,
      dispatcher: this.#agent,
      headers: {
        "user-agent": userAgent,
        // A body that unpacks to a thousand times its size is no document.
        "accept-encoding": "identity",
        ...headers,
        ...headersByHost?.[url.host],
      },
    });
    return { url: url.href, status: statusCode, headers: answered, body };
  }
}

const DISCARDED_BYTES_MAX = 64 * 1024;

/**
 * Ends a body that was not read to its end. A short one is read and forgotten, so that its connection can be used
 * again; any other is cut off. An error on it is nobody's any more.
 */
async function discard({ headers, body }: Answer, question: Question<unknown>): Promise<void> {
  body.on("error", () => undefined);
  if (body.readableEnded || body.destroyed) return;
  const isShort = Number(headers["content-length"] ?? Infinity) <= DISCARDED_BYTES_MAX;
  if (!body.bodyUsed && (isShort || question.method === "HEAD")) {
    const { signal } = question;
    await body.dump({ limit: DISCARDED_BYTES_MAX, signal }).catch(() => undefined);
  } else body.destroy();
}

/** The body as text; a PermanentError when it is longer than `bytesMax`. */
export async function readText(answer: Answer, bytesMax: number): Promise<string> {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const part of answer.body) {
    if (!(part instanceof Uint8Array)) continue;
    bytes += part.length;
    if (bytes > bytesMax)
      throw new PermanentError(`"${answer.url}" is longer than ${bytesMax} bytes.`);
    parts.push(part);
  }
  return Buffer.concat(parts).toString("utf8");
}

/** The error that an unhoped-for status is. */
export function toHttpError(method: string, { url, status, headers }: Answer): HttpError {
  const message = `${method} "${url}" answered ${status}, expected 200.`;
  return new HttpError(message, status, headers);
}

function tooMany(address: string): PermanentError {
  return new PermanentError(`"${address}" led to more than ${REDIRECTS_MAX} redirects.`);
}
