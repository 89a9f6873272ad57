// `millrace export trace`: the attempts and waits of a run as rows, for spreadsheets and programs.

import {
  exportTrace,
  TRACE_FORMATS,
  type TraceFormat,
} from "../../service/exports/export-trace.ts";
import type { CliContext, ParsedOptions } from "../cli-context.ts";
import { EXIT } from "../exit-code.ts";
import { writeExport } from "../export-text.ts";
import { FlagReader } from "../input/flag-reader.ts";
import { withStore } from "../with-store.ts";

/** Writes the trace of a run. */
export async function run(
  context: CliContext,
  options: ParsedOptions,
  args: readonly string[],
): Promise<number> {
  const reader = new FlagReader(options);
  const file = reader.text("output");
  const format = readFormat(context, reader, file);
  reader.finish("npx millrace export trace --help");
  return withStore(context, async (store) => {
    const text = exportTrace(store, args[0] ?? "", format);
    await writeExport(context, text, { schema: "millrace.export-trace/1", row: "row", file });
    return EXIT.ok;
  });
}

/** CSV by default, unless the file's ending or `--json` without a file says otherwise. */
function readFormat(
  context: CliContext,
  reader: FlagReader,
  file: string | undefined,
): TraceFormat {
  const asked = reader.oneOf("format", TRACE_FORMATS);
  const isJson = context.flags.json && file === undefined;
  if (isJson && asked === "csv") {
    reader.fault("format", 'expected "jsonl" with --json, or a file named with -o; got "csv"');
  }
  return asked ?? (isJson || file?.endsWith(".jsonl") === true ? "jsonl" : "csv");
}
