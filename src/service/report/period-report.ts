// What the runs of a period did: how many were executed and how they ended, how long they and their stages took, for
// what they waited, how they failed. Which runs these are, and how many of them, is the count of the period's to say.

import type { StageEnd } from "../../model/checkpoint.ts";
import type { Store } from "../../storage/store.ts";
import type { FailureView } from "../views/failure-view.ts";
import { sumWaits } from "../views/run-view.ts";
import { toSummaryView, type EndedRun, type RunSummaryView } from "../views/summary-view.ts";
import { toIso, toWholeMs, toWholeWaits } from "../views/time-view.ts";
import { countPeriod, type PeriodCounts } from "./count-period.ts";
import { measureTimes, type Percentiles } from "./percentiles.ts";
import { PeriodFailures } from "./period-failures.ts";

/** Which runs. */
export interface PeriodQuery {
  /** Default: all. */
  readonly pipeline?: string;
  /** Ended at this UTC ms or later. */
  readonly sinceMs: number;
}

/** A period and its counts. */
export interface PeriodView extends PeriodCounts {
  readonly pipeline?: string;
  readonly since: string;
  /** When it was read, by the store's clock. */
  readonly until: string;
  readonly retries: number;
  readonly warnings: number;
  /** Active times of the executed runs; absent: there are none. */
  readonly durations?: Percentiles;
}

/** A stage over all runs of a period. */
export interface PeriodStage extends Percentiles {
  readonly stage: string;
  readonly failed: number;
}

/** A report of a period. Fields are only added within a version. */
export interface PeriodReport {
  readonly schema: "millrace.report/1";
  readonly period: PeriodView;
  /** Stages that were worked on, in order of name; their times are those of the attempts and waits together. */
  readonly stages: readonly PeriodStage[];
  /** Over all stages and items, by cause. */
  readonly waitedMs: Readonly<Record<string, number>>;
  /** What failed, by kind, the most frequent first: items, stages and runs, in runs that succeeded all the same, too. */
  readonly failures: readonly FailureView[];
  /** Items that failed in further kinds. */
  readonly otherFailures: number;
  /** Newest first. */
  readonly runs: readonly RunSummaryView[];
}

/** Reads a report of a period. */
export async function readPeriodReport(store: Store, query: PeriodQuery): Promise<PeriodReport> {
  const stages = new Map<string, { times: number[]; failed: number }>();
  const runs: RunSummaryView[] = [];
  const ended: EndedRun[] = [];
  const failures = new PeriodFailures(store);
  const counts = await countPeriod(store, query, (run) => ended.push(run));
  for (const run of ended) {
    const ends = await store.listStageEnds(run.id);
    const hasItems = ends.some(({ itemCount }) => itemCount !== null);
    const summary = toSummaryView(run, ends, hasItems ? await store.countItems(run.id) : new Map());
    runs.push(summary);
    await failures.note(run, summary);
    for (const end of ends) noteStage(stages, end);
  }
  const { pipeline, sinceMs } = query;
  const times = ended.filter(isExecuted).flatMap(({ durationMs }) => durationMs ?? []);
  const durations = measureTimes(times.map(toWholeMs));
  const sum = (of: (run: RunSummaryView) => number): number =>
    runs.reduce((total, run) => total + of(run), 0);
  return {
    schema: "millrace.report/1",
    period: {
      ...(pipeline === undefined ? {} : { pipeline }),
      since: toIso(sinceMs),
      until: toIso(store.nowMs()),
      ...counts,
      retries: sum(({ retries }) => retries),
      warnings: sum(({ warnings }) => warnings),
      ...(durations === undefined ? {} : { durations }),
    },
    stages: [...stages].toSorted(([one], [other]) => (one < other ? -1 : 1)).flatMap(toStage),
    waitedMs: toWholeWaits(sumWaits(runs.map(({ waitedMs }) => waitedMs))),
    failures: failures.kinds,
    otherFailures: failures.unread,
    runs,
  };
}

function isExecuted({ state }: EndedRun): boolean {
  return state === "succeeded" || state === "failed";
}

function noteStage(
  stages: Map<string, { times: number[]; failed: number }>,
  { stage, state, via, durationMs }: StageEnd,
): void {
  if (via === "cache" || via === "checkpoint" || durationMs === null) return;
  const known = stages.get(stage) ?? { times: [], failed: 0 };
  known.times.push(toWholeMs(durationMs));
  if (state === "failed") known.failed += 1;
  stages.set(stage, known);
}

function toStage([stage, { times, failed }]: readonly [
  string,
  { readonly times: readonly number[]; readonly failed: number },
]): readonly PeriodStage[] {
  const measured = measureTimes(times);
  return measured === undefined ? [] : [{ stage, failed, ...measured }];
}
