// A report as a title, facts and tables of text, which Markdown and HTML show alike.

import type { ItemTimes, RunReport } from "../queries/run-report.ts";
import type { FailureView } from "../views/failure-view.ts";
import type { StageView } from "../views/stage-view.ts";
import { showBytes, showCount, showDuration, showShare } from "../../std/shown/figures.ts";
import { stateWord, causeWords, countStates } from "../../model/drawing/state-words.ts";
import { oneLine } from "../../std/text.ts";

/** One table. Cells are text on one line. */
export interface ReportTable {
  readonly title: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
  /** Of each row the part of the run that it took, both from 0 to 1; undefined for a row without times. */
  readonly spans?: readonly (readonly [from: number, to: number] | undefined)[];
}

/** A report as text. */
export interface ReportText {
  readonly title: string;
  /** Of the run; empty: it is of several. */
  readonly state: RunReport["run"]["state"] | "";
  /** Label and text. */
  readonly facts: readonly (readonly [label: string, text: string])[];
  /** Those with rows. */
  readonly tables: readonly ReportTable[];
}

/** Lays a report out. */
export function toReportText(report: RunReport): ReportText {
  const { run } = report;
  const { waitedMs, failures, otherFailures } = report;
  const kinds = listKinds(failures, "Failures, by kind", otherFailures);
  const tables = [listStages(report), listTimes(report), listWaits(waitedMs), kinds];
  return {
    title: `${run.pipeline} ${run.name}: ${stateWord(run.state)}`,
    state: run.state,
    facts: listFacts(report).filter(([, text]) => text !== ""),
    tables: tables.filter(({ rows }) => rows.length > 0),
  };
}

function listFacts({ run }: RunReport): readonly (readonly [string, string])[] {
  const life = [
    [run.retries, "retry", "retries"],
    [run.resumes, "resume", "resumes"],
    [run.crashes, "crash", "crashes"],
  ] as const;
  return [
    ["Started", run.startedAt ?? ""],
    ["Ended", run.endedAt ?? ""],
    ["Took", showMs(run.durationMs)],
    ["Why", oneLine(run.reason ?? run.blocker?.text ?? "")],
    ["Warnings", run.warnings === 0 ? "" : showCount(run.warnings)],
    ["Items", run.items.total === 0 ? "" : countStates(run.items)],
    [
      "Life",
      life
        .flatMap(([count, one, many]) =>
          count === 0 ? [] : [`${showCount(count)} ${count === 1 ? one : many}`],
        )
        .join(", "),
    ],
    ["Key", oneLine(run.key ?? "")],
    ["Run", run.id],
    ["Definition", run.definition],
  ];
}

function listStages({ run, stages }: RunReport): ReportTable {
  return {
    title: "Stages",
    columns: ["Stage", "State", "Attempts", "Took", "Items", "CPU", "Peak", "Why"],
    rows: stages.map((stage) => [
      stage.stage,
      `${stateWord(stage.state)}${stage.via === "cache" || stage.via === "checkpoint" ? `, from ${stage.via}` : ""}`,
      showCount(stage.attempts),
      showMs(stage.durationMs),
      stage.items === undefined || stage.items.total === 0 ? "" : countStates(stage.items),
      showMs(stage.cpuMs),
      stage.peakBytes === undefined ? "" : showBytes(stage.peakBytes),
      oneLine(stage.error?.message ?? stage.reason ?? ""),
    ]),
    spans: stages.map((stage) => toSpan(stage, run)),
  };
}

/** Where in the run a stage was worked on. */
function toSpan(
  { startedAt, endedAt, via }: StageView,
  run: RunReport["run"],
): readonly [number, number] | undefined {
  const beginMs = Date.parse(run.startedAt ?? "");
  const wholeMs = Date.parse(run.endedAt ?? "") - beginMs;
  const [fromMs, toMs] = [Date.parse(startedAt ?? ""), Date.parse(endedAt ?? "")];
  if (via === "checkpoint" || !(wholeMs > 0) || !(toMs >= fromMs)) return undefined;
  const share = (ms: number): number => Math.min(1, Math.max(0, (ms - beginMs) / wholeMs));
  return [share(fromMs), share(toMs)];
}

const TIMES: readonly (keyof Omit<ItemTimes, "stage" | "count">)[] = [
  "p50Ms",
  "p95Ms",
  "p99Ms",
  "maxMs",
];

function listTimes({ percentiles }: RunReport): ReportTable {
  return {
    title: "Items, how long they took",
    columns: ["Stage", "Items", "Half", "95%", "99%", "Longest"],
    rows: percentiles.map((times) => [
      times.stage,
      showCount(times.count),
      ...TIMES.map((name) => showDuration(times[name])),
    ]),
  };
}

/** Time spent waiting, by cause. */
export function listWaits(waitedMs: Readonly<Record<string, number>>): ReportTable {
  const waits = Object.entries(waitedMs).filter(([, ms]) => ms > 0);
  const wholeMs = waits.reduce((sum, [, ms]) => sum + ms, 0);
  return {
    title: "Waits, over all stages and items",
    columns: ["For", "Time", "Share"],
    rows: waits
      .toSorted(([, one], [, other]) => other - one)
      .map(([cause, ms]) => [causeWords(cause), showDuration(ms), showShare(ms, wholeMs)]),
  };
}

/** Failures by kind; `others`: how many are of kinds that were not read. */
export function listKinds(
  failures: readonly FailureView[],
  title: string = "Failures, by kind",
  others: number = 0,
): ReportTable {
  const rows = failures.map(({ count, stage, item, class: errorClass, message, attempts }) => [
    showCount(count),
    oneLine(`${stage ?? ""}${item === undefined ? "" : `/${item}`}`),
    errorClass,
    showCount(attempts),
    oneLine(message),
  ]);
  const more = [showCount(others), "", "", "", "of further kinds"];
  return {
    title,
    columns: ["Count", "First at", "Class", "Attempts", "Message"],
    rows: others > 0 ? [...rows, more] : rows,
  };
}

function showMs(ms: number | undefined): string {
  return ms === undefined ? "" : showDuration(ms);
}
