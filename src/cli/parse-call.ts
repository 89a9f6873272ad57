// From the words of a command line to a call: which verb, which flags, which arguments; or a wish for help.
// Every unknown flag is told at once, with the nearest known one. Reads words with what Node has, because an
// argument library costs a start of the command a third of its time (20 ms of 60, measured 2026-11).

import { parseArgs } from "node:util";
import { MillraceError } from "../model/errors.ts";
import { findNearest } from "../std/nearest.ts";
import type { FlagValue, ParsedOptions } from "./cli-context.ts";
import { usageInvalid, type FlagFault } from "./input/flag-reader.ts";
import { COMMON_FLAGS } from "./verb/verb-flags.ts";
import { readFlag, usageOf, type ReadFlag, type VerbSpec } from "./verb/verb.ts";
import { VERBS } from "./verb/verbs.ts";

/** What a command line asks for. */
export type Call =
  /** Help for a verb, or for all that begin with one word; without either, the overview. */
  | { readonly kind: "help"; readonly verb?: VerbSpec; readonly family?: string }
  | { readonly kind: "version" }
  /** A shell asks what may stand where the cursor is: `complete -- WORD…`. */
  | { readonly kind: "complete"; readonly words: readonly string[] }
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
  if (name === "complete" && argv[at + 1] === "--")
    return { kind: "complete", words: argv.slice(at + 2) };
  if (name === "help") return helpFor(words.filter((word) => !word.startsWith("-")));
  return isFamily(name) ? parseFamily(name, words) : parseVerb(getVerb(name), words);
}

/** True for the first word of verbs that have two, as in `store backup`. */
function isFamily(name: string): boolean {
  return VERBS.some((verb) => verb.name.startsWith(`${name} `));
}

/** The second word stands where an argument would. */
function parseFamily(family: string, words: readonly string[]): Call {
  const at = findVerb(words);
  const second = words[at];
  const isAsked = words.includes("--help") || words.includes("-h");
  if (second === undefined && isAsked) return { kind: "help", family };
  // A family that is a verb by itself, too: then its second word may be an argument.
  const alone = VERBS.find((verb) => verb.name === family);
  if (alone !== undefined && !VERBS.some((verb) => verb.name === `${family} ${second}`))
    return parseVerb(alone, words);
  if (second !== undefined)
    return parseVerb(getVerb(`${family} ${second}`), words.toSpliced(at, 1));
  throw incomplete(family);
}

function incomplete(family: string): MillraceError {
  const known = listShown().filter((name) => name.startsWith(`${family} `));
  return new MillraceError("VERB_UNKNOWN", `"${family}" is the beginning of a verb.`, {
    hint: `known: ${known.join(", ")}`,
    next: `npx millrace ${known[0] ?? ""} --help`,
    details: { given: family, known },
  });
}

const COMMON: readonly ReadFlag[] = COMMON_FLAGS.map(readFlag);

/** Position of the first word that is no flag of ours and no value of one. */
function findVerb(argv: readonly string[]): number {
  let at = 0;
  while (at < argv.length) {
    const word = argv[at] ?? "";
    if (!word.startsWith("-") || word === "-") return at;
    at += COMMON.some((flag) => flag.takesValue && flag.spellings.includes(word)) ? 2 : 1;
  }
  return argv.length;
}

function helpFor([first, second]: readonly string[]): Call {
  if (first === undefined) return { kind: "help" };
  if (!isFamily(first)) return { kind: "help", verb: getVerb(first) };
  if (second === undefined) return { kind: "help", family: first };
  return { kind: "help", verb: getVerb(`${first} ${second}`) };
}

function parseWithoutVerb(argv: readonly string[]): Call {
  if (argv.includes("--version")) return { kind: "version" };
  const { unknown } = readWords(argv, COMMON);
  refuseUnknown(unknown, { flags: COMMON, next: "npx millrace --help" });
  return { kind: "help" };
}

