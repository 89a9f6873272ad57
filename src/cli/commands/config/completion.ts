// `millrace completion SHELL`: prints what makes a shell complete.

import { SCRIPTS, SHELLS } from "../../completion/scripts.ts";
import type { CliContext, ParsedOptions } from "../../cli-context.ts";
import { EXIT } from "../../exit-code.ts";
import { usageInvalid } from "../../input/flag-reader.ts";
import { printAnswer } from "../../print.ts";

/** Prints it. */
export async function run(
  context: CliContext,
  _options: ParsedOptions,
  [given = ""]: readonly string[],
): Promise<number> {
  const shell = SHELLS.find((known) => known === given);
  if (shell === undefined) {
    const message = `expected ${SHELLS.join(", ")}; got "${given}"`;
    throw usageInvalid([{ flag: "SHELL", message }], "npx millrace completion --help");
  }
  printAnswer(context, SCRIPTS[shell]);
  return EXIT.ok;
}
