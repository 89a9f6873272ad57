// `millrace schedule enable`: switches a schedule on.

import type { CliContext, ParsedOptions } from "../../cli-context.ts";
import { FlagReader } from "../../input/flag-reader.ts";
import { changeSchedule } from "./change-schedule.ts";

/** Switches it on. */
export async function run(
  context: CliContext,
  options: ParsedOptions,
  args: readonly string[],
): Promise<number> {
  return changeSchedule(context, {
    reader: new FlagReader(options),
    verb: "enable",
    change: (mill, order) => mill.schedule(args[0] ?? "").enable(order),
  });
}
