// Runs as they are read: lists, one run, its stages and items, and why it is as it is.

import { listItems } from "../../service/queries/list-items.ts";
import { listRuns } from "../../service/queries/list-runs.ts";
import { describeWhy } from "../../service/queries/run/describe-why.ts";
import { findRunByKey } from "../../service/queries/run/find-run-by-key.ts";
import { readItemStates } from "../../service/queries/run/item-states.ts";
import { readRunGraph } from "../../service/queries/run/run-graph.ts";
import { readRunReport } from "../../service/queries/run-report.ts";
import { showItem, showRun, showStage } from "../../service/queries/show-run.ts";
import { layOutRun } from "../../service/report/make-report.ts";
import { redactValue } from "../../std/redact.ts";
import { viewRun } from "../../service/queries/run/view-run.ts";
import { toSinceMs } from "../../service/operations/select-runs.ts";
import { graphAnswer, whyAnswer, whyQuery } from "../contract/explain.ts";
import { itemStatesAnswer, itemStatesQuery } from "../contract/item-states.ts";
import { itemParams, runParams, stageParams } from "../contract/reading.ts";
import { reportAnswer, reportQuery } from "../contract/report.ts";
import { runsAnswer, runsQuery } from "../contract/run-list.ts";
import { itemAnswer, itemsAnswer, itemsQuery, runAnswer, stageAnswer } from "../contract/stage.ts";
import { fileAnswer } from "../answers/answer.ts";
import { defineRoute, type Route } from "../route.ts";

const REPORT_TYPES = { html: "text/html", md: "text/markdown", csv: "text/csv" } as const;

const list = defineRoute({
  method: "GET",
  path: "/api/v1/runs",
  access: "read",
  tag: "runs",
  summary: "lists runs, newest first",
  query: runsQuery,
  result: runsAnswer,
  etag: true,
  kept: true,
  handle: async ({ query, http: { mill } }) => {
    const { state, since, key, pipeline, ...rest } = query;
    const schema = "millrace.runs/1" as const;
    if (key !== undefined) {
      const found = await findRunByKey(mill.store, { pipeline, key });
      return {
        json: { schema, runs: found === undefined ? [] : [await viewRun(mill.store, found)] },
      };
    }
    const page = await listRuns(mill.store, {
      ...rest,
      ...(pipeline === undefined ? {} : { pipeline }),
      ...(state === undefined ? {} : { states: state }),
      ...(since === undefined ? {} : { sinceMs: toSinceMs(since, mill.store.nowMs()) }),
    });
    return { json: { schema, ...page } };
  },
});

const show = defineRoute({
  method: "GET",
  path: "/api/v1/runs/{run}",
  access: "read",
  tag: "runs",
  summary: "shows a run with its stages, failures, lineage and input",
  params: runParams,
  result: runAnswer,
  etag: true,
  kept: true,
  handle: async ({ params, http }) => ({
    json: { schema: "millrace.show/1" as const, ...(await showRun(http.mill.store, params.run)) },
  }),
});

const stage = defineRoute({
  method: "GET",
  path: "/api/v1/runs/{run}/stages/{stage}",
  access: "read",
  tag: "runs",
  summary: "shows a stage with its attempts, blockers, inputs and output",
  params: stageParams,
  result: stageAnswer,
  etag: true,
  handle: async ({ params, http }) => ({
    json: {
      schema: "millrace.show/1" as const,
      ...(await showStage(http.mill.store, params.run, params.stage)),
    },
  }),
});

const items = defineRoute({
  method: "GET",
  path: "/api/v1/runs/{run}/stages/{stage}/items",
  access: "read",
  tag: "runs",
  summary: "lists the items of a map stage, in item order",
  params: stageParams,
  query: itemsQuery,
  result: itemsAnswer,
  etag: true,
  handle: async ({ params, query, http }) => {
    const { state, ...rest } = query;
    const states = state === undefined ? {} : { states: state };
    const page = await listItems(http.mill.store, { ...params, ...rest, ...states });
    return { json: { schema: "millrace.items/1" as const, ...page } };
  },
});

const item = defineRoute({
  method: "GET",
  path: "/api/v1/runs/{run}/stages/{stage}/items/{key}",
  access: "read",
  tag: "runs",
  summary: "shows an item with its attempts, blockers, input and output; a slash in its key is %2F",
  params: itemParams,
  result: itemAnswer,
  etag: true,
  handle: async ({ params: { run, stage: name, key }, http }) => ({
    json: {
      schema: "millrace.show/1" as const,
      ...(await showItem(http.mill.store, run, { stage: name, key })),
    },
  }),
});

const states = defineRoute({
  method: "GET",
  path: "/api/v1/runs/{run}/item-states",
  access: "read",
  tag: "runs",
  summary: "gives the states of all items, one byte each, by window",
  params: runParams,
  query: itemStatesQuery,
  result: itemStatesAnswer,
  etag: true,
  handle: async ({ params, query, http }) => {
    const found = await readItemStates(http.mill.store, { ...params, ...query });
    return { json: { schema: "millrace.item-states/1" as const, ...found } };
  },
});

const why = defineRoute({
  method: "GET",
  path: "/api/v1/runs/{run}/why",
  access: "read",
  tag: "runs",
  summary: "says why a run, stage or item is as it is",
  params: runParams,
  query: whyQuery,
  result: whyAnswer,
  kept: true,
  handle: async ({ params, query, http }) => ({
    json: {
      schema: "millrace.why/1" as const,
      ...(await describeWhy(http.mill.store, params.run, query)),
    },
  }),
});

const graph = defineRoute({
  method: "GET",
  path: "/api/v1/runs/{run}/graph",
  access: "read",
  tag: "runs",
  summary: "gives the stages of a run, what each needs, and its state",
  params: runParams,
  result: graphAnswer,
  etag: true,
  kept: true,
  handle: async ({ params, http }) => ({
    json: {
      schema: "millrace.graph/1" as const,
      ...(await readRunGraph(http.mill.store, params.run)),
    },
  }),
});

const report = defineRoute({
  method: "GET",
  path: "/api/v1/runs/{run}/report",
  access: "read",
  tag: "runs",
  summary: "reports what a run did and where its time went, as JSON or as a file to save",
  params: runParams,
  query: reportQuery,
  result: reportAnswer,
  handle: async ({ params, query: { format = "json" }, http }) => {
    const found = await readRunReport(http.mill.store, params.run);
    if (format === "json") return { json: found };
    // Known secrets go before the text is escaped, since what is escaped would hide one.
    const text = layOutRun(redactValue(found), format);
    return fileAnswer(text, {
      type: REPORT_TYPES[format],
      name: `report-${found.run.name}.${format}`,
    });
  },
});

/** Routes that read runs. */
export const RUN_ROUTES: readonly Route[] = [
  list,
  show,
  stage,
  items,
  item,
  states,
  why,
  graph,
  report,
];
