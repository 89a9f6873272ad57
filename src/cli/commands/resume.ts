// `millrace resume`: goes on with a run in this process: what succeeded is kept, the rest is done.

import { MillraceError } from "../../model/errors.ts";
import { runName } from "../../service/queries/find-run.ts";
import type { CliContext, ParsedOptions } from "../cli-context.ts";
import { EXIT } from "../exit-code.ts";
import { describeKept } from "../foreground/describe-kept.ts";
import { findNewestResumable, readNamedRun, type FoundRun } from "../foreground/find-resumable.ts";
import { followRun } from "../foreground/follow-run.ts";
import { hintStage } from "../foreground/hint-stage.ts";
import { readWorkFlags } from "../foreground/work-flags.ts";
import { FlagReader } from "../input/flag-reader.ts";
import { loadRunTarget } from "../load-run-target.ts";
import { nextCommand } from "../next-command.ts";
import { printDocument, printRemark } from "../print.ts";

/** Resumes a run: the one that is named, else the newest that failed or was interrupted. */
export async function run(
  context: CliContext,
  options: ParsedOptions,
  args: readonly string[],
): Promise<number> {
  const reader = new FlagReader(options);
  const { isStrict, logs, ...work } = readWorkFlags(reader);
  const from = reader.text("from");
  reader.finish("npx millrace resume --help");
  if (args.length > 1) throw severalRuns(context, args);
  const [reference] = args;
  const found =
    reference === undefined
      ? await findNewestResumable(context)
      : await readNamedRun(context, reference);
  if (found === undefined) return sayNothingToResume(context, "no run failed or was interrupted");
  if (isFinal(found)) {
    const { name, state } = found.detail.run;
    const again = nextCommand(context, ["rerun", name]);
    return sayNothingToResume(context, `run ${name} has ${state}; to do it again: ${again}`);
  }
  const { name, pipeline } = found.detail.run;
  const target = await loadRunTarget(
    context,
    { name, pipeline, source: found.record.source },
    { attemptsInFlight: work.concurrency },
  );
  return followRun(target.context, {
    target,
    logs,
    isStrict,
    describe: (handle) => describeKept(`resuming ${pipeline} ${name}`, handle, found.detail),
    start: (mill, onEvent) =>
      hintStage(
        mill.resume(runName(found.record), {
          ...work,
          ...(from === undefined ? {} : { from }),
          here: true,
          onEvent,
        }),
        {
          context: target.context,
          verb: ["resume", name],
          selection: from === undefined ? {} : { from },
        },
      ),
  });
}

function isFinal({ record }: FoundRun): boolean {
  return record.state === "succeeded" || record.state === "skipped";
}

function sayNothingToResume(context: CliContext, why: string): number {
  printRemark(context, `nothing to resume: ${why}`);
  if (context.flags.json)
    printDocument(context, { schema: "millrace.resume/1", runs: [], reason: why });
  return EXIT.ok;
}

function severalRuns(context: CliContext, args: readonly string[]): MillraceError {
  return new MillraceError(
    "FEATURE_UNAVAILABLE",
    `${args.length} runs cannot be resumed in one call yet.`,
    {
      hint: "resume one after the other; several at once come with the queue",
      next: nextCommand(context, ["resume", args[0] ?? "last"]),
    },
  );
}
