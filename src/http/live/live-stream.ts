// The live feed as server-sent events, for programs and where upgrades are blocked: every event of the store or of one
// run, each with its number. A client that comes back says the last one it had (`Last-Event-ID`), and goes on there. A
// stream ends with the login it was opened with.

import { FEED_UNSENT_BYTES_MAX } from "../../model/limits.ts";
import { MillraceError } from "../../model/errors.ts";
import { checkEventTypes } from "../../service/feed/check-event-types.ts";
import type { FeedCarrier, FeedEnd, FeedForm } from "../../service/feed/topics/feed-message.ts";
import { feedOf } from "../../service/feed/topics/live-feed.ts";
import { assert } from "../../std/error/assert.ts";
import { streamQuery, type StreamQuery } from "../contract/live.ts";
import { runParams } from "../contract/reading.ts";
import { stillGood } from "../guards/credentials.ts";
import { defineRoute, type Route, type RouteRequest } from "../route.ts";
import { COMPATIBLE_STREAM_FORM, STREAM_FORM } from "./feed-forms.ts";
import { watchLogin } from "./login-watch.ts";

const all = defineRoute({
  method: "GET",
  path: "/api/v1/events/stream",
  access: "read",
  tag: "events",
  summary:
    "streams events as server-sent events: the last ones, or those after a number, then live ones",
  query: streamQuery,
  handle: (request) => openStream(request, {}),
});

const ofRun = defineRoute({
  method: "GET",
  path: "/api/v1/runs/{run}/events/stream",
  access: "read",
  tag: "events",
  summary: "streams the events of a run as server-sent events",
  params: runParams,
  query: streamQuery,
  handle: async (request) => {
    // An unknown run is a 404, and not a stream that says so.
    const { id } = await request.http.mill.run(request.params.run);
    return openStream(request, { run: id });
  },
});

/** Routes of streams. */
export const STREAM_ROUTES: readonly Route[] = [all, ofRun];

function openStream(
  { query, context, http }: RouteRequest<unknown, StreamQuery, unknown>,
  of: { readonly run?: string },
): Response {
  const after = query.after ?? readLastId(context.req.header("last-event-id"));
  const { types } = query;
  // Before the stream is open: then it is a refusal, and not a stream that says so.
  if (types !== undefined) checkEventTypes(types);
  const carrier = new StreamCarrier(
    query.form === "compatible" ? COMPATIBLE_STREAM_FORM : STREAM_FORM,
  );
  const caller = context.get("caller");
  assert(caller !== null, "A stream is for whoever may read.");
  const feed = feedOf(http.mill);
  const session = feed.open(carrier);
  const unwatch = watchLogin({
    clock: http.clock,
    feed,
    isStillGood: stillGood(caller, context.req.header("cookie") ?? null, http),
    ended: () => carrier.end(),
  });
  const onStop = (): void => {
    session.end();
    carrier.close({ kind: "stopping", reason: "The server stops." });
  };
  http.stopSignal.addEventListener("abort", onStop, { once: true });
  carrier.left = () => {
    unwatch();
    http.stopSignal.removeEventListener("abort", onStop);
    session.end();
  };
  void session.subscribe({
    topic: "events",
    filter: { ...of, ...(types === undefined ? {} : { types }), complete: true },
    ...(after === undefined ? {} : { after }),
  });
  return new Response(carrier.stream, {
    headers: { "content-type": "text/event-stream", "x-accel-buffering": "no" },
  });
}

function readLastId(text: string | undefined): number | undefined {
  if (text === undefined || text === "") return undefined;
  if (/^\d{1,16}$/.test(text)) return Number(text);
  throw new MillraceError("REQUEST_INVALID", "Last-Event-ID is the number of an event.");
}

/** Bytes to the body of an answer. */
class StreamCarrier implements FeedCarrier {
  readonly form: FeedForm;
  readonly stream: ReadableStream<Uint8Array>;
  /** Told once when the client has left, or was sent away. */
  left: () => void = () => undefined;
  #controller: ReadableStreamDefaultController<Uint8Array> | null = null;

  constructor(form: FeedForm) {
    this.form = form;
    this.stream = new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          this.#controller = controller;
        },
        cancel: () => {
          this.#controller = null;
          this.left();
        },
      },
      { highWaterMark: FEED_UNSENT_BYTES_MAX, size: (bytes) => bytes.byteLength },
    );
  }

  get unsentBytes(): number {
    const room = this.#controller?.desiredSize ?? FEED_UNSENT_BYTES_MAX;
    return FEED_UNSENT_BYTES_MAX - room;
  }

  send(bytes: Uint8Array): void {
    this.#controller?.enqueue(bytes);
  }

  close({ kind, reason }: FeedEnd): void {
    // What lies there is never read by one who reads nothing.
    this.end(kind === "slow" ? new Error(reason) : undefined);
  }

  /** Ends it after what lies there; with a fault at once. */
  end(fault?: Error): void {
    const controller = this.#controller;
    this.#controller = null;
    if (fault === undefined) controller?.close();
    else controller?.error(fault);
    this.left();
  }
}
