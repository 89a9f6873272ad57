// The API, its OpenAPI document, its page and its reference agree: all are made of one table, and nothing of it is left
// out. The document is valid in structure, and every reference in it leads somewhere.

import assert from "node:assert/strict";
import { test } from "vitest";
import { ALL_ROUTES } from "../../src/http/all-routes.ts";
import { toOutline } from "../../src/http/api-outline.ts";
import { makeOpenApi, type ApiOperation, type OpenApiDocument } from "../../src/http/openapi.ts";
import { ERROR_CODES } from "../../src/model/errors.ts";
import { makePages } from "../../scripts/reference.ts";
import { makeHttpWorld } from "../support/http-world.ts";

const DOCUMENT = makeOpenApi(ALL_ROUTES, { version: "1.2.3", basePath: "/ops" });

interface Placed {
  readonly path: string;
  readonly method: string;
  readonly operation: ApiOperation;
}

function listOperations({ paths }: OpenApiDocument): readonly Placed[] {
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
  );
}

test("every route stands in the document, with its role and a name of its own, and nothing else does", () => {
  const told = listOperations(DOCUMENT);
  assert.deepEqual(
    told
      .map(({ path, method, operation }) => `${method} ${path} ${operation["x-role"]}`)
      .toSorted(),
    ALL_ROUTES.map(
      ({ path, method, access }) => `${method.toLowerCase()} ${path} ${access}`,
    ).toSorted(),
  );
  const ids = told.map(({ operation }) => operation.operationId);
  assert.equal(new Set(ids).size, ids.length);
  for (const { operation } of told) {
    assert.match(operation.operationId, /^[a-z][A-Za-z0-9]*$/);
    assert.ok(operation.summary.length > 5);
  }
});

test("every name in a path is a required parameter of it, and no parameter comes twice", () => {
  for (const { path, operation } of listOperations(DOCUMENT)) {
    const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name = ""]) => name);
    const told = operation.parameters.filter((each) => each.in === "path");
    assert.deepEqual(told.map(({ name }) => name).toSorted(), inPath.toSorted(), path);
    assert.ok(
      told.every(({ required }) => required),
      path,
    );
    const places = operation.parameters.map((each) => `${each.in} ${each.name}`);
    assert.equal(new Set(places).size, places.length, path);
  }
});

test("every reference leads to a part of the document, and every part is referred to", () => {
  const text = JSON.stringify(DOCUMENT);
  const refs = new Set([...text.matchAll(/"\$ref":"#\/([^"]+)"/g)].map(([, ref]) => ref ?? ""));
  const { schemas, responses } = DOCUMENT.components;
  const parts = [
    ...Object.keys(schemas).map((name) => `components/schemas/${name}`),
    ...Object.keys(responses).map((name) => `components/responses/${name}`),
  ];
  assert.deepEqual(
    [...refs].filter((ref) => !parts.includes(ref)),
    [],
  );
  assert.deepEqual(
    parts.filter((part) => !refs.has(part) && !/Error(405|409)$/.test(part)),
    [],
  );
  assert.ok(!text.includes("$defs"));
});

test("R286 R287: what there is to be asked and done is there", () => {
  const told = new Set(
    listOperations(DOCUMENT).map(({ path, method }) => `${method} ${path.replace("/api/v1", "")}`),
  );
  const wanted = [
    "post /pipelines/{name}/runs",
    "post /runs/{run}/cancel",
    "get /pipelines/{name}/status",
    "get /snapshot",
    "get /runs",
    "get /runs/{run}",
    "get /schedules",
    "patch /schedules/{id}",
    "get /schedules/{id}/next",
    "post /schedules/{id}/enable",
    "post /schedules/{id}/disable",
    "get /schedules/{id}",
    "get /status",
  ];
  assert.deepEqual(
    wanted.filter((each) => !told.has(each)),
    [],
  );
});

test("every code stands under its status, and whoever may be refused is told so", () => {
  const { responses } = DOCUMENT.components;
  const listed = Object.values(responses).flatMap(({ description }) => description.split(", "));
  assert.deepEqual(listed.toSorted(), ERROR_CODES.toSorted());
  for (const { path, operation } of listOperations(DOCUMENT)) {
    const statuses = Object.keys(operation.responses);
    const isPublic = operation["x-role"] === "public";
    assert.equal(statuses.includes("401"), !isPublic, path);
    assert.equal(
      operation.security.some((each) => "bearer" in each),
      !isPublic,
      path,
    );
  }
});

test("lists are bounded and opaque: each takes a limit and a cursor or a number to go on from", () => {
  for (const { path, operation } of listOperations(DOCUMENT)) {
    const names = operation.parameters.map(({ name }) => name);
    if (!names.includes("cursor")) continue;
    const limit = operation.parameters.find(({ name }) => name === "limit");
    assert.deepEqual([limit?.schema["minimum"], limit?.schema["maximum"]], [1, 500], path);
  }
});

test("the reference and the page list every route", async () => {
  const reference = makePages().find(({ path }) => path === "docs/reference/api.md")?.text ?? "";
  const world = await makeHttpWorld(ALL_ROUTES);
  const page = (await world.ask("GET", "/api")).text;
  for (const { routes } of toOutline(DOCUMENT)) {
    for (const { method, path } of routes) {
      assert.ok(reference.includes(`\`${method} ${path}\``), `${method} ${path}`);
      assert.ok(page.includes(`<code>${method} ${path}</code>`), `${method} ${path}`);
    }
  }
});

test("the page needs no script and no other host, and its style is beside it", async () => {
  const world = await makeHttpWorld(ALL_ROUTES, { http: { basePath: "/ops" } });
  const page = await world.ask("GET", "/ops/api");
  assert.equal(page.headers.get("content-type"), "text/html; charset=utf-8");
  assert.ok(!/<script|\son\w+=|style=|https?:\/\//.test(page.text));
  assert.ok(page.headers.get("content-security-policy")?.includes("default-src 'none'"));
  assert.ok(page.text.includes('href="api/page.css"'));
  assert.equal((await world.ask("GET", "/ops/api/page.css", { token: null })).status, 200);
  assert.equal((await world.ask("GET", "/ops/api", { token: null })).status, 401);
  const document = await world.ask("GET", "/ops/api/v1/openapi.json");
  assert.deepEqual(document.json, JSON.parse(JSON.stringify(makeOpenApi(ALL_ROUTES, world.http))));
});
