// The live feed over real sockets: events of all and of one run, states of a run with its items, tickets, limits.

import assert from "node:assert/strict";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { isDeepStrictEqual } from "node:util";
import { inflateRawSync } from "node:zlib";
import * as z from "zod";
import { map, openMillrace, pipeline, stage } from "../../../src/exports/index.ts";
import { feedOf } from "../../../src/service/feed/topics/live-feed.ts";
import type { LiveFrame, LiveItems } from "../../../src/http/contract/live.ts";
import { createToken, revokeToken } from "../../../src/service/access/tokens.ts";
import { makeGate } from "../../support/durable/durable-world.ts";
import { LiveClient } from "../../support/live/live-client.ts";
import { startServed, type Served } from "../../support/served.ts";

let served: Served;
let gate = makeGate();

const list = stage("list", {}, () => Array.from({ length: 40 }, (_, index) => `k${index}`));
const score = map(
  "score",
  { over: list, key: (row) => row, concurrency: 8, onItemFailure: "continue" },
  async (row) => {
    if (row === "k7") throw new Error("k7 is bad");
    if (row === "k20") await gate.opened;
    return row.length;
  },
);
const crawl = pipeline("crawl", { output: { score } });
const note = pipeline("note", {
  output: { said: stage("said", {}, (_needs, ctx) => ctx.log.info("hello")) },
});

beforeAll(async () => {
  served = await startServed({ open: { pipelines: [crawl, note] } });
});
afterAll(() => served.close());

function connect(path: string, token: string = served.tokens.read): LiveClient {
  return new LiveClient(`ws://${served.host}${path}`, {
    headers: { authorization: `Bearer ${token}` },
  });
}

const isOf =
  (type: LiveFrame["type"], topic?: string) =>
  (frame: LiveFrame): boolean =>
    frame.type === type && (topic === undefined || ("topic" in frame && frame.topic === topic));

/** The bytes of the stage, as a page keeps them. */
function readItems(frames: readonly LiveFrame[], stageName: string): Uint8Array {
  let bytes = new Uint8Array(0);
  const put = (place: number, byte: number): void => {
    if (place >= bytes.length)
      bytes = Uint8Array.from({ length: place + 1 }, (_, at) => bytes[at] ?? 0);
    bytes[place] = byte;
  };
  const unpack = (items: readonly LiveItems[]): void => {
    const found = items.find((each) => each.stage === stageName);
    if (found !== undefined)
      bytes = new Uint8Array(inflateRawSync(Buffer.from(found.states, "base64")));
  };
  for (const frame of frames) {
    if (frame.type === "snapshot") unpack(frame.data.items ?? []);
    if (frame.type !== "delta") continue;
    for (const { stage: name, states } of frame.items ?? []) {
      if (name !== stageName) continue;
      for (let at = 0; at < states.length; at += 2) put(states[at] ?? 0, states[at + 1] ?? 0);
    }
  }
  return bytes;
}

/** The entries of the one topic that was subscribed to, as a page keeps them. */
function readEntries(frames: readonly LiveFrame[]): ReadonlyMap<string, unknown> {
  let entries = new Map<string, unknown>();
  for (const frame of frames) {
    if (frame.type === "snapshot") entries = new Map(Object.entries(frame.data.entries));
    if (frame.type !== "delta") continue;
    for (const { id, value } of frame.changes) entries.set(id, value);
  }
  return entries;
}

test("R289 R296: one run over its own socket: the past in chunks, a mark, what happens, all by number", async () => {
  gate = makeGate();
  const run = await served.mill.start(crawl, undefined);
  const client = connect(`/ws/events/${run.name}`);
  await client.until(isOf("done"), "the mark");
  gate.open();
  await run.result();
  await client.until(
    (frame) => frame.type === "events" && frame.events.some(({ type }) => type === "run.succeeded"),
    "the end of the run",
  );
  const stored = await served.mill.store.listEvents({ runId: run.id, after: 0, limit: 1_000 });
  expect(client.seqs).toEqual(stored.map(({ seq }) => seq));
  const chunks = client.frames.flatMap((frame) =>
    frame.type === "events" && frame.history === true ? [frame.events.length] : [],
  );
  expect(Math.max(...chunks)).toBeLessThanOrEqual(25);
  // A second client comes back with a number of the first.
  const [, middle = 0] = client.seqs;
  const again = connect(`/ws/events/${run.id}?after=${middle}`);
  await again.until(isOf("done"), "the mark");
  expect(again.seqs).toEqual(client.seqs.slice(2));
});

