// `millrace resume`: goes on with a run in this process: what succeeded is kept, the rest is done.

import { MillraceError } from "../../model/errors.ts";
import type { CliContext, ParsedOptions } from "../cli-context.ts";
import { EXIT } from "../exit-code.ts";
import { describeKept } from "../foreground/describe-kept.ts";
import { findNewestResumable, readNamedRun, type FoundRun } from "../foreground/find-resumable.ts";
import { followRun } from "../foreground/follow-run.ts";
import { hintStage } from "../foreground/hint-stage.ts";
import { planAgain } from "../foreground/plan-again.ts";
import { withDocument } from "../foreground/with-document.ts";
import { readWorkFlags } from "../foreground/work-flags.ts";
import { FlagReader } from "../input/flag-reader.ts";
import { loadRunTarget } from "../load/load-run-target.ts";
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
  const redo = from === undefined ? {} : { from };
  reader.finish("npx millrace resume --help");
  if (args.length > 1) throw severalRuns(context, args);
  const found = await findRun(context, args[0]);
  const nothing = explainNothing(context, found);
  if (found === undefined || nothing !== undefined) {
    return sayNothingToResume(context, nothing ?? "no run failed or was interrupted");
  }
  const { name, pipeline } = found.detail.run;
  if (reader.has("dryRun")) {
    return planAgain(context, found, { verb: "resume", start: ["resume", name], ...redo });
  }
  return withDocument(context, async (keep) => {
    const identity = { name, pipeline, source: found.record.source };
    const target = await loadRunTarget(context, identity, { attemptsInFlight: work.concurrency });
    const call = { context: target.context, verb: ["resume", name], selection: redo };
    return followRun(target.context, {
      target,
      keep,
      logs,
      isStrict,
      describe: (handle) => describeKept(`resuming ${pipeline} ${name}`, handle, found.detail),
      start: (mill, onEvent) =>
        hintStage(mill.resume(found.record.id, { ...work, ...redo, here: true, onEvent }), call),
    });
  });
}

function findRun(
  context: CliContext,
  reference: string | undefined,
): Promise<FoundRun | undefined> {
  return reference === undefined ? findNewestResumable(context) : readNamedRun(context, reference);
}

/** Why a run that was found has nothing left to do; undefined: it has. */
function explainNothing(context: CliContext, found: FoundRun | undefined): string | undefined {
  if (found === undefined) return undefined;
  const { name, state } = found.detail.run;
  if (state !== "succeeded" && state !== "skipped") return undefined;
  return `run ${name} has ${state}; to do it again: ${nextCommand(context, ["rerun", name])}`;
}

function sayNothingToResume(context: CliContext, reason: string): number {
  printRemark(context, `nothing to resume: ${reason}`);
  if (context.flags.json) {
    printDocument(context, { schema: "millrace.resume/1", runs: [], reason });
  }
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
