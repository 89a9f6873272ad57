// Writes the report of a run to the file that was asked for. Loaded when the run has ended.

import type { Millrace } from "../../service/millrace.ts";
import { readRunReport, type RunReport } from "../../service/queries/run-report.ts";
import { layOutRun } from "../../service/report/make-report.ts";
import { writeNamedFile } from "../../std/files/named-file.ts";
import { toDocumentText } from "../print.ts";
import { reportUnwritable, type ReportEnding, type ReportWish } from "./report-flag.ts";

const RENDERERS: Readonly<Record<ReportEnding, (report: RunReport) => string>> = {
  ".html": (report) => layOutRun(report, "html"),
  ".md": (report) => layOutRun(report, "md"),
  ".json": (report) => `${toDocumentText(report, 2)}\n`,
};

/** Writes it, over a file of that name. FILE_UNWRITABLE. */
export async function writeReport(
  mill: Pick<Millrace, "store">,
  run: string,
  { file, path, ending }: ReportWish,
): Promise<void> {
  const text = RENDERERS[ending](await readRunReport(mill.store, run));
  try {
    await writeNamedFile(path, text);
  } catch (cause) {
    throw reportUnwritable(file, cause);
  }
}
