// From the words of a command line to a call: which verb, which flags, which arguments; or help. Every unknown
// flag is told at once, with the nearest known one. The only file that knows the argument library.

import { Command, CommanderError, Option } from "commander";
import { findNearest } from "../std/nearest.ts";
import { MillraceError } from "../model/errors.ts";
import type { FlagValue, ParsedOptions } from "./cli-context.ts";
import { usageInvalid } from "./input/flag-reader.ts";
import { COMMON_FLAGS } from "./verb-flags.ts";
import type { FlagSpec, VerbSpec } from "./verb.ts";
import { VERBS } from "./verbs.ts";

/** What a command line asks for. */
export type Call =
  | { readonly kind: "help"; readonly text: string }
  | { readonly kind: "version" }
  | {
      readonly kind: "verb";
      readonly verb: VerbSpec;
      /** The verb's own flags and its preset. */
      readonly options: ParsedOptions;
      /** The flags every verb has, unchecked. */
      readonly common: ParsedOptions;
      readonly args: readonly string[];
    };

/** Reads a command line. USAGE_INVALID, FLAG_UNKNOWN, VERB_UNKNOWN. */
export function parseCall(argv: readonly string[]): Call {
  const at = findVerb(argv);
  const name = argv[at];
  if (name === undefined) return parseWithoutVerb(argv);
  const words = argv.toSpliced(at, 1);
  if (name === "help") return helpFor(words.find((word) => !word.startsWith("-")));
  return parseVerb(getVerb(name), words);
}

/** Position of the first word that is no flag of ours and no value of one. */
function findVerb(argv: readonly string[]): number {
  let at = 0;
  while (at < argv.length) {
    const word = argv[at] ?? "";
    if (!word.startsWith("-") || word === "-") return at;
    at += takesNext(word) ? 2 : 1;
  }
  return argv.length;
}

function takesNext(word: string): boolean {
  return COMMON_FLAGS.some(({ flags }) => flags.includes("<") && flags.startsWith(`${word} `));
}

function parseWithoutVerb(argv: readonly string[]): Call {
  if (argv.includes("--version")) return { kind: "version" };
  const command = makeCommand({ name: "millrace", flags: [], args: [] });
  refuseUnknown(parseFlags(command, argv).unknown, { usage: "npx millrace --help", flags: [] });
  return helpFor(undefined);
}

function parseVerb(verb: VerbSpec, words: readonly string[]): Call {
  const command = makeCommand(verb);
  const { operands, unknown } = parseFlags(command, words);
  const values: Readonly<Record<string, unknown>> = command.opts();
  if (values["help"] === true) return helpFor(verb.name);
  if (values["version"] === true) return { kind: "version" };
  const usage = `npx millrace ${verb.name} --help`;
  refuseUnknown(unknown, { usage, flags: verb.flags });
  checkArguments(verb, operands, usage);
  return {
    kind: "verb",
    verb,
    options: { ...pickOptions(values, verb.flags), ...verb.preset },
    common: pickOptions(values, COMMON_FLAGS),
    args: operands,
  };
}

type CommandShape = Pick<VerbSpec, "name" | "flags" | "args">;

function makeCommand(shape: CommandShape): Command {
  const command = new Command(shape.name).exitOverride().helpOption(false);
  command.configureOutput({ writeErr: () => {}, writeOut: () => {} });
  for (const [heading, flags] of [
    ["Flags:", shape.flags],
    ["Everywhere:", COMMON_FLAGS],
  ] as const) {
    for (const flag of flags) command.addOption(makeOption(flag).helpGroup(heading));
  }
  return command;
}

function makeOption(flag: FlagSpec): Option {
  const option = new Option(flag.flags, flag.about);
  if (flag.repeat !== true) return option;
  return option.argParser<readonly string[]>((value, before) => [...(before ?? []), value]);
}

function parseFlags(
  command: Command,
  words: readonly string[],
): { readonly operands: readonly string[]; readonly unknown: readonly string[] } {
  try {
    return command.parseOptions([...words]);
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    const flag = /'(-[^',\s]*)/.exec(error.message)?.[1] ?? "the flag";
    const long = /(--[\w-]+)/.exec(error.message)?.[1] ?? flag;
    throw usageInvalid([{ flag: long, message: "needs a value" }]);
  }
}

/** The values of these flags under their camelCase names; those that were not given are left out. */
function pickOptions(
  values: Readonly<Record<string, unknown>>,
  flags: readonly FlagSpec[],
): ParsedOptions {
  const picked: Record<string, FlagValue> = {};
  for (const flag of flags) {
    const option = makeOption(flag);
    const value = values[option.attributeName()];
    if (option.negate) {
      // The library answers `retry: false`; a switch that was given is true under its own name.
      if (value === false) picked[toCamel(`no-${option.attributeName()}`)] = true;
      continue;
    }
    if (isFlagValue(value)) picked[option.attributeName()] = value;
  }
  return picked;
}

