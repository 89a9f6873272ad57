// How a command writes its answer: text and documents to stdout, remarks to stderr. Whatever is printed ends
// with a line feed; documents never carry a byte that a terminal would obey.

import type { CliContext } from "./cli-context.ts";

/** Prints lines of an answer on stdout. */
export function printAnswer(context: Pick<CliContext, "stdout">, text: string): void {
  if (text !== "") context.stdout.write(text.endsWith("\n") ? text : `${text}\n`);
}

/** Prints a remark for people on stderr; not with `-q`. */
export function printRemark(context: Pick<CliContext, "stderr" | "flags">, text: string): void {
  if (!context.flags.quiet) context.stderr.write(`${text}\n`);
}

/** Prints the one document of `--json`. */
export function printDocument(context: Pick<CliContext, "stdout">, document: object): void {
  context.stdout.write(`${toDocumentText(document, 2)}\n`);
}

/** Prints one line of JSON Lines. */
export function printJsonLine(context: Pick<CliContext, "stdout">, document: object): void {
  context.stdout.write(`${toDocumentText(document, 0)}\n`);
}

// JSON escapes what is below 0x20 by itself; these a terminal obeys, or a reader cannot see.
const UNSAFE = /[\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g;

/** JSON in which every control character is escaped. */
export function toDocumentText(document: object, indent: number): string {
  return JSON.stringify(document, null, indent).replace(
    UNSAFE,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
