// What takes several things at once (operations, an import, a socket with topics) asks for each of them what the single
// request asks for; no body holds requests; and what a request names by an id or a ticket is its own kind, its own
// server's, and for whom it was made.

import { afterAll, beforeAll, expect, test } from "vitest";
import { input, pipeline, stage } from "../../src/exports/index.ts";
import { ALL_ROUTES } from "../../src/http/all-routes.ts";
import { makeCompatibleApi } from "../../src/http/compatible/compatible-api.ts";
import { makeOpenApi, type JsonSchema } from "../../src/http/openapi.ts";
import type { RouteAccess } from "../../src/http/route.ts";
import { includesRole, ROLES, type Role } from "../../src/service/access/identity.ts";
import { createToken, revokeToken } from "../../src/service/access/tokens.ts";
import { parseTopic, WHOLE_TOPICS } from "../../src/service/feed/topics/topic-name.ts";
import { OPERATION_ACTIONS } from "../../src/service/operations/operation-record.ts";
import { isRecord } from "../../src/std/record.ts";
import { LiveClient } from "../support/live/live-client.ts";
import { startServed, type Served } from "../support/served.ts";

const source = input<{ readonly ok: boolean }>();
const work = stage("work", { needs: { source } }, ({ source: { ok } }) => ok);
const job = pipeline("job", { input: source, output: { work } });

let served: Served;
let stranger: Served;

beforeAll(async () => {
  served = await startServed({ open: { pipelines: [job] } });
  stranger = await startServed({ open: { pipelines: [job] } });
});
afterAll(async () => {
  await served.close();
  await stranger.close();
});

interface Asked {
  readonly method?: string;
  readonly role?: Role;
  readonly token?: string;
  readonly body?: unknown;
  readonly type?: string;
  readonly at?: Served;
  readonly headers?: Readonly<Record<string, string>>;
}

interface Said {
  readonly status: number;
  readonly json: Readonly<Record<string, unknown>>;
  readonly headers: Headers;
}

