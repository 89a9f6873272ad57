// Keeps stdout free for the one document of `--json` while user code is loaded and run: whatever that prints
// there goes to stderr. The document is printed last, when stdout is ours again.

import type { CliContext } from "../cli-context.ts";
import { printDocument } from "../print.ts";
import { guardOutput } from "./output-guard.ts";

/** Hands over the document to be printed at the end; without `--json` it is dropped. */
export type KeepDocument = (document: object) => void;

/** Does the work with stdout guarded where `--json` asks for a document. What it throws passes through. */
export async function withDocument(
  context: Pick<CliContext, "stdout" | "stderr" | "flags">,
  work: (keep: KeepDocument) => Promise<number>,
): Promise<number> {
  if (!context.flags.json) return work(() => undefined);
  let document: object | undefined;
  const guard = guardOutput(context.stdout, (line) => context.stderr.write(`${line}\n`));
  try {
    return await work((made) => {
      document = made;
    });
  } finally {
    guard.restore();
    if (document !== undefined) printDocument(context, document);
  }
}
