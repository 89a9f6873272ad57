// Asks before something is deleted: on a terminal in words, elsewhere only a flag counts as an answer.

import { createInterface } from "node:readline/promises";
import { MillraceError } from "../model/errors.ts";
import type { CliContext } from "./cli-context.ts";

/** What is asked. */
export interface Confirmation {
  /** What will be done, without a mark at its end: `delete 12 runs`. */
  readonly deed: string;
  /** True: `--yes` was given. */
  readonly yes: boolean;
  /** The command that only looks. */
  readonly dryRun: string;
}

/** True where somebody sees a question and can answer it. */
export function canAsk({ stdin, stderr }: Pick<CliContext, "stdin" | "stderr">): boolean {
  return stderr.isTTY === true && stdin().isTTY === true;
}

/** True once somebody said yes; false after any other answer. USAGE_INVALID where nobody can be asked. */
export async function confirm(context: CliContext, asked: Confirmation): Promise<boolean> {
  const { deed, yes, dryRun } = asked;
  if (yes) return true;
  if (!canAsk(context)) {
    throw new MillraceError("USAGE_INVALID", `Nobody can be asked here whether to ${deed}.`, {
      hint: "say --yes to do it without being asked",
      next: dryRun,
    });
  }
  const lines = createInterface({
    input: context.stdin(),
    output: context.stderr,
    terminal: false,
  });
  try {
    // Closed without an answer, the question itself would never end.
    const closed = new Promise<string>((resolve) => lines.once("close", () => resolve("")));
    const answer = await Promise.race([lines.question(`${deed}? [y/N] `), closed]);
    return /^\s*y(es)?\s*$/i.test(answer);
  } finally {
    lines.close();
  }
}