async function ask(path: string, asked: Asked = {}): Promise<Said> {
  const { at = served, role = "admin", body, type = "application/json" } = asked;
  const method = asked.method ?? (body === undefined ? "GET" : "POST");
  const token = asked.token ?? at.tokens[role];
  const response = await fetch(`${at.server.url}/api/v1${path}`, {
    method,
    headers: {
      ...(token === "" ? {} : { authorization: `Bearer ${token}` }),
      ...(body === undefined ? {} : { "content-type": type }),
      ...asked.headers,
    },
    ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  const json: unknown = text === "" ? {} : JSON.parse(text);
  return { status: response.status, json: isRecord(json) ? json : {}, headers: response.headers };
}

/** What every run is like, and how many operations and tokens there are. */
async function readState(): Promise<unknown> {
  const [runs, operations, tokens] = await Promise.all(
    ["/runs?limit=100", "/operations", "/tokens"].map((path) => ask(path)),
  );
  return [runs?.json, operations?.json, tokens?.json];
}

function accessOf(method: string, path: string): RouteAccess {
  const found = ALL_ROUTES.find((route) => route.method === method && route.path === path);
  expect([method, path, found === undefined]).toEqual([method, path, false]);
  return found?.access ?? "public";
}

/** Whether who may do the one may do the other. */
function covers(outer: RouteAccess, inner: RouteAccess): boolean {
  return outer !== "public" && inner !== "public" && includesRole(outer, inner);
}

/** The route that does to one run what an operation does to many; of `purge` there is none. */
const SINGLE: Readonly<Record<(typeof OPERATION_ACTIONS)[number], string | null>> = {
  cancel: "/api/v1/runs/{run}/cancel",
  resume: "/api/v1/runs/{run}/resume",
  requeue: "/api/v1/runs/{run}/requeue",
  purge: null,
};

test("S10: who asks for many runs may do to each what is asked, or nothing is done to any", async () => {
  await ask("/pipelines/job/runs", { body: { input: { ok: true } } });
  const outer = accessOf("POST", "/api/v1/operations");
  const before = await readState();
  for (const action of OPERATION_ACTIONS) {
    const single = SINGLE[action];
    const inner = single === null ? "operate" : accessOf("POST", single);
    expect([action, covers(outer, inner)]).toEqual([action, true]);
    for (const extra of [{ preview: true }, { matching: 1 }]) {
      const body = { action, filter: {}, ...extra };
      const { status, json } = await ask("/operations", { role: "read", body });
      expect([action, status, json["error"]]).toEqual([
        action,
        403,
        expect.objectContaining({ code: "FORBIDDEN" }),
      ]);
    }
  }
  // Nor does a body say on whose behalf it is, or brings a second action along.
  for (const more of [{ actor: "token:admin" }, { role: "admin" }, { operations: [] }]) {
    const body = { action: "cancel", filter: {}, matching: 1, ...more };
    expect((await ask("/operations", { role: "operate", body })).status).toBe(422);
  }
  expect(await readState()).toEqual(before);
});

test("S10: who imports many runs may start each; a reader queues none, and a line is an input, whatever it says", async () => {
  const outer = accessOf("POST", "/api/v1/queue/import");
  expect(covers(outer, accessOf("POST", "/api/v1/pipelines/{name}/runs"))).toBe(true);
  const before = await readState();
  const type = "application/jsonl";
  const lines = `${JSON.stringify({ input: { ok: true } })}\n`;
  const path = "/queue/import?pipeline=job";
  expect((await ask(path, { role: "read", body: lines, type })).status).toBe(403);
  expect(await readState()).toEqual(before);
  // A line is an input as a whole: what it says of pipelines, callers or requests is data.
  for (const more of [{ pipeline: "other" }, { actor: "token:admin" }, { requests: [] }]) {
    const line = `${JSON.stringify({ ok: true, ...more })}\n`;
    expect((await ask(path, { role: "operate", body: line, type })).status).toBe(200);
  }
  const { runs } = (await ask("/runs?limit=3")).json;
  const one = expect.objectContaining({ pipeline: "job", source: "http:token:operate" });
  expect(runs).toEqual([one, one, one]);
});

/** The route that answers once what a topic answers for as long as it is followed. */
const TOPIC_ROUTES: Readonly<Record<string, string>> = {
  overview: "/api/v1/snapshot",
  runs: "/api/v1/runs",
  queue: "/api/v1/queue",
  resources: "/api/v1/resources",
  schedules: "/api/v1/schedules",
  failures: "/api/v1/failures",
  workers: "/api/v1/workers",
  "run:last": "/api/v1/runs/{run}",
  "logs:last": "/api/v1/runs/{run}/logs",
  events: "/api/v1/events",
};

test("S10: a socket shows in each of its topics what its role may ask for, and has no topic for anything else", async () => {
  const kinds = Object.keys(TOPIC_ROUTES).map((topic) => parseTopic(topic).kind);
  expect(new Set(kinds)).toEqual(new Set([...WHOLE_TOPICS, "run", "logs", "events"]));
  for (const path of Object.values(TOPIC_ROUTES)) {
    expect([path, accessOf("GET", path)]).toEqual([path, "read"]);
  }
  const client = new LiveClient(`ws://${served.host}/ws/events`, {
    headers: { authorization: `Bearer ${served.tokens.read}` },
  });
  await client.opened;
  const denied = ["tokens", "sessions", "operations", "records", "replies", "tickets", "config"];
  const forged = [
    { type: "cancel", run: "last" },
    { type: "subscribe", topic: "runs", role: "admin" },
    { type: "subscribe", topic: ["runs", "tokens"] },
    { type: "subscribe", topics: ["runs"] },
    [{ type: "subscribe", topic: "runs" }],
    { type: "request", method: "GET", path: "/api/v1/tokens" },
    { type: "subscribe", topic: "events", filter: { collection: "tokens" } },
  ];
  for (const topic of denied) client.ws.send(JSON.stringify({ type: "subscribe", topic }));
  for (const frame of forged) client.ws.send(JSON.stringify(frame));
  client.send({ type: "ping" });
  await client.until(({ type }) => type === "pong", "the answer to the last frame");
  const errors = client.frames.filter(({ type }) => type === "error");
  expect(errors).toHaveLength(denied.length + forged.length);
  expect(client.frames.filter(({ type }) => type !== "error" && type !== "pong")).toEqual([]);
});

/** Names of fields in which an envelope would carry what it holds. */
const ENVELOPE =
  /^(?:requests?|batches|operations|commands?|actions|calls?|method|path|url|href|headers)$/;

/** Places in a schema: fields, and where lists of objects or anything at all may stand. */
function listPlaces(
  schema: unknown,
  known: Readonly<Record<string, JsonSchema>>,
  at = "",
): string[] {
  if (!isRecord(schema)) return [];
  const { $ref: name, items, properties, additionalProperties, description: _, ...rest } = schema;
  if (typeof name === "string") return listPlaces(known[name.split("/").at(-1) ?? ""], known, at);
  const inner = isRecord(properties) ? Object.entries(properties) : [];
  const fields = inner.flatMap(([key, each]) => [
    `${at}.${key}`,
    ...listPlaces(each, known, `${at}.${key}`),
  ]);
  const lists = isRecord(items) ? listPlaces(items, known, `${at}[]`) : [];
  const others = isRecord(additionalProperties)
    ? listPlaces(additionalProperties, known, `${at}.*`)
    : [];
  const forms = [rest["anyOf"], rest["oneOf"], rest["allOf"]].flat();
  const isAny = Object.keys(schema).every((key) => key === "description");
  return [
    ...(isAny ? [`${at} anything`] : []),
    ...fields,
    ...lists,
    ...others,
    ...forms.flatMap((each) => listPlaces(each, known, at)),
  ];
}

test("S10: no body of the API holds requests: lists of objects and free data stand where they are known", () => {
  const routes = [...ALL_ROUTES, ...makeCompatibleApi({ pipeline: "a", schedule: "b" })];
  const { paths, components } = makeOpenApi(routes, { version: "0", basePath: "" });
  const bodies = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).flatMap(([method, { requestBody }]) =>
      Object.values(requestBody?.content ?? {}).map(({ schema }) => ({
        name: `${method} ${path}`,
        places: listPlaces(schema, components.schemas),
      })),
    ),
  );
  for (const { name, places } of bodies) {
    const fields = places.map((place) => /\.([^.[\] ]+)$/.exec(place)?.[1] ?? "");
    expect([name, fields.filter((field) => ENVELOPE.test(field))]).toEqual([name, []]);
  }
  const found = bodies.flatMap(({ name, places }) =>
    places.filter((place) => /\[\]|anything/.test(place)).map((place) => `${name} ${place}`),
  );
  expect(bodies.length).toBeGreaterThan(20);
  // Inputs and data are kept and handed on; nothing here obeys them.
  expect(found.toSorted()).toEqual([
    "patch /api/v1/schedules/{id} .input anything",
    "post /api/pipeline/publish-event .data.* anything",
    "post /api/v1/events .data.* anything",
    "post /api/v1/pipelines/{name}/plan .input anything",
    "post /api/v1/pipelines/{name}/runs .input anything",
    "post /api/v1/schedules/{id}/trigger .input anything",
    "put /api/v1/resources/{name}/override .quota[].burst",
    "put /api/v1/resources/{name}/override .quota[].per",
    "put /api/v1/resources/{name}/override .quota[].rate",
  ]);
});

