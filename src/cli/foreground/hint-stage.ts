// A misspelt stage on the command line: the error names the flag it was given with, and the command that was
// probably meant.

import { isMillraceError, MillraceError } from "../../model/errors.ts";
import { findNearest } from "../../std/nearest.ts";
import type { CliContext } from "../cli-context.ts";
import type { Selection } from "../input/selection.ts";
import { nextCommand } from "../next-command.ts";

/** What was called. */
export interface StageCall {
  readonly context: Pick<CliContext, "flags">;
  /** The verb and its arguments: `["run", "crawl.ts"]`. */
  readonly verb: readonly string[];
  readonly selection: Selection;
}

/** What `work` gives; where it rejects with STAGE_UNKNOWN, the error with flag and command. */
export async function hintStage<T>(work: Promise<T>, call: StageCall): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw isMillraceError(error) && error.code === "STAGE_UNKNOWN" ? withHint(error, call) : error;
  }
}

function withHint(error: MillraceError, { context, verb, selection }: StageCall): MillraceError {
  const { details = {}, hint } = error;
  const given = typeof details["given"] === "string" ? details["given"] : "";
  const known = Array.isArray(details["known"]) ? details["known"].map(String) : [];
  const flag = (["only", "skip", "until", "from"] as const).find((name) =>
    [selection[name] ?? []].flat().includes(given),
  );
  const near = findNearest(given, known);
  if (flag === undefined || near === undefined) return error;
  return new MillraceError(error.code, error.message, {
    ...(hint === undefined ? {} : { hint }),
    next: nextCommand(context, [...verb, `--${flag}`, near]),
    details: { ...details, given: `--${flag} ${given}` },
    cause: error,
  });
}
