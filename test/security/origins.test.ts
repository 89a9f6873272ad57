// What keeps the pages of other origins, and names that were turned to this machine, away from a server on loopback.

import { afterAll, beforeAll, expect, test } from "vitest";
import * as z from "zod";
import { makeApp } from "../../src/http/app.ts";
import { SESSION_ROUTES } from "../../src/http/routes/session.ts";
import type { SocketRequest } from "../../src/http/upgrades.ts";
import { makeHttpWorld } from "../support/http-world.ts";
import { rawRequest, sendRaw, startServed, type Served } from "../support/served.ts";

let served: Served;

beforeAll(async () => {
  const accept = ({ socket }: SocketRequest): void => {
    socket.end("HTTP/1.1 101 Switching Protocols\r\n\r\n");
  };
  served = await startServed({
    extras: {
      sockets: (upgrades) => {
        upgrades.register("/live", "read", accept);
        upgrades.register("/steer", "operate", accept);
      },
    },
  });
});
afterAll(() => served.close());

const PATHS = ["/health", "/api/v1/session", "/", "/assets/x.js"];

test("S1 S2: only requests for a name of the server are answered, on every route", async () => {
  const { port } = served.server;
  const good = `127.0.0.1:${port}`;
  const bad = [
    "Host: evil.test",
    `Host: evil.test:${port}`,
    `Host: 127.0.0.1.evil.test:${port}`,
    `Host: localhost.:${port}`,
    "Host: 127.0.0.1",
    "Host: [::1]",
    `Host: 127.0.0.1:${port + 1}`,
    `Host: 127.1:${port}`,
    `Host: user@127.0.0.1:${port}`,
    "Host:",
    "X-Nothing: 1",
    `Host: ${good}\r\nHost: ${good}`,
    `Host: ${good}\r\nHost: evil.test`,
    `Host: evil.test\r\nX-Forwarded-Host: ${good}`,
  ];
  for (const path of PATHS) {
    for (const line of bad) {
      const raw = rawRequest(`GET ${path} HTTP/1.1`, [line, bearer()]);
      const answer = await sendRaw(port, raw);
      expect([path, line, answer.status]).toEqual([path, line, 403]);
      expect(answer.text).not.toMatch(/evil|known|127\.0\.0\.1/);
    }
  }
  for (const host of [good, `localhost:${port}`, `LocalHost:${port}`, `[::1]:${port}`]) {
    const answer = await sendRaw(port, rawRequest("GET /health HTTP/1.1", [`Host: ${host}`]));
    expect([host, answer.status]).toEqual([host, 200]);
  }
});

test("S1: a target that brings its own host is refused", async () => {
  const { port } = served.server;
  for (const target of [`http://${served.host}/health`, "http://evil.test/health"]) {
    const raw = rawRequest(`GET ${target} HTTP/1.1`, [`Host: ${served.host}`]);
    expect([target, (await sendRaw(port, raw)).status]).toEqual([target, 403]);
  }
});

test("S1: an upgrade passes the same guard", async () => {
  const { port } = served.server;
  const wanted: readonly (readonly [string, number])[] = [
    ["Host: evil.test", 403],
    [`Host: ${served.host}\r\nHost: ${served.host}`, 403],
    [`Host: ${served.host}`, 404],
  ];
  for (const [line, status] of wanted) {
    expect([line, (await sendRaw(port, upgrade("/nowhere", [line, bearer()]))).status]).toEqual([
      line,
      status,
    ]);
  }
});

test("S3: what a foreign page can send changes nothing, whatever the method", async () => {
  const cookie = await signIn();
  const { url } = served.server;
  const foreign: readonly Readonly<Record<string, string>>[] = [
    { "content-type": "text/plain" },
    { "content-type": "multipart/form-data; boundary=x" },
    { "content-type": "application/x-www-form-urlencoded" },
    { "content-type": "application/json", origin: "https://evil.test", "x-millrace": "1" },
    { "content-type": "application/json", origin: "null", "x-millrace": "1" },
    { "content-type": "application/json", origin: `${url}.evil.test`, "x-millrace": "1" },
    { "content-type": "application/json", origin: `${url}0`, "x-millrace": "1" },
    { "content-type": "application/json", origin: url.replace("http", "https"), "x-millrace": "1" },
    { "content-type": "application/json", origin: url },
    { "content-type": "application/json", "x-millrace": "1" },
    {
      "content-type": "application/json",
      "sec-fetch-site": "cross-site",
      "x-millrace": "1",
      origin: url,
    },
    {
      "content-type": "application/json",
      "sec-fetch-site": "same-site",
      "x-millrace": "1",
      origin: url,
    },
    { "content-type": "application/json", "sec-fetch-site": "none", "x-millrace": "1" },
  ];
  const targets: readonly (readonly [string, string])[] = [
    ["POST", "/api/v1/session/ticket"],
    ["DELETE", "/api/v1/session"],
  ];
  for (const [method, path] of targets) {
    for (const headers of foreign) {
      const raw = rawRequest(`${method} ${path} HTTP/1.1`, [
        `Host: ${served.host}`,
        `Cookie: ${cookie}`,
        ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
      ]);
      const answer = await sendRaw(served.server.port, raw);
      expect([method, headers, answer.status]).toEqual([method, headers, 403]);
    }
  }
  // The session is still there: nothing was ended.
  const mine = await fetch(`${url}/api/v1/session`, { headers: { cookie } });
  expect(mine.status).toBe(200);
  await mine.body?.cancel();
});

