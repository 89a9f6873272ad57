// `serve` and `handler` as a program uses them: what they answer while the store is away, while they stop, and where
// they will not listen.

import { request } from "node:http";
import { createServer } from "node:net";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect, onTestFinished, test } from "vitest";
import * as z from "zod";
import { handler, serve } from "../../../src/exports/server.ts";
import { planListen } from "../../../src/http/listen-plan.ts";
import { defineRoute } from "../../../src/http/route.ts";
import { openMillrace } from "../../../src/service/millrace.ts";
import { makeVirtualClock } from "../../../src/std/virtual-clock.ts";
import { startServed } from "../../support/served.ts";

async function get(url: string, token?: string): Promise<readonly [number, unknown]> {
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
  const response = await fetch(url, { headers });
  return [response.status, await response.json()];
}

test("R298: a fresh server listens on loopback alone, both kinds, and asks for its token", async () => {
  const served = await startServed();
  onTestFinished(() => served.close());
  const { url, port } = served.server;
  expect(url).toBe(`http://127.0.0.1:${port}`);
  expect((await get(`${url}/api/v1/session`))[0]).toBe(401);
  expect(await get(`${url}/api/v1/session`, served.tokens.default)).toEqual([
    200,
    { actor: "token:default", role: "admin", via: "bearer" },
  ]);
  expect((await get(`http://localhost:${port}/health`))[0]).toBe(200);
});

test("R298: any other address needs TLS or a proxy, and a name; loopback needs neither", async () => {
  const mill = await openMillrace({ store: "memory:" });
  onTestFinished(() => mill.close({ drainMs: 0 }));
  for (const host of ["0.0.0.0", "::", "192.168.1.7", "example.org"]) {
    await expect(serve(mill, { host, port: 0 })).rejects.toMatchObject({ code: "SERVER_UNSAFE" });
  }
  await expect(serve(mill, { host: "0.0.0.0", port: 0, behindProxy: true })).rejects.toMatchObject({
    code: "SERVER_UNSAFE",
  });
  const tls = { cert: "cert", key: "key" };
  for (const safe of [{ tls }, { behindProxy: true }]) {
    const plan = planListen({ host: "192.168.1.7", port: 1, ...safe });
    expect([plan.addresses, plan.isSecure]).toEqual([["192.168.1.7"], true]);
    expect([...plan.hostsAt(8443)]).toEqual(["192.168.1.7:8443"]);
  }
  const named = planListen({ host: "0.0.0.0", behindProxy: true, hosts: ["Mill.Example.org"] });
  expect([...named.hostsAt(4400)]).toEqual([
    "127.0.0.1:4400",
    "[::1]:4400",
    "localhost:4400",
    "mill.example.org",
  ]);
  for (const host of ["127.0.0.1", "::1", "localhost", "127.9.9.9"]) {
    expect([host, planListen({ host }).isSecure]).toEqual([host, false]);
  }
  for (const hosts of [["http://a"], ["a/b"], ["*"], ["a b"], [""]]) {
    expect(() => planListen({ hosts })).toThrow(
      expect.objectContaining({ code: "OPTION_INVALID" }),
    );
  }
});

test("R291: while the store cannot be written health says degraded and readiness 503, and both come back", async () => {
  const served = await startServed({ open: { busyTimeoutMs: 20 } });
  onTestFinished(() => served.close());
  const { url } = served.server;
  const holder = new DatabaseSync(join(served.folder, "store.db"));
  onTestFinished(() => holder.close());
  holder.exec("BEGIN EXCLUSIVE");
  expect(await get(`${url}/ready`)).toEqual([503, { ready: false, reasons: ["store"] }]);
  expect(await get(`${url}/health`)).toEqual([200, { status: "degraded", reasons: ["store"] }]);
  // What needs no write is still answered.
  expect((await get(`${url}/api/v1/session`, served.tokens.read))[0]).toBe(200);
  holder.exec("COMMIT");
  await expect
    .poll(() => get(`${url}/ready`), { timeout: 4_000 })
    .toEqual([200, { ready: true, reasons: [] }]);
  expect(await get(`${url}/health`)).toEqual([200, { status: "ok", reasons: [] }]);
});

test("a server that stops is not ready first, answers what is under way, and then is gone", async () => {
  const gate = Promise.withResolvers<void>();
  const begun = Promise.withResolvers<void>();
  const slow = defineRoute({
    method: "GET",
    path: "/api/v1/slow",
    access: "read",
    tag: "test",
    summary: "waits",
    handle: async ({ http }) => {
      begun.resolve();
      await gate.promise;
      return { json: { isStopping: http.isStopping() } };
    },
  });
  const served = await startServed({ extras: { routes: [slow] }, serve: { stopMs: 10_000 } });
  onTestFinished(() => served.close());
  const { server, tokens } = served;
  const answer = get(`${server.url}/api/v1/slow`, tokens.read);
  await begun.promise;
  server.beginStop();
  expect(await get(`${server.url}/ready`)).toEqual([503, { ready: false, reasons: ["stopping"] }]);
  const stopped = Promise.all([server.stop(), server.stop()]);
  gate.resolve();
  expect(await answer).toEqual([200, { isStopping: true }]);
  await stopped;
  await expect(fetch(`${server.url}/health`)).rejects.toThrow();
});

