// Five hundred clients that are slow on purpose, beside others who ask: the others wait no longer than they would beside
// as many who behave. Two servers of one process are asked in turns, so that a slow machine slows both.

import { connect, type Socket } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { feedOf } from "../../src/service/feed/topics/live-feed.ts";
import { startServed, type Served } from "../support/served.ts";

/** How many of each kind: five hundred in all, of which as many follow a feed as may. */
const COUNTS = { headers: 200, bodies: 100, silent: 100, streams: 50, sockets: 50 };
const OTHERS = COUNTS.headers + COUNTS.bodies + COUNTS.silent;
const ASKED = 200;
/** Of several rounds the best counts: what else the machine does strikes one of the two at times. */
const ROUNDS = 5;
/** What is within the grain of the machine, ms. */
const GRAIN_MS = 3;

let slow: Served;
let calm: Served;
const opened: Socket[] = [];

beforeAll(async () => {
  // They are kept for as long as it takes, which is harder than to close them in time.
  const serve = { clients: { headersMs: 120_000, idleMs: 120_000 }, bodyMs: 120_000 };
  slow = await startServed({ serve });
  calm = await startServed({ serve });
});
afterAll(async () => {
  for (const socket of opened) socket.destroy();
  await slow.close();
  await calm.close();
});

function open(at: Served, text: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(at.server.port, "127.0.0.1", () => {
      socket.write(text);
      resolve(socket);
    });
    opened.push(socket);
    socket.once("error", reject);
    socket.on("error", () => undefined);
  });
}

const openMany = (at: Served, count: number, text: string): Promise<readonly Socket[]> =>
  Promise.all(Array.from({ length: count }, () => open(at, text)));

function headOf(at: Served, first: string, ...lines: readonly string[]): string {
  const own = [`Host: ${at.host}`, `Authorization: Bearer ${at.tokens.operate}`];
  return [first, ...own, ...lines, ""].join("\r\n");
}

const streamHead = (at: Served): string =>
  `${headOf(at, "GET /api/v1/events/stream HTTP/1.1")}\r\n`;

const socketHead = (at: Served): string =>
  `${headOf(
    at,
    `GET /ws/events?form=compatible HTTP/1.1`,
    "Upgrade: websocket",
    "Connection: Upgrade",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
  )}\r\n`;

/** Opens those who never read; they end what they were given to read before. */
async function openFeeds(at: Served, hears: boolean): Promise<void> {
  const streams = await openMany(at, COUNTS.streams, streamHead(at));
  const sockets = await openMany(at, COUNTS.sockets, socketHead(at));
  for (const socket of [...streams, ...sockets]) {
    if (hears) socket.resume();
    else socket.pause();
  }
  const feed = feedOf(at.mill);
  await expect
    .poll(() => feed.clientCount, { timeout: 20_000 })
    .toBe(streams.length + sockets.length);
}

/** Sends a byte a second to each until it is stopped. */
function trickle(sockets: readonly Socket[]): () => void {
  const timer = setInterval(() => {
    for (const socket of sockets) if (socket.writable) socket.write("x");
  }, 1_000);
  return () => clearInterval(timer);
}

async function openSlow(): Promise<() => void> {
  await openFeeds(slow, false);
  const headers = await openMany(
    slow,
    COUNTS.headers,
    headOf(slow, "GET /api/v1/runs HTTP/1.1", "X-A: "),
  );
  const path = "POST /api/v1/events HTTP/1.1";
  const lines = ["Content-Type: application/json", "Content-Length: 100000"];
  const bodies = await openMany(slow, COUNTS.bodies, `${headOf(slow, path, ...lines)}\r\n"`);
  const silent = await openMany(slow, COUNTS.silent, "");
  // To see it if they are sent away.
  for (const socket of [...headers, ...bodies, ...silent]) socket.resume();
  return trickle([...headers, ...bodies]);
}

/** As many who ask once, read what they get, and stay. */
async function openCalm(): Promise<void> {
  await openFeeds(calm, true);
  const others = await openMany(calm, OTHERS, `${headOf(calm, "GET /health HTTP/1.1")}\r\n`);
  for (const socket of others) socket.resume();
}

async function ask(at: Served): Promise<number> {
  const startMs = performance.now();
  const headers = { authorization: `Bearer ${at.tokens.read}` };
  const response = await fetch(`${at.server.url}/api/v1/runs?limit=10`, { headers });
  await response.text();
  expect(response.status).toBe(200);
  return performance.now() - startMs;
}

const p95 = (times: readonly number[]): number =>
  times.toSorted((a, b) => a - b)[Math.floor(times.length * 0.95)] ?? 0;

/** One after the other, the first of the two by turns, while both have something to tell. */
async function compare(): Promise<{ readonly slowMs: number; readonly calmMs: number }> {
  const times = new Map([
    [slow, [] as number[]],
    [calm, [] as number[]],
  ]);
  for (let round = 0; round < ASKED; round += 1) {
    const order = round % 2 === 0 ? [slow, calm] : [calm, slow];
    for (const at of order) times.get(at)?.push(await ask(at));
    if (round % 10 !== 0) continue;
    const event = { name: "disk.checked", source: "test", data: { text: "m".repeat(4_000) } };
    for (const at of order) await at.mill.recordEvent(event);
    await pause(1);
  }
  return { slowMs: p95(times.get(slow) ?? []), calmMs: p95(times.get(calm) ?? []) };
}

test(
  "S14: five hundred slow clients leave others as quick as five hundred who behave do",
  { timeout: 240_000 },
  async () => {
    const stop = await openSlow();
    await openCalm();
    expect(opened).toHaveLength(2 * (OTHERS + COUNTS.streams + COUNTS.sockets));
    for (let round = 0; round < 20; round += 1) {
      await ask(slow);
      await ask(calm);
    }
    const seen: (readonly [number, number])[] = [];
    let isQuick = false;
    for (let round = 0; round < ROUNDS && !isQuick; round += 1) {
      const { slowMs, calmMs } = await compare();
      seen.push([slowMs, calmMs]);
      isQuick = slowMs < 2 * calmMs + GRAIN_MS;
    }
    stop();
    // They are there still: it was not by sending them away.
    const closed = opened.filter((socket) => socket.destroyed).length;
    expect(closed).toBe(0);
    expect([seen, isQuick]).toEqual([seen, true]);
  },
);
