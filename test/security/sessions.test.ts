// Tokens, tickets, sessions and replies that are given once: what they are good for, how long, and what they leave
// behind.

import { chmodSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import * as z from "zod";
import { SESSION_ROUTES } from "../../src/http/routes/session.ts";
import { defineRoute } from "../../src/http/route.ts";
import { Access } from "../../src/service/access/access.ts";
import { readTokenFile } from "../../src/service/access/token-file.ts";
import { createToken, listTokens, revokeToken } from "../../src/service/access/tokens.ts";
import { openMillrace } from "../../src/service/millrace.ts";
import { makeVirtualClock } from "../../src/std/virtual-clock.ts";
import { makeHttpWorld } from "../support/http-world.ts";
import { startServed, type Served } from "../support/served.ts";

let calls = 0;

const count = defineRoute({
  method: "POST",
  path: "/api/v1/count",
  access: "read",
  tag: "test",
  summary: "counts its calls",
  body: z.strictObject({ by: z.number() }),
  handle: ({ body }) => {
    if (body.by < 0) throw new RangeError("below zero");
    calls += body.by;
    return { status: 201, json: { calls }, headers: { location: "/there" } };
  },
});

const other = defineRoute({
  method: "POST",
  path: "/api/v1/other",
  access: "read",
  tag: "test",
  summary: "the same under another path",
  body: z.strictObject({ by: z.number() }),
  handle: () => ({ json: { other: true } }),
});

let served: Served;

beforeAll(async () => {
  served = await startServed({ extras: { routes: [count, other] } });
});
afterAll(() => served.close());

test("S36: the token file is made for its owner alone, and one that others can read is refused", async () => {
  const path = join(served.folder, "token");
  expect(statSync(path).mode & 0o777).toBe(0o600);
  const token = readFileSync(path, "utf8").trim();
  expect(token).toMatch(/^mlr_[\w-]{43}$/);
  expect(readTokenFile(path)).toBe(token);
  for (const mode of [0o640, 0o604, 0o620, 0o666]) {
    chmodSync(path, mode);
    expect(() => readTokenFile(path)).toThrow(
      expect.objectContaining({ code: "TOKEN_FILE_UNSAFE" }),
    );
  }
  chmodSync(path, 0o600);
  const link = join(served.folder, "linked-token");
  symlinkSync(path, link);
  expect(() => readTokenFile(link)).toThrow(expect.objectContaining({ code: "TOKEN_FILE_UNSAFE" }));
  const short = join(served.folder, "short-token");
  writeFileSync(short, "abc\n", { mode: 0o600 });
  expect(() => readTokenFile(short)).toThrow(expect.objectContaining({ code: "FILE_UNREADABLE" }));
  rmSync(link);
});

test("S30: a token is shown once and kept as a hash: neither lists nor events nor rows tell it", async () => {
  const { mill } = served;
  const made = await createToken(mill, { name: "ci", role: "operate", actor: "token:default" });
  const secret = made.token.slice(made.token.indexOf(".") + 1);
  const kept = [
    await listTokens(mill),
    await mill.store.listRecords({ collection: "tokens", limit: 100 }),
    await mill.store.listEvents({ after: 0, limit: 1_000 }),
  ];
  expect(JSON.stringify(kept)).not.toContain(secret);
  expect(readFileSync(join(served.folder, "store.db"), "latin1")).not.toContain(secret);
  const events = await mill.store.listEvents({ after: 0, limit: 1_000 });
  expect(events.findLast(({ type }) => type === "token.created")?.data).toEqual({
    token: "ci",
    role: "operate",
    actor: "token:default",
  });
});

test("a token that is revoked or expired is refused at once, and its name may come back as another", async () => {
  const clock = makeVirtualClock();
  const mill = await openMillrace({ store: "memory:", clock });
  onTestFinished(() => mill.close({ drainMs: 0 }));
  const access = new Access(mill, { token: "t".repeat(43), clock });
  const first = await createToken(mill, { name: "ci", role: "operate", expiresInMs: 60_000 });
  const found = await access.identify(first.token, "a");
  expect(found).toMatchObject({ actor: "token:ci", role: "operate" });
  await expect(createToken(mill, { name: "ci", role: "read" })).rejects.toMatchObject({
    code: "OPTION_INVALID",
  });
  const cookie = access.openSession(found ?? { actor: "", tokenId: "", role: "read" });
  expect(await access.useSession(cookie)).toMatchObject({ identity: { actor: "session:ci" } });
  await clock.advance(60_000);
  expect(await access.identify(first.token, "a")).toBeNull();
  expect(await access.useSession(cookie)).toBeNull();
  const second = await createToken(mill, { name: "ci", role: "read" });
  expect(await access.identify(first.token, "a")).toBeNull();
  const again = await access.identify(second.token, "a");
  expect(again?.tokenId).not.toBe(found?.tokenId);
  await revokeToken(mill, "ci");
  expect(await access.identify(second.token, "a")).toBeNull();
  await expect(revokeToken(mill, "nobody")).rejects.toMatchObject({ code: "TOKEN_UNKNOWN" });
  expect(await listTokens(mill)).toMatchObject([{ name: "ci", state: "revoked" }]);
});

test("a ticket signs in once and within a minute; its session ends when it is idle, old or left", async () => {
  const clock = makeVirtualClock();
  const { ask, http } = await makeHttpWorld(SESSION_ROUTES, { clock });
  const own = { "x-millrace": "1", origin: "http://localhost" };
  const signIn = async (ticket: string, headers = {}): ReturnType<typeof ask> =>
    await ask("POST", "/api/v1/session", {
      token: null,
      body: { ticket },
      headers: { ...own, ...headers },
    });
  const who = async (cookie: string): Promise<number> =>
    (await ask("GET", "/api/v1/session", { token: null, headers: { cookie } })).status;

  const ticket = http.access.makeLoginTicket();
  const answer = await signIn(ticket);
  expect(answer.json).toEqual({ actor: "session:default", role: "admin", via: "cookie" });
  const set = answer.headers.get("set-cookie") ?? "";
  expect(set).toMatch(
    /^millrace_session=[\w-]{43}; Path=\/; Max-Age=43200; HttpOnly; SameSite=Strict$/,
  );
  const [cookie = ""] = set.split(";");
  expect((await signIn(ticket)).status).toBe(401);
  expect(await who(cookie)).toBe(200);

  const late = http.access.makeLoginTicket();
  await clock.advance(60_000);
  expect((await signIn(late)).status).toBe(401);

  // A session that was there before does not become the one that is signed in.
  const rotated = await signIn(http.access.makeLoginTicket(), { cookie });
  const [fresh = ""] = (rotated.headers.get("set-cookie") ?? "").split(";");
  expect(fresh).not.toBe(cookie);
  expect([await who(cookie), await who(fresh)]).toEqual([401, 200]);

  for (let half = 0; half < 23; half++) {
    await clock.advance(30 * 60_000);
    expect([half, await who(fresh)]).toEqual([half, 200]);
  }
  await clock.advance(30 * 60_000);
  expect(await who(fresh)).toBe(401);

  const idle = await signIn(http.access.makeLoginTicket());
  const [lazy = ""] = (idle.headers.get("set-cookie") ?? "").split(";");
  await clock.advance(60 * 60_000);
  expect(await who(lazy)).toBe(401);

  const leaving = await signIn(http.access.makeLoginTicket());
  const [left = ""] = (leaving.headers.get("set-cookie") ?? "").split(";");
  const out = await ask("DELETE", "/api/v1/session", {
    token: null,
    headers: { ...own, cookie: left },
  });
  expect(out.headers.get("set-cookie")).toContain("Max-Age=0");
  expect(await who(left)).toBe(401);
});

test("under TLS the cookie has the name and the mark that only TLS may set", async () => {
  const { ask, http } = await makeHttpWorld(SESSION_ROUTES, { http: { isSecure: true } });
  const answer = await ask("POST", "/api/v1/session", {
    token: null,
    body: { ticket: http.access.makeLoginTicket() },
    headers: { "x-millrace": "1", origin: "https://localhost" },
  });
  const cookie = answer.headers.get("set-cookie") ?? "";
  expect(cookie).toMatch(/^__Host-millrace_session=[\w-]{43}; Path=\/; .*; Secure$/);
});

test("a bearer token is judged alone, and a cookie that is there twice by nobody", async () => {
  const { ask, http, token } = await makeHttpWorld(SESSION_ROUTES);
  const identity = await http.access.identify(token, "");
  const cookie = `millrace_session=${http.access.openSession(identity ?? { actor: "", tokenId: "", role: "read" })}`;
  const who = async (
    headers: Readonly<Record<string, string>>,
    bearer: string | null,
  ): Promise<number> => (await ask("GET", "/api/v1/session", { token: bearer, headers })).status;
  expect(await who({ cookie }, null)).toBe(200);
  expect(await who({ cookie }, "wrong")).toBe(401);
  expect(await who({ cookie, authorization: "Basic dXNlcjpwYXNz" }, null)).toBe(401);
  expect(await who({ cookie: `${cookie}; millrace_session=planted` }, null)).toBe(401);
});

test("S37: twenty bad tokens of an address cost nothing, more cost a wait that doubles; good ones stay heard", async () => {
  const clock = makeVirtualClock();
  const world = await makeHttpWorld(SESSION_ROUTES, {
    clock,
    app: { addressOf: (request) => request.headers.get("x-test-address") ?? "" },
  });
  const ask = async (token: string, address: string): Promise<readonly [number, string | null]> => {
    const answer = await world.ask("GET", "/api/v1/session", {
      token,
      headers: { "x-test-address": address },
    });
    return [answer.status, answer.headers.get("retry-after")];
  };
  expect(await ask(world.token, "1.1.1.1")).toEqual([200, null]);
  for (let tries = 0; tries < 20; tries++) {
    expect(await ask(`bad-${tries}`, "1.1.1.1")).toEqual([401, null]);
  }
  const waits: number[] = [];
  for (let round = 0; round < 5; round++) {
    const [status, after] = await ask("bad-more", "1.1.1.1");
    expect(status).toBe(429);
    waits.push(Number(after));
    await clock.advance(Number(after) * 1_000);
    expect(await ask("bad-more", "1.1.1.1")).toEqual([401, null]);
  }
  expect(waits).toEqual([1, 2, 4, 8, 16]);
  // What was good before goes on, from there too; other addresses are not touched.
  expect(await ask(world.token, "1.1.1.1")).toEqual([200, null]);
  expect(await ask("bad", "2.2.2.2")).toEqual([401, null]);
});

test("S38: a request that comes twice is done once, within its token, route and contents", async () => {
  const { url } = served.server;
  const post = async (
    path: string,
    {
      key,
      by,
      role = "read",
    }: { readonly key: string; readonly by: number; readonly role?: "read" | "admin" },
  ): Promise<readonly [number, string | null, string]> => {
    const response = await fetch(`${url}${path}`, {
      method: "POST",
      headers: {
        authorization: `Bearer ${served.tokens[role]}`,
        "content-type": "application/json",
        "idempotency-key": key,
      },
      body: JSON.stringify({ by }),
    });
    return [response.status, response.headers.get("idempotent-replayed"), await response.text()];
  };
  calls = 0;
  expect(await post("/api/v1/count", { key: "a", by: 1 })).toEqual([201, null, '{"calls":1}']);
  expect(await post("/api/v1/count", { key: "a", by: 1 })).toEqual([201, "true", '{"calls":1}']);
  expect((await post("/api/v1/count", { key: "a", by: 2 }))[0]).toBe(422);
  expect(await post("/api/v1/count", { key: "a", by: 1, role: "admin" })).toEqual([
    201,
    null,
    '{"calls":2}',
  ]);
  expect(await post("/api/v1/other", { key: "a", by: 1 })).toEqual([200, null, '{"other":true}']);
  expect(calls).toBe(2);
  // What failed was not done: its key is free.
  expect((await post("/api/v1/count", { key: "b", by: -1 }))[0]).toBe(500);
  expect(await post("/api/v1/count", { key: "b", by: 5 })).toEqual([201, null, '{"calls":7}']);
  for (const key of ["", "with space", "x".repeat(256), "umläut"]) {
    const raw = await post("/api/v1/count", { key, by: 1 });
    expect([key, raw[0]]).toEqual([key, 400]);
  }
});

test("S38: while the first is at work the second is asked to come again; one that died frees its key in a minute", async () => {
  const clock = makeVirtualClock();
  const gate = Promise.withResolvers<void>();
  let done = 0;
  const slow = defineRoute({
    method: "POST",
    path: "/api/v1/slow",
    access: "read",
    tag: "test",
    summary: "waits",
    body: z.strictObject({}),
    handle: async () => {
      done += 1;
      await gate.promise;
      return { json: { done } };
    },
  });
  const { ask } = await makeHttpWorld([slow], { clock });
  const post = (): ReturnType<typeof ask> =>
    ask("POST", "/api/v1/slow", { body: {}, headers: { "idempotency-key": "k" } });
  const first = post();
  await expect.poll(() => done).toBe(1);
  const second = await post();
  expect([second.status, second.headers.get("retry-after")]).toEqual([409, "5"]);
  await clock.advance(60_000);
  const third = post();
  await expect.poll(() => done).toBe(2);
  gate.resolve();
  expect([(await first).status, (await third).status]).toEqual([200, 200]);
  const fourth = await post();
  expect(fourth.headers.get("idempotent-replayed")).toBe("true");
  await clock.advance(24 * 3_600_000);
  expect((await post()).headers.get("idempotent-replayed")).toBeNull();
});
