// `millrace schedule trigger`: queues a run of a schedule now, for whoever works.

import { readRunFacts } from "../../../service/queries/run-facts.ts";
import { toRunView } from "../../../service/views/run-view.ts";
import { findUserName } from "../../../std/machine.ts";
import type { CliContext, ParsedOptions } from "../../cli-context.ts";
import { EXIT } from "../../exit-code.ts";
import { FlagReader } from "../../input/flag-reader.ts";
import { readRunInput } from "../../input/run-input.ts";
import { nextCommand } from "../../next-command.ts";
import { printAnswer, printDocument } from "../../print.ts";
import { withSchedules } from "./change-schedule.ts";

/** Queues it. */
export async function run(
  context: CliContext,
  options: ParsedOptions,
  args: readonly string[],
): Promise<number> {
  const reader = new FlagReader(options);
  const override = reader.has("override");
  reader.finish("npx millrace schedule trigger --help");
  const input = await readRunInput(context, options);
  return await withSchedules(context, async (mill) => {
    const queued = await mill.schedule(args[0] ?? "").trigger({
      actor: findUserName(),
      override,
      ...(input.isGiven ? { input: input.value } : {}),
    });
    const view = toRunView(await readRunFacts(mill.store, queued));
    if (context.flags.json) {
      printDocument(context, { schema: "millrace.schedule-trigger/1", run: view });
    } else {
      const next = nextCommand(context, ["show", view.name]);
      printAnswer(context, `queued ${view.name}      next: ${next}`);
    }
    return EXIT.ok;
  });
}
