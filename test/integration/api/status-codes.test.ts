// R288: each status of a refusal, with its code and body, over the real routes.

import assert from "node:assert/strict";
import { describe, test } from "vitest";
import * as z from "zod";
import { input, pipeline, stage } from "../../../src/exports/index.ts";
import { statusOf } from "../../../src/http/error-status.ts";
import { ERROR_CODES } from "../../../src/model/errors.ts";
import type { Role } from "../../../src/service/access/identity.ts";
import { errorAnswer } from "../../../src/http/contract/document.ts";
import { makeApiWorld, type ApiWorld } from "../../support/api-world.ts";
import type { AskOptions } from "../../support/http-world.ts";

const source = input(z.object({ n: z.number() }));
const fail = stage("fail", { needs: { source } }, () => {
  throw new Error("no");
});
const gated = pipeline("gated", { input: source, output: { fail }, gate: "health" });
const small = pipeline("small", { input: source, output: { fail }, maxQueued: 1 });

interface Case {
  readonly status: number;
  readonly code: string;
  readonly method: string;
  readonly path: string;
  readonly body?: unknown;
  readonly role?: Role | null;
  readonly before?: (world: ApiWorld) => Promise<unknown>;
}

const INPUT = { input: { n: 1 } };
const queueOne = (world: ApiWorld): Promise<unknown> =>
  world.post("/pipelines/small/runs", INPUT, 201);

const CASES: readonly Case[] = [
  { status: 401, code: "UNAUTHENTICATED", method: "GET", path: "/runs", role: null },
  {
    status: 403,
    code: "FORBIDDEN",
    method: "POST",
    path: "/runs/1/cancel",
    body: {},
    role: "read",
  },
  { status: 403, code: "FORBIDDEN", method: "GET", path: "/tokens", role: "operate" },
  {
    status: 403,
    code: "HEALTH_REFUSED",
    method: "POST",
    path: "/pipelines/gated/runs",
    body: INPUT,
    before: async (world) => {
      for (let run = 0; run < 3; run++) {
        const body = { ...INPUT, override: true };
        await world.post("/pipelines/gated/runs", body, 201);
        await world.mill.work({ drain: true });
      }
    },
  },
  { status: 404, code: "RUN_NOT_FOUND", method: "GET", path: "/runs/7f3k" },
  { status: 404, code: "RUN_NOT_FOUND", method: "GET", path: "/batches/b9" },
  { status: 404, code: "PIPELINE_UNKNOWN", method: "GET", path: "/pipelines/none" },
  { status: 404, code: "PIPELINE_UNKNOWN", method: "GET", path: "/definitions/0123" },
  {
    status: 404,
    code: "STAGE_UNKNOWN",
    method: "GET",
    path: "/runs/1/stages/none",
    before: queueOne,
  },
  {
    status: 404,
    code: "ITEM_UNKNOWN",
    method: "GET",
    path: "/runs/1/stages/fail/items/none",
    before: queueOne,
  },
  { status: 404, code: "RESOURCE_UNKNOWN", method: "GET", path: "/resources/none" },
  { status: 404, code: "SCHEDULE_UNKNOWN", method: "GET", path: "/schedules/none" },
  { status: 404, code: "OPERATION_UNKNOWN", method: "GET", path: "/operations/none" },
  { status: 404, code: "WORKER_UNKNOWN", method: "GET", path: "/workers/none" },
  { status: 404, code: "TOKEN_UNKNOWN", method: "DELETE", path: "/tokens/none" },
  { status: 404, code: "ROUTE_NOT_FOUND", method: "GET", path: "/none" },
  { status: 405, code: "METHOD_NOT_ALLOWED", method: "DELETE", path: "/runs/1" },
  {
    status: 409,
    code: "RUN_STATE_CONFLICT",
    method: "POST",
    path: "/runs/1/requeue",
    body: {},
    before: queueOne,
  },
  { status: 422, code: "BODY_INVALID", method: "GET", path: "/runs?nothing=1" },
  { status: 422, code: "BODY_INVALID", method: "GET", path: "/runs/..%2Fetc" },
  { status: 422, code: "BODY_INVALID", method: "GET", path: "/runs?limit=501" },
  { status: 422, code: "OPTION_INVALID", method: "GET", path: "/runs?cursor=%C3%A4" },
  { status: 422, code: "INPUT_INVALID", method: "POST", path: "/pipelines/small/runs", body: {} },
  {
    status: 422,
    code: "BODY_INVALID",
    method: "POST",
    path: "/pipelines/small/runs",
    body: { ...INPUT, skip: "fail" },
  },
  {
    status: 422,
    code: "EVENT_INVALID",
    method: "POST",
    path: "/events",
    body: { name: "x", source: "y" },
  },
  {
    status: 429,
    code: "QUEUE_FULL",
    method: "POST",
    path: "/pipelines/small/runs",
    body: INPUT,
    before: queueOne,
  },
  {
    status: 503,
    code: "STORE_CLOSED",
    method: "GET",
    path: "/runs/1",
    before: (world) => world.mill.close(),
  },
];

describe("R288: a refusal has its status, its code and one body", () => {
  for (const { status, code, method, path, body, role = "admin", before } of CASES) {
    test(`${status} ${code}: ${method} ${path}`, async () => {
      const world = await makeApiWorld({ pipelines: [gated, small] });
      const token = role === null || role === "admin" ? role : await world.tokenOf(role);
      await before?.(world);
      const asked = { status, ...(token === "admin" ? {} : { token }) };
      const given = body === undefined ? asked : { ...asked, body };
      assert.equal(await world.refused(method, path, given), code);
    });
  }
});

test("R288: what does not fit is told with what would", async () => {
  const world = await makeApiWorld({ pipelines: [small] });
  const say = async (method: string, path: string, asked: AskOptions): Promise<string> => {
    const { error } = errorAnswer.parse((await world.ask(method, path, asked)).json);
    return `${error.message} ${error.hint ?? ""}`;
  };
  const runs = "/pipelines/small/runs";
  const soon = { body: { ...INPUT, delay: "soon" } };
  assert.match(await say("POST", runs, soon), /body\.delay: expected a duration such as 5m/);
  assert.match(
    await say("POST", "/runs/1/resume", {}),
    /content-type: application\/json, and \{\}/,
  );
  assert.match(await say("GET", "/runs/", {}), /no slash at its end/);
});

test("R288: every code has its status, and 400 stands for what is no request of ours", () => {
  const byStatus = new Map<number, number>();
  for (const code of ERROR_CODES) {
    const status = statusOf(code);
    byStatus.set(status, (byStatus.get(status) ?? 0) + 1);
  }
  assert.deepEqual(
    [...byStatus.keys()].toSorted((left, right) => left - right),
    [400, 401, 403, 404, 405, 409, 413, 422, 429, 500, 503],
  );
});
