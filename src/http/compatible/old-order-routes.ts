// What an older system's clients order: starts of the pipeline or of one stage, and their ends.

import type { CancelOptions } from "../../service/commands/cancel-run.ts";
import { queueStart } from "../../service/commands/queue-start.ts";
import { findActiveRun } from "../../service/commands/start-alone.ts";
import { contextOf, getDefinition } from "../../service/mill-context.ts";
import { runName } from "../../service/queries/find-run.ts";
import { viewSchedule } from "../../service/schedules/list-schedules.ts";
import { MillraceError } from "../../model/errors.ts";
import { pipelineParams } from "../contract/reading.ts";
import type { HttpContext } from "../http-context.ts";
import { defineRoute, type Route } from "../route.ts";
import type { CompatibleOptions } from "./compatible-options.ts";
import * as form from "./old-forms.ts";
import { toOldState } from "./old-words.ts";
import { showKnown } from "./shown-run.ts";

/** Routes that start and end runs. */
export function makeOldOrderRoutes(options: CompatibleOptions): readonly Route[] {
  return [...makeStarts(options), ...makeEnds(options.pipeline)];
}

const shared = { tag: "compatible" } as const;

interface StartOrder {
  readonly http: HttpContext;
  readonly actor: string;
  readonly stage?: string;
  readonly override?: boolean;
}

function makeStarts(options: CompatibleOptions): readonly Route[] {
  const start = defineRoute({
    ...shared,
    method: "POST",
    path: "/api/pipeline/start",
    access: "operate",
    summary: "queues a run, unless one is under way",
    body: form.oldStart,
    result: form.oldOutcome,
    handle: async ({ body, http, actor }) => {
      const { manual = true, manual_override: wish = false } = body;
      return { json: await startRun(options, { http, actor, override: manual && wish }) };
    },
  });
  const stage = defineRoute({
    ...shared,
    method: "POST",
    path: "/api/pipeline/stage/{name}",
    access: "operate",
    summary: "queues a run of one stage, over what the newest run stored",
    params: pipelineParams,
    result: form.oldOutcome,
    handle: async ({ params, http, actor }) => ({
      json: await startRun(options, { http, actor, stage: params.name }),
    }),
  });
  return [start, stage];
}

/** With the input of the schedule's runs: who starts by hand wants the same thing now. */
async function startRun(
  { pipeline, schedule }: CompatibleOptions,
  { http, actor, stage, override = false }: StartOrder,
): Promise<form.OldOutcome> {
  const mill = contextOf(http.mill);
  const definition = getDefinition(mill, pipeline);
  const spec = schedule === undefined ? undefined : await viewSchedule(mill, schedule);
  const only = stage === undefined ? {} : { only: [stage] };
  const { run } = await queueStart(mill, {
    definition,
    input: spec?.input ?? {},
    options: { source: `http:${actor}`, override, ...only },
    alone: true,
  });
  const what = stage === undefined ? "" : ` of stage "${stage}"`;
  return { run_id: run.id, state: "starting", message: `Run ${runName(run)}${what} is queued.` };
}

function makeEnds(pipeline: string): readonly Route[] {
  const stop = defineRoute({
    ...shared,
    method: "POST",
    path: "/api/pipeline/stop",
    access: "operate",
    control: true,
    summary: "ends the run that is under way",
    result: form.oldOutcome,
    handle: async ({ http, actor }) => {
      const reason = `stopped by ${actor}`;
      const ended = await cancelActive(http, pipeline, { reason });
      if (ended === undefined) throw nothingToStop(pipeline);
      return { json: ended };
    },
  });
  const [reset, clear] = (["reset", "clear-lock"] as const).map((verb) =>
    defineRoute({
      ...shared,
      method: "POST",
      path: `/api/pipeline/${verb}`,
      access: "operate",
      control: true,
      summary: "takes every run that is under way from its process, and ends it",
      result: form.oldOutcome,
      handle: async ({ http, actor }) => ({
        json: await freeAll(http, pipeline, `${verb} by ${actor}`),
      }),
    }),
  );
  return [stop, reset, clear].filter((route) => route !== undefined);
}

async function cancelActive(
  { mill }: HttpContext,
  pipeline: string,
  options: CancelOptions,
): Promise<form.OldOutcome | undefined> {
  const active = await findActiveRun(mill.store, pipeline);
  if (active === undefined) return undefined;
  const { run, note = "stopped" } = await mill.cancel(active.id, options);
  const shown = await showKnown(mill, active.id);
  return { run_id: active.id, state: toOldState(shown), message: `Run ${run}: ${note}.` };
}

/** Runs that one reset ends at most. */
const FREED_MAX = 100;

async function freeAll(
  http: HttpContext,
  pipeline: string,
  reason: string,
): Promise<form.OldOutcome> {
  const freed: form.OldOutcome[] = [];
  while (freed.length < FREED_MAX) {
    const ended = await cancelActive(http, pipeline, { reason, force: true });
    if (ended === undefined) break;
    freed.push(ended);
  }
  const message = freed.map((each) => each.message).join(" ");
  return {
    run_id: freed[0]?.run_id ?? null,
    state: "idle",
    message: message === "" ? "Nothing was under way." : message,
  };
}

function nothingToStop(pipeline: string): MillraceError {
  return new MillraceError(
    "RUN_STATE_CONFLICT",
    `No run of pipeline "${pipeline}" is under way: there is nothing to stop.`,
    { hint: "GET /api/pipeline/status says how the last one ended", details: { pipeline } },
  );
}