test("a port that is taken is said to be, and nothing is left listening", async () => {
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", () => resolve()));
  onTestFinished(() => void other.close());
  const address = other.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const mill = await openMillrace({ store: "memory:" });
  onTestFinished(() => mill.close({ drainMs: 0 }));
  await expect(serve(mill, { port })).rejects.toMatchObject({
    code: "PORT_IN_USE",
    next: `npx millrace serve --port ${port + 1}`,
  });
});

test("whose port is the last one is offered the first that needs no rights", async () => {
  const mill = await openMillrace({ store: "memory:" });
  onTestFinished(() => mill.close({ drainMs: 0 }));
  const other = createServer();
  onTestFinished(() => {
    other.close();
  });
  // Whoever has it already does as well.
  await new Promise<void>((resolve) => {
    other.once("error", () => resolve()).listen(65_535, "127.0.0.1", resolve);
  });
  await expect(serve(mill, { port: 65_535 })).rejects.toMatchObject({
    code: "PORT_IN_USE",
    next: "npx millrace serve --port 1024",
  });
});

test("a Unix socket is for its owner alone, answers by name, and may be left behind", async () => {
  const mill = await openMillrace({ store: "memory:" });
  onTestFinished(() => mill.close({ drainMs: 0 }));
  const served = await startServed();
  onTestFinished(() => served.close());
  const socketPath = join(served.folder, "api.sock");
  for (let round = 0; round < 2; round++) {
    const server = await serve(mill, { socketPath });
    expect(server.url).toBe(`unix:${socketPath}`);
    expect(await getOverSocket(socketPath, "localhost")).toBe(200);
    expect(await getOverSocket(socketPath, "evil.test")).toBe(403);
    await server.stop();
  }
});

function getOverSocket(socketPath: string, host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const asked = request({ socketPath, path: "/health", headers: { host } }, (answer) => {
      answer.resume();
      resolve(answer.statusCode ?? 0);
    });
    asked.on("error", reject);
    asked.end();
  });
}

test("a prefix stands before every path, and nothing is answered beside it", async () => {
  const served = await startServed({ serve: { basePath: "/mill" } });
  onTestFinished(() => served.close());
  const { url, port } = served.server;
  expect(url).toBe(`http://127.0.0.1:${port}/mill`);
  expect((await get(`${url}/health`))[0]).toBe(200);
  const origin = `http://127.0.0.1:${port}`;
  for (const path of ["/health", "/millx/health", "/mil/health", "/", "/MILL/health"]) {
    expect([path, (await get(`${origin}${path}`))[0]]).toEqual([path, 401]);
  }
  const mill = await openMillrace({ store: "memory:" });
  onTestFinished(() => mill.close({ drainMs: 0 }));
  for (const basePath of ["mill", "/mill/", "/a b", "/../x"]) {
    await expect(serve(mill, { port: 0, basePath })).rejects.toMatchObject({
      code: "OPTION_INVALID",
    });
  }
});

test("the handler answers inside another server, to the names it is given", async () => {
  const mill = await openMillrace({ store: "memory:" });
  onTestFinished(() => mill.close({ drainMs: 0 }));
  const token = "k".repeat(40);
  const fetchApi = handler(mill, { token, hosts: ["app.example.org"], basePath: "/mill" });
  const ask = async (url: string): Promise<number> =>
    (await fetchApi(new Request(url, { headers: { authorization: `Bearer ${token}` } }))).status;
  expect(await ask("http://app.example.org/mill/api/v1/session")).toBe(200);
  expect(await ask("http://evil.test/mill/api/v1/session")).toBe(403);
  expect(await ask("http://app.example.org/api/v1/session")).toBe(404);
  expect(() => handler(mill, { token: "short" })).toThrow(
    expect.objectContaining({ code: "OPTION_INVALID" }),
  );
});

test("under load what can wait is asked to come again, and what controls work is not", async () => {
  const { makeHttpWorld } = await import("../../support/http-world.ts");
  const route = (path: string, control: boolean): ReturnType<typeof defineRoute> =>
    defineRoute({
      method: "GET",
      path,
      access: "read",
      tag: "test",
      summary: "looks",
      control,
      result: z.strictObject({}),
      handle: () => ({ json: {} }),
    });
  const world = await makeHttpWorld([route("/wait", false), route("/steer", true)], {
    app: { isOverloaded: () => true },
  });
  const shed = await world.ask("GET", "/wait");
  expect([shed.status, shed.headers.get("retry-after")]).toEqual([503, "5"]);
  expect((await world.ask("GET", "/steer")).status).toBe(200);
});

test("a server that is late on end sheds requests, and says when to come again", async () => {
  const clock = makeVirtualClock();
  const delays = { takeP99Ms: () => 300, close: () => undefined };
  const served = await startServed({ open: { clock }, extras: { delays } });
  onTestFinished(() => served.close());
  const ask = async (): Promise<Response> => {
    const headers = { authorization: `Bearer ${served.tokens.read}` };
    return await fetch(`${served.server.url}/api/v1/runs`, { headers });
  };
  expect((await ask()).status).toBe(200);
  await clock.advance(6_000);
  const shed = await ask();
  expect([shed.status, shed.headers.get("retry-after")]).toEqual([503, "5"]);
  expect(await shed.json()).toMatchObject({ error: { code: "UNAVAILABLE" } });
});