function idIn(json: unknown, key: string): string {
  const found = isRecord(json) && isRecord(json[key]) ? json[key]["id"] : undefined;
  return typeof found === "string" ? found : "";
}

test("S10: an id of another kind, of another store or made up is no operation's, and ends none", async () => {
  const made = await ask("/pipelines/job/runs", { body: { input: { ok: true } } });
  const run = idIn(made.json, "run");
  const body = { action: "requeue", filter: { tag: "none=such" }, matching: 0 };
  const foreign = idIn((await ask("/operations", { body, at: stranger })).json, "operation");
  expect([run, foreign]).not.toContain("");
  const replies = await served.mill.store.listRecords({ collection: "replies", limit: 1 });
  const ids = [run, foreign, "read", "default", "tokens", replies[0]?.key ?? "none", "0", "last"];
  for (const id of ids) {
    for (const method of ["GET", "DELETE"]) {
      const { status } = await ask(`/operations/${id}`, { method });
      expect([id, method, status]).toEqual([id, method, 404]);
    }
  }
  expect((await ask(`/operations/${foreign}`, { at: stranger })).status).toBe(200);
  expect(
    (await ask(`/operations/${foreign}`, { at: stranger, method: "DELETE", role: "read" })).status,
  ).toBe(403);
});

async function makeTicket(purpose: string, asked: Asked = {}): Promise<string> {
  const { json } = await ask("/session/ticket", { body: { purpose }, ...asked });
  return String(json["ticket"]);
}

