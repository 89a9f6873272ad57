// What is done to one run: it ends, goes on, or is made again. All of it is queued: a worker does it.

import { requeueRun } from "../../service/commands/requeue-run.ts";
import { contextOf } from "../../service/mill-context.ts";
import { viewRun } from "../../service/queries/run/view-run.ts";
import type { HttpContext } from "../http-context.ts";
import { runParams } from "../contract/reading.ts";
import {
  cancelAnswer,
  cancelBody,
  oneRunAnswer,
  requeueBody,
  rerunBody,
  resumeBody,
  type OneRunAnswer,
} from "../contract/run-actions.ts";
import { defineRoute, type Route, type RouteAnswer } from "../route.ts";

const cancel = defineRoute({
  method: "POST",
  path: "/api/v1/runs/{run}/cancel",
  access: "operate",
  tag: "runs",
  summary: "ends a run; a cancelled one stays as it is",
  control: true,
  params: runParams,
  body: cancelBody,
  result: cancelAnswer,
  handle: async ({ params, body, http, actor }) => {
    const reason = body.reason ?? `cancelled by ${actor}`;
    const { mill } = http;
    const outcome = await mill.cancel(params.run, { ...body, reason });
    return { json: { schema: "millrace.cancel/1" as const, results: [outcome] } };
  },
});

const resume = defineRoute({
  method: "POST",
  path: "/api/v1/runs/{run}/resume",
  access: "operate",
  tag: "runs",
  summary: "queues a failed, cancelled or interrupted run to go on with what did not succeed",
  params: runParams,
  body: resumeBody,
  result: oneRunAnswer,
  handle: async ({ params, body, http }) => {
    const run = await http.mill.resume(params.run, { ...body });
    return {
      status: 202,
      json: { schema: "millrace.run/1" as const, run: await viewRun(http.mill.store, run) },
    };
  },
});

const rerun = defineRoute({
  method: "POST",
  path: "/api/v1/runs/{run}/rerun",
  access: "operate",
  tag: "runs",
  summary: "queues a new run over the same input, which may take over what succeeded",
  params: runParams,
  body: rerunBody,
  result: oneRunAnswer,
  handle: async ({ params, body, http, actor, runId }) => {
    const options = { ...body, ...toMade(runId), source: `http:${actor}` };
    const run = await requeueRun(contextOf(http.mill), params.run, options);
    return await answerCreated(http, run.id);
  },
});

const requeue = defineRoute({
  method: "POST",
  path: "/api/v1/runs/{run}/requeue",
  access: "operate",
  tag: "runs",
  summary: "queues a new run over the same input, from the beginning",
  params: runParams,
  body: requeueBody,
  result: oneRunAnswer,
  handle: async ({ params, body, http, runId }) => {
    const options = { ...body, ...toMade(runId) };
    const run = await requeueRun(contextOf(http.mill), params.run, options);
    return await answerCreated(http, run.id);
  },
});

function toMade(runId: string | undefined): { readonly id?: string } {
  return runId === undefined ? {} : { id: runId };
}

async function answerCreated(http: HttpContext, id: string): Promise<RouteAnswer<OneRunAnswer>> {
  const run = await viewRun(http.mill.store, id);
  return {
    status: 201,
    headers: { location: `${http.basePath}/api/v1/runs/${run.name}` },
    json: { schema: "millrace.run/1" as const, run },
  };
}

/** Routes that change one run. */
export const RUN_ACTION_ROUTES: readonly Route[] = [cancel, resume, rerun, requeue];
