// The live feed as server-sent events, and what becomes of sockets and streams when the server or the engine goes.

import { connect } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import * as z from "zod";
import type { EventDraft } from "../../../src/model/event.ts";
import { feedOf } from "../../../src/service/feed/topics/live-feed.ts";
import { createToken, revokeToken } from "../../../src/service/access/tokens.ts";
import { contextOf } from "../../../src/service/mill-context.ts";
import { makeVirtualClock } from "../../../src/std/virtual-clock.ts";
import { LiveClient } from "../../support/live/live-client.ts";
import { startServed, type Served, type ServedOptions } from "../../support/served.ts";

const WARNED: EventDraft = { type: "watchdog.warned", data: { rule: "x", message: "m" } };

async function setup(options: ServedOptions = {}): Promise<Served> {
  const served = await startServed(options);
  onTestFinished(() => served.close());
  return served;
}

async function tell({ mill }: Served, count: number, draft: EventDraft = WARNED): Promise<void> {
  const events = Array.from({ length: count }, () => draft);
  await contextOf(mill).committer.write({ kind: "tell-outside", runId: null, events });
}

interface StreamEvent {
  readonly id: number | null;
  readonly event: string;
  readonly data: unknown;
}

/** A stream as a browser reads it. */
class StreamReader {
  readonly events: StreamEvent[] = [];
  readonly #reader: ReadableStreamDefaultReader<string>;
  #text = "";
  /** Comments: they keep the line open. */
  comments = 0;

  constructor(body: ReadableStream<Uint8Array>) {
    this.#reader = body.pipeThrough(new TextDecoderStream()).getReader();
  }

  /** Reads until it is so; false: the stream has ended. */
  async until(isSo: () => boolean): Promise<boolean> {
    while (!isSo()) {
      const { done, value } = await this.#reader.read();
      if (done) return false;
      this.#take(value);
    }
    return true;
  }

  leave(): Promise<void> {
    return this.#reader.cancel();
  }

  get seqs(): number[] {
    return this.events.flatMap(({ event, id }) => (event === "message" && id !== null ? [id] : []));
  }

  #take(text: string): void {
    this.#text += text;
    for (;;) {
      const end = this.#text.indexOf("\n\n");
      if (end === -1) return;
      this.#parse(this.#text.slice(0, end).split("\n"));
      this.#text = this.#text.slice(end + 2);
    }
  }

  #parse(lines: readonly string[]): void {
    const find = (name: string): string | undefined =>
      lines.find((line) => line.startsWith(`${name}: `))?.slice(name.length + 2);
    const data = find("data");
    if (data === undefined) {
      this.comments += 1;
      return;
    }
    const id = find("id");
    const parsed: unknown = JSON.parse(data);
    this.events.push({
      id: id === undefined ? null : Number(id),
      event: find("event") ?? "message",
      data: parsed,
    });
  }
}

