// What programs beside an older system report to it: runs they started, and what happened in them.

import { SYSTEM_RUN } from "../../service/events/compatible-event.ts";
import { recordCompatibleEvent } from "../../service/events/record-compatible-event.ts";
import { contextOf } from "../../service/mill-context.ts";
import { reportRun } from "../../service/schedules/report-run.ts";
import { defineRoute, type Route } from "../route.ts";
import * as form from "./old-forms.ts";

const shared = { tag: "compatible" } as const;

/** Routes that take reports. */
export function makeOldReportRoutes(pipeline: string): readonly Route[] {
  return [makeNotify(pipeline), publish];
}

function makeNotify(pipeline: string): Route {
  return defineRoute({
    ...shared,
    method: "POST",
    path: "/api/pipeline/notify-scheduled-run",
    access: "operate",
    summary: "tells of a run that something outside started; again it is the same report",
    body: form.oldReport,
    result: form.oldTold,
    handle: async ({ body: { run_id: run, timestamp, message }, http }) => {
      const told = await reportRun(contextOf(http.mill), {
        pipeline,
        run,
        source: "scheduler",
        ...(timestamp === undefined ? {} : { at: timestamp }),
        ...(message === undefined ? {} : { message }),
      });
      const problem = told.problem === undefined ? {} : { message: told.problem };
      return { json: { run_id: run, event_published: told.created, ...problem } };
    },
  });
}

const publish = defineRoute({
  ...shared,
  method: "POST",
  path: "/api/pipeline/publish-event",
  access: "operate",
  summary: "tells an event of a program outside, which goes out as it came",
  body: form.oldPublished,
  result: form.oldTold,
  handle: async ({ body, http }) => {
    const { run_id: run, stage, event, timestamp, msg, data } = body;
    const report = {
      run_id: run ?? SYSTEM_RUN,
      stage,
      event,
      ...(timestamp === undefined ? {} : { timestamp }),
      ...(msg === undefined || msg === null ? {} : { msg }),
      ...(data === undefined || data === null ? {} : { data }),
    };
    const { created } = await recordCompatibleEvent(contextOf(http.mill), report);
    return { json: { run_id: report.run_id, event_published: created } };
  },
});
