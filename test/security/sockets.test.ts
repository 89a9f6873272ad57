// Live sockets and streams in the hands of whoever should not have them, or means harm.

import { connect, type Socket } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { feedOf } from "../../src/service/feed/topics/live-feed.ts";
import { LiveClient } from "../support/live/live-client.ts";
import { sendRaw, startServed, type Served } from "../support/served.ts";

let served: Served;

beforeAll(async () => {
  served = await startServed();
});
afterAll(() => served.close());

const bearer = (): string => `Authorization: Bearer ${served.tokens.read}`;

function handshake(path: string, lines: readonly string[]): string {
  const own = [
    "Upgrade: websocket",
    "Connection: Upgrade",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
  ];
  return [`GET ${path} HTTP/1.1`, `Host: ${served.host}`, ...own, ...lines, "", ""].join("\r\n");
}

/** Status of a handshake; the connection is cut after it. */
async function tryOpen(path: string, lines: readonly string[]): Promise<number> {
  return await new Promise((resolve) => {
    const socket = connect(served.server.port, "127.0.0.1", () =>
      socket.write(handshake(path, lines)),
    );
    socket.on("error", () => undefined);
    socket.once("data", (data) => {
      resolve(Number(data.toString("latin1").slice(9, 12)));
      socket.destroy();
    });
    socket.once("close", () => resolve(0));
  });
}

/** A socket that speaks frames by hand. */
async function openRaw(): Promise<Socket> {
  return await new Promise((resolve) => {
    const socket = connect(served.server.port, "127.0.0.1", () =>
      socket.write(handshake("/ws/events", [bearer()])),
    );
    socket.on("error", () => undefined);
    socket.once("data", () => resolve(socket));
  });
}

/** A masked frame; the mask is zero, which changes nothing. */
function frame(opcode: number, payload: Buffer, isLast = true): Buffer {
  const { length } = payload;
  const first = (isLast ? 0x80 : 0) | opcode;
  const size =
    length < 126
      ? Buffer.from([0x80 | length])
      : length < 65_536
        ? Buffer.from([0x80 | 126, length >> 8, length & 255])
        : Buffer.from([0x80 | 127, 0, 0, 0, 0, 0, length >> 16, (length >> 8) & 255, length & 255]);
  return Buffer.concat([Buffer.from([first]), size, Buffer.alloc(4), payload]);
}

/** The number with which the server closes; 0: it only cut the line. */
async function closeCode(socket: Socket, ...pieces: readonly Buffer[]): Promise<number> {
  const found: Buffer[] = [];
  const ended = new Promise<void>((resolve) => {
    socket.on("close", () => resolve());
    socket.on("end", () => resolve());
    socket.on("data", (data) => {
      found.push(data);
      if (findClose(Buffer.concat(found)) !== 0) resolve();
    });
  });
  for (const piece of pieces) if (!socket.destroyed) socket.write(piece);
  await ended;
  socket.destroy();
  return findClose(Buffer.concat(found));
}

/** Frames of a server carry no mask. */
function findClose(bytes: Buffer): number {
  let at = 0;
  while (at + 2 <= bytes.length) {
    const opcode = (bytes[at] ?? 0) & 15;
    const small = (bytes[at + 1] ?? 0) & 127;
    const length = small === 126 ? bytes.readUInt16BE(at + 2) : small;
    const start = at + (small === 126 ? 4 : 2);
    if (opcode === 8) return length >= 2 ? bytes.readUInt16BE(start) : 1005;
    at = start + length;
  }
  return 0;
}

test("S9: sockets and streams without credentials get 401 before any byte", async () => {
  for (const path of ["/ws/events", "/ws/events/last", "/ws/none"]) {
    expect([path, await tryOpen(path, [])]).toEqual([path, 401]);
    const wrong = await tryOpen(path, ["Authorization: Bearer wrong"]);
    expect([path, wrong]).toEqual([path, 401]);
    const revoked = await tryOpen(path, [`Authorization: Bearer ${served.tokens.revoked}`]);
    expect([path, revoked]).toEqual([path, 401]);
  }
  expect(await tryOpen("/ws/none", [bearer()])).toBe(404);
  expect(await tryOpen("/ws/events", [bearer()])).toBe(101);
  for (const path of ["/api/v1/events/stream", "/api/v1/runs/last/events/stream"]) {
    const answer = await fetch(`http://${served.host}${path}`);
    expect([path, answer.status, (await answer.text()).includes("data:")]).toEqual([
      path,
      401,
      false,
    ]);
  }
});

test("S5: a page of another origin opens no live socket", async () => {
  const { url } = served.server;
  const port = served.server.port;
  const cookie = await signIn();
  const open = (...lines: string[]): Promise<number> => tryOpen("/ws/events", lines);
  expect(await open(cookie, `Origin: ${url}`)).toBe(101);
  const foreign = [
    "http://evil.test",
    "null",
    `http://127.0.0.1.evil.test:${port}`,
    `http://127.0.0.1:${port}.evil.test`,
    `http://127.0.0.1:${port + 1}`,
    `https://127.0.0.1:${port}`,
    `http://localhost.:${port}`,
  ];
  for (const origin of foreign) {
    expect([origin, await open(cookie, `Origin: ${origin}`)]).toEqual([origin, 403]);
  }
  expect(await open(cookie)).toBe(403);
  expect(await open(bearer())).toBe(101);
  expect(await open(bearer(), "Origin: null")).toBe(101);
  expect(await open(bearer(), "Origin: http://evil.test")).toBe(403);
});