async function openStream(
  { host, tokens }: Served,
  path: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<StreamReader> {
  const answer = await fetch(`http://${host}/api/v1${path}`, {
    headers: { authorization: `Bearer ${tokens.read}`, ...headers },
  });
  expect([answer.status, answer.headers.get("content-type")]).toEqual([200, "text/event-stream"]);
  if (answer.body === null) throw new Error("The answer has no body.");
  const reader = new StreamReader(answer.body);
  onTestFinished(() => reader.leave().catch(() => undefined));
  return reader;
}

test("R220: a stream tells the past and goes on, and Last-Event-ID continues it without gap or double", async () => {
  const served = await setup();
  await tell(served, 60);
  const first = await openStream(served, "/events/stream");
  await first.until(() => first.events.some(({ event }) => event === "done"));
  const base = first.seqs.at(-1) ?? 0;
  await tell(served, 5);
  await first.until(() => first.seqs.at(-1) === base + 5);
  await first.leave();
  await expect.poll(() => feedOf(served.mill).clientCount, { timeout: 4_000 }).toBe(0);
  await tell(served, 700);
  const again = await openStream(served, "/events/stream", { "last-event-id": `${base + 5}` });
  await again.until(() => again.seqs.length >= 700);
  await tell(served, 1);
  await again.until(() => again.seqs.length >= 701);
  expect(again.seqs).toEqual(Array.from({ length: 701 }, (_, index) => base + 6 + index));
  const event = again.events.find((each) => each.event === "message");
  expect(event?.data).toMatchObject({ seq: base + 6, type: "watchdog.warned", run: null });
  // Open lines are told that they are.
  await again.until(() => again.comments >= 2);
});

test("a stream tells only what is asked for, in the words that are asked for", async () => {
  const served = await setup();
  await tell(served, 3);
  await tell(served, 2, { type: "schedule.skipped", data: { schedule: "s", reason: "r" } });
  const types = await openStream(served, "/events/stream?types=schedule.*&form=compatible");
  await types.until(() => types.events.some(({ event }) => event === "done"));
  const words = types.events.filter(({ event }) => event === "message").map(({ data }) => data);
  expect(words.length).toBe(2);
  expect(words[0]).toMatchObject({ run_id: "__system__", stage: "scheduler", event: "skipped" });
  for (const [path, status] of [
    ["/events/stream?types=run.vanished", 422],
    ["/events/stream?colour=red", 422],
    ["/runs/ZZZZ/events/stream", 404],
  ] as const) {
    const answer = await fetch(`http://${served.host}/api/v1${path}`, {
      headers: { authorization: `Bearer ${served.tokens.read}` },
    });
    await answer.body?.cancel();
    expect([path, answer.status]).toEqual([path, status]);
  }
});

test("R222: a stream more than may is refused with 503", async () => {
  const served = await setup({ open: { events: { subscribers: 2 } } });
  const streams = [await openStream(served, "/events/stream")];
  streams.push(await openStream(served, "/events/stream"));
  const refused = await fetch(`http://${served.host}/api/v1/events/stream`, {
    headers: { authorization: `Bearer ${served.tokens.read}` },
  });
  const body = z.object({ error: z.object({ code: z.string() }) }).parse(await refused.json());
  expect([refused.status, body.error.code]).toEqual([503, "SUBSCRIBERS_FULL"]);
  await streams[0]?.leave();
  await expect.poll(() => feedOf(served.mill).clientCount, { timeout: 4_000 }).toBe(1);
  await openStream(served, "/events/stream");
});

test("R290: sockets close with 1011 and a reason when the engine goes, and when it is away", async () => {
  const served = await setup();
  const open = (): LiveClient =>
    new LiveClient(`ws://${served.host}/ws/events`, {
      headers: { authorization: `Bearer ${served.server.token}` },
    });
  const client = open();
  await client.opened;
  client.send({ type: "subscribe", topic: "runs" });
  await client.until(({ type }) => type === "snapshot", "the snapshot");
  await served.mill.close({ drainMs: 0 });
  expect(await client.closed).toEqual({ code: 1011, reason: "The engine has stopped." });
  const late = open();
  expect(await late.closed).toEqual({ code: 1011, reason: "The engine has stopped." });
});

test("R290: a store that cannot be read closes sockets with 1011, its code as the reason", async () => {
  const served = await setup();
  const client = new LiveClient(`ws://${served.host}/ws/events`, {
    headers: { authorization: `Bearer ${served.server.token}` },
  });
  await client.opened;
  // The engine is there, and its store is not any more.
  await served.mill.store.close();
  const { code, reason } = await client.closed;
  expect([code, reason]).toEqual([1011, "The store is away (STORE_CLOSED)."]);
});

test("a server that stops closes sockets with 1001 and ends streams", async () => {
  const served = await setup({ serve: { stopMs: 2_000 } });
  const client = new LiveClient(`ws://${served.host}/ws/events`, {
    headers: { authorization: `Bearer ${served.tokens.read}` },
  });
  await client.opened;
  const stream = await openStream(served, "/events/stream");
  await stream.until(() => stream.events.length > 0);
  const stopped = served.server.stop();
  expect(await client.closed).toMatchObject({ code: 1001 });
  expect(await stream.until(() => false)).toBe(false);
  await stopped;
  expect(feedOf(served.mill).clientCount).toBe(0);
});

test("R221 S14: clients that never read hold nobody up, and cost no more than they may", async () => {
  const served = await setup();
  const feed = feedOf(served.mill);
  const readers = Array.from(
    { length: 5 },
    () =>
      new LiveClient(`ws://${served.host}/ws/events`, {
        headers: { authorization: `Bearer ${served.tokens.read}` },
      }),
  );
  for (const reader of readers) {
    await reader.opened;
    reader.send({ type: "subscribe", topic: "events", filter: { complete: true } });
    await reader.until(({ type }) => type === "done", "the mark");
  }
  const stalled = new LiveClient(`ws://${served.host}/ws/events`, {
    headers: { authorization: `Bearer ${served.tokens.read}` },
  });
  await stalled.opened;
  stalled.send({ type: "subscribe", topic: "events", filter: { complete: true } });
  await stalled.until(({ type }) => type === "done", "the mark");
  stalled.ws.pause();
  const silent = connect(served.server.port, "127.0.0.1", () =>
    silent.write(
      `GET /api/v1/events/stream HTTP/1.1\r\nHost: ${served.host}\r\nAuthorization: Bearer ${served.tokens.read}\r\n\r\n`,
    ),
  );
  silent.pause();
  onTestFinished(() => void silent.destroy());
  const wide: EventDraft = { ...WARNED, data: { rule: "x", message: "m".repeat(5_000) } };
  // More than the lines and the topic hold, piece by piece: who reads keeps up on the slowest machine.
  let seq: number | undefined;
  for (let round = 0; round < 10; round++) {
    await tell(served, 300, wide);
    const newest = { after: 0, newestFirst: true, limit: 1 } as const;
    seq = (await served.mill.store.listEvents(newest))[0]?.seq;
    for (const reader of readers) {
      await reader.until((frame) => frame.type === "events" && frame.to === seq, "the last event");
    }
  }
  for (const reader of readers) {
    expect(reader.seqs.length).toBe(new Set(reader.seqs).size);
    expect(reader.frames.some(({ type }) => type === "gap")).toBe(false);
  }
  expect(feed.clientCount).toBe(7);
  stalled.ws.resume();
  const isLast = (frame: { readonly type: string; readonly to?: number }): boolean =>
    frame.type === "events" && frame.to === seq;
  await stalled.until(isLast, "the last event");
  const missed = stalled.frames.reduce(
    (sum, frame) => sum + (frame.type === "gap" ? frame.missed : 0),
    0,
  );
  expect(missed).toBeGreaterThan(0);
  // What it missed and what it got are all there is.
  const known = readers[0]?.seqs.length ?? 0;
  expect(stalled.seqs.length + missed).toBe(known);
});

test("a stream whose token is revoked ends at once, one whose token has expired within a minute", async () => {
  const clock = makeVirtualClock();
  const served = await setup({ open: { clock, store: "memory:" } });
  const { mill, tokens } = served;
  const revoked = await createToken(mill, { name: "short", role: "read" });
  const expired = await createToken(mill, { name: "brief", role: "read", expiresInMs: 90_000 });
  const streamOf = (token: string): Promise<StreamReader> =>
    openStream(served, "/events/stream", { authorization: `Bearer ${token}` });
  const [first, second, other] = [
    await streamOf(revoked.token),
    await streamOf(expired.token),
    await streamOf(tokens.default),
  ];
  await revokeToken(mill, "short");
  void clock.advance(1_000);
  expect(await first.until(() => false)).toBe(false);
  expect(feedOf(mill).clientCount).toBe(2);
  await clock.advance(59_000);
  expect(feedOf(mill).clientCount).toBe(2);
  await clock.advance(60_000);
  expect(await second.until(() => false)).toBe(false);
  await expect.poll(() => feedOf(mill).clientCount, { timeout: 4_000 }).toBe(1);
  await other.leave();
});
