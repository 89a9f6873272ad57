// The live feed over WebSocket: frames of JSON text, no compression, a bound for each frame and for how many there are.
// `/ws/events` waits for what a client subscribes to; `/ws/events/{run}` begins by itself with the events of a run, and
// so does `/ws/events?form=compatible` with all, in the words of an older system. Who opens one was checked before.

import { WebSocketServer, type RawData, type WebSocket } from "ws";
import { isMillraceError, MillraceError } from "../../model/errors.ts";
import {
  FEED_SILENT_MS_MAX,
  SOCKET_FRAGMENTS_MAX,
  SOCKET_MESSAGE_BYTES_MAX,
} from "../../model/limits.ts";
import {
  JSON_FORM,
  type FeedCarrier,
  type FeedEnd,
  type FeedForm,
} from "../../service/feed/topics/feed-message.ts";
import type { FeedSession } from "../../service/feed/topics/feed-session.ts";
import { feedOf, type LiveFeed } from "../../service/feed/topics/live-feed.ts";
import type { Clock, Timer } from "../../std/clock.ts";
import { LIVE_CLOSE_CODES, liveQuery, liveRequest, type LiveRequest } from "../contract/live.ts";
import { parsePart } from "../guards/request-parts.ts";
import type { HttpContext } from "../http-context.ts";
import { refusalText } from "../raw-guard.ts";
import { SOCKET_PROTOCOL, type SocketRequest, type Upgrades } from "../upgrades.ts";
import { COMPATIBLE_FORM } from "./feed-forms.ts";
import { FrameBudget } from "./frame-budget.ts";
import { watchLogin } from "./login-watch.ts";

/** How sockets are offered. */
export interface LiveOptions {
  /** Who opens `/ws/events` without a word gets all events in the words of an older system. Default false. */
  readonly compatible?: boolean;
}

/** Opens `/ws/events` and `/ws/events/{run}` to whoever may read. */
export function registerLiveSockets(
  upgrades: Upgrades,
  http: HttpContext,
  options: LiveOptions = {},
): void {
  const door = new SocketDoor(http, options);
  upgrades.register("/ws/events", "read", (request) => door.open(request));
  upgrades.register("/ws/events/{run}", "read", (request) => door.open(request));
}

/** A topic that a socket begins with. */
interface Beginning {
  readonly topic: string;
  readonly after?: number;
}

class SocketDoor {
  readonly #http: HttpContext;
  readonly #feed: LiveFeed;
  readonly #options: LiveOptions;
  readonly #server: WebSocketServer = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    // Answered by hand, within the budget of the client.
    autoPong: false,
    perMessageDeflate: false,
    maxPayload: SOCKET_MESSAGE_BYTES_MAX,
    maxFragments: SOCKET_FRAGMENTS_MAX,
    handleProtocols: (protocols) => (protocols.has(SOCKET_PROTOCOL) ? SOCKET_PROTOCOL : false),
  });

  constructor(http: HttpContext, options: LiveOptions) {
    this.#http = http;
    this.#feed = feedOf(http.mill);
    this.#options = options;
  }

  open(request: SocketRequest): void {
    const { incoming, socket, head } = request;
    // Who would not be let in learns so before the handshake; who cannot be served, by the number of the close.
    try {
      const query = parsePart(liveQuery, request.query, "query");
      const isCompatible =
        (query.form ?? (this.#options.compatible ? "compatible" : "")) === "compatible";
      const beginning = toBeginning(request, query.after, isCompatible);
      const carrier = new SocketCarrier(isCompatible ? COMPATIBLE_FORM : JSON_FORM);
      const session = this.#enter(carrier);
      socket.once("close", () => session?.end());
      this.#server.handleUpgrade(incoming, socket, head, (ws) => {
        carrier.take(ws);
        if (session === null) carrier.close(STOPPED);
        else
          new LiveClient(ws, {
            http: this.#http,
            feed: this.#feed,
            session,
            carrier,
            request,
          }).start(beginning);
      });
    } catch (error) {
      socket.on("error", () => socket.destroy());
      socket.end(refusalText(error));
    }
  }

  /** Null: the engine is away. */
  #enter(carrier: FeedCarrier): FeedSession | null {
    try {
      return this.#feed.open(carrier);
    } catch (error) {
      if (isMillraceError(error) && error.code === "STORE_CLOSED") return null;
      throw error;
    }
  }
}

const STOPPED: FeedEnd = { kind: "unavailable", reason: "The engine has stopped." };

function toBeginning(
  { params }: SocketRequest,
  after: string | undefined,
  isCompatible: boolean,
): Beginning | null {
  const { run } = params;
  if (run === undefined && !isCompatible) {
    if (after === undefined) return null;
    throw new MillraceError("BODY_INVALID", "The query does not fit: query.after: unknown.", {
      hint: "give it with what is subscribed to",
    });
  }
  if (run !== undefined && !IS_RUN.test(run)) {
    throw new MillraceError("RUN_NOT_FOUND", "There is no such run.");
  }
  const about = run === undefined ? "complete=true" : `run=${run}&complete=true`;
  return { topic: `events:${about}`, ...(after === undefined ? {} : { after: Number(after) }) };
}

const IS_RUN = /^[A-Za-z0-9][A-Za-z0-9-]{0,63}$/;

