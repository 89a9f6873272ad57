// Where an export goes: a new file that -o names, or stdout as it is made. What goes to stdout carries no byte
// that a terminal would obey; a file holds the text as it is.

import { resolve } from "node:path";
import { writeExportFile } from "../service/exports/export-file.ts";
import { escapeControl } from "../std/text.ts";
import type { CliContext } from "./cli-context.ts";
import { printAnswer, printDocument, printText } from "./print.ts";
import { showBytes, showCountOf } from "../std/shown/figures.ts";

/** An export under way: its text, and how many rows there were when it is complete. */
export type ExportText = AsyncGenerator<string, number>;

/** What is said of it. */
export interface ExportFacts {
  readonly schema: string;
  /** What one row is: `item`. */
  readonly row: string;
  /** As given with -o; undefined: stdout. */
  readonly file: string | undefined;
}

/** Writes an export to its end. FILE_EXISTS, FILE_UNWRITABLE. */
export async function writeExport(
  context: CliContext,
  text: ExportText,
  { schema, row, file }: ExportFacts,
): Promise<void> {
  if (file === undefined) {
    await printText(context, text);
    return;
  }
  const counted = countRows(text);
  const bytes = await writeExportFile(resolve(context.cwd, file), file, counted.text);
  const rows = counted.rows();
  if (context.flags.json) printDocument(context, { schema, file, bytes, rows });
  else {
    const shown = escapeControl(file);
    printAnswer(context, `wrote ${shown}: ${showCountOf(rows, row)}, ${showBytes(bytes)}`);
  }
}

/** The text, with what its generator answers kept for later. */
function countRows(text: ExportText): {
  readonly text: AsyncGenerator<string>;
  readonly rows: () => number;
} {
  let rows = 0;
  async function* pass(): AsyncGenerator<string> {
    rows = yield* text;
  }
  return { text: pass(), rows: () => rows };
}
