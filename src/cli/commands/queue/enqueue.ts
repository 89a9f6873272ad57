// `millrace queue enqueue`: puts one run into the queue, for whoever works; once per key.

import { PRIORITY_MAX } from "../../../model/limits.ts";
import type { Pipeline } from "../../../service/pipeline.ts";
import type { EnqueuedRun } from "../../../service/commands/enqueue-runs.ts";
import { runName } from "../../../service/queries/find-run.ts";
import { readRunFacts } from "../../../service/queries/run-facts.ts";
import { toRunView } from "../../../service/views/run-view.ts";
import { escapeControl } from "../../../std/text.ts";
import type { CliContext, ParsedOptions } from "../../cli-context.ts";
import { EXIT } from "../../exit-code.ts";
import { withDocument } from "../../foreground/with-document.ts";
import { FlagReader } from "../../input/flag-reader.ts";
import { readTags } from "../../foreground/work-flags.ts";
import { readRunInput } from "../../input/run-input.ts";
import { loadTarget } from "../../load/load-pipeline.ts";
import { printAnswer } from "../../print.ts";
import { whileNotFull, withMill } from "./with-mill.ts";

/** Queues a run. */
export async function run(
  context: CliContext,
  options: ParsedOptions,
  args: readonly string[],
): Promise<number> {
  if (typeof options["file"] === "string") {
    const { run: importFile } = await import("./import.ts");
    return importFile(context, options, [options["file"], ...args]);
  }
  const reader = new FlagReader(options);
  const key = reader.text("key") ?? reader.text("id");
  const priority = reader.whole("priority", { min: -PRIORITY_MAX, max: PRIORITY_MAX });
  const delay = reader.durationMs("delay");
  const tags = readTags(reader);
  const override = reader.has("override");
  reader.finish("npx millrace queue enqueue --help");
  const input = await readRunInput(context, options);
  return withDocument(context, async (keep) => {
    const target = await loadTarget(context, args[0]);
    const entry = {
      // The usual input of a pipeline that says nothing else.
      input: input.isGiven ? input.value : {},
      ...(tags === undefined ? {} : { tags }),
      ...(key === undefined ? {} : { key }),
      ...(priority === undefined ? {} : { priority }),
      ...(delay === undefined ? {} : { delay }),
    };
    // What was loaded takes whatever the command line gives; its schema is asked when the run is claimed.
    const pipeline: Pipeline = target.pipeline;
    return withMill(context, target, async (mill) => {
      const { runs } = await whileNotFull(args[0], () =>
        mill.enqueue(pipeline, [entry], { source: target.source, override }),
      );
      for (const queued of runs) {
        if (!context.flags.json) printAnswer(context, sayQueued(queued));
        const facts = await readRunFacts(mill.store, queued.run);
        keep({
          schema: "millrace.queue-enqueue/1",
          run: toRunView(facts),
          created: queued.created,
        });
      }
      return EXIT.ok;
    });
  });
}

function sayQueued({ run: { key, state, ...run }, created }: EnqueuedRun): string {
  const name = runName(run);
  if (created) return `queued ${name} (new)`;
  const now = state === "queued" ? "" : `: ${state}`;
  return `already queued ${name} (key ${escapeControl(key ?? "")})${now}`;
}