test("S5: handshakes by the thousand, some good, leave nobody and nothing behind", async () => {
  const feed = feedOf(served.mill);
  const before = process.memoryUsage().rss;
  for (let round = 0; round < 12; round++) {
    const tries = Array.from({ length: 100 }, (_, index) =>
      tryOpen("/ws/events", index % 4 === 0 ? [bearer()] : ["Origin: http://evil.test"]),
    );
    await Promise.all(tries);
  }
  await expect.poll(() => feed.clientCount, { timeout: 5_000 }).toBe(0);
  expect(process.memoryUsage().rss - before).toBeLessThan(200 * 1024 * 1024);
});

test("a session that is signed out loses its sockets at the next look", async () => {
  const cookie = await signIn();
  const { url } = served.server;
  const status = async (): Promise<number> =>
    await tryOpen("/ws/events", [cookie, `Origin: ${url}`]);
  expect(await status()).toBe(101);
  await fetch(`${url}/api/v1/session`, {
    method: "DELETE",
    headers: { cookie: cookie.slice("Cookie: ".length), origin: url, "x-millrace": "1" },
  });
  expect(await status()).toBe(401);
});

test("S15: what abuses a socket is closed with its number, and the server lives", async () => {
  const text = (size: number): Buffer => Buffer.alloc(size, 0x20);
  expect(await closeCode(await openRaw(), frame(1, text(64 * 1024 + 1)))).toBe(1009);
  expect(await closeCode(await openRaw(), frame(1, Buffer.from([0xc3, 0x28])))).toBe(1007);
  // Pieces without end, empty ones too.
  const pieces = [frame(1, text(1), false)];
  for (let count = 0; count < 100; count++) pieces.push(frame(0, text(0), false));
  expect(await closeCode(await openRaw(), Buffer.concat(pieces))).toBe(1008);
  // Compression was never agreed on.
  const compressed = frame(1, text(10));
  compressed[0] = 0xc1;
  expect(await closeCode(await openRaw(), compressed)).toBe(1002);
  const ping = JSON.stringify({ type: "ping" });
  const flood = Buffer.concat(Array.from({ length: 10_000 }, () => frame(1, Buffer.from(ping))));
  expect(await closeCode(await openRaw(), flood)).toBe(1008);
  const pings = Buffer.concat(Array.from({ length: 10_000 }, () => frame(9, text(0))));
  expect(await closeCode(await openRaw(), pings)).toBe(1008);
  expect(await closeCode(await openRaw(), frame(2, text(4)))).toBe(1008);
  const client = new LiveClient(`ws://${served.host}/ws/events`, {
    headers: { authorization: `Bearer ${served.tokens.read}` },
    perMessageDeflate: true,
  });
  await client.opened;
  expect(client.ws.extensions).toBe("");
  client.ws.send("{");
  client.ws.send(JSON.stringify({ type: "subscribe", topic: "runs", more: 1 }));
  client.ws.send(JSON.stringify({ type: "subscribe", topic: "../../etc" }));
  const third = await client.until(
    (frameOf) => frameOf.type === "error" && frameOf.code === "OPTION_INVALID",
    "the third refusal",
  );
  expect(third).toMatchObject({ topic: "../../etc" });
  expect(client.frames.filter(({ type }) => type === "error").length).toBe(3);
});

test("S15: a socket follows so many topics and no more", async () => {
  const client = new LiveClient(`ws://${served.host}/ws/events`, {
    headers: { authorization: `Bearer ${served.tokens.read}` },
  });
  await client.opened;
  for (let count = 0; count <= 32; count++)
    client.send({ type: "subscribe", topic: "events", filter: { grep: `${count}` } });
  await client.until(({ type }) => type === "error", "a refusal");
  const twice = client.frames.filter(({ type }) => type === "error").length;
  expect(twice).toBeGreaterThan(0);
});

test("S7: a socket has one spelling", async () => {
  const spellings: readonly (readonly [string, number])[] = [
    ["//ws/events", 400],
    ["/ws/./events", 400],
    ["/ws/events/", 400],
    ["/ws%2fevents", 404],
    ["/WS/events", 404],
    ["/ws/events/..%2f..", 404],
  ];
  for (const [path, status] of spellings) {
    const answer = await sendRaw(served.server.port, handshake(path, [bearer()]));
    expect([path, answer.status]).toEqual([path, status]);
  }
});

async function signIn(): Promise<string> {
  const { url } = served.server;
  const link = served.server.makeSignInUrl();
  const response = await fetch(`${url}/api/v1/session`, {
    method: "POST",
    headers: { "content-type": "application/json", "x-millrace": "1", origin: url },
    body: JSON.stringify({ ticket: link.slice(link.indexOf("#t=") + 3) }),
  });
  await response.body?.cancel();
  const [cookie = ""] = (response.headers.get("set-cookie") ?? "").split(";");
  return `Cookie: ${cookie}`;
}
