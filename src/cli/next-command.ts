// Commands as they are printed for people to copy: quoted for a shell, and with the store and configuration
// they were asked about, so that they work where they are printed.

import type { CliContext } from "./cli-context.ts";

/** `npx millrace <words>` with the caller's `--store` and `--config`, every word quoted where a shell needs it. */
export function nextCommand(context: Pick<CliContext, "flags">, words: readonly string[]): string {
  return withCommonFlags(context, `npx millrace ${words.map(quoteWord).join(" ")}`);
}

/** Text that ends with a command of ours, with the flags that make it ask the same store; any other as it is. */
export function withCommonFlags(context: Pick<CliContext, "flags">, command: string): string {
  if (!command.includes("npx millrace ")) return command;
  const { store, config } = context.flags;
  const flags = [
    ...(store === undefined || command.includes(" --store ") ? [] : ["--store", store]),
    ...(config === undefined || command.includes(" --config ") ? [] : ["--config", config]),
  ];
  return [command, ...flags.map(quoteWord)].join(" ");
}

/** One word as a POSIX shell reads it back; plain words stay as they are. */
export function quoteWord(word: string): string {
  // A hash begins a comment only where a word begins.
  if (/^[\w@%+=:,./-][\w@%+=:,./#-]*$/.test(word)) return word;
  return `'${word.replaceAll("'", String.raw`'\''`)}'`;
}
