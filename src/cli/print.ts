// How a command writes its answer: text and documents to stdout, remarks to stderr. Whatever is printed ends
// with a line feed; documents never carry a byte that a terminal would obey.

import { redact, redactValue } from "../std/redact.ts";
import type { CliContext, OutStream } from "./cli-context.ts";

/** Prints lines of an answer on stdout. */
export function printAnswer(context: Pick<CliContext, "stdout">, text: string): void {
  const safe = redact(text);
  if (safe !== "") context.stdout.write(safe.endsWith("\n") ? safe : `${safe}\n`);
}

/** Prints a remark for people on stderr; not with `-q`. */
export function printRemark(context: Pick<CliContext, "stderr" | "flags">, text: string): void {
  if (!context.flags.quiet) context.stderr.write(`${redact(text)}\n`);
}

/** Prints the one document of `--json`. */
export function printDocument(context: Pick<CliContext, "stdout">, document: object): void {
  context.stdout.write(`${toDocumentText(document, 2)}\n`);
}

/**
 * Prints JSON Lines as they come, no faster than they are read. Ends early, and quietly, when the reader has
 * gone away.
 */
export async function printJsonLines(
  context: Pick<CliContext, "stdout">,
  documents: AsyncIterable<object>,
): Promise<void> {
  for await (const document of documents) {
    const isTaken = context.stdout.write(`${toDocumentText(document, 0)}\n`);
    if (!isTaken) await nextDrain(context.stdout);
    if (!context.stdout.writable) return;
  }
}

/** Prints text as it comes, no faster than it is read; control characters are shown, but for line ends. */
export async function printText(
  context: Pick<CliContext, "stdout">,
  pieces: AsyncIterable<string>,
): Promise<void> {
  for await (const piece of pieces) {
    const isTaken = context.stdout.write(piece.replace(UNOBEYED, toEscape));
    if (!isTaken) await nextDrain(context.stdout);
    if (!context.stdout.writable) return;
  }
}

function nextDrain(stream: OutStream): Promise<void> {
  return new Promise((resolve) => {
    const events = ["drain", "close", "error"] as const;
    const go = (): void => {
      for (const event of events) stream.off(event, go);
      resolve();
    };
    for (const event of events) stream.on(event, go);
    // The reader may have gone between the write and now; then none of these would come.
    if (!stream.writable) go();
  });
}

// JSON escapes what is below 0x20 by itself; these a terminal obeys, or a reader cannot see.
const UNSAFE = /[\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g;

// The same and what JSON would have escaped by itself, but for tabs and line ends.
const UNOBEYED = /(?![\t\r\n])\p{Cc}|[\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/gu;

function toEscape(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}

/** JSON in which every control character is escaped and no known secret stands. */
export function toDocumentText(document: object, indent: number): string {
  return JSON.stringify(redactValue(document), null, indent).replace(UNSAFE, toEscape);
}
