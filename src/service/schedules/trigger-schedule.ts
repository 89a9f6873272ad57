// Queues a run of a schedule by hand, now: with its input, tags and priority. It stands for no tick. A run of the schedule
// that has not ended refuses it, unless the schedule allows two at once or is to replace it.

import { MillraceError } from "../../model/errors.ts";
import { TICKS_WAITING_MAX } from "../../model/limits.ts";
import type { RunRecord } from "../../model/run.ts";
import { prepareQueued } from "../commands/enqueue-runs.ts";
import { whileOpen } from "../commands/begin-run.ts";
import { passGate } from "../health/pass-gate.ts";
import { getDefinition, type MillContext } from "../mill-context.ts";
import { queueFull } from "../queue-import/queue-full.ts";
import { runName } from "../queries/find-run.ts";
import { cancelRuns } from "./due-schedule.ts";
import { getSchedule, putSchedule, type KnownSchedule } from "./known-schedule.ts";
import { isPipelineFull, listLiveRuns } from "./live-runs.ts";
import { checkOrder, type ScheduleOrderOptions } from "./set-schedule.ts";
import { SCHEDULE_TAG, toDeadline, toInput } from "./tick-run.ts";

/** What a caller may say of it. */
export interface TriggerOptions extends ScheduleOrderOptions {
  /** Another input than that of the schedule. */
  readonly input?: unknown;
  /** Starts although the pipeline's health asks for a word, which is kept with the run. Default false. */
  readonly override?: boolean;
}

/**
 * Queues it, also of a schedule that is switched off. SCHEDULE_UNKNOWN, PIPELINE_UNKNOWN; RUN_BUSY where `overlap` does not allow it;
 * HEALTH_REFUSED; QUEUE_FULL.
 */
export async function triggerSchedule(
  mill: MillContext,
  name: string,
  options: TriggerOptions = {},
): Promise<RunRecord> {
  checkOrder(options);
  const { spec } = await getSchedule(mill, name);
  const definition = getDefinition(mill, spec.pipeline);
  const { override = false, actor = "program" } = options;
  const overridden = await passGate(mill, definition, {
    override,
    source: `trigger of schedule ${name}`,
  });
  return await whileOpen(mill, async () => {
    for (;;) {
      const known = await getSchedule(mill, name);
      const live = await listLiveRuns(mill.store, known.state.runs);
      const isFull = await isPipelineFull(mill.store, definition);
      refuseBusy(known, live, isFull);
      const run = await prepareQueued(mill, definition, {
        entry: {
          input: options.input === undefined ? toInput(spec) : options.input,
          priority: spec.priority,
          tags: { ...spec.tags, [SCHEDULE_TAG]: name },
        },
        options: { source: "trigger", ...toDeadline(spec) },
        overridden,
      });
      const runs = [...live.map(({ id }) => id), run.run.id].slice(-TICKS_WAITING_MAX);
      const at = new Date(mill.store.nowMs()).toISOString();
      const data = { schedule: name, at, run: run.run.id, source: "trigger", actor };
      const result = await mill.committer.write({
        kind: "put-records",
        puts: [putSchedule(known, { ...known.state, runs })],
        run,
        events: [{ type: "schedule.fired", data }],
      });
      if (result.kind === "full")
        throw queueFull(definition, { created: 0, duplicates: 0, refused: 1 });
      if (result.kind === "recorded" && result.run !== undefined) {
        mill.wake.emit(definition.name);
        if (spec.overlap === "replace") await cancelRuns(mill, live);
        return result.run;
      }
      if (result.kind !== "record-conflict")
        throw new MillraceError("STORE_FAILED", `The run was not made: ${result.kind}.`);
    }
  });
}

function refuseBusy(
  { name, spec }: KnownSchedule,
  live: readonly RunRecord[],
  isFull: boolean,
): void {
  const { overlap } = spec;
  const [first] = live;
  if (overlap === "allow" || overlap === "replace" || (first === undefined && !isFull)) return;
  const who =
    first === undefined
      ? `as many runs of pipeline "${spec.pipeline}" are running as may be`
      : `its run ${runName(first)} is ${first.state}`;
  throw new MillraceError("RUN_BUSY", `Schedule "${name}" was not triggered: ${who}.`, {
    hint: `its overlap is "${overlap}"; wait for that run, or cancel it`,
    next: first === undefined ? "npx millrace runs" : `npx millrace show ${runName(first)}`,
    retryable: true,
    details: { schedule: name, ...(first === undefined ? {} : { run: first.id }) },
  });
}
