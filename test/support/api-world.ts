// The whole API over a mill of its own. Every JSON answer is held against what its route says it answers, and may hold
// nothing that is not said there.

import assert from "node:assert/strict";
import type { Route } from "../../src/http/route.ts";
import { ALL_ROUTES } from "../../src/http/all-routes.ts";
import { errorAnswer } from "../../src/http/contract/document.ts";
import { makeRouteTable } from "../../src/http/route-table.ts";
import {
  makeHttpWorld,
  type Answer,
  type AskOptions,
  type HttpWorld,
  type HttpWorldOptions,
} from "./http-world.ts";

export interface ApiWorld extends HttpWorld {
  /** GET that must succeed; the document. */
  readonly get: (path: string) => Promise<Document>;
  /** POST that must answer this status; the document. */
  readonly post: (path: string, body: unknown, status?: number) => Promise<Document>;
  /** The code of a refusal with this status. */
  readonly refused: (
    method: string,
    path: string,
    asked: AskOptions & { readonly status: number },
  ) => Promise<string>;
}

// Documents are looked into by tests alone, which know what they asked for.
// oxlint-disable-next-line typescript/no-explicit-any
export type Document = any;

export async function makeApiWorld(options: HttpWorldOptions = {}): Promise<ApiWorld> {
  const world = await makeHttpWorld(ALL_ROUTES, options);
  const table = makeRouteTable(ALL_ROUTES);
  const ask = async (method: string, path: string, asked: AskOptions = {}): Promise<Answer> => {
    const answer = await world.ask(method, `/api/v1${path}`, asked);
    check(findRoute(table, method, `/api/v1${path}`), answer);
    return answer;
  };
  const expectStatus = async (
    method: string,
    path: string,
    { status, ...asked }: AskOptions & { readonly status: number },
  ): Promise<Answer> => {
    const answer = await ask(method, path, asked);
    assert.equal(answer.status, status, `${method} ${path}: ${answer.text.slice(0, 500)}`);
    return answer;
  };
  return {
    ...world,
    ask,
    get: async (path) => (await expectStatus("GET", path, { status: 200 })).json,
    post: async (path, body, status = 200) =>
      (await expectStatus("POST", path, { body, status })).json,
    refused: async (method, path, asked) => {
      const { json } = await expectStatus(method, path, asked);
      return errorAnswer.parse(json).error.code;
    },
  };
}

function findRoute(
  table: ReturnType<typeof makeRouteTable>,
  method: string,
  path: string,
): Route | undefined {
  const [address = ""] = path.split("?");
  return table.find(address.slice(1).split("/").map(decodeURIComponent))?.routes.get(method);
}

function check(route: Route | undefined, { status, json, text }: Answer): void {
  if (status >= 400) {
    const parsed = errorAnswer.parse(json);
    assert.deepEqual(parsed, json, "a refusal says nothing besides");
    return;
  }
  if (json === undefined || route?.result === undefined) return;
  const parsed: unknown = route.result.parse(json);
  assert.deepEqual(
    parsed,
    json,
    `${route.method} ${route.path} says what it documents: ${text.slice(0, 300)}`,
  );
}
