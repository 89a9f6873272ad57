// What a request may carry, how slowly it may come, and what a refusal tells.

import { connect } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import * as z from "zod";
import { MillraceError } from "../../src/model/errors.ts";
import { defineRoute } from "../../src/http/route.ts";
import {
  rawRequest,
  sendRaw,
  startServed,
  type RawAnswer,
  type Served,
} from "../support/served.ts";

const take = defineRoute({
  method: "POST",
  path: "/api/v1/take",
  access: "operate",
  tag: "test",
  summary: "takes anything",
  body: z.unknown(),
  handle: ({ body }) => ({ json: { isPolluted: "polluted" in {}, kind: typeof body } }),
});

const takeRows = defineRoute({
  method: "POST",
  path: "/api/v1/rows",
  access: "operate",
  tag: "test",
  summary: "counts the bytes of a stream",
  bodyType: "application/jsonl",
  bodyBytesMax: 100_000,
  handle: async ({ context }) => ({
    json: { bytes: (await context.req.arrayBuffer()).byteLength },
  }),
});

const breakDown = defineRoute({
  method: "GET",
  path: "/api/v1/broken",
  access: "read",
  tag: "test",
  summary: "fails in a way that nobody foresaw, or as a store does",
  query: z.strictObject({ how: z.enum(["bug", "store"]) }),
  handle: ({ query }) => {
    const words = 'SELECT secret FROM runs at "/var/lib/millrace/store.db" (millrace 9.9.9)';
    if (query.how === "bug") throw new TypeError(words);
    throw new MillraceError("STORE_FAILED", words, { hint: words, details: { words } });
  },
});

let served: Served;

beforeAll(async () => {
  served = await startServed({
    extras: { routes: [take, takeRows, breakDown] },
    serve: { clients: { headersMs: 300, idleMs: 600 } },
  });
});
afterAll(() => served.close());

function post(path: string, body: string, lines: readonly string[] = []): Promise<RawAnswer> {
  const type = lines.some((line) => /^content-type/i.test(line));
  const own = type ? [] : ["Content-Type: application/json"];
  const raw = rawRequest(
    `POST ${path} HTTP/1.1`,
    [`Host: ${served.host}`, `Authorization: Bearer ${served.tokens.admin}`, ...own, ...lines],
    body,
  );
  return sendRaw(served.server.port, raw);
}

test("S13: each limit holds at its value and refuses one more", async () => {
  const mebi = 1024 * 1024;
  const text = (bytes: number): string => JSON.stringify("x".repeat(bytes - 2));
  expect((await post("/api/v1/take", text(mebi))).status).toBe(200);
  expect((await post("/api/v1/take", text(mebi + 1))).status).toBe(413);
  const nest = (depth: number): string => "[".repeat(depth) + "]".repeat(depth);
  expect((await post("/api/v1/take", nest(64))).status).toBe(200);
  expect((await post("/api/v1/take", nest(66))).status).toBe(400);
  expect((await post("/api/v1/take", nest(400_000))).status).toBe(400);
  const keys = (count: number): string => JSON.stringify(Array.from({ length: count }, () => 1));
  expect((await post("/api/v1/take", keys(10_000))).status).toBe(200);
  expect((await post("/api/v1/take", keys(10_001))).status).toBe(400);
  const get = async (target: string, lines: readonly string[] = []): Promise<number> => {
    const own = [`Host: ${served.host}`, `Authorization: Bearer ${served.tokens.admin}`];
    const raw = rawRequest(`GET ${target} HTTP/1.1`, [...own, ...lines]);
    return (await sendRaw(served.server.port, raw)).status;
  };
  expect(await get(`/${"x".repeat(8_191)}`)).toBe(404);
  expect(await get(`/${"x".repeat(8_192)}`)).toBe(400);
  expect(await get("/api/v1/session", [`X-Long: ${"x".repeat(15_000)}`])).toBe(200);
  expect(await get("/api/v1/session", [`X-Long: ${"x".repeat(16_400)}`])).toBe(431);
  const query = Array.from({ length: 101 }, (_, index) => `a${index}=1`).join("&");
  expect(await get(`/api/v1/session?${query}`)).toBe(400);
});

test("S13: a body that lies about its length, or says none, is bounded while it arrives", async () => {
  const chunk = "x".repeat(60_000);
  const chunks = Array.from({ length: 20 }, () => `${chunk.length.toString(16)}\r\n${chunk}\r\n`);
  const head = (path: string, type: string): string =>
    [
      `POST ${path} HTTP/1.1`,
      `Host: ${served.host}`,
      `Authorization: Bearer ${served.tokens.admin}`,
      `Content-Type: ${type}`,
      "Transfer-Encoding: chunked",
      "Connection: close",
      "",
      "",
    ].join("\r\n");
  const { port } = served.server;
  const whole = await sendRaw(
    port,
    `${head("/api/v1/take", "application/json")}${chunks.join("")}0\r\n\r\n`,
  );
  expect([0, 413]).toContain(whole.status);
  const rows = await sendRaw(
    port,
    `${head("/api/v1/rows", "application/jsonl")}${chunks.join("")}0\r\n\r\n`,
  );
  expect([0, 413]).toContain(rows.status);
  const few = await sendRaw(
    port,
    `${head("/api/v1/rows", "application/jsonl")}${chunks[0]}0\r\n\r\n`,
  );
  expect(few.status).toBe(200);
  expect(few.text).toContain('{"bytes":60000}');
});

