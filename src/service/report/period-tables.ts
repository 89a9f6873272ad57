// The report of a period as a title, facts and tables of text.

import { PERIOD_RUNS_MAX } from "../../model/limits.ts";
import type { PeriodReport } from "./period-report.ts";
import type { RunSummaryView } from "../views/summary-view.ts";
import { showCount, showDuration, showShare } from "../../std/shown/figures.ts";
import { stateWord } from "../../model/drawing/state-words.ts";
import { oneLine } from "../../std/text.ts";
import { listKinds, listWaits, type ReportText } from "./report-tables.ts";
import { showPercent } from "./target-table.ts";

/** Runs that are listed one by one. */
const RUNS_SHOWN_MAX = 50;

/** Lays a report of a period out. */
export function toPeriodText(report: PeriodReport): ReportText {
  const { period } = report;
  return {
    title: `${period.pipeline ?? "All pipelines"} since ${period.since}`,
    state: "",
    facts: listFacts(report).filter(([, text]) => text !== ""),
    tables: [
      listStages(report),
      listWaits(report.waitedMs),
      listKinds(report.failures, "Failures, by kind", report.otherFailures),
      listRuns(report),
    ].filter(({ rows }) => rows.length > 0),
  };
}

function listFacts({ period }: PeriodReport): ReportText["facts"] {
  const { durations } = period;
  const others = (["skipped", "cancelled"] as const).flatMap((word) =>
    period[word] === 0 ? [] : [`${showCount(period[word])} ${word}`],
  );
  return [
    ["Until", period.until],
    ["Executed", showCount(period.executed)],
    ["Succeeded", showCount(period.succeeded)],
    ["Failed", showCount(period.failed)],
    ["Success rate", showPercent(period.successRate)],
    ["Besides", others.join(", ")],
    ["Retries", showCount(period.retries)],
    ["Warnings", period.warnings === 0 ? "" : showCount(period.warnings)],
    ["Half took at most", durations === undefined ? "" : showDuration(durations.p50Ms)],
    ["95% took at most", durations === undefined ? "" : showDuration(durations.p95Ms)],
    ["The longest took", durations === undefined ? "" : showDuration(durations.maxMs)],
    ["Left out", period.isCut ? `runs older than the newest ${showCount(PERIOD_RUNS_MAX)}` : ""],
  ];
}

function listStages({ stages }: PeriodReport): ReportText["tables"][number] {
  return {
    title: "Stages",
    columns: ["Stage", "Times", "Failed", "Half", "95%", "99%", "Longest"],
    rows: stages.map(({ stage, count, failed, p50Ms, p95Ms, p99Ms, maxMs }) => [
      stage,
      showCount(count),
      failed === 0 ? "" : `${showCount(failed)} (${showShare(failed, count)})`,
      ...[p50Ms, p95Ms, p99Ms, maxMs].map(showDuration),
    ]),
  };
}

function listRuns({ runs }: PeriodReport): ReportText["tables"][number] {
  const shown = runs.slice(0, RUNS_SHOWN_MAX);
  const rest = runs.length - shown.length;
  return {
    title: rest === 0 ? "Runs" : `Runs, the newest ${shown.length} of ${showCount(runs.length)}`,
    columns: ["Run", "State", "Started", "Took", "Items", "Retries", "Why"],
    rows: shown.map(toRow),
  };
}

function toRow(run: RunSummaryView): readonly string[] {
  const { items } = run;
  return [
    run.name,
    stateWord(run.state),
    run.startedAt ?? "",
    run.durationMs === undefined ? "" : showDuration(run.durationMs),
    items.total === 0 ? "" : `${showCount(items.succeeded)}/${showCount(items.total)}`,
    run.retries === 0 ? "" : showCount(run.retries),
    oneLine(run.error?.message ?? run.reason ?? ""),
  ];
}
