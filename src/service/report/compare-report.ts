// Two runs side by side: how each stage ended and how long it took in both, where time was spent waiting, and which
// kinds of failure are gone, new, or still there.

import type { Store } from "../../storage/store.ts";
import { readRunReport, type RunReport } from "../queries/run-report.ts";
import type { FailureView } from "../views/failure-view.ts";
import type { RunView } from "../views/run-view.ts";
import type { StageView } from "../views/stage-view.ts";

/** A stage in one of the runs. */
export type ComparedStage = Pick<StageView, "state" | "via" | "attempts" | "durationMs">;

/** A stage in both; one that a run does not have is absent there. */
export interface StageComparison {
  readonly stage: string;
  readonly before?: ComparedStage;
  readonly after?: ComparedStage;
  /** Longer in the second run, ms; absent: it did not take time in both. */
  readonly deltaMs?: number;
}

/** Time spent waiting for something, over all stages and items of each run. */
export interface WaitComparison {
  readonly cause: string;
  readonly beforeMs: number;
  readonly afterMs: number;
}

/** A comparison of two runs. Fields are only added within a version. */
export interface CompareReport {
  readonly schema: "millrace.report/1";
  readonly before: RunView;
  readonly after: RunView;
  /** Longer in the second run, ms; absent: one has not ended. */
  readonly deltaMs?: number;
  /** In the order of the second run, then those that only the first has. */
  readonly stages: readonly StageComparison[];
  /** The largest change first. */
  readonly waits: readonly WaitComparison[];
  readonly failures: {
    readonly gone: readonly FailureView[];
    readonly new: readonly FailureView[];
    /** As the second run has them. */
    readonly stayed: readonly FailureView[];
  };
}

/** Reads a comparison, and the report of the second run, which targets are judged by. RUN_NOT_FOUND. */
export async function readCompareReport(
  store: Store,
  before: string,
  after: string,
): Promise<{ readonly report: CompareReport; readonly second: RunReport }> {
  const first = await readRunReport(store, before);
  const second = await readRunReport(store, after);
  return { report: compareRuns(first, second), second };
}

/** Compares two reports. */
function compareRuns(first: RunReport, second: RunReport): CompareReport {
  const deltaMs = difference(first.run.durationMs, second.run.durationMs);
  return {
    schema: "millrace.report/1",
    before: first.run,
    after: second.run,
    ...(deltaMs === undefined ? {} : { deltaMs }),
    stages: compareStages(first.stages, second.stages),
    waits: compareWaits(first.waitedMs, second.waitedMs),
    failures: compareFailures(first.failures, second.failures),
  };
}

function difference(before: number | undefined, after: number | undefined): number | undefined {
  return before === undefined || after === undefined ? undefined : after - before;
}

function compareStages(
  first: readonly StageView[],
  second: readonly StageView[],
): readonly StageComparison[] {
  const known = new Map(first.map((stage) => [stage.stage, stage]));
  const names = new Set([...second, ...first].map(({ stage }) => stage));
  const later = new Map(second.map((stage) => [stage.stage, stage]));
  return [...names].map((stage) => {
    const [before, after] = [known.get(stage), later.get(stage)];
    const deltaMs = difference(before?.durationMs, after?.durationMs);
    return {
      stage,
      ...(before === undefined ? {} : { before: toCompared(before) }),
      ...(after === undefined ? {} : { after: toCompared(after) }),
      ...(deltaMs === undefined ? {} : { deltaMs }),
    };
  });
}

function toCompared({ state, via, attempts, durationMs }: StageView): ComparedStage {
  return {
    state,
    attempts,
    ...(via === undefined ? {} : { via }),
    ...(durationMs === undefined ? {} : { durationMs }),
  };
}

function compareWaits(
  first: Readonly<Record<string, number>>,
  second: Readonly<Record<string, number>>,
): readonly WaitComparison[] {
  const change = ({ beforeMs, afterMs }: WaitComparison): number => Math.abs(afterMs - beforeMs);
  return [...new Set([...Object.keys(first), ...Object.keys(second)])]
    .map((cause) => ({ cause, beforeMs: first[cause] ?? 0, afterMs: second[cause] ?? 0 }))
    .toSorted((one, other) => change(other) - change(one));
}

function compareFailures(
  first: readonly FailureView[],
  second: readonly FailureView[],
): CompareReport["failures"] {
  const keyOf = ({ stage = "", fingerprint }: FailureView): string => `${stage}\n${fingerprint}`;
  const [before, after] = [new Set(first.map(keyOf)), new Set(second.map(keyOf))];
  return {
    gone: first.filter((failure) => !after.has(keyOf(failure))),
    new: second.filter((failure) => !before.has(keyOf(failure))),
    stayed: second.filter((failure) => before.has(keyOf(failure))),
  };
}
