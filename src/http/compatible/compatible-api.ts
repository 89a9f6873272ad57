// The API of an older system over one pipeline and one schedule of ours, so that its dashboard and its scripts go on
// working: its paths, bodies and answers, by the same use cases as `/api/v1`. Tokens, roles and refusals are ours. That
// system ran one thing at a time: a start is refused while any run of the pipeline is under way.

import { contextOf, getDefinition } from "../../service/mill-context.ts";
import type { Millrace } from "../../service/millrace.ts";
import { viewSchedule } from "../../service/schedules/list-schedules.ts";
import type { Route } from "../route.ts";
import type { CompatibleOptions } from "./compatible-options.ts";
import { makeOldOrderRoutes } from "./old-order-routes.ts";
import { makeOldReadingRoutes } from "./old-reading-routes.ts";
import { makeOldReportRoutes } from "./old-report-routes.ts";
import { makeOldScheduleRoutes } from "./old-schedule-routes.ts";

/** The routes, once both names are known to mean something. PIPELINE_UNKNOWN, SCHEDULE_UNKNOWN. */
export async function openCompatibleApi(
  mill: Millrace,
  options: CompatibleOptions,
): Promise<readonly Route[]> {
  const context = contextOf(mill);
  getDefinition(context, options.pipeline);
  if (options.schedule !== undefined) await viewSchedule(context, options.schedule);
  return makeCompatibleApi(options);
}

/** Its routes, unchecked. */
export function makeCompatibleApi(options: CompatibleOptions): readonly Route[] {
  const { pipeline, schedule } = options;
  return [
    ...makeOldOrderRoutes(options),
    ...makeOldReadingRoutes(options),
    ...makeOldReportRoutes(pipeline),
    ...(schedule === undefined ? [] : makeOldScheduleRoutes(schedule)),
  ];
}
