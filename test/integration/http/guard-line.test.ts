// The line of guards, without a port.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import * as z from "zod";
import { makeHttpWorld } from "../../support/http-world.ts";
import { defineRoute } from "../../../src/http/route.ts";
import { definePipeline } from "../../../src/service/pipeline.ts";

const echo = defineRoute({
  method: "POST",
  path: "/api/v1/echo/{name}",
  access: "operate",
  summary: "gives back",
  tag: "test",
  params: z.strictObject({ name: z.string() }),
  query: z.strictObject({ times: z.optional(z.string()) }),
  body: z.strictObject({ text: z.string() }),
  handle: ({ params, query, body, actor }) => ({
    status: 201,
    json: { ...params, ...query, ...body, actor },
  }),
});

const look = defineRoute({
  method: "GET",
  path: "/api/v1/look",
  access: "read",
  summary: "looks",
  tag: "test",
  etag: true,
  handle: () => ({ json: { seen: true } }),
});

test("a route gets its parts parsed, and its answer is JSON", async () => {
  const { ask } = await makeHttpWorld([echo, look]);
  const answer = await ask("POST", "/api/v1/echo/a%2Fb?times=2", { body: { text: "x" } });
  expect(answer.status).toBe(201);
  expect(answer.json).toEqual({ name: "a/b", times: "2", text: "x", actor: "token:default" });
});

test("without credentials every path is refused alike; with them an unknown one is unknown", async () => {
  const { ask } = await makeHttpWorld([echo, look]);
  for (const path of ["/api/v1/look", "/api/v1/none", "/"]) {
    expect((await ask("GET", path, { token: null })).status).toBe(401);
  }
  expect((await ask("GET", "/api/v1/look", { token: "wrong" })).status).toBe(401);
  expect((await ask("GET", "/api/v1/look")).status).toBe(200);
  expect((await ask("GET", "/api/v1/none")).status).toBe(404);
  const wrong = await ask("DELETE", "/api/v1/look");
  expect(wrong.status).toBe(405);
  expect(wrong.headers.get("allow")).toBe("GET");
});

test("every fault of a body comes at once, with its path", async () => {
  const { ask } = await makeHttpWorld([echo]);
  const answer = await ask("POST", "/api/v1/echo/a?limit=3", { body: { text: "x" } });
  expect(answer.status).toBe(422);
  expect(answer.json).toMatchObject({
    error: { code: "BODY_INVALID", details: { faults: [{ path: "query.limit" }] } },
  });
  const body = await ask("POST", "/api/v1/echo/a", { body: { text: 1, more: 2 } });
  expect(body.json).toMatchObject({
    error: { details: { faults: [{ path: "body.text" }, { path: "body.more" }] } },
  });
});

test("an answer that has not changed is answered by its tag alone", async () => {
  const { ask } = await makeHttpWorld([look]);
  const first = await ask("GET", "/api/v1/look");
  const tag = first.headers.get("etag") ?? "";
  expect(tag).toMatch(/^"[0-9a-f]{32}"$/);
  const again = await ask("GET", "/api/v1/look", { headers: { "if-none-match": tag } });
  expect([again.status, again.text]).toEqual([304, ""]);
  const head = await ask("HEAD", "/api/v1/look");
  expect([head.status, head.text, head.headers.get("etag")]).toEqual([200, "", tag]);
});

test("what is kept is for whom may read it, is checked like all else, and shows what was written at once", async () => {
  const folder = mkdtempSync(join(tmpdir(), "millrace-guards-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const kept = defineRoute({
    method: "GET",
    path: "/api/v1/kept",
    access: "read",
    summary: "tells the newest run",
    tag: "test",
    query: z.strictObject({ of: z.optional(z.string()) }),
    etag: true,
    kept: true,
    handle: async ({ query, http }) => ({
      json: { ...query, runs: (await http.mill.store.listRuns({ limit: 1 })).length },
    }),
  });
  const world = await makeHttpWorld([kept], { open: { store: `sqlite:${folder}/a.db` } });
  const { ask, mill } = world;

  const first = await ask("GET", "/api/v1/kept");
  expect(first.json).toEqual({ runs: 0 });
  const tag = first.headers.get("etag") ?? "";
  const again = await ask("GET", "/api/v1/kept", { headers: { "if-none-match": tag } });
  expect([again.status, again.text]).toEqual([304, ""]);
  expect((await ask("GET", "/api/v1/kept?of=a")).json).toEqual({ of: "a", runs: 0 });
  expect((await ask("GET", "/api/v1/kept", { token: null })).status).toBe(401);
  expect((await ask("GET", "/api/v1/kept?more=1")).status).toBe(422);

  await mill.start(definePipeline({ name: "p", stages: [{ id: "a", run: () => 1 }] }), undefined);
  expect((await ask("GET", "/api/v1/kept")).json).toEqual({ runs: 1 });
});
