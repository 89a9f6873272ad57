// Events and log lines as pages, and what programs outside report. Streams of them are elsewhere.

import { recordEvent } from "../../service/events/record-event.ts";
import { contextOf } from "../../service/mill-context.ts";
import { listEvents } from "../../service/events/list-events.ts";
import { listLogs } from "../../service/events/list-logs.ts";
import { toSinceMs } from "../../service/operations/select-runs.ts";
import type { HttpContext } from "../http-context.ts";
import {
  eventsAnswer,
  eventsQuery,
  logsAnswer,
  logsQuery,
  reportAnswer,
  reportBody,
  type EventsAnswer,
  type EventsQuery,
} from "../contract/event.ts";
import { runParams } from "../contract/reading.ts";
import { defineRoute, type Route } from "../route.ts";

const list = defineRoute({
  method: "GET",
  path: "/api/v1/events",
  access: "read",
  tag: "events",
  summary: "lists stored events after a number, or the newest before one",
  query: eventsQuery,
  result: eventsAnswer,
  kept: true,
  handle: async ({ query, http }) => ({ json: await readPage(http, query) }),
});

const ofRun = defineRoute({
  method: "GET",
  path: "/api/v1/runs/{run}/events",
  access: "read",
  tag: "events",
  summary: "lists the stored events of a run",
  params: runParams,
  query: eventsQuery,
  result: eventsAnswer,
  kept: true,
  handle: async ({ params, query, http }) => ({ json: await readPage(http, query, params.run) }),
});

async function readPage(
  { mill }: HttpContext,
  { since, ...query }: EventsQuery,
  run?: string,
): Promise<EventsAnswer> {
  const sinceMs = since === undefined ? undefined : toSinceMs(since, mill.store.nowMs());
  const page = await listEvents(mill.store, {
    ...query,
    ...(sinceMs === undefined ? {} : { sinceMs }),
    ...(run === undefined ? {} : { run }),
  });
  return { schema: "millrace.events/1" as const, ...page };
}

const logs = defineRoute({
  method: "GET",
  path: "/api/v1/runs/{run}/logs",
  access: "read",
  tag: "events",
  summary: "lists log lines of a run, searched for literal text",
  params: runParams,
  query: logsQuery,
  result: logsAnswer,
  handle: async ({ params, query, http }) => {
    const { level, ...rest } = query;
    const levels = level === undefined ? {} : { levels: level };
    const page = await listLogs(http.mill.store, { ...rest, ...levels, run: params.run });
    return { json: { schema: "millrace.logs/1" as const, ...page } };
  },
});

const report = defineRoute({
  method: "POST",
  path: "/api/v1/events",
  access: "operate",
  tag: "events",
  summary: "tells what a program outside did; with a key, once",
  body: reportBody,
  result: reportAnswer,
  handle: async ({ body, http }) => {
    const told = await recordEvent(contextOf(http.mill), body);
    return {
      status: told.created ? 201 : 200,
      json: { schema: "millrace.event/1" as const, ...told },
    };
  },
});

/** Routes of events. */
export const EVENT_ROUTES: readonly Route[] = [list, report, ofRun, logs];
