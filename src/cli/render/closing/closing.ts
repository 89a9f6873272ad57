// What is said when a run has ended or was parked: verdict, counts, where time went, what failed, what came
// out, what to do now. Facts only; `closing-lines.ts` writes them for people, other forms in their own way.

import { CACHE_METRICS } from "../../../model/cache.ts";
import type { Failure, StageState } from "../../../model/outcome.ts";
import { STAGE_STATES } from "../../../model/outcome.ts";
import type { RunState } from "../../../model/run.ts";
import type { RunError, RunResult, StageResult } from "../../../service/run-result.ts";
import type { FailureGroup } from "../progress/failure-groups.ts";
import type { Progress } from "../progress/progress.ts";
import { findResultPaths, type PathExists } from "./result-paths.ts";
import { previewValue } from "./value-preview.ts";

/** A command to go on with, ready to be copied, and what it is for. */
export interface NextStep {
  readonly command: string;
  readonly purpose: string;
}

/** Counts by state, with their sum. */
export type StateTotals = Readonly<Record<StageState, number>> & { readonly total: number };

/** Where a stage's time went. */
export interface SlowStage {
  readonly stage: string;
  readonly durationMs: number;
  /** Of the items of a map stage. */
  readonly p50Ms?: number;
  readonly p95Ms?: number;
}

/** A kind of failure, counted. */
export type ClosingFailure = Pick<
  FailureGroup,
  "stage" | "class" | "message" | "firstItem" | "attempts" | "count"
>;

/** What was made from the same as in an earlier run, and what was not. */
export interface ClosingCache {
  readonly items: number;
  /** Maps, whose items are counted, left out. */
  readonly stages: number;
  readonly changed: number;
  readonly added: number;
  /** True: nothing was worked for at all. */
  readonly isAll: boolean;
}

/** Everything there is to say at the end. */
export interface Closing {
  readonly run: string;
  /** True: of a queue, whose items are runs. */
  readonly isQueue?: boolean;
  readonly pipeline: string;
  readonly state: RunState;
  readonly reason: string | undefined;
  readonly durationMs: number;
  /** Time spent in attempts, over all, ms. */
  readonly workMs: number;
  readonly warnings: number;
  readonly stages: StateTotals;
  /** Of all map stages; total 0: there were none. */
  readonly items: StateTotals;
  readonly retried: number;
  /** Successes taken from checkpoints: whole stages, and items of stages that were worked on. */
  readonly kept: { readonly stages: number; readonly items: number };
  /** Undefined: the cache was not asked. */
  readonly cache: ClosingCache | undefined;
  /** Time that stages and items spent waiting, by cause, the most first, ms. */
  readonly waited: readonly (readonly [cause: string, ms: number])[];
  readonly slowest: readonly SlowStage[];
  /** The most frequent first. */
  readonly failures: readonly ClosingFailure[];
  /** Failures of kinds beyond those listed. */
  readonly otherFailures: number;
  readonly outputs: readonly { readonly name: string; readonly text: string }[];
  /** Files and folders that outputs name. */
  readonly results: readonly string[];
  readonly next: readonly NextStep[];
}

/** What else the closing needs. */
export interface ClosingOptions {
  readonly next: readonly NextStep[];
  readonly exists: PathExists;
  /** The report that was written. */
  readonly reported?: string | undefined;
}

const SLOWEST_MAX = 3;

/** Gathers the closing of a run from its result and from what was seen while it worked. */
export function makeClosing(
  progress: Progress,
  result: RunResult,
  options: ClosingOptions,
): Closing {
  const stages = Object.values(result.stages);
  const outputs = Object.entries(result.outputs).filter(([, value]) => value !== undefined);
  return {
    run: progress.plan.run,
    pipeline: result.pipeline,
    state: result.state,
    reason: result.reason,
    durationMs: result.durationMs,
    workMs: progress.workMs,
    warnings: result.warnings,
    stages: countStages(stages, result.state),
    items: countItems(stages),
    retried: progress.retried,
    kept: countKept(progress),
    cache: countCache(progress, result),
    waited: sumWaits(stages),
    slowest: findSlowest(progress, stages),
    failures: listFailures(progress, result.errors),
    otherFailures: progress.failures.ungrouped,
    outputs: outputs.map(([name, value]) => ({ name, text: previewValue(value) })),
    results: [
      ...new Set([
        ...(options.reported === undefined ? [] : [options.reported]),
        ...outputs.flatMap(([, value]) => findResultPaths(value, options.exists)),
      ]),
    ],
    next: options.next,
  };
}

