// A path has one reading: whatever its spelling, it is judged as the route it names, or refused.

import { afterAll, beforeAll, expect, test } from "vitest";
import * as z from "zod";
import { defineRoute } from "../../src/http/route.ts";
import { rawRequest, sendRaw, startServed, type Served } from "../support/served.ts";

const ID = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/);
const reached: string[] = [];

const guarded = defineRoute({
  method: "GET",
  path: "/api/v1/guarded/{id}",
  access: "admin",
  tag: "test",
  summary: "says which id it got",
  params: z.strictObject({ id: ID }),
  handle: ({ params }) => {
    reached.push(params.id);
    return { json: params };
  },
});

let served: Served;

beforeAll(async () => {
  served = await startServed({ extras: { routes: [guarded] } });
});
afterAll(() => served.close());

async function get(target: string, token?: string): Promise<number> {
  const lines = token === undefined ? [] : [`Authorization: Bearer ${token}`];
  const raw = rawRequest(`GET ${target} HTTP/1.1`, [`Host: ${served.host}`, ...lines]);
  return (await sendRaw(served.server.port, raw)).status;
}

const SPELLINGS = [
  "//api/v1/guarded/a",
  "/api//v1/guarded/a",
  "/./api/v1/guarded/a",
  "/api/v1/./guarded/a",
  "/api/v1/x/../guarded/a",
  "/api/v1/%2e/guarded/a",
  "/api/v1/x/%2e%2e/guarded/a",
  "/api/v1/x/.%2E/guarded/a",
  "/api%2fv1%2fguarded%2fa",
  "/api/v1/guarded%2fa",
  "/api/v1/guarded%5ca",
  "/api\\v1\\guarded\\a",
  "/api/v1/guarded/a;a=b",
  "/api/v1/guarded;a=b/a",
  "/api/v1/guarded/a/",
  "/api/v1/guarded/a/health",
  "/api/v1/guarded/a/ready",
  "/api/v1/guarded/a/configs",
  "/api/v1/guarded/a/public",
  "/health/../api/v1/guarded/a",
  "/health/api/v1/guarded/a",
  "/health%2f..%2fapi%2fv1%2fguarded%2fa",
  "/API/v1/guarded/a",
  "/api/v1/Guarded/a",
  "/api/v1/guarded/%2561",
  "/%61pi/v1/guarded/a",
  "/api/v1/guarded/a%00",
  "/api/v1/guarded/a%00/health",
  "/api/v1/guarded/%c0%ae%c0%ae",
  "/api/v1/guarded/%c0%afa",
  "/api/v1/guarded/%zz",
  "/api/v1/guarded/a%20",
  "/api/v1/guarded/a?x=/health",
  "/api/v1/guarded/a#/health",
  "/api/v1/guarded/a%23/health",
  "/api/v1/guarded/a%3f/health",
  "*",
] as const;

test("S7: no spelling of a path gets past the guard of the route it names", async () => {
  for (const path of SPELLINGS) {
    reached.length = 0;
    const stranger = await get(path);
    expect([path, [400, 401].includes(stranger)]).toEqual([path, true]);
    const reader = await get(path, served.tokens.read);
    expect([path, [400, 403, 404].includes(reader)]).toEqual([path, true]);
    expect([path, reached]).toEqual([path, []]);
  }
});

test("S7: with the role that it needs a spelling is the route itself, unknown, or refused", async () => {
  for (const path of SPELLINGS) {
    reached.length = 0;
    const status = await get(path, served.tokens.admin);
    expect([path, [200, 400, 404, 422].includes(status)]).toEqual([path, true]);
    // What was reached was reached as the plain name that a caller with the role may name anyway.
    expect([path, reached.every((id) => id === "a")]).toEqual([path, true]);
  }
  expect(await get("/api/v1/guarded/a", served.tokens.admin)).toBe(200);
});

test("S8: what is called health, ready or configs is guarded like anything else", async () => {
  for (const name of ["health", "ready", "configs", "public", "login", "session"]) {
    expect([name, await get(`/api/v1/guarded/${name}`)]).toEqual([name, 401]);
    expect([name, await get(`/api/v1/guarded/${name}`, served.tokens.read)]).toEqual([name, 403]);
    expect([name, await get(`/api/v1/guarded/${name}`, served.tokens.admin)]).toEqual([name, 200]);
  }
  for (const path of ["/health/x", "/x/health", "/ready/health", "/healthz", "/health/"]) {
    expect([path, [400, 401].includes(await get(path))]).toEqual([path, true]);
  }
});

test("R228 S18: an id that could leave its folder is refused before anything looks at it", async () => {
  reached.length = 0;
  const ids: readonly (readonly [string, number])[] = [
    ["..", 400],
    ["%2e%2e", 400],
    [".%2e", 400],
    ["..%2f..%2fetc%2fpasswd", 422],
    ["a%2f..%2fb", 422],
    ["..%5cwindows", 422],
    [".hidden", 422],
    ["-rf", 422],
    ["a%0ab", 400],
    ["%25252e", 422],
    ["C:", 422],
    ["x".repeat(300), 422],
    ["caf%C3%A9", 422],
  ];
  for (const [id, status] of ids) {
    expect([id, await get(`/api/v1/guarded/${id}`, served.tokens.admin)]).toEqual([id, status]);
  }
  expect(reached).toEqual([]);
});
