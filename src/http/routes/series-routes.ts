// Series out of the roll-ups: rates of runs, and how resources stood.

import { toSinceMs } from "../../service/operations/select-runs.ts";
import { resourceParams } from "../contract/reading.ts";
import { ratesAnswer, ratesQuery } from "../contract/series/rates.ts";
import { resourceHistoryAnswer } from "../contract/series/resource-history.ts";
import { seriesQuery, type SeriesQuery } from "../contract/series/series-frame.ts";
import type { HttpContext } from "../http-context.ts";
import { defineRoute, type Route } from "../route.ts";

const rates = defineRoute({
  method: "GET",
  path: "/api/v1/stats/history",
  access: "read",
  tag: "queue",
  summary: "gives runs begun and ended, queue depth and age, by minute or by day",
  query: ratesQuery,
  result: ratesAnswer,
  etag: true,
  handle: async ({ query: { pipeline, ...query }, http }) => {
    const of = { ...toSeries(query, http), ...(pipeline === undefined ? {} : { pipeline }) };
    return { json: { schema: "millrace.rates/1" as const, ...(await http.mill.rates(of)) } };
  },
});

const ofResource = defineRoute({
  method: "GET",
  path: "/api/v1/resources/{name}/history",
  access: "read",
  tag: "resources",
  summary: "gives what was held, who waited, quota left and open breakers, by minute or by day",
  params: resourceParams,
  query: seriesQuery,
  result: resourceHistoryAnswer,
  etag: true,
  handle: async ({ params, query, http }) => {
    const series = await http.mill.resourceHistory(params.name, toSeries(query, http));
    return { json: { schema: "millrace.resource-history/1" as const, ...series } };
  },
});

function toSeries(
  { unit, since }: SeriesQuery,
  { mill }: HttpContext,
): { readonly unit?: "minute" | "day"; readonly sinceMs?: number } {
  return {
    ...(unit === undefined ? {} : { unit }),
    ...(since === undefined ? {} : { sinceMs: toSinceMs(since, mill.store.nowMs()) }),
  };
}

/** Routes of series. */
export const SERIES_ROUTES: readonly Route[] = [rates, ofResource];
