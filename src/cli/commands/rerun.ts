// `millrace rerun`: a new run from an old one, with as much of its results as is asked for.

import { decodeValue } from "../../std/value.ts";
import type { CliContext, ParsedOptions } from "../cli-context.ts";
import { describeKept } from "../foreground/describe-kept.ts";
import { readNamedRun } from "../foreground/find-resumable.ts";
import { followRun } from "../foreground/follow-run.ts";
import { hintStage } from "../foreground/hint-stage.ts";
import { readWorkFlags } from "../foreground/work-flags.ts";
import { FlagReader } from "../input/flag-reader.ts";
import { applyChange } from "../input/run-input.ts";
import { loadRunTarget } from "../load-run-target.ts";

/** Reruns a run. */
export async function run(
  context: CliContext,
  options: ParsedOptions,
  args: readonly string[],
): Promise<number> {
  const reader = new FlagReader(options);
  const { isStrict, logs, ...work } = readWorkFlags(reader);
  const from = reader.text("from");
  const isOnlyFailed = reader.has("onlyFailed");
  if (from !== undefined && isOnlyFailed) {
    reader.fault("onlyFailed", "cannot stand together with --from");
  }
  reader.finish("npx millrace rerun --help");
  const { record, detail } = await readNamedRun(context, args[0] ?? "last");
  const { name, pipeline } = detail.run;
  const changes = reader.texts("set");
  const input = changes.reduce<unknown>(applyChange, decodeValue(record.input));
  const { source } = record;
  const target = await loadRunTarget(
    context,
    { name, pipeline, source },
    { attemptsInFlight: work.concurrency },
  );
  return followRun(target.context, {
    target,
    logs,
    isStrict,
    describe: (handle) => describeKept(`rerun of ${name} as ${handle.name}`, handle, detail),
    start: (mill, onEvent) =>
      hintStage(
        mill.rerun(name, {
          ...work,
          ...(from === undefined ? {} : { from }),
          ...(isOnlyFailed ? { onlyFailed: true } : {}),
          ...(changes.length === 0 ? {} : { input }),
          source,
          onEvent,
        }),
        {
          context: target.context,
          verb: ["rerun", name],
          selection: from === undefined ? {} : { from },
        },
      ),
  });
}
