// `millrace config read`: the configuration as a process that serves takes it over when its file has changed. It is read
// here, in a process of its own, because a module that was imported once is never read again, and each new reading of it
// would stay in memory for good; and because a file that does not end must not hold up who serves.
//
// What it answers holds secrets, so that it goes to the process that asked and to no stream.

import { toPlainSettings } from "../../../config/show/plain-settings.ts";
import { MillraceError } from "../../../model/errors.ts";
import type { Json } from "../../../std/json.ts";
import type { CliContext } from "../../cli-context.ts";
import { checkConfiguration } from "../../configuration/check-configuration.ts";
import { EXIT } from "../../exit-code.ts";

/** Reads, and answers. OPTION_INVALID where nobody asked. */
export async function run(context: CliContext): Promise<number> {
  const { tellParent } = context;
  if (tellParent === undefined) {
    throw new MillraceError("OPTION_INVALID", "Only a process that serves is answered this.", {
      hint: "what is in force is printed by another verb",
      next: "npx millrace config print",
    });
  }
  const { settings, pipelines, faults } = await checkConfiguration(context);
  const document: Json = {
    schema: "millrace.config-read/1",
    settings: settings === undefined ? null : toPlainSettings(settings),
    pipelines: Object.fromEntries(pipelines.map(({ name, hash }) => [name, hash])),
    faults: faults.map((fault) => ({ ...fault })),
  };
  await tellParent(document);
  return EXIT.ok;
}
