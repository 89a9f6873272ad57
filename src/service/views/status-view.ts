// Where pipelines stand, as dashboards and other programs show it: one of four words each, what is under way, and
// health. The snapshot is the same with all that an overview shows besides.

import type { PipelineHealthView } from "./health-view.ts";
import type { RunView } from "./run-view.ts";
import type { RunSummaryView } from "./summary-view.ts";

/**
 * Where a pipeline stands. `running`: a run of it is worked on, or waits for what clears by itself. Else by its newest
 * run: `idle` (it has none, or that one succeeded or was skipped), `stopped` (cancelled, or interrupted and waiting for
 * somebody), `error` (failed). A run that is only queued changes nothing.
 */
export const PIPELINE_STATUSES = ["idle", "running", "stopped", "error"] as const;

/** Where a pipeline stands. */
export type PipelineStatus = (typeof PIPELINE_STATUSES)[number];

/** One pipeline. */
export interface PipelineStatusView {
  readonly pipeline: string;
  readonly status: PipelineStatus;
  /** Whether its health decides who may start it; absent: this process does not know the pipeline. */
  readonly gate?: "off" | "health";
  /** Runs that are worked on. */
  readonly running: number;
  readonly queued: number;
  readonly waiting: number;
  /** The newest that are worked on, at most 20. */
  readonly runs: readonly RunView[];
  /** The one that ended last. */
  readonly last?: {
    readonly id: string;
    readonly name: string;
    readonly state: RunSummaryView["state"];
    readonly endedAt: string;
    readonly reason?: string;
  };
  readonly health: Omit<PipelineHealthView, "pipeline">;
}

/** All pipelines, in order of name. */
export interface StatusView {
  readonly schema: "millrace.status/1";
  /** Of the store's clock. */
  readonly at: string;
  readonly pipelines: readonly PipelineStatusView[];
}

/** Something that is not running although it could. */
export interface WaitingRunView {
  readonly run: string;
  /** Short name. */
  readonly name: string;
  readonly pipeline: string;
  /** In the words of `why`. */
  readonly text: string;
  readonly expectedAt?: string;
}

/** When a schedule fires next. */
export interface NextTickView {
  readonly schedule: string;
  readonly pipeline?: string;
  readonly at: string;
}

/** Everything at a glance. */
export interface SnapshotView extends Omit<StatusView, "schema"> {
  readonly schema: "millrace.snapshot/1";
  /** Number of the last stored event that this is at least as new as: who follows events goes on after it. */
  readonly seq: number;
  /** Worked on now, the newest, at most 50. */
  readonly running: readonly RunView[];
  /** The newest that have ended, at most 20. */
  readonly recent: readonly RunSummaryView[];
  /** The newest runs that wait, at most 50. */
  readonly waiting: readonly WaitingRunView[];
  /** The next to fire, at most 20. */
  readonly next: readonly NextTickView[];
}
