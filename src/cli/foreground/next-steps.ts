// What to do after a run, as commands that work where they are printed.

import type { RunResult } from "../../service/run-result.ts";
import type { CliContext } from "../cli-context.ts";
import { nextCommand } from "../next-command.ts";
import { showCount } from "../../std/shown/figures.ts";
import type { NextStep } from "../render/closing/closing.ts";

/** A run that has ended or was parked. */
export interface EndedRun {
  readonly context: Pick<CliContext, "flags">;
  /** Short name. */
  readonly run: string;
  readonly result: RunResult;
  /** False: its store ends with this process, so there is nothing to ask or go on with. */
  readonly isKept: boolean;
}

/** The command that goes on with a run; undefined where nothing is kept of it. */
export function resumeCommand({
  context,
  run,
  isKept,
}: Omit<EndedRun, "result">): string | undefined {
  return isKept ? nextCommand(context, ["resume", run]) : undefined;
}

/** What people do next, the likeliest first. */
export function listNextSteps(ended: EndedRun): readonly NextStep[] {
  const { context, run, result, isKept } = ended;
  if (!isKept) return [];
  const command = (...words: readonly string[]): string => nextCommand(context, words);
  switch (result.state) {
    case "succeeded":
    case "skipped":
      return [
        { command: command("show", run), purpose: "stages, times and results" },
        ...listFirstFailure(ended, "what the first warning is about"),
      ];
    case "queued":
    case "waiting":
      return [{ command: command("resume", run), purpose: "go on, keep what is done" }];
    case "cancelled":
      return [
        { command: command("resume", run), purpose: "go on, keep what is done" },
        { command: command("show", run), purpose: "what was done" },
      ];
    case "failed":
      return [
        { command: command("resume", run), purpose: describeRedo(result) },
        ...listFirstFailure(ended, "what happened to the first"),
      ];
  }
}

function describeRedo(result: RunResult): string {
  const failedItems = Object.values(result.stages).reduce(
    (sum, { items }) => sum + (items?.failed ?? 0),
    0,
  );
  return failedItems > 0
    ? `redo the ${showCount(failedItems)}, keep the rest`
    : "redo what failed, keep the rest";
}

function listFirstFailure({ context, run, result }: EndedRun, purpose: string): NextStep[] {
  const first = result.errors.find(({ critical }) => critical) ?? result.errors[0];
  if (first === undefined) return [];
  const item = result.errors.find(
    (error) => error.stage === first.stage && error.item !== undefined,
  );
  const { stage } = first;
  const address = item?.item === undefined ? `${run}/${stage}` : `${run}/${stage}/${item.item.key}`;
  return [{ command: nextCommand(context, ["why", address]), purpose }];
}