test("R296: the topic of a run shows its stages and every item as the store has them, while it runs and after", async () => {
  gate = makeGate();
  const run = await served.mill.start(crawl, undefined);
  const client = connect("/ws/events");
  await client.opened;
  const topic = `run:${run.name}`;
  client.send({ type: "subscribe", topic });
  await client.until(isOf("snapshot", topic), "the snapshot");
  const running = (frame: LiveFrame): boolean =>
    frame.type !== "beat" && (readItems(client.frames, "score")[20] ?? 0) === 0x13;
  await client.until(running, "the item that runs");
  gate.open();
  await run.result();
  const isEnded = (frame: LiveFrame): boolean =>
    frame.type === "delta" &&
    frame.changes.some(
      ({ id, value }) =>
        id === "run" && z.object({ state: z.literal("succeeded") }).safeParse(value).success,
    );
  await client.until(isEnded, "the end of the run");
  const answer = await fetch(
    `http://${served.host}/api/v1/runs/${run.id}/item-states?stage=score`,
    {
      headers: { authorization: `Bearer ${served.tokens.read}` },
    },
  );
  const { stages } = z
    .object({ stages: z.array(z.object({ states: z.string() })) })
    .parse(await answer.json());
  const kept = inflateRawSync(Buffer.from(stages[0]?.states ?? "", "base64"));
  expect([...readItems(client.frames, "score")]).toEqual([...kept]);
  // Cursors have no hole.
  let cursor: number | null = null;
  for (const frame of client.frames) {
    if (frame.type === "snapshot") cursor = frame.seq;
    if (frame.type !== "delta") continue;
    expect(frame.from).toBe(cursor);
    cursor = frame.to;
  }
  // Who comes back gets what changed, and not everything.
  const again = connect("/ws/events");
  await again.opened;
  const first = client.frames.find(isOf("delta", topic));
  const after = first?.type === "delta" ? first.to : 0;
  again.send({ type: "subscribe", topic, after });
  const change = await again.until(isOf("delta", topic), "what changed");
  expect(change).toMatchObject({ from: after, to: cursor });
});

test("what another process runs is told by its beats: an item without a row shows as running", async () => {
  gate = makeGate();
  const other = await openMillrace({
    store: served.mill.store.url,
    pipelines: [crawl],
    graceMs: 50,
  });
  onTestFinished(() => other.close({ drainMs: 0 }));
  const run = await other.start(crawl, undefined);
  const client = connect("/ws/events");
  await client.opened;
  client.send({ type: "subscribe", topic: `run:${run.name}` });
  const isRunning = (): boolean => (readItems(client.frames, "score")[20] ?? 0) === 0x13;
  await client.until(isRunning, "the item that runs elsewhere");
  gate.open();
  await run.result();
  const isOver = (): boolean => (readItems(client.frames, "score")[20] ?? 0) === 0x14;
  await client.until(isOver, "its end");
});

