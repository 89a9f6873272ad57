// How it is going: health with its acknowledgement, status, snapshot, history, and the processes that work.

import { acknowledgeHealth } from "../../service/health/acknowledge-health.ts";
import { readMillHealth } from "../../service/health/mill-health.ts";
import { readSnapshot } from "../../service/health/read-snapshot.ts";
import { readStatus } from "../../service/health/read-status.ts";
import { listHistory } from "../../service/history/list-history.ts";
import { contextOf, getDefinition } from "../../service/mill-context.ts";
import { getWorker, listWorkers } from "../../service/queries/list-workers.ts";
import { toSinceMs } from "../../service/operations/select-runs.ts";
import {
  ackAnswer,
  ackBody,
  healthAnswer,
  healthQuery,
  historyAnswer,
  snapshotAnswer,
  snapshotQuery,
  statusAnswer,
} from "../contract/health.ts";
import { idParams, pipelineParams } from "../contract/reading.ts";
import { historyQuery } from "../contract/run-list.ts";
import { workerAnswer, workersAnswer } from "../contract/worker.ts";
import { defineRoute, type Route } from "../route.ts";

const health = defineRoute({
  method: "GET",
  path: "/api/v1/health",
  access: "read",
  tag: "health",
  summary: "says how the store, pipelines, stages and resources are doing, and what was found",
  control: true,
  query: healthQuery,
  result: healthAnswer,
  handle: async ({ query, http }) => ({
    json: await readMillHealth(contextOf(http.mill), query),
  }),
});

const ofPipeline = defineRoute({
  method: "GET",
  path: "/api/v1/health/{name}",
  access: "read",
  tag: "health",
  summary: "says how one pipeline is doing, its stages asked",
  control: true,
  params: pipelineParams,
  query: healthQuery,
  result: healthAnswer,
  handle: async ({ params: { name }, query, http }) => {
    const mill = contextOf(http.mill);
    const { store, pipelines } = mill;
    const isKnown = pipelines.has(name) || (await store.countRuns()).has(name);
    if (!isKnown) getDefinition(mill, name);
    return { json: await readMillHealth(mill, { ...query, pipeline: name }) };
  },
});

const ack = defineRoute({
  method: "POST",
  path: "/api/v1/health/{name}/ack",
  access: "operate",
  tag: "health",
  summary: "unblocks a pipeline: somebody has looked at what broke",
  params: pipelineParams,
  body: ackBody,
  result: ackAnswer,
  handle: async ({ params, body, http, actor }) => {
    const outcome = await acknowledgeHealth(contextOf(http.mill), params.name, { ...body, actor });
    return { json: { schema: "millrace.health-ack/1" as const, ...outcome } };
  },
});

const status = defineRoute({
  method: "GET",
  path: "/api/v1/status",
  access: "read",
  tag: "health",
  summary: "says where each pipeline stands: idle, running, stopped or error",
  query: snapshotQuery,
  result: statusAnswer,
  handle: async ({ query, http }) => ({ json: await readStatus(contextOf(http.mill), query) }),
});

const ofOne = defineRoute({
  method: "GET",
  path: "/api/v1/pipelines/{name}/status",
  access: "read",
  tag: "health",
  summary: "says where one pipeline stands",
  params: pipelineParams,
  result: statusAnswer,
  handle: async ({ params: { name }, http }) => {
    const mill = contextOf(http.mill);
    const isKnown = mill.pipelines.has(name) || (await mill.store.countRuns()).has(name);
    if (!isKnown) getDefinition(mill, name);
    return { json: await readStatus(mill, { pipeline: name }) };
  },
});

const snapshot = defineRoute({
  method: "GET",
  path: "/api/v1/snapshot",
  access: "read",
  tag: "health",
  summary: "gives everything at a glance, and the number to follow events from",
  query: snapshotQuery,
  result: snapshotAnswer,
  handle: async ({ query, http }) => ({ json: await readSnapshot(contextOf(http.mill), query) }),
});

const history = defineRoute({
  method: "GET",
  path: "/api/v1/history",
  access: "read",
  tag: "health",
  summary: "lists summaries of finished runs, newest first",
  query: historyQuery,
  result: historyAnswer,
  etag: true,
  handle: async ({ query: { state, since, ...rest }, http: { mill } }) => {
    const page = await listHistory(mill.store, {
      ...rest,
      ...(state === undefined ? {} : { states: state }),
      ...(since === undefined ? {} : { sinceMs: toSinceMs(since, mill.store.nowMs()) }),
    });
    return { json: { schema: "millrace.history/1" as const, ...page } };
  },
});

const workers = defineRoute({
  method: "GET",
  path: "/api/v1/workers",
  access: "read",
  tag: "health",
  summary: "lists the processes that work on the store, and those that were lost within a day",
  result: workersAnswer,
  handle: async ({ http }) => ({
    json: { schema: "millrace.workers/1" as const, workers: await listWorkers(http.mill) },
  }),
});

const worker = defineRoute({
  method: "GET",
  path: "/api/v1/workers/{id}",
  access: "read",
  tag: "health",
  summary: "shows one of them, by id or name",
  params: idParams,
  result: workerAnswer,
  handle: async ({ params, http }) => ({
    json: { schema: "millrace.worker/1" as const, worker: await getWorker(http.mill, params.id) },
  }),
});

/** Routes of health, status and history. */
export const HEALTH_ROUTES: readonly Route[] = [
  health,
  ofPipeline,
  ack,
  status,
  ofOne,
  snapshot,
  history,
  workers,
  worker,
];
