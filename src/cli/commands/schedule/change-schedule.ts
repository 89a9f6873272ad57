// What the verbs that change a schedule have in common: an open mill with what is configured, the user as the actor, the
// schedule as it stands afterwards.

import type { Millrace } from "../../../service/millrace.ts";
import type { ScheduleOrderOptions } from "../../../service/schedules/set-schedule.ts";
import type { ScheduleView } from "../../../service/views/schedule-view.ts";
import { findUserName } from "../../../std/machine.ts";
import { saySchedule } from "../../answers/schedule-table.ts";
import type { CliContext } from "../../cli-context.ts";
import { EXIT } from "../../exit-code.ts";
import type { FlagReader } from "../../input/flag-reader.ts";
import { loadPipelines } from "../../load/load-pipeline.ts";
import { printAnswer, printDocument } from "../../print.ts";
import { readSettings } from "../../settings.ts";
import { withMill } from "../queue/with-mill.ts";

/** One change. */
export interface ScheduleChangeOrder {
  /** Read and not finished. */
  readonly reader: FlagReader;
  readonly verb: string;
  readonly change: (mill: Millrace, options: ScheduleOrderOptions) => Promise<ScheduleView>;
}

/** Makes the change and tells how the schedule stands. */
export async function changeSchedule(
  context: CliContext,
  { reader, verb, change }: ScheduleChangeOrder,
): Promise<number> {
  const options = readOrder(reader);
  reader.finish(`npx millrace schedule ${verb} --help`);
  const view = await withSchedules(context, (mill) => change(mill, options));
  if (context.flags.json) {
    printDocument(context, { schema: "millrace.schedules/1", schedules: [view] });
  } else printAnswer(context, saySchedule(view));
  return EXIT.ok;
}

/** Who does it, and why. */
export function readOrder(reader: FlagReader): ScheduleOrderOptions {
  const reason = reader.text("reason");
  return { actor: findUserName(), ...(reason === undefined ? {} : { reason }) };
}

/** Opens the mill with the configured pipelines and schedules, does the work, closes. */
export async function withSchedules<T>(
  context: CliContext,
  work: (mill: Millrace) => Promise<T>,
): Promise<T> {
  const settings = await readSettings(context);
  const pipelines =
    settings.file === null ? [] : (await loadPipelines(context, undefined)).pipelines;
  return await withMill(context, { pipelines, settings }, work);
}
