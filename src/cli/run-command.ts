// One call of the command from words to exit code, with everything it touches handed in: `main.ts` gives it
// the process, tests give it streams of their own.

import type { CliContext } from "./cli-context.ts";
import { guessCommonFlags, readCommonFlags } from "./verb/common-flags.ts";
import { EXIT } from "./exit-code.ts";
import { parseCall } from "./parse-call.ts";
import type { ErrorContext } from "./render-error.ts";

/** A context before the command line is read. */
export type CliWorld = Omit<CliContext, "flags">;

/** Does what the words ask for, prints errors, and gives the exit code. Never rejects. */
export async function runCommand(world: CliWorld, argv: readonly string[]): Promise<number> {
  let context: ErrorContext & CliWorld = { ...world, flags: guessCommonFlags(argv) };
  try {
    const call = parseCall(argv);
    if (call.kind === "help") {
      const { renderHelp } = await import("./program.ts");
      world.stdout.write(renderHelp(call.verb, call.family));
      return EXIT.ok;
    }
    if (call.kind === "version") {
      const { readVersion } = await import("../std/version.ts");
      world.stdout.write(`${readVersion()}\n`);
      return EXIT.ok;
    }
    if (call.kind === "complete") {
      const { complete } = await import("./completion/complete.ts");
      return await complete({ ...world, flags: guessCommonFlags([]) }, call.words);
    }
    const flags = readCommonFlags(call.common, world.env);
    context = { ...world, flags };
    const command = await call.verb.load();
    return await command.run({ ...world, flags }, call.options, call.args);
  } catch (error) {
    const { printError } = await import("./render-error.ts");
    return printError(context, error);
  }
}
