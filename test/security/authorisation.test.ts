// Who may call what: every route, every method, every kind of credentials, generated from the one table, so that a
// route that comes later is in it.

import { afterAll, beforeAll, expect, test } from "vitest";
import { pipeline, stage } from "../../src/exports/index.ts";
import { ALL_ROUTES } from "../../src/http/all-routes.ts";
import { makeCompatibleApi } from "../../src/http/compatible/compatible-api.ts";
import type { Route } from "../../src/http/route.ts";
import { nameIn, piecesOf } from "../../src/http/route-table.ts";
import { includesRole, ROLES, type Role } from "../../src/service/access/identity.ts";
import { createToken, revokeToken } from "../../src/service/access/tokens.ts";
import { makeHttpWorld } from "../support/http-world.ts";
import { rawRequest, sendRaw, startServed, type Served } from "../support/served.ts";

/** With those that stand only where a configuration asks for them. */
const OLDER = { pipeline: "older", schedule: "nightly" };
const ROUTES = [...ALL_ROUTES, ...makeCompatibleApi(OLDER)];

let served: Served;

beforeAll(async () => {
  const older = pipeline("older", { output: { said: stage("said", {}, () => 1) } });
  const schedules = { nightly: { pipeline: "older", dailyAt: "02:30" } };
  served = await startServed({
    open: { pipelines: [older], schedules },
    serve: { compatible: OLDER },
  });
});
afterAll(() => served.close());

/** A path of the route; its names say what no run, stage or schedule is called. */
function pathOf(route: Route): string {
  const pieces = piecesOf(route.path).map((piece) => (nameIn(piece) === undefined ? piece : "x0"));
  return `/${pieces.join("/")}`;
}

type Ask = (path: string, init: RequestInit) => Response | Promise<Response>;

async function call(
  ask: Ask,
  {
    method,
    path,
    token,
  }: { readonly method: string; readonly path: string; readonly token?: string | undefined },
): Promise<Response> {
  const response = await ask(path, {
    method,
    redirect: "manual",
    headers: {
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...(method === "GET" || method === "HEAD" ? {} : { "content-type": "application/json" }),
    },
    // Of a kind that no route takes, so that nothing is changed by those who may.
    ...(method === "GET" || method === "HEAD" ? {} : { body: "[]" }),
  });
  await response.body?.cancel();
  return response;
}

const METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] as const;

/** Over the wire. */
const overWire: Ask = (path, init) => fetch(`${served.server.url}${path}`, init);

test("S6 S11 S9: every route answers its own roles and no one else, whatever the method", async () => {
  // Without a port, since there are thousands of pairs; the guards are the same.
  const world = await makeHttpWorld(ROUTES);
  const revoked = (await createToken(world.mill, { name: "revoked", role: "admin" })).token;
  await revokeToken(world.mill, "revoked");
  const ask: Ask = (path, init) => world.app.request(path, init);
  const paths = Map.groupBy(ROUTES, (route) => route.path);
  let checked = 0;
  for (const [, [first, ...others]] of paths) {
    if (first === undefined) continue;
    const routes = [first, ...others];
    const path = pathOf(first);
    const isOpen = routes.some(({ access }) => access === "public");
    for (const method of METHODS) {
      const route = routes.find((each) => each.method === (method === "HEAD" ? "GET" : method));
      for (const token of route?.access === "public" ? [] : [undefined, "wrong", revoked]) {
        const { status } = await call(ask, { method, path, token });
        // An unknown method is refused before anybody is asked for.
        const expected = method === "OPTIONS" || (route === undefined && isOpen) ? 405 : 401;
        // Of so many bad tokens the last ones are not even looked at.
        const seen = status === 429 && token !== undefined ? 401 : status;
        expect([method, path, token, seen]).toEqual([method, path, token, expected]);
        checked += 1;
      }
      for (const role of ROLES) {
        const token = await world.tokenOf(role);
        const { status } = await call(ask, { method, path, token });
        expect([method, path, role, judge(status)]).toEqual([
          method,
          path,
          role,
          wanted(route, role),
        ]);
        checked += 1;
      }
    }
  }
  expect(checked).toBeGreaterThan(paths.size * METHODS.length * 3);
});

test("S6 S9: over the wire every route is closed to strangers before a byte of it", async () => {
  for (const route of ROUTES.filter(({ access }) => access !== "public")) {
    const { status } = await call(overWire, { method: route.method, path: pathOf(route) });
    expect([route.method, route.path, status]).toEqual([route.method, route.path, 401]);
  }
});

/** Public routes that change something ask for an origin, and a bearer token is none. */
function wanted(route: Route | undefined, role: Role): string {
  if (route === undefined) return "no such method";
  if (route.access === "public") return route.method === "GET" ? "passed" : "refused";
  return includesRole(role, route.access) ? "passed" : "refused";
}

function judge(status: number): string {
  if (status === 405) return "no such method";
  return status === 403 || status === 401 ? "refused" : "passed";
}

test("S6: TRACE, CONNECT and methods that nobody knows are refused before anything is asked", async () => {
  for (const method of ["TRACE", "PROPFIND", "PURGE"]) {
    const answer = await sendRaw(
      served.server.port,
      rawRequest(`${method} /api/v1/session HTTP/1.1`, [
        `Host: ${served.host}`,
        `Authorization: Bearer ${served.tokens.admin}`,
      ]),
    );
    expect([method, answer.status]).toEqual([method, 405]);
    expect(answer.text).not.toContain(served.tokens.admin);
  }
  const connect = await sendRaw(
    served.server.port,
    rawRequest("CONNECT 127.0.0.1:1 HTTP/1.1", [`Host: ${served.host}`]),
  );
  expect(connect.status).not.toBe(200);
});

test("S6: what does not exist is 401 to strangers and 404 to who is known", async () => {
  for (const path of ["/", "/api", "/api/v2/runs", "/assets/main.js", "/.env", "/index.html"]) {
    if (ROUTES.some((route) => route.path === path)) continue;
    expect([path, (await call(overWire, { method: "GET", path })).status]).toEqual([path, 401]);
    const known = await call(overWire, { method: "GET", path, token: served.tokens.read });
    expect([path, known.status]).toEqual([path, 404]);
  }
});

test("S11: only who holds the role reaches a route, whatever else the request says", async () => {
  const response = await fetch(`${served.server.url}/api/v1/session`, {
    headers: {
      authorization: `Bearer ${served.tokens.read}`,
      "x-role": "admin",
      "x-forwarded-user": "admin",
      "x-original-url": "/health",
      "x-rewrite-url": "/health",
      "x-http-method-override": "DELETE",
    },
  });
  expect(await response.json()).toEqual({ actor: "token:read", role: "read", via: "bearer" });
});
