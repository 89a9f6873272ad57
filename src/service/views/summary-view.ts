// The summary of a finished run: what it was, how it ended, what it did and where its time went. Made of what is stored
// of the run, so that there is one for each finished run and never a second account of it.

import type { StageEnd, StateCounts } from "../../model/checkpoint.ts";
import { isForced, type RunRecord, type RunState } from "../../model/run.ts";
import { runName } from "../queries/find-run.ts";
import { sumItemCounts, type CountsView } from "./counts-view.ts";
import { toFailureView, type FailureView } from "./failure-view.ts";
import { sumWaits } from "./run-view.ts";
import { toIso, toWholeMs, toWholeWaits } from "./time-view.ts";

/** What became of one run. */
export interface RunSummaryView {
  readonly id: string;
  /** Short name. */
  readonly name: string;
  readonly pipeline: string;
  /** Hash. */
  readonly definition: string;
  readonly state: Extract<RunState, "succeeded" | "failed" | "skipped" | "cancelled">;
  readonly reason?: string;
  /** Of a run that failed. */
  readonly error?: FailureView;
  /** It was taken from its process by force. */
  readonly forced?: true;
  /** How its pipeline was doing, where it was started all the same. */
  readonly override?: string;
  readonly key?: string;
  readonly source: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly parent?: string;
  readonly batch?: string;
  readonly queuedAt: string;
  readonly startedAt?: string;
  readonly endedAt: string;
  /** Time it was worked on, ms. */
  readonly durationMs?: number;
  readonly stages: StageSums;
  /** Of all its map stages. */
  readonly items: CountsView;
  /** Attempts of stages and items that ended in a retry. */
  readonly retries: number;
  readonly resumes: number;
  readonly crashes: number;
  readonly warnings: number;
  /** Over all stages and items, by cause. */
  readonly waitedMs: Readonly<Record<string, number>>;
  readonly metrics: Readonly<Record<string, number>>;
}

/** What became of the stages of a run. */
export interface StageSums {
  /** Worked on here, whatever came of it. */
  readonly run: number;
  readonly failed: number;
  readonly skipped: number;
  readonly cancelled: number;
  readonly upstreamFailed: number;
  /** Taken from the cache or from a checkpoint of another run. */
  readonly reused: number;
  /** Names of those that were worked on, at most 100, in order of name. */
  readonly ranNames: readonly string[];
  /** Names of those that failed, at most 100. */
  readonly failedNames: readonly string[];
}

const NAMES_MAX = 100;

/** A run that has ended. */
export type EndedRun = RunRecord & {
  readonly state: RunSummaryView["state"];
  readonly endedAtMs: number;
};

/** True for a run that there is a summary of. */
export function isEndedRun(run: RunRecord): run is EndedRun {
  const { state, endedAtMs } = run;
  const isOver =
    state === "succeeded" || state === "failed" || state === "skipped" || state === "cancelled";
  return isOver && endedAtMs !== null;
}

/** The summary of a run, from its row, its stages and the counts of its items. */
export function toSummaryView(
  run: EndedRun,
  stages: readonly StageEnd[],
  itemCounts: ReadonlyMap<string, StateCounts>,
): RunSummaryView {
  return {
    ...toHead(run),
    ...toOrigin(run),
    queuedAt: toIso(run.queuedAtMs),
    ...(run.startedAtMs === null ? {} : { startedAt: toIso(run.startedAtMs) }),
    endedAt: toIso(run.endedAtMs),
    ...(run.durationMs === null ? {} : { durationMs: toWholeMs(run.durationMs) }),
    stages: sumStages(stages),
    items: sumItemCounts(stages, itemCounts),
    retries: run.retries,
    resumes: run.resumes,
    crashes: run.crashes,
    warnings: run.warnings,
    waitedMs: toWholeWaits(sumWaits(stages.map(({ waitedMs }) => waitedMs))),
    metrics: run.metrics,
  };
}

type Head = Pick<
  RunSummaryView,
  "id" | "name" | "pipeline" | "definition" | "state" | "reason" | "error" | "forced"
>;

function toHead(run: EndedRun): Head {
  const wasForced = isForced(run);
  return {
    id: run.id,
    name: runName(run),
    pipeline: run.pipeline,
    definition: run.definitionHash,
    state: run.state,
    ...(run.reason === null ? {} : { reason: run.reason }),
    ...(run.failure === null || wasForced ? {} : { error: toFailureView(run.failure) }),
    ...(wasForced ? { forced: true as const } : {}),
  };
}

function toOrigin(
  run: EndedRun,
): Pick<RunSummaryView, "override" | "key" | "source" | "tags" | "parent" | "batch"> {
  const { override } = run.settings;
  return {
    ...(override === undefined ? {} : { override }),
    ...(run.key === null ? {} : { key: run.key }),
    source: run.source,
    tags: run.tags,
    ...(run.parent === null ? {} : { parent: run.parent }),
    ...(run.batch === null ? {} : { batch: run.batch }),
  };
}

function sumStages(stages: readonly StageEnd[]): StageSums {
  const count = (state: StageEnd["state"]): number =>
    stages.reduce((sum, stage) => sum + (stage.state === state ? 1 : 0), 0);
  const ran = stages.filter(({ via, attempts }) => attempts > 0 && (via === "run" || via === null));
  const failed = stages.filter(({ state }) => state === "failed");
  return {
    run: ran.length,
    failed: failed.length,
    skipped: count("skipped"),
    cancelled: count("cancelled"),
    upstreamFailed: count("upstream_failed"),
    reused: stages.filter(({ via }) => via === "cache" || via === "checkpoint").length,
    ranNames: ran.slice(0, NAMES_MAX).map(({ stage }) => stage),
    failedNames: failed.slice(0, NAMES_MAX).map(({ stage }) => stage),
  };
}
