// The run of a tick, as it is queued: its input, its tags, and for which instant it stands. Its key is the tick, so that
// one instant has one run, but for a backfill.

import type { PipelineDefinition } from "../../model/definition.ts";
import type { ScheduleSpec, ScheduledFor } from "../../model/schedule/schedule.ts";
import type { CreateRunWrite } from "../../storage/write.ts";
import { prepareQueued } from "../commands/enqueue-runs.ts";
import type { MillContext } from "../mill-context.ts";
import { tickKey } from "./known-schedule.ts";

/** Which run. */
export interface TickRun {
  readonly definition: PipelineDefinition;
  readonly spec: ScheduleSpec;
  readonly scheduled: ScheduledFor;
  /** Tells the runs of one tick apart, where it runs again: revision of the schedule, which no other run of it has.
   *  Default: none. */
  readonly turn?: number;
}

/** Tag that names the schedule of a run. */
export const SCHEDULE_TAG = "schedule";

/** Key of the run of a tick. */
export function tickRunKey(name: string, atMs: number): string {
  return `${SCHEDULE_TAG}:${tickKey(name, atMs)}`;
}

/** The write that queues it. OPTION_INVALID, VALUE_NOT_STORABLE, DEFINITION_INVALID. */
export async function prepareTickRun(
  mill: MillContext,
  { definition, spec, scheduled, turn }: TickRun,
): Promise<CreateRunWrite> {
  const tick = tickRunKey(scheduled.schedule, scheduled.atMs);
  const write = await prepareQueued(mill, definition, {
    entry: {
      key: turn === undefined ? tick : `${tick}/${turn}`,
      input: toInput(spec),
      priority: spec.priority,
      tags: { ...spec.tags, [SCHEDULE_TAG]: scheduled.schedule },
    },
    options: { source: SCHEDULE_TAG, ...toDeadline(spec) },
  });
  const settings = { ...write.run.settings, scheduled };
  return { ...write, run: { ...write.run, settings } };
}

/** The input of a schedule; without one the usual input of a pipeline that says nothing else. */
export function toInput({ input }: Pick<ScheduleSpec, "input">): unknown {
  return input ?? {};
}

/** Its deadline as an option of a run. */
export function toDeadline({ deadlineMs }: Pick<ScheduleSpec, "deadlineMs">): {
  readonly deadline?: number;
} {
  return deadlineMs === null ? {} : { deadline: deadlineMs };
}