function countKept(progress: Progress): Closing["kept"] {
  let stages = 0;
  let items = 0;
  for (const { via, kept } of progress.stages.values()) {
    if (via === "checkpoint") stages += 1;
    else items += kept;
  }
  return { stages, items };
}

function countCache(progress: Progress, result: RunResult): ClosingCache | undefined {
  const count = (name: keyof typeof CACHE_METRICS): number =>
    result.metrics[CACHE_METRICS[name]] ?? 0;
  if (count("hit") + count("miss") === 0) return undefined;
  const items = [...progress.stages.values()].reduce((sum, { cached }) => sum + cached, 0);
  const stages = Object.values(result.stages);
  return {
    items,
    stages: Math.max(0, count("hit") - items),
    changed: count("changed"),
    added: count("added"),
    isAll:
      result.state === "succeeded" &&
      stages.some(({ via }) => via === "cache") &&
      stages.every(({ state, via }) => state !== "succeeded" || via !== "run"),
  };
}

/** Nothing counted. */
export function emptyTotals(): Record<StageState, number> & { total: number } {
  return {
    total: 0,
    pending: 0,
    running: 0,
    waiting: 0,
    succeeded: 0,
    failed: 0,
    skipped: 0,
    cancelled: 0,
    upstream_failed: 0,
  };
}

function countStages(stages: readonly StageResult[], state: RunState): StateTotals {
  const totals = emptyTotals();
  for (const stage of stages) totals[stage.state] += 1;
  if (state === "waiting") {
    // Nothing of a parked run is running; what was begun begins again.
    totals.pending += totals.running;
    totals.running = 0;
  }
  totals.total = stages.length;
  return totals;
}

function countItems(stages: readonly StageResult[]): StateTotals {
  const totals = emptyTotals();
  for (const { items } of stages) {
    if (items === undefined) continue;
    for (const state of STAGE_STATES) totals[state] += items[state] ?? 0;
    totals.total += items.total;
  }
  return totals;
}

function sumWaits(stages: readonly StageResult[]): readonly (readonly [string, number])[] {
  const sums = new Map<string, number>();
  for (const stage of stages) {
    for (const [cause, ms] of Object.entries(stage.waitedMs)) {
      sums.set(cause, (sums.get(cause) ?? 0) + ms);
    }
  }
  return [...sums].filter(([, ms]) => ms > 0).toSorted((left, right) => right[1] - left[1]);
}

function findSlowest(progress: Progress, stages: readonly StageResult[]): readonly SlowStage[] {
  return stages
    .filter((stage) => stage.durationMs >= 1 && stage.via !== "checkpoint")
    .toSorted((left, right) => right.durationMs - left.durationMs)
    .slice(0, SLOWEST_MAX)
    .map(({ stage, durationMs }) => {
      const sketch = progress.stages.get(stage)?.durations;
      const p50Ms = sketch?.percentile(0.5);
      const p95Ms = sketch?.percentile(0.95);
      if (p50Ms === undefined || p95Ms === undefined) return { stage, durationMs };
      return { stage, durationMs, p50Ms, p95Ms };
    });
}

/** As they were seen; of a run that only was looked up, as its result lists them. */
function listFailures(progress: Progress, errors: readonly RunError[]): readonly ClosingFailure[] {
  if (progress.failures.total > 0) return progress.failures.byCount();
  const groups = new Map<string, ClosingFailure & { count: number }>();
  for (const { stage, item, error } of errors) {
    const key = `${stage}\0${error.fingerprint}`;
    const known = groups.get(key);
    if (known === undefined) groups.set(key, toGroup(stage, item?.key, error));
    else known.count += 1;
  }
  return [...groups.values()].toSorted((left, right) => right.count - left.count);
}

function toGroup(
  stage: string,
  item: string | undefined,
  error: Failure,
): ClosingFailure & { count: number } {
  return {
    stage,
    class: error.class,
    message: error.message,
    firstItem: item,
    attempts: error.attempts,
    count: 1,
  };
}
