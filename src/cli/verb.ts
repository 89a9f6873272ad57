// What a verb is on the command line, as data: arguments, flags, summary, endings. Help, parsing and the
// check against the documents read it; the module that does the verb is loaded only when it is called.

import type { CommandModule, ParsedOptions } from "./cli-context.ts";

/** One flag, as the argument library writes it. */
export interface FlagSpec {
  /** `--only <stages>`, `-j <count>`, `-n, --dry-run`. */
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
