// `millrace config read`: the configuration as a process that serves takes it over when its file has changed. It is read
// here, in a process of its own, because a module that was imported once is never read again, and each new reading of it
// would stay in memory for good; and because a file that does not end must not hold up who serves.

import { toPlainSettings } from "../../../config/show/plain-settings.ts";
import type { CliContext } from "../../cli-context.ts";
import { checkConfiguration } from "../../configuration/check-configuration.ts";
import { EXIT } from "../../exit-code.ts";
import { toDocumentText } from "../../print.ts";

/** Reads, and answers with one line, the last of stdout: what the file itself prints stands before it. */
export async function run(context: CliContext): Promise<number> {
  const { settings, pipelines, faults } = await checkConfiguration(context);
  const document = {
    schema: "millrace.config-read/1",
    settings: settings === undefined ? null : toPlainSettings(settings),
    pipelines: Object.fromEntries(pipelines.map(({ name, hash }) => [name, hash])),
    faults,
  };
  context.stdout.write(`\n${toDocumentText(document, 0)}\n`);
  return EXIT.ok;
}
