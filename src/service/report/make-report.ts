// From what is asked to a report: reads it, judges its targets, and lays it out in the form that is wanted. Where it
// goes, and how a document becomes text, is the caller's.

import type { Store } from "../../storage/store.ts";
import { readRunReport, type RunReport } from "../queries/run-report.ts";
import { readCompareReport } from "./compare-report.ts";
import { toCompareText } from "./compare-tables.ts";
import { readPeriodReport } from "./period-report.ts";
import { toPeriodText } from "./period-tables.ts";
import { renderHtml } from "./render-html.ts";
import { renderMarkdown } from "./render-markdown.ts";
import { compareToCsv, periodToCsv, runToCsv } from "./report-csv.ts";
import { toReportText, type ReportText } from "./report-tables.ts";
import { listTargets } from "./target-table.ts";
import {
  judgeTargets,
  measurePeriod,
  measureRun,
  type JudgedTarget,
  type Measures,
  type Target,
} from "./targets.ts";

/** Forms of a report: text for people, a document, and a table for spreadsheets. */
export const REPORT_FORMATS = ["md", "html", "json", "csv"] as const;

/** Form of a report. */
export type ReportFormat = (typeof REPORT_FORMATS)[number];

/** Forms that are laid out here; the document of "json" is given as it is. */
export type LaidOutFormat = Exclude<ReportFormat, "json">;

/** What a report is of. */
export type ReportQuestion =
  | { readonly kind: "run"; readonly run: string }
  | { readonly kind: "compare"; readonly before: string; readonly after: string }
  | { readonly kind: "period"; readonly sinceMs: number; readonly pipeline?: string };

/** A report that was made. */
export interface MadeReport {
  /** Fields are only added within a version. */
  readonly document: object;
  /** In the order in which they were given. */
  readonly judged: readonly JudgedTarget[];
  /** Its text, which ends with a line end. */
  layOut(format: LaidOutFormat): string;
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
  store: Store,
  question: ReportQuestion,
  targets: readonly Target[] = [],
): Promise<MadeReport> {
  const forms = await readForms(store, question);
  const judged = judgeTargets(targets, forms.measures);
  return {
    document: { ...forms.document, targets: judged },
    judged,
    layOut: (format) => layOut(forms, judged, format),
  };
}

/** Lays the report of a run out without targets. */
export function layOutRun(report: RunReport, format: LaidOutFormat): string {
  return layOut(formsOfRun(report), [], format);
}

async function readForms(store: Store, question: ReportQuestion): Promise<Forms> {
  if (question.kind === "run") return formsOfRun(await readRunReport(store, question.run));
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

function formsOfRun(report: RunReport): Forms {
  return {
    measures: measureRun(report),
    document: report,
    toText: () => toReportText(report),
    toCsv: () => runToCsv(report),
  };
}

function layOut(forms: Forms, judged: readonly JudgedTarget[], format: LaidOutFormat): string {
  if (format === "csv") return forms.toCsv();
  const text = forms.toText();
  const targets = listTargets(judged);
  const whole = {
    ...text,
    tables: targets.rows.length === 0 ? text.tables : [targets, ...text.tables],
  };
  return format === "html" ? renderHtml(whole) : renderMarkdown(whole);
}