test("S12: a body is what its route takes, or it is refused", async () => {
  for (const type of [
    "text/plain",
    "multipart/form-data; boundary=x",
    "application/json; charset=utf-16",
    "application/x-www-form-urlencoded",
  ]) {
    expect([type, (await post("/api/v1/take", "{}", [`Content-Type: ${type}`])).status]).toEqual([
      type,
      400,
    ]);
  }
  expect(
    (await post("/api/v1/take", "{}", ["Content-Type: application/json; charset=utf-8"])).status,
  ).toBe(200);
  expect((await post("/api/v1/take", "{nonsense")).status).toBe(400);
  expect((await post("/api/v1/take", '"\u{FFFD}'.replace("\u{FFFD}", ""))).status).toBe(400);
});

test("S20: keys that reach for a prototype are refused, in bodies and in queries", async () => {
  for (const body of [
    '{"__proto__":{"polluted":1}}',
    '{"a":[{"__proto__":{"polluted":1}}]}',
    '{"constructor":{"prototype":{"polluted":1}}}',
    '[[{"x":{"constructor":{"prototype":{}}}}]]',
  ]) {
    expect([body, (await post("/api/v1/take", body)).status]).toEqual([body, 400]);
  }
  for (const query of [
    "__proto__=1",
    "__proto__[polluted]=1",
    "constructor=1",
    "a.__proto__.x=1",
  ]) {
    const raw = rawRequest(`GET /api/v1/session?${query} HTTP/1.1`, [
      `Host: ${served.host}`,
      `Authorization: Bearer ${served.tokens.admin}`,
    ]);
    expect([query, (await sendRaw(served.server.port, raw)).status]).toEqual([query, 400]);
  }
  expect((await post("/api/v1/take", '{"constructor":"a word"}')).text).toContain(
    '"isPolluted":false',
  );
});

test("S14: who sends headers or a body a byte at a time, or nothing at all, is closed in time", async () => {
  const { port, url } = served.server;
  const trickle = (start: string): Promise<string> =>
    new Promise((resolve) => {
      let text = "";
      const socket = connect(port, "127.0.0.1", () => socket.write(start));
      socket.on("data", (piece) => {
        text += piece.toString("latin1");
      });
      socket.on("error", () => undefined);
      socket.on("close", () => resolve(text));
    });
  const slow = [
    ...Array.from({ length: 40 }, () =>
      trickle(`GET /health HTTP/1.1\r\nHost: ${served.host}\r\nX-A`),
    ),
    ...Array.from({ length: 40 }, () => trickle("")),
    trickle(
      `POST /api/v1/take HTTP/1.1\r\nHost: ${served.host}\r\nAuthorization: Bearer ${served.tokens.admin}\r\nContent-Type: application/json\r\nContent-Length: 10\r\n\r\n{`,
    ),
  ];
  // Others are answered meanwhile.
  const quick = await fetch(`${url}/health`);
  expect(quick.status).toBe(200);
  await quick.body?.cancel();
  for (const text of await Promise.all(slow)) expect(text).not.toContain("HTTP/1.1 200");
});

test("S35: a refusal has a number to ask for, and tells no stack, path, SQL or version", async () => {
  for (const how of ["bug", "store"]) {
    const raw = rawRequest(`GET /api/v1/broken?how=${how} HTTP/1.1`, [
      `Host: ${served.host}`,
      `Authorization: Bearer ${served.tokens.read}`,
    ]);
    const { status, text } = await sendRaw(served.server.port, raw);
    expect(status).toBe(how === "bug" ? 500 : 503);
    expect(text).toMatch(/x-request-id: [0-9a-f-]{36}/);
    expect(text).not.toMatch(/SELECT|\/var\/lib|store\.db|9\.9\.9|TypeError|\.ts\b|\bat \S+ \(/);
  }
});

test("S33: every answer carries the same careful headers, whatever it says", async () => {
  const { url } = served.server;
  const asked = ["/health", "/api/v1/session", "/nowhere", "/api/v1/broken?how=bug", "//"];
  for (const path of asked) {
    for (const token of [undefined, served.tokens.read]) {
      const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
      const response = await fetch(`${url}${path}`, { headers });
      await response.body?.cancel();
      expect(Object.fromEntries(response.headers)).toMatchObject({
        "x-content-type-options": "nosniff",
        "referrer-policy": "no-referrer",
        "cross-origin-opener-policy": "same-origin",
        "cross-origin-resource-policy": "same-origin",
        "cache-control": "no-store",
        "content-security-policy": expect.stringContaining("frame-ancestors 'none'"),
      });
      for (const name of ["server", "x-powered-by", "strict-transport-security"]) {
        expect([path, name, response.headers.get(name)]).toEqual([path, name, null]);
      }
    }
  }
});
