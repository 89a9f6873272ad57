// What a verb is on the command line, as data: arguments, flags, summary, endings. Help, parsing and the
// check against the documents read it; the module that does the verb is loaded only when it is called.

import type { CommandModule, ParsedOptions } from "../cli-context.ts";

/** One flag. */
export interface FlagSpec {
  /** `--only <stages>`, `-j <count>`, `-n, --dry-run`; `--force[=<stages>]` works without its value, too. */
  readonly flags: string;
  readonly about: string;
  /** True: every use counts; the value is a list. Default: the last one. */
  readonly repeat?: boolean;
}

/** One argument. */
export interface ArgumentSpec {
  /** As printed in the usage: `RUN`, `file-or-pipeline`. */
  readonly name: string;
  readonly required?: boolean;
  /** True: all that remain. */
  readonly variadic?: boolean;
}

/** One verb. */
export interface VerbSpec {
  readonly name: string;
  /** One line, lower case, without a full stop. */
  readonly summary: string;
  readonly args: readonly ArgumentSpec[];
  readonly flags: readonly FlagSpec[];
  /** Commands that work, for its help. */
  readonly examples: readonly string[];
  /** Exit codes and when, for its help. */
  readonly exits: readonly string[];
  /** True: works, but is printed nowhere. */
  readonly hidden?: boolean;
  /** Put under what was given, where one module does two verbs. */
  readonly preset?: ParsedOptions;
  readonly load: () => Promise<CommandModule>;
}

/** A flag as words are read by it. */
export interface ReadFlag {
  /** Its long name without dashes, or its only letter. */
  readonly name: string;
  /** Its name in camelCase, under which its value is handed on. */
  readonly key: string;
  readonly short?: string;
  readonly takesValue: boolean;
  /** True: a value stands behind "=", or nowhere: after a space it could be an argument. */
  readonly mayTakeValue: boolean;
  readonly repeat: boolean;
  /** `["-n", "--dry-run"]`. */
  readonly spellings: readonly string[];
}

/** Takes a flag's spelling apart. */
export function readFlag({ flags, repeat = false }: FlagSpec): ReadFlag {
  const mayTakeValue = flags.includes("[=");
  const spellings = flags.replace(/(?: <|\[=)[^]*/, "").split(", ");
  const long = spellings.find((spelling) => spelling.startsWith("--"))?.slice(2);
  const short = spellings.find((spelling) => !spelling.startsWith("--"))?.slice(1);
  const name = long ?? short ?? "";
  return {
    name,
    key: name.replaceAll(/-(.)/g, (_match, letter: string) => letter.toUpperCase()),
    ...(short === undefined ? {} : { short }),
    takesValue: flags.includes("<") && !mayTakeValue,
    mayTakeValue,
    repeat,
    spellings,
  };
}

/** `run [file-or-pipeline] [flags]`: how a verb is called. */
export function usageOf(verb: VerbSpec): string {
  const args = verb.args.map(({ name, required, variadic }) => {
    const shown = `${name}${variadic === true ? "…" : ""}`;
    if (required === true) return /^[A-Z]/.test(name) ? shown : `<${shown}>`;
    return `[${shown}]`;
  });
  return [verb.name, ...args, "[flags]"].join(" ");
}
