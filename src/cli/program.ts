// The help of the command and of each verb. The only file that knows the argument library, which lays flags
// out in columns; it is loaded for help alone.

import { Command, Option } from "commander";
import { COMMON_FLAGS } from "./verb/verb-flags.ts";
import { usageOf, type VerbSpec } from "./verb/verb.ts";
import { VERBS } from "./verb/verbs.ts";

/**
 * Help for a verb, or the overview, of all verbs or of those whose first word is `family`. Ends with a line feed;
 * fits 80 columns.
 */
export function renderHelp(verb?: VerbSpec, family?: string): string {
  return verb === undefined ? renderOverview(family) : renderVerb(verb);
}

function renderVerb(verb: VerbSpec): string {
  const command = new Command(verb.name).helpOption(false);
  command.configureHelp({ commandUsage: () => `millrace ${usageOf(verb)}`, helpWidth: 80 });
  command.description(`${verb.summary.charAt(0).toUpperCase()}${verb.summary.slice(1)}.`);
  for (const [heading, flags] of [
    ["Flags:", verb.flags],
    ["Everywhere:", COMMON_FLAGS],
  ] as const) {
    for (const { flags: spelling, about } of flags) {
      command.addOption(new Option(spelling, about).helpGroup(heading));
    }
  }
  const sections = [
    command.helpInformation().trimEnd(),
    ["Exit codes:", ...verb.exits.map((line) => `  ${line}`)].join("\n"),
    ["Examples:", ...verb.examples.map((line) => `  ${line}`)].join("\n"),
  ];
  return `${sections.join("\n\n")}\n`;
}

const ABOUT = "Typed pipelines that run durably here, survive crashes, and can say why.";

function renderOverview(family: string | undefined): string {
  const verbs = VERBS.filter(
    ({ name, hidden }) =>
      hidden !== true && (family === undefined || name.startsWith(`${family} `)),
  );
  const width = Math.max(...verbs.map((verb) => verb.name.length));
  return [
    `Usage: millrace ${family === undefined ? "" : `${family} `}<verb> [arguments] [flags]`,
    "",
    ...(family === undefined ? [ABOUT, ""] : []),
    "Verbs:",
    ...verbs.map((verb) => `  ${verb.name.padEnd(width)}  ${verb.summary}`),
    "",
    "npx millrace <verb> --help shows flags, exit codes and examples of one.",
    "",
  ].join("\n");
}