test("every topic answers with a snapshot of what the routes answer", async () => {
  const client = connect("/ws/events");
  await client.opened;
  const run = await served.mill.start(note, undefined);
  await run.result();
  const topics = ["overview", "runs", "queue", "resources", "schedules", "failures", "workers"];
  for (const topic of topics) {
    client.send({ type: "subscribe", topic });
    await client.until(isOf("snapshot", topic), `the snapshot of ${topic}`);
  }
  const runs = client.frames.find(isOf("snapshot", "runs"));
  const entries = runs?.type === "snapshot" ? runs.data.entries : {};
  const answer = await fetch(`http://${served.host}/api/v1/runs/${run.id}`, {
    headers: { authorization: `Bearer ${served.tokens.read}` },
  });
  const shown = z.object({ run: z.unknown() }).parse(await answer.json());
  expect(entries[`run/${run.id}`]).toEqual(shown.run);
  client.send({ type: "subscribe", topic: `logs:${run.name}` });
  const lines = await client.until(isOf("events", `logs:${run.name}`), "the lines");
  expect(lines).toMatchObject({ events: [{ level: "info", text: "hello", stage: "said" }] });
  // A run that comes is a change of the topic of runs.
  const next = await served.mill.start(note, undefined);
  await client.until(
    (frame) => frame.type === "delta" && frame.changes.some(({ id }) => id === `run/${next.id}`),
    "the next run",
  );
  client.send({ type: "ping" });
  await client.until(isOf("pong"), "the answer");
  client.send({ type: "unsubscribe", topic: "runs" });
  await client.until(isOf("unsubscribed", "runs"), "the answer");
});

test("kinds of failures are those of the route, and one that is muted is told", async () => {
  gate = makeGate();
  gate.open();
  const run = await served.mill.start(crawl, undefined);
  await run.result();
  const ask = async (path: string, init?: RequestInit): Promise<unknown> => {
    const headers = {
      authorization: `Bearer ${served.tokens.operate}`,
      "content-type": "application/json",
    };
    const answer = await fetch(`http://${served.host}/api/v1/failures${path}`, {
      headers,
      ...init,
    });
    return await answer.json();
  };
  const known = z.object({ groups: z.array(z.looseObject({ fingerprint: z.string() })) });
  const { groups } = known.parse(await ask(""));
  const [group] = groups;
  assert(group !== undefined, "k7 fails");
  const id = `failure/${group.fingerprint}`;

  const client = connect("/ws/events");
  await client.opened;
  client.send({ type: "subscribe", topic: "failures" });
  // Who was there before may have left the topic as it was: what is new follows.
  const isKnown = (): boolean => isDeepStrictEqual(readEntries(client.frames).get(id), group);
  await client.until(isKnown, "the failure of k7");
  const body = JSON.stringify({ reason: "known, and harmless" });
  await ask(`/${group.fingerprint}/mute`, { method: "POST", body });
  const muted = z.looseObject({ status: z.literal("muted") });
  const isMuted = (): boolean => muted.safeParse(readEntries(client.frames).get(id)).success;
  await client.until(isMuted, "its mute");
});

test("events of an older form say the same in its words", async () => {
  const client = connect("/ws/events?form=compatible");
  const run = await served.mill.start(note, undefined);
  await run.result();
  const isEnd = (frame: LiveFrame): boolean =>
    frame.type === "events" &&
    frame.events.some((event) => "run_id" in event && event["run_id"] === run.id);
  await client.until(isEnd, "its events");
});

test("R222: of 150 that come 100 are let in and 50 get 503; when they have left nothing is left", async () => {
  const feed = feedOf(served.mill);
  await untilCount(feed, 0);
  const clients = Array.from({ length: 150 }, () => connect("/ws/events"));
  const ends = await Promise.all(
    clients.map((client) => Promise.race([client.opened.then(() => 101), client.refused])),
  );
  expect(ends.filter((status) => status === 101).length).toBe(100);
  expect(ends.filter((status) => status === 503).length).toBe(50);
  expect(feed.clientCount).toBe(100);
  for (const client of clients) client.ws.terminate();
  await untilCount(feed, 0);
  const again = connect("/ws/events");
  await again.opened;
  expect(feed.clientCount).toBe(1);
});

test("a login that ends closes its sockets with 4401", async () => {
  const { token } = await createToken(served.mill, { name: "short", role: "read" });
  const client = connect("/ws/events", token);
  const other = connect("/ws/events");
  await Promise.all([client.opened, other.opened]);
  await revokeToken(served.mill, "short");
  expect(await client.closed).toMatchObject({ code: 4401 });
  expect(other.ws.readyState).toBe(other.ws.OPEN);
});

async function untilCount(feed: { readonly clientCount: number }, count: number): Promise<void> {
  await expect.poll(() => feed.clientCount, { interval: 10, timeout: 4_000 }).toBe(count);
}
