// What is told to whoever traces: runs that begin here, and what is enqueued.

import type { RunCore } from "../../engine/run-core.ts";
import type { MillraceEvent } from "../../model/event.ts";
import type { RunRecord, RunSettings } from "../../model/run.ts";

/** A run that is about to begin here. */
export interface TracedRun {
  readonly core: RunCore;
  readonly record: RunRecord;
  readonly name: string;
  readonly workerName: string;
  onEvent(listener: (event: MillraceEvent) => void): () => void;
}

/** An `enqueue` under way. */
export interface TracedEnqueue {
  /** What its runs keep, so that whoever works on them can point back. */
  readonly settings: Pick<RunSettings, "traceparent">;
  end(error?: unknown): void;
}

/** What is told to a tracer. */
export interface Tracing {
  /** Follows a run until it ends here. What it gives ends that where no event does: the run was lost. */
  follow(run: TracedRun): () => void;
  beginEnqueue(pipeline: string, runs: number): TracedEnqueue;
  /** What a run that is started here keeps. Empty: nothing is under way around it. */
  current(): Pick<RunSettings, "traceparent">;
}
