// Pipelines: what there is, what a start would do, and the start itself, which queues a run for whoever works.

import { queueStart } from "../../service/commands/queue-start.ts";
import { contextOf, getDefinition } from "../../service/mill-context.ts";
import {
  listPipelines,
  readDefinition,
  showPipeline,
} from "../../service/pipelines/list-pipelines.ts";
import { planStart } from "../../service/plan/plan-start.ts";
import { viewRun } from "../../service/queries/run/view-run.ts";
import { toBlockerView } from "../../service/views/blocker-view.ts";
import {
  definitionAnswer,
  hashParams,
  pipelineAnswer,
  pipelinesAnswer,
  pipelinesQuery,
  planAnswer,
  planBody,
  startAnswer,
  startBody,
} from "../contract/pipeline.ts";
import { pipelineParams } from "../contract/reading.ts";
import { defineRoute, type Route } from "../route.ts";

const list = defineRoute({
  method: "GET",
  path: "/api/v1/pipelines",
  access: "read",
  tag: "pipelines",
  summary: "lists the pipelines that can be started here",
  query: pipelinesQuery,
  result: pipelinesAnswer,
  etag: true,
  handle: async ({ query, http }) => ({
    json: {
      schema: "millrace.pipelines/1" as const,
      ...(await listPipelines(contextOf(http.mill), query)),
    },
  }),
});

const show = defineRoute({
  method: "GET",
  path: "/api/v1/pipelines/{name}",
  access: "read",
  tag: "pipelines",
  summary:
    "shows a pipeline: stages, settings with their origin, JSON Schema of its input, durations",
  params: pipelineParams,
  result: pipelineAnswer,
  etag: true,
  handle: async ({ params: { name }, http }) => ({
    json: {
      schema: "millrace.show/1" as const,
      ...showPipeline(contextOf(http.mill), name),
      durations: await http.mill.durations(name),
    },
  }),
});

const start = defineRoute({
  method: "POST",
  path: "/api/v1/pipelines/{name}/runs",
  access: "operate",
  tag: "pipelines",
  summary: "queues a run; 200 with the run that has the key where it is known",
  params: pipelineParams,
  body: startBody,
  result: startAnswer,
  handle: async ({ params, body, http, actor, runId }) => {
    const mill = contextOf(http.mill);
    const definition = getDefinition(mill, params.name);
    const { input, ...choices } = body;
    const made = runId === undefined ? {} : { id: runId };
    const options = { ...choices, ...made, source: `http:${actor}` };
    const { run, created } = await queueStart(mill, { definition, input, options });
    const view = await viewRun(mill.store, run);
    return {
      status: created ? 201 : 200,
      headers: { location: `${http.basePath}/api/v1/runs/${view.name}` },
      json: { schema: "millrace.queue-enqueue/1" as const, run: view, created },
    };
  },
});

const plan = defineRoute({
  method: "POST",
  path: "/api/v1/pipelines/{name}/plan",
  access: "read",
  tag: "pipelines",
  summary: "says what a start would do and why; nothing is called, nothing is written",
  idempotent: false,
  params: pipelineParams,
  body: planBody,
  result: planAnswer,
  handle: async ({ params, body, http }) => {
    const mill = contextOf(http.mill);
    const made = await planStart(mill, getDefinition(mill, params.name), body);
    const { refusal, ...rest } = made;
    const refused = refusal === undefined ? {} : { refusal: toBlockerView(refusal) };
    return { json: { schema: "millrace.plan/1" as const, ...rest, ...refused } };
  },
});

const definition = defineRoute({
  method: "GET",
  path: "/api/v1/definitions/{hash}",
  access: "read",
  tag: "pipelines",
  summary: "shows a definition that runs were made under",
  params: hashParams,
  result: definitionAnswer,
  etag: true,
  handle: async ({ params: { hash }, http }) => ({
    json: {
      schema: "millrace.definition/1" as const,
      definition: hash,
      value: await readDefinition(http.mill.store, hash),
    },
  }),
});

/** Routes of pipelines. */
export const PIPELINE_ROUTES: readonly Route[] = [list, show, start, plan, definition];