function isFlagValue(value: unknown): value is FlagValue {
  return typeof value === "string" || value === true || Array.isArray(value);
}

function toCamel(name: string): string {
  return name.replaceAll(/-(.)/g, (_match, letter: string) => letter.toUpperCase());
}

function refuseUnknown(
  unknown: readonly string[],
  known: { readonly usage: string; readonly flags: readonly FlagSpec[] },
): void {
  const given = unknown
    .filter((word) => /^-./.test(word))
    .map((word) => word.split("=")[0] ?? word);
  if (given.length === 0) return;
  const names = [...known.flags, ...COMMON_FLAGS].flatMap(
    ({ flags }) => flags.match(/-[\w-]+/g) ?? [],
  );
  const hints = given.flatMap((flag) => {
    const near = findNearest(flag, names);
    if (near === undefined) return [];
    return [`${given.length === 1 ? "" : `${flag}: `}did you mean "${near}"?`];
  });
  throw new MillraceError(
    "FLAG_UNKNOWN",
    given.length === 1
      ? `There is no flag "${given[0]}" here.`
      : `There are no flags ${given.map((flag) => `"${flag}"`).join(", ")} here.`,
    {
      ...(hints.length === 0 ? {} : { hint: hints.join(" ") }),
      next: known.usage,
      details: { flags: given },
    },
  );
}

function checkArguments(verb: VerbSpec, args: readonly string[], next: string): void {
  const missing = verb.args.filter(
    (arg, index) => arg.required === true && args[index] === undefined,
  );
  const isVariadic = verb.args.some((arg) => arg.variadic === true);
  const [surplus] = isVariadic ? [] : args.slice(verb.args.length);
  if (missing.length === 0 && surplus === undefined) return;
  const message =
    surplus === undefined
      ? `The verb "${verb.name}" needs ${missing.map((arg) => arg.name).join(", ")}.`
      : `The verb "${verb.name}" takes ${countArguments(verb.args.length)}; "${surplus}" is one too many.`;
  throw new MillraceError("USAGE_INVALID", message, {
    hint: `usage: millrace ${usageOf(verb)}`,
    next,
  });
}

function countArguments(count: number): string {
  if (count === 0) return "no argument";
  return count === 1 ? "one argument" : `${count} arguments`;
}

function getVerb(name: string): VerbSpec {
  const found = VERBS.find((verb) => verb.name === name);
  if (found !== undefined) return found;
  const known = listShown().map((verb) => verb.name);
  const near = findNearest(name, known);
  throw new MillraceError("VERB_UNKNOWN", `There is no verb "${name}".`, {
    hint: near === undefined ? `known: ${known.join(", ")}` : `did you mean "${near}"?`,
    next: near === undefined ? "npx millrace --help" : `npx millrace ${near} --help`,
    details: { given: name, known },
  });
}

function listShown(): readonly VerbSpec[] {
  return VERBS.filter((verb) => verb.hidden !== true);
}

/** `run [<file-or-pipeline>] [flags]`. */
function usageOf(verb: VerbSpec): string {
  const args = verb.args.map(({ name, required, variadic }) => {
    const shown = `${name}${variadic === true ? "…" : ""}`;
    if (required === true) return /^[A-Z]/.test(name) ? shown : `<${shown}>`;
    return `[${shown}]`;
  });
  return [verb.name, ...args, "[flags]"].join(" ");
}

function helpFor(name: string | undefined): Call {
  if (name === undefined) return { kind: "help", text: helpOverview() };
  const verb = getVerb(name);
  const command = makeCommand(verb).usage(usageOf(verb).slice(verb.name.length + 1));
  command.configureHelp({ commandUsage: () => `millrace ${usageOf(verb)}` });
  command.description(`${verb.summary.charAt(0).toUpperCase()}${verb.summary.slice(1)}.`);
  const sections = [
    command.helpInformation().trimEnd(),
    ["Exit codes:", ...verb.exits.map((line) => `  ${line}`)].join("\n"),
    ["Examples:", ...verb.examples.map((line) => `  ${line}`)].join("\n"),
  ];
  return { kind: "help", text: `${sections.join("\n\n")}\n` };
}

function helpOverview(): string {
  const verbs = listShown();
  const width = Math.max(...verbs.map((verb) => verb.name.length));
  return [
    "Usage: millrace <verb> [arguments] [flags]",
    "",
    "Typed pipelines that run durably here, survive crashes, and can say why.",
    "",
    "Verbs:",
    ...verbs.map((verb) => `  ${verb.name.padEnd(width)}  ${verb.summary}`),
    "",
    "npx millrace <verb> --help shows flags, exit codes and examples of one.",
    "",
  ].join("\n");
}