/** Bytes to a socket. */
class SocketCarrier implements FeedCarrier {
  readonly form: FeedForm;
  #ws: WebSocket | null = null;
  /** What came before the handshake was done, which is nothing, or the end. */
  #end: FeedEnd | null = null;

  constructor(form: FeedForm) {
    this.form = form;
  }

  take(ws: WebSocket): void {
    this.#ws = ws;
    if (this.#end !== null) this.close(this.#end);
  }

  get unsentBytes(): number {
    return this.#ws?.bufferedAmount ?? 0;
  }

  send(bytes: Uint8Array): void {
    if (this.#ws?.readyState === OPEN) this.#ws.send(bytes, { binary: false });
  }

  close(end: FeedEnd): void {
    this.#end = end;
    this.#ws?.close(LIVE_CLOSE_CODES[end.kind], end.reason);
    // It would not read the close either.
    if (end.kind === "slow") this.#ws?.terminate();
  }
}

/** `WebSocket.OPEN`. */
const OPEN = 1;

/** What a client is made of. */
interface ClientParts {
  readonly http: HttpContext;
  readonly feed: LiveFeed;
  readonly session: FeedSession;
  readonly carrier: SocketCarrier;
  readonly request: SocketRequest;
}

/** One socket, from its opening to its close. */
class LiveClient {
  readonly #ws: WebSocket;
  readonly #parts: ClientParts;
  readonly #clock: Clock;
  readonly #budget: FrameBudget;
  readonly #release: (() => void)[] = [];
  #pingTimer: Timer | null = null;
  #endTimer: Timer | null = null;
  #heardMs: number;

  constructor(ws: WebSocket, parts: ClientParts) {
    this.#ws = ws;
    this.#parts = parts;
    this.#clock = parts.http.clock;
    this.#budget = new FrameBudget(this.#clock);
    this.#heardMs = this.#clock.monotonicMs();
  }

  start(beginning: Beginning | null): void {
    const { http, feed, session, carrier, request } = this.#parts;
    const ws = this.#ws;
    ws.on("message", (data, isBinary) => this.#hear(data, isBinary));
    ws.on("ping", (data) => {
      if (this.#spend()) ws.pong(data);
    });
    ws.on("pong", () => (this.#heardMs = this.#clock.monotonicMs()));
    // Whatever is wrong with what it sends, the library has closed the socket with the number for it.
    ws.on("error", () => undefined);
    ws.on("close", () => this.#end());
    const onStop = (): void => {
      session.end();
      carrier.close({ kind: "stopping", reason: "The server stops." });
    };
    http.stopSignal.addEventListener("abort", onStop, { once: true });
    this.#release.push(
      () => http.stopSignal.removeEventListener("abort", onStop),
      watchLogin({
        clock: this.#clock,
        feed,
        isStillGood: () => request.isStillGood(),
        ended: () => {
          session.end();
          ws.close(LIVE_CLOSE_CODES.signedOut, "The login has ended.");
        },
      }),
    );
    this.#bookPing();
    if (beginning !== null) void session.subscribe(beginning);
  }

  #hear(data: RawData, isBinary: boolean): void {
    this.#heardMs = this.#clock.monotonicMs();
    if (!this.#spend()) return;
    if (isBinary) {
      this.#ws.close(LIVE_CLOSE_CODES.policy, "Frames are text.");
      return;
    }
    const request = this.#parse(data);
    if (request !== null) this.#obey(request);
  }

  #obey(request: LiveRequest): void {
    const { session } = this.#parts;
    if (request.type === "ping") session.tell({ type: "pong" });
    else if (request.type === "unsubscribe") session.unsubscribe(request.topic);
    else void session.subscribe(request);
  }

  #parse(data: RawData): LiveRequest | null {
    const { session } = this.#parts;
    try {
      const value: unknown = JSON.parse(toText(data));
      return parsePart(liveRequest, value, "body");
    } catch (error) {
      const message = isMillraceError(error) ? error.message : "The frame is no JSON.";
      session.tell({ type: "error", code: "BODY_INVALID", message });
      return null;
    }
  }

  /** False: it sends too much, and goes. */
  #spend(): boolean {
    if (this.#budget.take()) return true;
    this.#ws.close(LIVE_CLOSE_CODES.policy, "Too many frames.");
    // What it goes on sending is not read; it has a moment to read why.
    this.#ws.pause();
    this.#endTimer ??= this.#clock.setTimer(LAST_WORD_MS, () => this.#ws.terminate());
    return false;
  }

  /** Who is there answers. */
  #bookPing(): void {
    this.#pingTimer = this.#clock.setTimer(PING_MS, () => {
      if (this.#clock.monotonicMs() - this.#heardMs >= FEED_SILENT_MS_MAX) {
        this.#ws.terminate();
        return;
      }
      this.#ws.ping();
      this.#bookPing();
    });
  }

  #end(): void {
    this.#pingTimer?.cancel();
    this.#endTimer?.cancel();
    for (const release of this.#release.splice(0)) release();
    this.#parts.session.end();
  }
}

/** Time in which who is sent away may read why, ms. */
const LAST_WORD_MS = 1_000;

/** Time between two pings, ms. */
const PING_MS = 10_000;

function toText(data: RawData): string {
  if (Array.isArray(data)) return Buffer.concat(data).toString("utf8");
  return Buffer.isBuffer(data) ? data.toString("utf8") : Buffer.from(data).toString("utf8");
}
