// `millrace run`: a pipeline, durably, in this process from its start to its end.

import { WORKER_RUNS_DEFAULT } from "../../model/defaults.ts";
import { isPipeline } from "../../service/pipeline.ts";
import { MillraceError } from "../../model/errors.ts";
import type { CliContext, ParsedOptions } from "../cli-context.ts";
import { followRun } from "../foreground/follow-run.ts";
import { hintStage } from "../foreground/hint-stage.ts";
import { withDocument } from "../foreground/with-document.ts";
import { readTags, readWorkFlags } from "../foreground/work-flags.ts";
import { FlagReader } from "../input/flag-reader.ts";
import { readRunInput } from "../input/run-input.ts";
import { readForce, readSelection } from "../input/selection.ts";
import { loadTarget } from "../load/load-pipeline.ts";
import { quoted } from "../render/phrases.ts";
import { readReportFlag } from "../report/report-flag.ts";

/** Runs a pipeline. */
export async function run(
  context: CliContext,
  options: ParsedOptions,
  args: readonly string[],
): Promise<number> {
  const reader = new FlagReader(options);
  const { isStrict, logs, ...work } = readWorkFlags(reader);
  const selection = readSelection(reader);
  const tags = readTags(reader);
  const force = readForce(reader);
  const key = reader.text("key");
  const items = reader.text("items");
  const report = reader.has("dryRun") ? undefined : readReportFlag(reader, context);
  if (items !== undefined) refuseBeside(reader);
  reader.finish("npx millrace run --help");
  if (reader.has("dryRun")) {
    const plan = await import("./plan.ts");
    return plan.run(context, options, args);
  }
  if (items !== undefined) {
    return withDocument(context, async (keep) => {
      const target = await loadTarget(context, args[0]);
      if (!isPipeline(target.pipeline)) throw foreignPipeline(target.words[0] ?? "");
      const slots = work.concurrency ?? WORKER_RUNS_DEFAULT;
      const { runBatch } = await import("../foreground/run-batch.ts");
      const override = reader.has("override");
      const batch = { file: items, target, slots, logs, isStrict, tags, override };
      return runBatch(target.context, { ...batch, keep });
    });
  }
  const choices = {
    ...work,
    ...selection,
    ...(key === undefined ? {} : { key }),
    ...(tags === undefined ? {} : { tags }),
    ...(force === undefined ? {} : { force }),
    ...(reader.has("noRetry") ? { noRetry: true } : {}),
    ...(reader.has("override") ? { override: true } : {}),
  };
  const input = await readRunInput(context, options);
  return withDocument(context, async (keep) => {
    const target = await loadTarget(context, args[0], { attemptsInFlight: work.concurrency });
    const { pipeline, source, words } = target;
    if (!isPipeline(pipeline)) throw foreignPipeline(words[0] ?? "");
    const call = { context: target.context, verb: ["run", ...words], selection };
    return followRun(target.context, {
      target,
      keep,
      logs,
      isStrict,
      report,
      key: key === undefined ? undefined : quoted(key),
      start: (mill, onEvent, waiting) =>
        hintStage(
          mill.start(pipeline, input.value, { ...choices, ...waiting, source, onEvent }),
          call,
        ),
    });
  });
}

const NOT_WITH_ITEMS = [
  "input",
  "set",
  "key",
  "skip",
  "only",
  "until",
  "from",
  "dryRun",
  "report",
] as const;

/** A batch takes its inputs and keys from its lines, and every run of it whole. */
function refuseBeside(reader: FlagReader): void {
  for (const name of NOT_WITH_ITEMS) {
    if (reader.has(name)) reader.fault(name, "cannot be given together with --items");
  }
}

/** A value that bears our mark and is no pipeline: only a broken copy of the package makes one. */
function foreignPipeline(name: string): MillraceError {
  return new MillraceError("PIPELINE_FILE_INVALID", `"${name}" is no pipeline that can be run.`);
}
