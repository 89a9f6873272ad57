// Reports as CSV, for spreadsheets and programs: of a run its stages, of a comparison the stages of both, of a period
// its runs, one line each below a line of names. Text that a spreadsheet would take for a formula is kept text.

import { toCsvLine, type CsvField } from "../exports/csv.ts";
import type { RunReport } from "../queries/run-report.ts";
import type { RunSummaryView } from "../views/summary-view.ts";
import type { CompareReport } from "./compare-report.ts";
import type { PeriodReport } from "./period-report.ts";

/** One line for each stage of a run. */
export function runToCsv({ run, stages }: RunReport): string {
  const rows = stages.map((stage): Row => ({
    run: run.name,
    pipeline: run.pipeline,
    stage: stage.stage,
    state: stage.state,
    via: stage.via ?? null,
    attempts: stage.attempts,
    started_at: stage.startedAt ?? null,
    ended_at: stage.endedAt ?? null,
    duration_ms: stage.durationMs ?? null,
    waited_ms: sumOf(stage.waitedMs),
    items: stage.items?.total ?? null,
    items_succeeded: stage.items?.succeeded ?? null,
    items_failed: stage.items?.failed ?? null,
    error_class: stage.error?.class ?? null,
    why: stage.error?.message ?? stage.reason ?? null,
  }));
  return toCsv(RUN_COLUMNS, rows);
}

/** One line for each stage of two runs. */
export function compareToCsv({ before, after, stages }: CompareReport): string {
  const rows = stages.map((stage): Row => ({
    stage: stage.stage,
    before_run: before.name,
    before_state: stage.before?.state ?? null,
    before_attempts: stage.before?.attempts ?? null,
    before_ms: stage.before?.durationMs ?? null,
    after_run: after.name,
    after_state: stage.after?.state ?? null,
    after_attempts: stage.after?.attempts ?? null,
    after_ms: stage.after?.durationMs ?? null,
    delta_ms: stage.deltaMs ?? null,
  }));
  return toCsv(COMPARE_COLUMNS, rows);
}

/** One line for each run of a period, newest first. */
export function periodToCsv({ runs }: PeriodReport): string {
  return toCsv(HISTORY_COLUMNS, runs.map(toHistoryRow));
}

function toHistoryRow(run: RunSummaryView): Row {
  const tags = Object.entries(run.tags).map(([key, value]) => `${key}=${value}`);
  return {
    run: run.name,
    id: run.id,
    pipeline: run.pipeline,
    state: run.state,
    reason: run.reason ?? null,
    error_class: run.error?.class ?? null,
    error_stage: run.error?.stage ?? null,
    error: run.error?.message ?? null,
    source: run.source,
    key: run.key ?? null,
    tags: tags.join(" "),
    queued_at: run.queuedAt,
    started_at: run.startedAt ?? null,
    ended_at: run.endedAt,
    duration_ms: run.durationMs ?? null,
    waited_ms: sumOf(run.waitedMs),
    stages_run: run.stages.run,
    stages_failed: run.stages.failed,
    items: run.items.total,
    items_succeeded: run.items.succeeded,
    items_failed: run.items.failed,
    items_skipped: run.items.skipped,
    retries: run.retries,
    resumes: run.resumes,
    crashes: run.crashes,
    warnings: run.warnings,
  };
}

type Row = Readonly<Record<string, CsvField>>;

const RUN_COLUMNS: readonly string[] = [
  "run",
  "pipeline",
  "stage",
  "state",
  "via",
  "attempts",
  "started_at",
  "ended_at",
  "duration_ms",
  "waited_ms",
  "items",
  "items_succeeded",
  "items_failed",
  "error_class",
  "why",
];

const COMPARE_COLUMNS: readonly string[] = [
  "stage",
  "before_run",
  "before_state",
  "before_attempts",
  "before_ms",
  "after_run",
  "after_state",
  "after_attempts",
  "after_ms",
  "delta_ms",
];

const HISTORY_COLUMNS: readonly string[] = [
  "run",
  "id",
  "pipeline",
  "state",
  "reason",
  "error_class",
  "error_stage",
  "error",
  "source",
  "key",
  "tags",
  "queued_at",
  "started_at",
  "ended_at",
  "duration_ms",
  "waited_ms",
  "stages_run",
  "stages_failed",
  "items",
  "items_succeeded",
  "items_failed",
  "items_skipped",
  "retries",
  "resumes",
  "crashes",
  "warnings",
];

function toCsv(columns: readonly string[], rows: readonly Row[]): string {
  const lines = rows.map((row) => toCsvLine(columns.map((column) => row[column] ?? null)));
  return [toCsvLine(columns), ...lines].join("");
}

function sumOf(waitedMs: Readonly<Record<string, number>>): number {
  return Object.values(waitedMs).reduce((sum, ms) => sum + ms, 0);
}
