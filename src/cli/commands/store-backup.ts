// `millrace store backup`: an online copy of a SQLite store with its blobs.

import { resolve } from "node:path";
import { backUpStore } from "../../service/commands/back-up-store.ts";
import { toFileError } from "../../service/exports/export-file.ts";
import { escapeControl } from "../../std/text.ts";
import type { CliContext, ParsedOptions } from "../cli-context.ts";
import { EXIT } from "../exit-code.ts";
import { printAnswer, printDocument } from "../print.ts";
import { showBytes, showCountOf } from "../../std/shown/figures.ts";
import { readSettings } from "../settings.ts";

/** Makes the backup. */
export async function run(
  context: CliContext,
  _options: ParsedOptions,
  args: readonly string[],
): Promise<number> {
  const file = args[0] ?? "";
  const settings = await readSettings(context);
  const { bytes, runs, blobs, missing } = await backUpStore({
    store: settings.store.value,
    path: resolve(context.cwd, file),
    busyTimeoutMs: settings.busyTimeoutMs.value,
  }).catch((error: unknown) => {
    throw toFileError(file, error);
  });
  if (missing.length > 0) {
    const what = showCountOf(missing.length, "large value");
    context.stderr.write(
      `warning: ${what} that runs name are missing or damaged in the store itself, and so in its copy\n`,
    );
  }
  if (context.flags.json) {
    printDocument(context, {
      schema: "millrace.store-backup/1",
      file,
      bytes,
      rows: runs,
      blobs,
      missing,
    });
  } else {
    const held = `${showCountOf(runs, "run")}, ${showCountOf(blobs, "blob")}, ${showBytes(bytes)}`;
    printAnswer(context, `wrote ${escapeControl(file)}: ${held}`);
  }
  return EXIT.ok;
}