function parseVerb(verb: VerbSpec, words: readonly string[]): Call {
  const own = verb.flags.map(readFlag);
  const flags = [...own, ...COMMON];
  const { values, args, unknown, faults } = readWords(words, flags);
  if (values.has("help")) return { kind: "help", verb };
  if (values.has("version")) return { kind: "version" };
  const next = `npx millrace ${verb.name} --help`;
  refuseUnknown(unknown, { flags, next });
  if (faults.length > 0) throw usageInvalid(faults, next);
  checkArguments(verb, args, next);
  return {
    kind: "verb",
    verb,
    options: { ...pick(values, own), ...verb.preset },
    common: pick(values, COMMON),
    args,
  };
}

interface Words {
  readonly values: ReadonlyMap<string, FlagValue>;
  readonly args: readonly string[];
  /** Flags that are none of the given ones, as written. */
  readonly unknown: readonly string[];
  readonly faults: readonly FlagFault[];
}

function readWords(words: readonly string[], flags: readonly ReadFlag[]): Words {
  const byName = new Map(flags.map((flag) => [flag.name, flag]));
  const { tokens } = parseArgs({
    args: [...words],
    options: Object.fromEntries(flags.map((flag) => [flag.name, toOption(flag)])),
    strict: false,
    tokens: true,
  });
  const values = new Map<string, FlagValue>();
  const args: string[] = [];
  const unknown: string[] = [];
  const faults: FlagFault[] = [];
  for (const token of tokens) {
    if (token.kind === "positional") args.push(token.value);
    if (token.kind !== "option") continue;
    const flag = byName.get(token.name);
    if (flag === undefined || !flag.spellings.includes(token.rawName)) unknown.push(token.rawName);
    else if (flag.takesValue && token.value === undefined) {
      faults.push({ flag: token.rawName, message: "needs a value" });
    } else if (!flag.takesValue && !flag.mayTakeValue && token.value !== undefined) {
      faults.push({ flag: token.rawName, message: `takes no value; got "${token.value}"` });
    } else values.set(flag.key, join(values.get(flag.key), flag, token.value));
  }
  return { values, args, unknown, faults };
}

interface ParseOption {
  readonly type: "string" | "boolean";
  readonly short?: string;
}

function toOption({ takesValue, short }: ReadFlag): ParseOption {
  return {
    type: takesValue ? "string" : "boolean",
    ...(short === undefined ? {} : { short }),
  };
}

/** The value of a flag after one more use: a list where each use counts, else the last one. */
function join(before: FlagValue | undefined, flag: ReadFlag, value: string | undefined): FlagValue {
  if (!flag.repeat) return value ?? true;
  const list = typeof before === "object" ? before : [];
  return [...list, value ?? ""];
}

function pick(values: ReadonlyMap<string, FlagValue>, flags: readonly ReadFlag[]): ParsedOptions {
  return Object.fromEntries(
    flags.flatMap(({ key }) => {
      const value = values.get(key);
      return value === undefined ? [] : [[key, value] as const];
    }),
  );
}

function refuseUnknown(
  given: readonly string[],
  { flags, next }: { readonly flags: readonly ReadFlag[]; readonly next: string },
): void {
  if (given.length === 0) return;
  const spellings = flags.flatMap((flag) => flag.spellings);
  const hints = given.flatMap((flag) => {
    const near = findNearest(flag, spellings);
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
      next,
      details: { flags: [...given] },
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
  const known = listShown();
  const near = findNearest(name, known);
  throw new MillraceError("VERB_UNKNOWN", `There is no verb "${name}".`, {
    hint: near === undefined ? `known: ${known.join(", ")}` : `did you mean "${near}"?`,
    next: near === undefined ? "npx millrace --help" : `npx millrace ${near} --help`,
    details: { given: name, known },
  });
}

function listShown(): readonly string[] {
  return VERBS.filter((verb) => verb.hidden !== true).map((verb) => verb.name);
}
