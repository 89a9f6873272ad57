// What an older system's clients ask: where the pipeline stands, all that a dashboard begins with, and what became of
// its runs.

import { listCompatibleEvents } from "../../service/events/list-compatible-events.ts";
import { listHistory } from "../../service/history/list-history.ts";
import { contextOf } from "../../service/mill-context.ts";
import type { Millrace } from "../../service/millrace.ts";
import { showRun } from "../../service/queries/show-run.ts";
import { viewSchedule } from "../../service/schedules/list-schedules.ts";
import { RECENT_EVENTS_MAX } from "../../model/limits.ts";
import { runParams } from "../contract/reading.ts";
import { defineRoute, type Route } from "../route.ts";
import type { CompatibleOptions } from "./compatible-options.ts";
import * as form from "./old-forms.ts";
import * as words from "./old-words.ts";
import { showCurrent } from "./shown-run.ts";

const shared = { tag: "compatible" } as const;

/** Routes that change nothing. */
export function makeOldReadingRoutes(options: CompatibleOptions): readonly Route[] {
  const { pipeline } = options;
  const status = defineRoute({
    ...shared,
    method: "GET",
    path: "/api/pipeline/status",
    access: "read",
    etag: true,
    summary: "shows the run under way, or the newest",
    result: form.oldStatus,
    handle: async ({ http: { mill } }) => ({
      json: await readStatus(mill, pipeline, await showCurrent(mill, pipeline)),
    }),
  });
  const snapshot = defineRoute({
    ...shared,
    method: "GET",
    path: "/api/pipeline/snapshot",
    access: "read",
    summary: "shows status, events, who has the run, and when the next one is due",
    result: form.oldSnapshot,
    handle: async ({ http: { mill } }) => ({ json: await readSnapshot(mill, options) }),
  });
  const figures = defineRoute({
    ...shared,
    method: "GET",
    path: "/api/metrics/files",
    access: "read",
    summary: "shows what the run under way, or the newest, has counted",
    result: form.oldFigures,
    handle: async ({ http: { mill } }) => ({
      json: await readFigures(mill, await showCurrent(mill, pipeline)),
    }),
  });
  return [status, snapshot, figures, ...makeHistory(pipeline)];
}

async function readStatus(
  mill: Millrace,
  pipeline: string,
  shown: words.ShownRun | null,
): Promise<form.OldStatus> {
  const { pipelines } = await mill.status({ pipeline });
  return words.toOldStatus(shown, pipelines[0]?.status ?? "idle");
}

/** Events of all. */
const EVENTS_SHOWN = 100;

async function readSnapshot(
  mill: Millrace,
  { pipeline, schedule }: CompatibleOptions,
): Promise<form.OldSnapshot> {
  const shown = await showCurrent(mill, pipeline);
  const limit = RECENT_EVENTS_MAX;
  const ofRun = { run: shown?.record.id ?? "", limit };
  const context = contextOf(mill);
  return {
    status: await readStatus(mill, pipeline, shown),
    recent_events: await listCompatibleEvents(mill.store, { limit: EVENTS_SHOWN }),
    run_events: shown === null ? [] : await listCompatibleEvents(mill.store, ofRun),
    lock_info: words.toOldLock(shown),
    next_scheduled_run:
      schedule === undefined ? null : words.toOldNext(await viewSchedule(context, schedule)),
  };
}

async function readFigures(
  { store }: Millrace,
  shown: words.ShownRun | null,
): Promise<form.OldFigures> {
  if (shown === null) return { run_id: null, metrics: {}, stages: {} };
  const { run, stages } = await showRun(store, shown.record.id);
  const counts = stages.flatMap(({ stage, items }) =>
    items === undefined ? [] : [[stage, items]],
  );
  return { run_id: run.id, metrics: run.metrics, stages: Object.fromEntries(counts) };
}

/** Rows of the history where nobody says otherwise. */
const ROWS_DEFAULT = 100;

function makeHistory(pipeline: string): readonly Route[] {
  const list = defineRoute({
    ...shared,
    method: "GET",
    path: "/api/pipeline/runs",
    access: "read",
    etag: true,
    summary: "lists finished runs, newest first",
    query: form.oldRunsQuery,
    result: form.oldRuns,
    handle: async ({ query: { limit = ROWS_DEFAULT, result }, http }) => {
      const states = result === undefined ? {} : { states: words.STATES_BY_RESULT[result] };
      const page = await listHistory(http.mill.store, { pipeline, limit, ...states });
      const runs = page.summaries.map((run) =>
        words.toOldSummary(run, { ran: run.stages.ranNames, failed: run.stages.failedNames }),
      );
      return { json: { runs } };
    },
  });
  const one = defineRoute({
    ...shared,
    method: "GET",
    path: "/api/pipeline/runs/{run}",
    access: "read",
    etag: true,
    summary: "shows a run by its id",
    params: runParams,
    result: form.oldSummary,
    handle: async ({ params, http }) => {
      const { run, stages } = await showRun(http.mill.store, params.run);
      const ran = stages.filter(({ attempts, via = "run" }) => attempts > 0 && via === "run");
      const failed = stages.filter(({ state }) => state === "failed");
      const names = { ran: ran.map(nameOf), failed: failed.map(nameOf) };
      return { json: words.toOldSummary(run, names) };
    },
  });
  return [list, one];
}

function nameOf({ stage }: { readonly stage: string }): string {
  return stage;
}
