// Schedules: read, changed, switched, triggered, and their past ticks run again.

import { backfillSchedule } from "../../service/schedules/backfill-schedule.ts";
import {
  listNextTicks,
  listPastTicks,
  listSchedules,
  viewSchedule,
} from "../../service/schedules/list-schedules.ts";
import { reportRun } from "../../service/schedules/report-run.ts";
import {
  resetSchedule,
  setSchedule,
  switchSchedule,
  type ScheduleChange,
} from "../../service/schedules/set-schedule.ts";
import { triggerSchedule } from "../../service/schedules/trigger-schedule.ts";
import { toSinceMs } from "../../service/operations/select-runs.ts";
import { contextOf } from "../../service/mill-context.ts";
import { viewRun } from "../../service/queries/run/view-run.ts";
import { externalRunAnswer, externalRunBody } from "../contract/external.ts";
import { pageQuery } from "../contract/queue.ts";
import { idParams } from "../contract/reading.ts";
import { oneRunAnswer } from "../contract/run-actions.ts";
import {
  backfillAnswer,
  backfillBody,
  nextAnswer,
  nextQuery,
  reasonBody,
  scheduleAnswer,
  scheduleBody,
  schedulesAnswer,
  ticksAnswer,
  triggerBody,
} from "../contract/schedule.ts";
import { defineRoute, type Route } from "../route.ts";

const list = defineRoute({
  method: "GET",
  path: "/api/v1/schedules",
  access: "read",
  tag: "schedules",
  summary: "lists schedules, in order of name",
  query: pageQuery,
  result: schedulesAnswer,
  etag: true,
  handle: async ({ query, http }) => ({
    json: {
      schema: "millrace.schedules/1" as const,
      ...(await listSchedules(contextOf(http.mill), query)),
    },
  }),
});

const show = defineRoute({
  method: "GET",
  path: "/api/v1/schedules/{id}",
  access: "read",
  tag: "schedules",
  summary: "shows a schedule: what is in force, who changed it, its last and next tick",
  params: idParams,
  result: scheduleAnswer,
  etag: true,
  handle: async ({ params, http }) => ({
    json: {
      schema: "millrace.schedule/1" as const,
      schedule: await viewSchedule(contextOf(http.mill), params.id),
    },
  }),
});

const next = defineRoute({
  method: "GET",
  path: "/api/v1/schedules/{id}/next",
  access: "read",
  tag: "schedules",
  summary: "lists the next ticks of a schedule, in its zone and UTC",
  params: idParams,
  query: nextQuery,
  result: nextAnswer,
  handle: async ({ params, query, http }) => ({
    json: {
      schema: "millrace.schedule-next/1" as const,
      ...(await listNextTicks(contextOf(http.mill), params.id, query)),
    },
  }),
});

const ticks = defineRoute({
  method: "GET",
  path: "/api/v1/schedules/{id}/ticks",
  access: "read",
  tag: "schedules",
  summary: "lists past ticks of a schedule, the newest first, and what became of each",
  params: idParams,
  query: pageQuery,
  result: ticksAnswer,
  etag: true,
  handle: async ({ params, query, http }) => {
    const mill = contextOf(http.mill);
    await viewSchedule(mill, params.id);
    const page = await listPastTicks(mill, params.id, query);
    return { json: { schema: "millrace.schedule-ticks/1" as const, ...page } };
  },
});

const set = defineRoute({
  method: "PATCH",
  path: "/api/v1/schedules/{id}",
  access: "operate",
  tag: "schedules",
  summary: "sets fields of a schedule over what is declared; the others stay",
  params: idParams,
  body: scheduleBody,
  result: scheduleAnswer,
  handle: async ({ params, body, http, actor }) => {
    const { reason, ...fields } = body;
    // What was parsed from JSON is JSON.
    const change = fields as ScheduleChange;
    const order = { actor, ...(reason === undefined ? {} : { reason }), change };
    const view = await setSchedule(contextOf(http.mill), params.id, order);
    return { json: { schema: "millrace.schedule/1" as const, schedule: view } };
  },
});

