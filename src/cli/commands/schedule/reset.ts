// `millrace schedule reset`: lifts what was set of a schedule.

import type { CliContext, ParsedOptions } from "../../cli-context.ts";
import { FlagReader } from "../../input/flag-reader.ts";
import { changeSchedule } from "./change-schedule.ts";

/** Lifts what was set. */
export async function run(
  context: CliContext,
  options: ParsedOptions,
  args: readonly string[],
): Promise<number> {
  return changeSchedule(context, {
    reader: new FlagReader(options),
    verb: "reset",
    change: (mill, order) => mill.schedule(args[0] ?? "").reset(order),
  });
}
