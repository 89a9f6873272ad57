// `millrace queue run`: works the queue in this process, until it is drained or until it is stopped.

import { WORKER_RUNS_MAX } from "../../model/limits.ts";
import type { CliContext, ParsedOptions } from "../cli-context.ts";
import { followQueue } from "../foreground/follow-queue.ts";
import { withDocument } from "../foreground/with-document.ts";
import { FlagReader } from "../input/flag-reader.ts";
import { choosePipelines } from "../load/choose-pipelines.ts";
import { loadPipelines } from "../load/load-pipeline.ts";

/** Works the queue. */
export async function run(
  context: CliContext,
  options: ParsedOptions,
  args: readonly string[],
): Promise<number> {
  const reader = new FlagReader(options);
  const slots = reader.whole("j", { min: 1, max: WORKER_RUNS_MAX });
  const maxRuns = reader.whole("maxRuns", { min: 1, max: Number.MAX_SAFE_INTEGER });
  const names = reader.texts("pipelines").flatMap((text) => text.split(","));
  const logs = reader.oneOf("logs", ["all", "failed", "none"]) ?? "failed";
  reader.finish("npx millrace queue run --help");
  return withDocument(context, async (keep) => {
    const target = await loadPipelines(context, args[0]);
    return followQueue(target.context, {
      pipelines: choosePipelines(target.pipelines, names),
      settings: target.settings,
      slots: slots ?? target.settings.slots.value,
      drain: reader.has("drain"),
      maxRuns,
      logs,
      isStrict: reader.has("strict"),
      keep,
      words: ["queue", "run", ...args, ...(reader.has("drain") ? ["--drain"] : [])],
    });
  });
}
