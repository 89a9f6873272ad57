// From what is asked to the text of a report: reads it, judges its targets, and lays it out in the form that is wanted.

import { readRunReport } from "../../service/queries/run-report.ts";
import { readCompareReport } from "../../service/report/compare-report.ts";
import { readPeriodReport } from "../../service/report/period-report.ts";
import { compareToCsv, periodToCsv, runToCsv } from "../../service/report/report-csv.ts";
import {
  judgeTargets,
  measurePeriod,
  measureRun,
  type JudgedTarget,
  type Measures,
  type Target,
} from "../../service/report/targets.ts";
import { toDocumentText } from "../print.ts";
import type { StoreReader } from "../with-store.ts";
import { toCompareText } from "./compare-tables.ts";
import { toPeriodText } from "./period-tables.ts";
import { renderHtml } from "./render-html.ts";
import { renderMarkdown } from "./render-markdown.ts";
import type { ReportFormat } from "./report-file.ts";
import { toReportText, type ReportText } from "./report-tables.ts";
import { listTargets } from "./target-table.ts";

/** What a report is of. */
export type ReportQuestion =
  | { readonly kind: "run"; readonly run: string }
  | { readonly kind: "compare"; readonly before: string; readonly after: string }
  | { readonly kind: "period"; readonly sinceMs: number; readonly pipeline?: string };

/** A report that is wanted. */
export interface ReportWanted {
  readonly question: ReportQuestion;
  readonly targets: readonly Target[];
  readonly format: ReportFormat;
}

/** A report that was made. */
export interface MadeReport {
  /** Ends with a line end. */
  readonly text: string;
  readonly judged: readonly JudgedTarget[];
}

/** A report in all its forms. */
interface Forms {
  readonly measures: Measures;
  readonly document: object;
  toText(): ReportText;
  toCsv(): string;
}

/** Runs that a JSON report of a period lists; all of them are in its CSV. */
const RUNS_LISTED_MAX = 500;

/** Makes it. RUN_NOT_FOUND. */
export async function makeReport(
  store: StoreReader,
  { question, targets, format }: ReportWanted,
): Promise<MadeReport> {
  const forms = await readForms(store, question);
  const judged = judgeTargets(targets, forms.measures);
  return { text: layOut(forms, judged, format), judged };
}

async function readForms(store: StoreReader, question: ReportQuestion): Promise<Forms> {
  if (question.kind === "run") {
    const report = await readRunReport(store, question.run);
    return {
      measures: measureRun(report),
      document: report,
      toText: () => toReportText(report),
      toCsv: () => runToCsv(report),
    };
  }
  if (question.kind === "compare") {
    const { report, second } = await readCompareReport(store, question.before, question.after);
    return {
      measures: measureRun(second),
      document: report,
      toText: () => toCompareText(report),
      toCsv: () => compareToCsv(report),
    };
  }
  const { kind: _kind, ...query } = question;
  const report = await readPeriodReport(store, query);
  return {
    measures: measurePeriod(report),
    document: { ...report, runs: report.runs.slice(0, RUNS_LISTED_MAX) },
    toText: () => toPeriodText(report),
    toCsv: () => periodToCsv(report),
  };
}

function layOut(forms: Forms, judged: readonly JudgedTarget[], format: ReportFormat): string {
  if (format === "json") return `${toDocumentText({ ...forms.document, targets: judged }, 2)}\n`;
  if (format === "csv") return forms.toCsv();
  const text = forms.toText();
  const targets = listTargets(judged);
  const whole = {
    ...text,
    tables: targets.rows.length === 0 ? text.tables : [targets, ...text.tables],
  };
  return format === "html" ? renderHtml(whole) : renderMarkdown(whole);
}
