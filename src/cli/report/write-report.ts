// Writes the report of a run to the file that was asked for. Loaded when the run has ended.

import { writeFile } from "node:fs/promises";
import type { Millrace } from "../../service/millrace.ts";
import { readRunReport, type RunReport } from "../../service/queries/run-report.ts";
import { toDocumentText } from "../print.ts";
import { renderHtml } from "./render-html.ts";
import { renderMarkdown } from "./render-markdown.ts";
import { reportUnwritable, type ReportEnding, type ReportWish } from "./report-flag.ts";
import { toReportText } from "./report-tables.ts";

const RENDERERS: Readonly<Record<ReportEnding, (report: RunReport) => string>> = {
  ".html": (report) => renderHtml(toReportText(report)),
  ".md": (report) => renderMarkdown(toReportText(report)),
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
    await writeFile(path, text);
  } catch (cause) {
    throw reportUnwritable(file, cause);
  }
}
