// `millrace rerun`: a new run from an old one, with as much of its results as is asked for.

import { decodeValue } from "../../std/value.ts";
import type { CliContext, ParsedOptions } from "../cli-context.ts";
import { describeKept } from "../foreground/describe-kept.ts";
import { readNamedRun } from "../foreground/find-resumable.ts";
import { followRun } from "../foreground/follow-run.ts";
import { hintStage } from "../foreground/hint-stage.ts";
import { planAgain } from "../foreground/plan-again.ts";
import { withDocument } from "../foreground/with-document.ts";
import { readWorkFlags } from "../foreground/work-flags.ts";
import { FlagReader } from "../input/flag-reader.ts";
import { applyChange } from "../input/run-input.ts";
import { loadRunTarget } from "../load/load-run-target.ts";

/** Reruns a run. */
export async function run(
  context: CliContext,
  options: ParsedOptions,
  args: readonly string[],
): Promise<number> {
  const reader = new FlagReader(options);
  const { isStrict, logs, ...work } = readWorkFlags(reader);
  const from = reader.text("from");
  const onlyFailed = reader.has("onlyFailed");
  const override = reader.has("override");
  if (from !== undefined && onlyFailed) {
    reader.fault("onlyFailed", "cannot stand together with --from");
  }
  reader.finish("npx millrace rerun --help");
  const found = await readNamedRun(context, args[0] ?? "last");
  const { name, pipeline } = found.detail.run;
  const redo = from === undefined ? {} : { from };
  const changes = reader.texts("set");
  const input = changes.reduce<unknown>(applyChange, decodeValue(found.record.input));
  if (reader.has("dryRun")) {
    const verb = onlyFailed ? "rerun-failed" : "rerun";
    const flags = [...(onlyFailed ? ["--only-failed"] : []), ...changes.flatMap(toSetFlag)];
    return planAgain(context, found, { verb, start: ["rerun", name, ...flags], input, ...redo });
  }
  return withDocument(context, async (keep) => {
    const { source } = found.record;
    const target = await loadRunTarget(
      context,
      { name, pipeline, source },
      { attemptsInFlight: work.concurrency },
    );
    const choices = { ...work, ...redo, onlyFailed, override, source };
    const changed = changes.length === 0 ? {} : { input };
    const call = { context: target.context, verb: ["rerun", name], selection: redo };
    return followRun(target.context, {
      target,
      keep,
      logs,
      isStrict,
      describe: (handle) =>
        describeKept(`rerun of ${name} as ${handle.name}`, handle, found.detail),
      start: (mill, onEvent) =>
        hintStage(mill.rerun(found.record.id, { ...choices, ...changed, onEvent }), call),
    });
  });
}

function toSetFlag(change: string): readonly string[] {
  return ["--set", change];
}
