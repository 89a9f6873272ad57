// The picture of a run while it works: what is planned, what is known now, and what one event meant. Only data;
// `progress-model.ts` keeps it up to date, the forms read it.

import type { MillraceEvent } from "../../../model/event.ts";
import type { StageState } from "../../../model/outcome.ts";
import type { RunState } from "../../../model/run.ts";
import type { TimeLeft } from "../../../service/plan/time-left.ts";
import type { FailureGroup, FailureGroups } from "./failure-groups.ts";
import type { LogLine, LogTails } from "./log-tails.ts";
import type { ItemCounts, PlannedStage, StageProgress } from "./stage-progress.ts";

/** What is known of a run before it starts. */
export interface PlannedRun {
  /** Short name; of a queue the word `queue`. */
  readonly run: string;
  /** True: not one run is watched but a queue. Then its stages are pipelines, and their items are runs. */
  readonly isQueue?: boolean;
  readonly pipeline: string;
  /** Hash of the definition. */
  readonly definition: string;
  /** URL of the store, for people. */
  readonly store: string;
  readonly stages: readonly PlannedStage[];
  /** When this process began to work on it, UTC ms. */
  readonly startedAtMs: number;
  /** Attempts at once in this process. */
  readonly slots: number;
  /** Stages that an earlier epoch finished; shown as succeeded from the beginning. */
  readonly keptStages?: readonly string[];
}

/** What is watched, as a line begins: `run 7f3k`, `queue`. */
export function subjectOf({
  run,
  isQueue,
}: {
  readonly run: string;
  readonly isQueue?: boolean | undefined;
}): string {
  return isQueue === true ? run : `run ${run}`;
}

/** Foresees ends by earlier runs. Undefined where they say nothing. */
export interface Forecast {
  run(nowMs: number): TimeLeft | undefined;
  stage(name: string, nowMs: number): TimeLeft | undefined;
}

/** The picture of a run. Written by `applyEvent` alone, but for the forecast. */
export interface Progress {
  readonly plan: PlannedRun;
  state: RunState;
  reason: string | undefined;
  readonly stages: ReadonlyMap<string, StageProgress>;
  /** Stages by state. */
  readonly stageCounts: Record<StageState, number>;
  /** Items of all map stages whose list is known, by state. */
  readonly items: ItemCounts;
  /** Attempts under way. */
  running: number;
  readonly failures: FailureGroups;
  readonly logs: LogTails;
  /** Time spent in attempts so far, over all, ms. */
  workMs: number;
  /** Waits for a retry so far. */
  retries: number;
  /** Successes after a retry: stages and items. */
  retried: number;
  endedAtMs: number | undefined;
  /** Once earlier runs were read, from the second run of a pipeline on. */
  forecast: Forecast | undefined;
}

/** What an event meant, for whoever tells it on. */
export interface Applied {
  readonly event: MillraceEvent;
  readonly stage?: StageProgress;
  /** The failure it told, where it is the first of its kind. */
  readonly newFailure?: FailureGroup;
  /** True: it told a failure, of a kind known or new. */
  readonly isFailure: boolean;
  /** Of a failure: the last lines that its attempts wrote. */
  readonly tail: readonly LogLine[];
  /** The line that `stage.logged` told. */
  readonly logLine?: LogLine;
}