test("S3: a cookie's request from another site does not even read", async () => {
  const cookie = await signIn();
  const raw = rawRequest("GET /api/v1/session HTTP/1.1", [
    `Host: ${served.host}`,
    `Cookie: ${cookie}`,
    "Sec-Fetch-Site: cross-site",
    "Sec-Fetch-Mode: no-cors",
  ]);
  expect((await sendRaw(served.server.port, raw)).status).toBe(403);
});

test("S3: signing in is as closed to foreign pages as everything else", async () => {
  const ticket = ticketOf(served.server.makeSignInUrl());
  const body = JSON.stringify({ ticket });
  const post = (lines: readonly string[]): Promise<{ readonly status: number }> =>
    sendRaw(
      served.server.port,
      rawRequest(
        "POST /api/v1/session HTTP/1.1",
        [`Host: ${served.host}`, "Content-Type: application/json", ...lines],
        body,
      ),
    );
  expect((await post([])).status).toBe(403);
  expect((await post(["X-Millrace: 1", "Origin: http://evil.test"])).status).toBe(403);
  expect((await post(["X-Millrace: 1", `Origin: ${served.server.url}`])).status).toBe(200);
});

test("S4: a preflight gets no permission, and nothing is reflected", async () => {
  for (const path of PATHS) {
    const response = await fetch(`${served.server.url}${path}`, {
      method: "OPTIONS",
      headers: {
        origin: "https://evil.test",
        "access-control-request-method": "DELETE",
        "access-control-request-headers": "authorization",
      },
    });
    const names = [...response.headers.keys()];
    expect(names.filter((name) => name.startsWith("access-control-"))).toEqual([]);
    expect([...response.headers.values()].join()).not.toContain("evil.test");
    expect(response.ok).toBe(false);
    await response.body?.cancel();
  }
});

test("S5 S9: a socket opens to exact origins alone; none and null need a bearer token", async () => {
  const { port, url } = served.server;
  const cookie = `Cookie: ${await signIn()}`;
  const open = async (...lines: readonly string[]): Promise<number> =>
    (await sendRaw(port, upgrade("/live", [`Host: ${served.host}`, ...lines]))).status;
  const foreign = [
    "Origin: https://evil.test",
    "Origin: null",
    `Origin: ${url}.evil.test`,
    `Origin: ${url}0`,
    `Origin: http://127.0.0.1:${port + 1}`,
    "X-No-Origin: 1",
  ];
  for (const origin of foreign) {
    expect([origin, await open(cookie, origin)]).toEqual([origin, 403]);
  }
  expect(await open(cookie, `Origin: ${url}`)).toBe(101);
  expect(await open(bearer())).toBe(101);
  expect(await open(bearer(), "Origin: null")).toBe(101);
  expect(await open(bearer(), "Origin: https://evil.test")).toBe(403);
  expect(await open(`Origin: ${url}`)).toBe(401);
  expect(await open("Authorization: Bearer wrong", `Origin: ${url}`)).toBe(401);
  // A reader may not where an operator is asked for.
  const reader = `Authorization: Bearer ${served.tokens.read}`;
  const steer = upgrade("/steer", [`Host: ${served.host}`, reader]);
  expect((await sendRaw(port, steer)).status).toBe(403);
});

test("S5: a ticket opens one socket, once, from a page of the server", async () => {
  const { port, url } = served.server;
  const response = await fetch(`${url}/api/v1/session/ticket`, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: bearer().slice(15) },
    body: "{}",
  });
  const { ticket } = z.object({ ticket: z.string() }).parse(await response.json());
  const open = async (origin: string): Promise<number> => {
    const protocol = `Sec-WebSocket-Protocol: millrace.v1, millrace.ticket.${ticket}`;
    const lines = [`Host: ${served.host}`, `Origin: ${origin}`, protocol];
    return (await sendRaw(port, upgrade("/live", lines))).status;
  };
  expect(await open(url)).toBe(101);
  expect(await open(url)).toBe(401);
});

test("S5: the default app without a server answers to this machine's own names alone", async () => {
  const world = await makeHttpWorld([]);
  const app = makeApp(world.http, SESSION_ROUTES);
  const statusOf = async (url: string): Promise<number> => {
    const headers = { authorization: `Bearer ${world.token}` };
    return (await app.request(url, { headers })).status;
  };
  expect(await statusOf("http://localhost:9/api/v1/session")).toBe(200);
  expect(await statusOf("http://evil.test/api/v1/session")).toBe(403);
});

function bearer(): string {
  return `Authorization: Bearer ${served.tokens.admin}`;
}

function upgrade(path: string, lines: readonly string[]): string {
  const own = ["Upgrade: websocket", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGVzdA=="];
  return [`GET ${path} HTTP/1.1`, ...lines, ...own, "Connection: Upgrade", "", ""].join("\r\n");
}

function ticketOf(url: string): string {
  return url.slice(url.indexOf("#t=") + 3);
}

async function signIn(): Promise<string> {
  const { url } = served.server;
  const response = await fetch(`${url}/api/v1/session`, {
    method: "POST",
    headers: { "content-type": "application/json", "x-millrace": "1", origin: url },
    body: JSON.stringify({ ticket: ticketOf(served.server.makeSignInUrl()) }),
  });
  await response.body?.cancel();
  const [cookie = ""] = (response.headers.get("set-cookie") ?? "").split(";");
  return cookie;
}
