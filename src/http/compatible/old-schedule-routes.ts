// The schedule of an older system: read, set to another time of day, switched.

import { contextOf } from "../../service/mill-context.ts";
import { viewSchedule } from "../../service/schedules/list-schedules.ts";
import { setSchedule, switchSchedule } from "../../service/schedules/set-schedule.ts";
import { defineRoute, type Route } from "../route.ts";
import * as form from "./old-forms.ts";
import * as words from "./old-words.ts";

const shared = { tag: "compatible" } as const;

/** Routes of the schedule of that name. */
export function makeOldScheduleRoutes(name: string): readonly Route[] {
  return [...makeTimes(name), ...makeSwitches(name)];
}

function makeTimes(name: string): readonly Route[] {
  const path = "/api/schedule";
  const show = defineRoute({
    ...shared,
    method: "GET",
    path,
    access: "read",
    etag: true,
    summary: "shows the schedule and its time of day",
    result: form.oldSchedule,
    handle: async ({ http }) => ({
      json: words.toOldSchedule(await viewSchedule(contextOf(http.mill), name)),
    }),
  });
  const set = defineRoute({
    ...shared,
    method: "POST",
    path,
    access: "operate",
    summary: "lets the schedule fire once a day at this time; all else of it stays",
    body: form.oldScheduleChange,
    result: form.oldSchedule,
    handle: async ({ body, http, actor }) => {
      const order = { actor, change: { dailyAt: body.schedule_time } };
      const view = await setSchedule(contextOf(http.mill), name, order);
      return { json: words.toOldSchedule(view) };
    },
  });
  const next = defineRoute({
    ...shared,
    method: "GET",
    path: `${path}/next`,
    access: "read",
    summary: "says when the schedule fires next",
    result: form.oldNext,
    handle: async ({ http }) => ({
      json: words.toOldNext(await viewSchedule(contextOf(http.mill), name)),
    }),
  });
  return [show, set, next];
}

function makeSwitches(name: string): readonly Route[] {
  const switches = (["enable", "disable"] as const).map((verb) =>
    defineRoute({
      ...shared,
      method: "POST",
      path: `/api/scheduler/${verb}`,
      access: "operate",
      summary: `${verb}s the schedule, over restarts too`,
      result: form.oldScheduler,
      handle: async ({ http, actor }) => {
        const order = { actor, enabled: verb === "enable" };
        const view = await switchSchedule(contextOf(http.mill), name, order);
        return { json: words.toOldScheduler(view) };
      },
    }),
  );
  const status = defineRoute({
    ...shared,
    method: "GET",
    path: "/api/scheduler/status",
    access: "read",
    etag: true,
    summary: "says whether the schedule is on, who switched it, and when",
    result: form.oldScheduler,
    handle: async ({ http }) => ({
      json: words.toOldScheduler(await viewSchedule(contextOf(http.mill), name)),
    }),
  });
  return [...switches, status];
}
