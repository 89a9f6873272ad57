// `millrace export checkpoint`: a run in the JSON form of the older checkpoint files.

import { exportCheckpoint } from "../../service/exports/export-checkpoint.ts";
import type { CliContext, ParsedOptions } from "../cli-context.ts";
import { EXIT } from "../exit-code.ts";
import { writeExport } from "../export-text.ts";
import { FlagReader } from "../input/flag-reader.ts";
import { withStore } from "../with-store.ts";

/** Writes the checkpoint form of a run. */
export async function run(
  context: CliContext,
  options: ParsedOptions,
  args: readonly string[],
): Promise<number> {
  const file = new FlagReader(options).text("output");
  return withStore(context, async (store) => {
    const text = exportCheckpoint(store, args[0] ?? "");
    await writeExport(context, text, {
      schema: "millrace.export-checkpoint/1",
      row: "item",
      file,
    });
    return EXIT.ok;
  });
}
