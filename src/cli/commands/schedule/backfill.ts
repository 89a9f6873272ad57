// `millrace schedule backfill`: runs past ticks, or lists them. Whoever serves the store runs them.

import { CONCURRENCY_MAX } from "../../../model/limits.ts";
import { renderBackfill } from "../../answers/schedule-table.ts";
import type { CliContext, ParsedOptions } from "../../cli-context.ts";
import { EXIT } from "../../exit-code.ts";
import { FlagReader, usageInvalid } from "../../input/flag-reader.ts";
import { readTime } from "../../input/time-flag.ts";
import { nextCommand } from "../../next-command.ts";
import { printAnswer, printDocument } from "../../print.ts";
import { lookOf } from "../../render/look.ts";
import { readOrder, withSchedules } from "./change-schedule.ts";

/** Starts it, or lists what it would run. */
export async function run(
  context: CliContext,
  options: ParsedOptions,
  args: readonly string[],
): Promise<number> {
  const reader = new FlagReader(options);
  const order = readOrder(reader);
  const fromMs = readTime(reader, "from");
  const untilMs = readTime(reader, "until");
  const limit = reader.whole("j", { min: 1, max: CONCURRENCY_MAX }) ?? 1;
  const dryRun = reader.has("dryRun");
  reader.finish("npx millrace schedule backfill --help");
  if (fromMs === undefined)
    throw usageInvalid([{ flag: "--from", message: "expected the first instant, an ISO time" }]);
  const name = args[0] ?? "";
  const outcome = await withSchedules(context, (mill) =>
    mill.schedule(name).backfill({
      ...order,
      fromMs,
      untilMs: untilMs ?? mill.store.nowMs(),
      limit,
      dryRun,
    }),
  );
  if (context.flags.json) {
    printDocument(context, { schema: "millrace.schedule-backfill/1", ...outcome });
    return EXIT.ok;
  }
  const next = nextCommand(context, ["schedule", "list"]);
  const look = lookOf(context, context.stdout);
  printAnswer(context, `${renderBackfill(outcome, look)}      next: ${next}`);
  return EXIT.ok;
}