const reset = defineRoute({
  method: "POST",
  path: "/api/v1/schedules/{id}/reset",
  access: "operate",
  tag: "schedules",
  summary: "takes back all that was set over what is declared",
  params: idParams,
  body: reasonBody,
  result: scheduleAnswer,
  handle: async ({ params, body, http, actor }) => {
    const view = await resetSchedule(contextOf(http.mill), params.id, { ...body, actor });
    return { json: { schema: "millrace.schedule/1" as const, schedule: view } };
  },
});

const enable = defineRoute({
  method: "POST",
  path: "/api/v1/schedules/{id}/enable",
  access: "operate",
  tag: "schedules",
  summary: "switches a schedule on",
  params: idParams,
  body: reasonBody,
  result: scheduleAnswer,
  handle: async ({ params, body, http, actor }) => {
    const order = { ...body, actor, enabled: true };
    const view = await switchSchedule(contextOf(http.mill), params.id, order);
    return { json: { schema: "millrace.schedule/1" as const, schedule: view } };
  },
});

const disable = defineRoute({
  method: "POST",
  path: "/api/v1/schedules/{id}/disable",
  access: "operate",
  tag: "schedules",
  summary: "switches a schedule off, over restarts too",
  params: idParams,
  body: reasonBody,
  result: scheduleAnswer,
  handle: async ({ params, body, http, actor }) => {
    const order = { ...body, actor, enabled: false };
    const view = await switchSchedule(contextOf(http.mill), params.id, order);
    return { json: { schema: "millrace.schedule/1" as const, schedule: view } };
  },
});

const trigger = defineRoute({
  method: "POST",
  path: "/api/v1/schedules/{id}/trigger",
  access: "operate",
  tag: "schedules",
  summary: "queues a run of a schedule now",
  params: idParams,
  body: triggerBody,
  result: oneRunAnswer,
  handle: async ({ params, body, http, actor }) => {
    const mill = contextOf(http.mill);
    const run = await viewRun(
      mill.store,
      await triggerSchedule(mill, params.id, { ...body, actor }),
    );
    return {
      status: 201,
      headers: { location: `${http.basePath}/api/v1/runs/${run.name}` },
      json: { schema: "millrace.run/1" as const, run },
    };
  },
});

const backfill = defineRoute({
  method: "POST",
  path: "/api/v1/schedules/{id}/backfill",
  access: "operate",
  tag: "schedules",
  summary: "runs past ticks of a range one by one, or lists which would run",
  params: idParams,
  body: backfillBody,
  result: backfillAnswer,
  handle: async ({ params, body: { from, until, preview, ...rest }, http, actor }) => {
    const mill = contextOf(http.mill);
    const nowMs = mill.store.nowMs();
    const outcome = await backfillSchedule(mill, params.id, {
      ...rest,
      actor,
      fromMs: toSinceMs(from, nowMs),
      untilMs: toSinceMs(until, nowMs),
      ...(preview === undefined ? {} : { dryRun: preview }),
    });
    return {
      status: outcome.started ? 202 : 200,
      json: { schema: "millrace.schedule-backfill/1" as const, ...outcome },
    };
  },
});

const external = defineRoute({
  method: "POST",
  path: "/api/v1/runs",
  access: "operate",
  tag: "schedules",
  summary: "tells of a run that something outside started; again it is the same report",
  body: externalRunBody,
  result: externalRunAnswer,
  handle: async ({ body: { source: _source, by, ...report }, http }) => {
    const told = await reportRun(contextOf(http.mill), { ...report, source: by });
    return {
      status: told.created ? 201 : 200,
      json: { schema: "millrace.external-run/1" as const, ...told },
    };
  },
});

/** Routes of schedules, and of what outside schedulers start. */
export const SCHEDULE_ROUTES: readonly Route[] = [
  list,
  show,
  next,
  ticks,
  set,
  reset,
  enable,
  disable,
  trigger,
  backfill,
  external,
];
