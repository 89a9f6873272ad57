// `millrace queue import`: one run per line of a file; a bad line is told and spares the others.

import type { ImportOutcome } from "../../../service/queue-import/import-runs.ts";
import { escapeControl } from "../../../std/text.ts";
import type { CliContext, ParsedOptions } from "../../cli-context.ts";
import { EXIT } from "../../exit-code.ts";
import { withDocument } from "../../foreground/with-document.ts";
import { FlagReader } from "../../input/flag-reader.ts";
import { openBytes } from "../../input/open-bytes.ts";
import { loadTarget } from "../../load/load-pipeline.ts";
import { printAnswer, printRemark } from "../../print.ts";
import { showCount, showCountOf } from "../../../std/shown/figures.ts";
import { whileNotFull, withMill } from "./with-mill.ts";

/** Imports a file. */
export async function run(
  context: CliContext,
  options: ParsedOptions,
  args: readonly string[],
): Promise<number> {
  const [file = "", pipeline] = args;
  const reader = new FlagReader(options);
  const keyField = reader.text("keyField");
  const limit = reader.whole("limit", { min: 0, max: Number.MAX_SAFE_INTEGER });
  const envelope = reader.has("envelope");
  if (envelope && keyField !== undefined)
    reader.fault("keyField", "an envelope has its key in its own field");
  reader.finish("npx millrace queue import --help");
  // Before anything is loaded or opened: most mistakes are in the name of the file.
  await using bytes = await openBytes(context, file);
  return await withDocument(context, async (keep) => {
    const target = await loadTarget(context, pipeline);
    const options = {
      name: file,
      source: target.source,
      envelope,
      override: reader.has("override"),
      ...(keyField === undefined ? {} : { keyField }),
      ...(limit === undefined ? {} : { limit }),
      onProgress: makeProgress(context),
    };
    const outcome = await withMill(context, target, (mill) =>
      whileNotFull(pipeline, () => mill.import(target.pipeline, bytes, options)),
    );
    report(context, outcome);
    keep({ schema: "millrace.queue-import/1", ...outcome });
    return reader.has("strict") && outcome.badLines > 0 ? EXIT.warnings : EXIT.ok;
  });
}

/** Time between two remarks on how far it has come, ms. */
const PROGRESS_MS = 5_000;

function makeProgress(context: CliContext): (progress: { readonly lines: number }) => void {
  let lastMs = context.clock.monotonicMs();
  return ({ lines }) => {
    const nowMs = context.clock.monotonicMs();
    if (nowMs - lastMs < PROGRESS_MS) return;
    lastMs = nowMs;
    printRemark(context, `${showCountOf(lines, "line")} so far`);
  };
}

/** Bad lines that are said one by one, and numbers of bad lines in the sum. */
const BAD_SHOWN_MAX = 10;

function report(context: CliContext, outcome: ImportOutcome): void {
  const { lines, created, duplicates, badLines, bad } = outcome;
  for (const { line, message } of bad.slice(0, BAD_SHOWN_MAX))
    context.stderr.write(`warning: line ${line}: ${escapeControl(message)}\n`);
  if (context.flags.json) return;
  const numbers = bad.slice(0, BAD_SHOWN_MAX).map(({ line }) => String(line));
  const more = badLines > numbers.length ? ["…"] : [];
  const which = badLines === 0 ? "" : ` (${[...numbers, ...more].join(", ")})`;
  printAnswer(
    context,
    `${showCountOf(lines, "line")}: ${showCount(created)} new, ${showCount(duplicates)} known, ${showCount(badLines)} bad${which}`,
  );
}
