// The form of a report and the file it is written to. As with `run --report`, a file of that name is written over.

import { extname, resolve } from "node:path";
import type { CliContext } from "../cli-context.ts";
import type { FlagReader } from "../input/flag-reader.ts";
import { REPORT_FORMATS, type ReportFormat } from "../../service/report/make-report.ts";
import { writeNamedFile } from "../../std/files/named-file.ts";
import { reportUnwritable } from "./report-flag.ts";

/** As `--format` says, else by the ending of the file, else JSON under `--json`, else Markdown. */
export function readFormat(
  reader: FlagReader,
  file: string | undefined,
  isJson: boolean,
): ReportFormat {
  const asked = reader.oneOf("format", REPORT_FORMATS);
  if (isJson && file === undefined && asked !== undefined && asked !== "json")
    reader.fault("format", `expected "json" with --json, or a file named with -o; got "${asked}"`);
  const ending = file === undefined ? undefined : extname(file).slice(1).toLowerCase();
  const ofFile = REPORT_FORMATS.find((format) => format === ending);
  return asked ?? ofFile ?? (isJson ? "json" : "md");
}

/** Writes it and answers how many bytes it was. FILE_UNWRITABLE. */
export async function writeReportFile(
  { cwd }: Pick<CliContext, "cwd">,
  file: string,
  text: string,
): Promise<number> {
  try {
    await writeNamedFile(resolve(cwd, file), text);
  } catch (cause) {
    throw reportUnwritable(file, cause);
  }
  return Buffer.byteLength(text);
}
