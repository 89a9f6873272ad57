// What fails over all runs, by kind.

import { muteFailure, unmuteFailure } from "../../service/failures/mute-failure.ts";
import { listFailureGroups, showFailureGroup } from "../../service/failures/read-failures.ts";
import { contextOf } from "../../service/mill-context.ts";
import { toSinceMs } from "../../service/operations/select-runs.ts";
import {
  failureGroupAnswer,
  failuresAnswer,
  failuresQuery,
  fingerprintParams,
  muteAnswer,
  muteBody,
  unmuteBody,
  type FailuresQuery,
} from "../contract/report.ts";
import type { HttpContext } from "../http-context.ts";
import { defineRoute, type Route } from "../route.ts";

const list = defineRoute({
  method: "GET",
  path: "/api/v1/failures",
  access: "read",
  tag: "failures",
  summary: "groups what failed lately over all runs by fingerprint, seen last first",
  query: failuresQuery,
  result: failuresAnswer,
  etag: true,
  handle: async ({ query, http }) => ({
    json: {
      schema: "millrace.failures/1" as const,
      ...(await listFailureGroups(http.mill.store, toQuery(query, http))),
    },
  }),
});

const show = defineRoute({
  method: "GET",
  path: "/api/v1/failures/{fingerprint}",
  access: "read",
  tag: "failures",
  summary: "shows one kind of failure with where and when it happened, newest first",
  params: fingerprintParams,
  query: failuresQuery,
  result: failureGroupAnswer,
  etag: true,
  handle: async ({ params, query, http }) => ({
    json: {
      schema: "millrace.failure-group/1" as const,
      ...(await showFailureGroup(http.mill.store, params.fingerprint, toQuery(query, http))),
    },
  }),
});

const mute = defineRoute({
  method: "POST",
  path: "/api/v1/failures/{fingerprint}/mute",
  access: "operate",
  tag: "failures",
  summary: "mutes a kind of failure until it comes of another definition; it stays listed",
  params: fingerprintParams,
  body: muteBody,
  result: muteAnswer,
  handle: async ({ params, body, http, actor }) => {
    const by = { ...body, actor };
    const outcome = await muteFailure(contextOf(http.mill), params.fingerprint, by);
    return { json: { schema: "millrace.failure-mute/1" as const, ...outcome } };
  },
});

const unmute = defineRoute({
  method: "POST",
  path: "/api/v1/failures/{fingerprint}/unmute",
  access: "operate",
  tag: "failures",
  summary: "takes a mute back",
  params: fingerprintParams,
  body: unmuteBody,
  result: muteAnswer,
  handle: async ({ params, body, http, actor }) => {
    const by = { ...body, actor };
    const outcome = await unmuteFailure(contextOf(http.mill), params.fingerprint, by);
    return { json: { schema: "millrace.failure-mute/1" as const, ...outcome } };
  },
});

function toQuery(
  { since, ...rest }: FailuresQuery,
  { mill }: HttpContext,
): Parameters<typeof listFailureGroups>[1] {
  return since === undefined ? rest : { ...rest, sinceMs: toSinceMs(since, mill.store.nowMs()) };
}

/** Routes of failures. */
export const FAILURE_ROUTES: readonly Route[] = [list, show, mute, unmute];
