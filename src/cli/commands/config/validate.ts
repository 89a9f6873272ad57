// `millrace config validate`: loads the configuration and its pipelines, and lists every fault.

import { describeFault } from "../../../config/show/config-fault.ts";
import { escapeControl } from "../../../std/text.ts";
import type { CliContext, ParsedOptions } from "../../cli-context.ts";
import { checkConfiguration } from "../../configuration/check-configuration.ts";
import { EXIT } from "../../exit-code.ts";
import { printAnswer, printDocument } from "../../print.ts";

/** Validates. */
export async function run(
  context: CliContext,
  _options: ParsedOptions,
  [file]: readonly string[],
): Promise<number> {
  const asked =
    file === undefined ? context : { ...context, flags: { ...context.flags, config: file } };
  const { settings, pipelines, faults } = await checkConfiguration(asked);
  const valid = faults.length === 0;
  if (context.flags.json) {
    printDocument(context, { schema: "millrace.config-validate/1", valid, faults });
  } else if (valid) {
    const shown = settings?.file ?? null;
    const what = shown === null ? "no millrace.config.ts here, defaults are in force" : shown;
    const schedules = Object.keys(settings?.schedules.value ?? {}).length;
    printAnswer(
      context,
      `valid  ${what}: ${count(pipelines.length, "pipeline")}, ${count(schedules, "schedule")}`,
    );
  } else {
    printAnswer(context, faults.map((fault) => escapeControl(describeFault(fault))).join("\n"));
  }
  return valid ? EXIT.ok : EXIT.usage;
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}