/** Status of signing in, and the cookie. */
async function signIn(ticket: string, at: Served = served): Promise<readonly [number, string]> {
  const headers = { "x-millrace": "1", origin: at.server.url };
  const { status, headers: said } = await ask("/session", {
    token: "",
    body: { ticket },
    headers,
    at,
  });
  return [status, (said.get("set-cookie") ?? "").split(";")[0] ?? ""];
}

/** Status of opening a socket with a ticket; 101: it is open. */
async function openSocket(ticket: string, at: Served = served): Promise<number> {
  const client = new LiveClient(`ws://${at.host}/ws/events`, {
    protocols: ["millrace.v1", `millrace.ticket.${ticket}`],
    origin: at.server.url,
  });
  return await Promise.race([client.refused, client.opened.then(() => 101)]);
}

test("S10: a ticket is good for its purpose, at its server, once, and with the role of who asked for it", async () => {
  expect(await openSocket(await makeTicket("socket", { role: "read" }))).toBe(101);
  const used = await makeTicket("socket");
  expect([await openSocket(used), await openSocket(used)]).toEqual([101, 401]);
  const [socket, login] = [await makeTicket("socket"), await makeTicket("login")];
  expect(await openSocket(login)).toBe(401);
  expect((await signIn(socket))[0]).toBe(401);
  expect(await openSocket(await makeTicket("socket", { at: stranger }))).toBe(401);
  expect((await signIn(await makeTicket("login", { at: stranger })))[0]).toBe(401);
  for (const forged of ["A".repeat(43), "A".repeat(42), "default", served.tokens.read]) {
    expect([forged, await openSocket(forged)]).toEqual([forged, 401]);
    expect((await signIn(forged))[0]).toBeGreaterThanOrEqual(400);
  }
  for (const role of ROLES) {
    const [status, cookie] = await signIn(await makeTicket("login", { role }));
    expect(status).toBe(200);
    const headers = { cookie, "x-millrace": "1", origin: served.server.url };
    expect((await ask("/session", { token: "", headers })).json["role"]).toBe(role);
    const body = { action: "cancel", filter: { tag: "none=such" }, preview: true };
    const asked = await ask("/operations", { token: "", headers, body });
    expect([role, asked.status]).toEqual([role, role === "read" ? 403 : 200]);
  }
});

test("S10: a ticket outlives the token behind it by nothing", async () => {
  const { token } = await createToken(served.mill, { name: "passing", role: "operate" });
  const [socket, login] = [
    await makeTicket("socket", { token }),
    await makeTicket("login", { token }),
  ];
  await revokeToken(served.mill, "passing");
  expect(await openSocket(socket)).toBe(401);
  const [, cookie] = await signIn(login);
  expect((await ask("/session", { token: "", headers: { cookie } })).status).toBe(401);
});

test("S10: nor does a ticket for a socket outlive the session that asked for it", async () => {
  const [, cookie] = await signIn(await makeTicket("login", { role: "read" }));
  const headers = { cookie, "x-millrace": "1", origin: served.server.url };
  const ticket = (): Promise<string> => makeTicket("socket", { token: "", headers });
  const [good, late] = [await ticket(), await ticket()];
  expect(await openSocket(good)).toBe(101);
  expect((await ask("/session", { method: "DELETE", token: "", headers })).status).toBe(200);
  expect(await openSocket(late)).toBe(401);
});
