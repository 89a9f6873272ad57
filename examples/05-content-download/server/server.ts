// A server on loopback that stands in for every host of the list, told apart by their names. It writes down every
// request when it ends, as a line of JSON: its log is the judge of how polite the downloads were.
import { appendFileSync } from "node:fs";
import { createServer } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Reply } from "./behaviour.ts";
import { makeSites } from "./sites.ts";

/** One request, as the server saw it. */
export interface LogEntry {
  /** In the order of arrival, from 1. */
  readonly id: number;
  readonly host: string;
  readonly method: string;
  readonly path: string;
  /** UTC ms of arrival, and of the end of the answer or of the connection. */
  readonly startMs: number;
  readonly endMs: number;
  readonly status: number;
  /** Bytes of the body that were handed to the connection. */
  readonly bytes: number;
  readonly agent: string | null;
  readonly ifNoneMatch: string | null;
  readonly authorization: string | null;
  /** As it was sent. */
  readonly retryAfter: string | null;
}

/** How the server is set up. */
export interface ServerOptions {
  /** Default: one that is free. */
  readonly port?: number;
  /** File that the log is appended to. Default: none. */
  readonly logFile?: string;
  /** True: the dead host is alive. */
  readonly healed?: boolean;
  /** How long a document takes, ms; requests at the same time can then be seen. Default 40. */
  readonly answerMs?: number;
}

/** A server that runs. */
export interface DownloadServer {
  readonly port: number;
  /** All requests that have ended. */
  readonly entries: readonly LogEntry[];
  /** Resolves when every request that was begun has ended, with all entries. */
  settled(): Promise<readonly LogEntry[]>;
  /** Brings the dead host back. */
  heal(): void;
  close(): Promise<void>;
}

/** Starts it. */
export async function startServer(options: ServerOptions = {}): Promise<DownloadServer> {
  const desk = new Desk(options);
  const server = createServer((request, response) => desk.answer(request, response));
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(options.port ?? 0, "127.0.0.1", resolve);
  });
  const address = server.address();
  return {
    port: typeof address === "object" && address !== null ? address.port : 0,
    entries: desk.entries,
    settled: () => desk.settled(),
    heal: () => desk.heal(),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** Answers, counts and writes down. */
class Desk {
  readonly entries: LogEntry[] = [];
  readonly #options: ServerOptions;
  readonly #sites = makeSites();
  readonly #counts = new Map<string, number>();
  #isHealed: boolean;
  #lastId = 0;
  #open = 0;
  #waiting: (() => void)[] = [];

  constructor(options: ServerOptions) {
    this.#options = options;
    this.#isHealed = options.healed ?? false;
  }

  heal(): void {
    this.#isHealed = true;
  }

  async settled(): Promise<readonly LogEntry[]> {
    if (this.#open > 0) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    return this.entries;
  }

  answer(request: IncomingMessage, response: ServerResponse): void {
    const startMs = Date.now();
    const id = ++this.#lastId;
    this.#open++;
    const reply = this.#decide(request, startMs);
    const body = request.method === "HEAD" ? new Uint8Array() : toBytes(reply);
    // A client that is killed asks nothing any more, however long its answer would have gone on.
    let goneMs: number | undefined;
    const onGone = (): void => {
      goneMs = Date.now();
    };
    // With unread bytes on its way a connection ends in an error.
    for (const sign of ["end", "error"]) request.socket.once(sign, onGone);
    response.once("close", () => {
      for (const sign of ["end", "error"]) request.socket.off(sign, onGone);
      const endMs = goneMs ?? Date.now();
      this.#note(request, response, { id, startMs, endMs, reply, body });
    });
    response.writeHead(reply.status, {
      ...reply.headers,
      date: new Date(startMs).toUTCString(),
      ...(reply.status !== 304 && {
        "content-length": reply.announced ?? toBytes(reply).length,
      }),
    });
    void this.#send(response, reply, body);
  }

  #decide(request: IncomingMessage, nowMs: number): Reply {
    const { method = "GET", headers, url = "/" } = request;
    const address = `${headers.host ?? ""}${url}`;
    const count = (this.#counts.get(address) ?? 0) + (method === "GET" ? 1 : 0);
    this.#counts.set(address, count);
    const behaviour = this.#sites.get(address);
    if (behaviour === undefined) return { status: 404, body: "<h1>Not here</h1>" };
    const header = (name: string): string | undefined => headers[name]?.toString();
    return behaviour({ method, count, nowMs, header, isHealed: this.#isHealed });
  }

  /** In two halves with a pause between them. */
  async #send(response: ServerResponse, reply: Reply, body: Uint8Array): Promise<void> {
    const middle = Math.ceil(body.length / 2);
    response.write(body.subarray(0, middle));
    await new Promise((resolve) => setTimeout(resolve, this.#options.answerMs ?? 40));
    response.write(body.subarray(middle));
    if (response.req.method === "HEAD" || reply.after === undefined || reply.after === "end") {
      response.end();
    } else if (reply.after === "hang-up") response.socket?.destroySoon();
  }

  #note(
    request: IncomingMessage,
    response: ServerResponse,
    seen: { id: number; startMs: number; endMs: number; reply: Reply; body: Uint8Array },
  ): void {
    const { headers, method = "GET", url = "/" } = request;
    const entry: LogEntry = {
      id: seen.id,
      host: headers.host ?? "",
      method,
      path: url,
      startMs: seen.startMs,
      endMs: seen.endMs,
      status: response.statusCode,
      bytes: seen.body.length,
      agent: headers["user-agent"] ?? null,
      ifNoneMatch: headers["if-none-match"] ?? null,
      authorization: headers.authorization ?? null,
      retryAfter: seen.reply.headers?.["retry-after"] ?? null,
    };
    this.entries.push(entry);
    const { logFile } = this.#options;
    if (logFile !== undefined) appendFileSync(logFile, `${JSON.stringify(entry)}\n`);
    this.#open--;
    if (this.#open > 0) return;
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}

function toBytes({ body = "" }: Reply): Uint8Array {
  return typeof body === "string" ? Buffer.from(body) : body;
}
