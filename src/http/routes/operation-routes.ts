// Operations over many runs: a preview, the operation itself, its progress, and its end before its time.

import {
  cancelOperation,
  getOperation,
  listOperations,
  startOperation,
} from "../../service/operations/operations.ts";
import { previewOperation } from "../../service/operations/select-runs.ts";
import { operationAnswer, operationBody, operationsAnswer } from "../contract/operation.ts";
import { pageQuery } from "../contract/queue.ts";
import { idParams } from "../contract/reading.ts";
import { defineRoute, type Route } from "../route.ts";

const start = defineRoute({
  method: "POST",
  path: "/api/v1/operations",
  access: "operate",
  tag: "operations",
  summary: "previews one action over many runs, or begins it with the count that was shown",
  body: operationBody,
  result: operationAnswer,
  handle: async ({ body: { preview, ...request }, http, actor }) => {
    const schema = "millrace.operation/1" as const;
    if (preview === true) {
      const found = await previewOperation(http.mill.store, request.action, request.filter);
      return { json: { schema, preview: found } };
    }
    const { matching = 0, ...rest } = request;
    const operation = await startOperation(http.mill, { ...rest, matching, actor });
    return {
      status: 202,
      headers: { location: `${http.basePath}/api/v1/operations/${operation.id}` },
      json: { schema, operation },
    };
  },
});

const list = defineRoute({
  method: "GET",
  path: "/api/v1/operations",
  access: "read",
  tag: "operations",
  summary: "lists operations, newest first",
  query: pageQuery,
  result: operationsAnswer,
  etag: true,
  handle: async ({ query, http }) => ({
    json: { schema: "millrace.operations/1" as const, ...(await listOperations(http.mill, query)) },
  }),
});

const show = defineRoute({
  method: "GET",
  path: "/api/v1/operations/{id}",
  access: "read",
  tag: "operations",
  summary: "shows how far an operation has come, and what refused",
  params: idParams,
  result: operationAnswer,
  etag: true,
  handle: async ({ params, http }) => ({
    json: {
      schema: "millrace.operation/1" as const,
      operation: await getOperation(http.mill, params.id),
    },
  }),
});

const cancel = defineRoute({
  method: "DELETE",
  path: "/api/v1/operations/{id}",
  access: "operate",
  tag: "operations",
  summary: "ends an operation after the runs it is at; what it did is done",
  control: true,
  params: idParams,
  result: operationAnswer,
  handle: async ({ params, http }) => ({
    status: 202,
    json: {
      schema: "millrace.operation/1" as const,
      operation: await cancelOperation(http.mill, params.id),
    },
  }),
});

/** Routes of operations. */
export const OPERATION_ROUTES: readonly Route[] = [start, list, show, cancel];
