// openMillrace: the facade of durable runs. Opening starts nothing: no timer, no thread, no claim. What a run
// needs to stay ours (lease, beat) begins with the first run and ends with the last. What no start needs loads late.

import type { Store } from "../storage/store.ts";
import { DRAIN_MS_DEFAULT } from "../model/defaults.ts";
import type { RunRecord } from "../model/run.ts";
import { abandonWork } from "./worker/abandon-work.ts";
import type { CancelOptions, CancelOutcome } from "./commands/cancel-run.ts";
import {
  enqueueRuns,
  type EnqueueEntry,
  type EnqueueOptions,
  type EnqueueOutcome,
} from "./commands/enqueue-runs.ts";
import type { EventReport, RecordedEvent } from "./events/record-event.ts";
import type { CancelRunsOptions } from "./selection/cancel-runs.ts";
import type { PurgeOptions } from "./selection/purge-runs.ts";
import type { RetryFailedOptions, RetryOutcome } from "./selection/retry-failed.ts";
import type { SelectionOutcome } from "./selection/run-selection.ts";
import type { RequeueBatchOptions, RequeueWishes } from "./commands/requeue-run.ts";
import type { RerunOptions } from "./commands/rerun-run.ts";
import type { ResumeOptions } from "./commands/resume-run.ts";
import type {
  ResourceOrderOptions,
  SetResourceOptions,
  TripResourceOptions,
} from "./resources/set-resource.ts";
import { startRun, type StartOptions } from "./commands/start-run.ts";
import { closeEvents } from "./feed/close-events.ts";
import { keepContext, type MillContext } from "./mill-context.ts";
import { makeMill } from "./mill/make-mill.ts";
import { MillQuestions } from "./mill/mill-questions.ts";
import type { OpenOptions } from "./mill/open-options.ts";
import type { Pipeline } from "./pipeline.ts";
import { refuseInImport } from "./prepare-run.ts";
import type { ImportOptions, ImportOutcome } from "./queue-import/import-runs.ts";
import type { HealthAckOptions, HealthAckOutcome } from "./health/acknowledge-health.ts";
import type { RunHandle } from "./run-handle.ts";
import type { RunReport, RunReported } from "./schedules/report-run.ts";
import { ScheduleHandle } from "./schedules/schedule-handle.ts";
import type { ResourceView } from "./views/resource-view.ts";
import { Worker, type WorkOptions, type WorkSummary } from "./worker/worker.ts";

/** Time that the last commits have when a mill closes, ms. */
const LAST_COMMIT_MS = 3_000;

/** Durable runs on one store. */
export class Millrace extends MillQuestions {
  readonly #mill: MillContext;
  #closing: Promise<void> | null = null;

  /** Use `openMillrace`. */
  constructor(mill: MillContext) {
    super(mill);
    this.#mill = mill;
    keepContext(this, mill);
  }

  /** For queries of this package's own command. */
  get store(): Store {
    return this.#mill.store;
  }

  /** Starts a run that this process works on. Resolves once it is durable; `result()` waits for its end. */
  async start<In, Out>(
    pipeline: Pipeline<In, Out>,
    input: In,
    options: StartOptions = {},
  ): Promise<RunHandle<Out>> {
    const started = await startRun(this.#mill, { definition: pipeline.definition, input, options });
    // The outputs are those of the pipeline that was passed in.
    if (started.kind === "live") return started.run as RunHandle as RunHandle<Out>;
    const { KnownRun } = await import("./known-run.ts");
    const known = new KnownRun(this.#mill, {
      definition: pipeline.definition,
      run: started.run,
    });
    await known.load();
    return known as RunHandle as RunHandle<Out>;
  }

  /**
   * Queues a run per entry, for whoever works; resolves when all are committed. An entry whose key its pipeline
   * knows makes no second run. One that cannot be queued is OPTION_INVALID or VALUE_NOT_STORABLE, and none is.
   */
  async enqueue<In, Out>(
    pipeline: Pipeline<In, Out>,
    entries: readonly EnqueueEntry<In>[],
    options: EnqueueOptions = {},
  ): Promise<EnqueueOutcome> {
    return await enqueueRuns(this.#mill, { definition: pipeline.definition, entries, options });
  }

  /**
   * Works the queues: claims runs of the known pipelines, works on them here, and brings back those whose worker
   * died. Resolves when the queues are drained (`drain`), enough runs were worked on (`maxRuns`), or `signal` is
   * aborted and what ran has ended or gone back. PROVIDED_MISSING, DEFINITION_INVALID, PIPELINE_UNKNOWN.
   */
  async work(options: WorkOptions = {}): Promise<WorkSummary> {
    const worker = new Worker(this.#mill, options);
    this.#mill.keeper.expectLongRuns();
    return await worker.work();
  }

  /** Stops who works the queues here: nothing is claimed any more, running stages get `drainMs` (default 20 s), and
   *  the rest goes back to its queue. Resolves when it has. A second call with 0 waits no longer. */
  async stopWork(drainMs: number = DRAIN_MS_DEFAULT): Promise<void> {
    await Promise.all([...this.#mill.workers].map((worker) => worker.stop(drainMs)));
  }

  /** Goes on with a failed, cancelled or interrupted run. `here`: in this process; without it the run is put
   *  into the queue for whoever works. */
  resume(run: string, options: ResumeOptions & { readonly here: true }): Promise<RunHandle>;
  resume(run: string, options?: ResumeOptions & { readonly here?: false }): Promise<RunRecord>;
  async resume(
    run: string,
    options: ResumeOptions & { readonly here?: boolean } = {},
  ): Promise<RunHandle | RunRecord> {
    const { queueRun, resumeRun } = await import("./commands/resume-run.ts");
    if (options.here === true) return await resumeRun(this.#mill, run, options);
    return await queueRun(this.#mill, run, options);
  }

  /** Does a run again as a new one, linked to it, in this process. */
  async rerun(run: string, options: RerunOptions = {}): Promise<RunHandle> {
    const { rerunRun } = await import("./commands/rerun-run.ts");
    return await rerunRun(this.#mill, run, options);
  }

  /** Queues a run per line of JSON Lines, once per key; a bad line is told and spares the others. */
  async import<In, Out>(
    pipeline: Pipeline<In, Out>,
    bytes: AsyncIterable<Uint8Array>,
    options: ImportOptions = {},
  ): Promise<ImportOutcome> {
    const { importRuns } = await import("./queue-import/import-runs.ts");
    return await importRuns(this.#mill, { definition: pipeline.definition, bytes, options });
  }

  /** Queues a resume of every failed run that matches, with fresh attempts, ten a second; one that refuses is
   *  skipped. */
  async retryFailed(options: RetryFailedOptions = {}): Promise<RetryOutcome> {
    const { retryFailed } = await import("./selection/retry-failed.ts");
    return await retryFailed(this.#mill, options);
  }

  /** Queues a rerun as a new run linked to the old, which must have ended (RUN_STATE_CONFLICT): of one run, or of
   *  every run of a batch. */
  requeue(run: string, options?: RequeueWishes): Promise<RunRecord>;
  requeue(all: RequeueBatchOptions & { readonly batch: string }): Promise<SelectionOutcome>;
  async requeue(
    what: string | (RequeueBatchOptions & { readonly batch: string }),
    options: RequeueWishes = {},
  ): Promise<RunRecord | SelectionOutcome> {
    const { requeueBatch, requeueRun } = await import("./commands/requeue-run.ts");
    if (typeof what === "string") return await requeueRun(this.#mill, what, options);
    return await requeueBatch(this.#mill, what.batch, what);
  }

  /** Deletes runs in these states with all they have; never running ones. */
  async purge(options: PurgeOptions): Promise<SelectionOutcome> {
    const { purgeRuns } = await import("./selection/purge-runs.ts");
    return await purgeRuns(this.#mill, options);
  }

  /** Ends a run, wherever it is worked on; with `force`, whether or not its process answers. Cancelling a cancelled
   *  run changes nothing. Or ends all runs in some states. */
  cancel(run: string, options?: CancelOptions): Promise<CancelOutcome>;
  cancel(all: CancelRunsOptions): Promise<SelectionOutcome>;
  async cancel(
    what: string | CancelRunsOptions,
    options: CancelOptions = {},
  ): Promise<CancelOutcome | SelectionOutcome> {
    if (typeof what === "string") {
      const { cancelRun } = await import("./commands/cancel-run.ts");
      return await cancelRun(this.#mill, what, options);
    }
    const { cancelRuns } = await import("./selection/cancel-runs.ts");
    return await cancelRuns(this.#mill, what);
  }

  /** Sets another limit or other quotas of a resource, or of one key, for all processes at once. RESOURCE_UNKNOWN,
   *  USE_INVALID, OPTION_INVALID. */
  async setResource(name: string, options: SetResourceOptions): Promise<ResourceView> {
    const { setResource } = await import("./resources/set-resource.ts");
    return await setResource(this.#mill, name, options);
  }

  /** Opens the breaker of a resource, or of one key, by default for an hour. */
  async tripResource(name: string, options: TripResourceOptions = {}): Promise<ResourceView> {
    const { tripResource } = await import("./resources/set-resource.ts");
    return await tripResource(this.#mill, name, options);
  }

  /** Back to what is declared: lifts what was set and pauses, and closes the breaker; without a key, of all keys. */
  async resetResource(name: string, options: ResourceOrderOptions = {}): Promise<ResourceView> {
    const { resetResource } = await import("./resources/set-resource.ts");
    return await resetResource(this.#mill, name, options);
  }

  /** Tells what a program outside did, as `external.reported`. With a key once, however often it is reported.
   *  EVENT_INVALID, RUN_NOT_FOUND. */
  async recordEvent(report: EventReport): Promise<RecordedEvent> {
    const { recordEvent } = await import("./events/record-event.ts");
    return await recordEvent(this.#mill, report);
  }

  /** One schedule by name: to ask, set, switch, trigger and backfill. */
  schedule(name: string): ScheduleHandle {
    return new ScheduleHandle(this.#mill, name);
  }

  /** Tells of a run that an outside scheduler started, once however often it is reported. Never throws. */
  async reportRun(report: RunReport): Promise<RunReported> {
    const { reportRun } = await import("./schedules/report-run.ts");
    return await reportRun(this.#mill, report);
  }

  /** Unblocks a pipeline whose last run was ended by what it stands on: somebody has looked at it. May be repeated.
   *  PIPELINE_UNKNOWN, OPTION_INVALID. */
  async healthAck(pipeline: string, options: HealthAckOptions): Promise<HealthAckOutcome> {
    const { acknowledgeHealth } = await import("./health/acknowledge-health.ts");
    return await acknowledgeHealth(this.#mill, pipeline, options);
  }

  /** Parks what still runs within `drainMs` (default 20 s), then closes the store. Safe to repeat; repeated with
   *  0 it waits no longer. */
  close(options: { readonly drainMs?: number } = {}): Promise<void> {
    if (this.#closing !== null && options.drainMs === 0) {
      for (const run of this.#mill.live.values()) void run.interrupt(0);
    }
    this.#mill.closing = true;
    this.#mill.places.emit();
    this.#closing ??= this.#close(options.drainMs ?? DRAIN_MS_DEFAULT);
    return this.#closing;
  }

  async #close(drainMs: number): Promise<void> {
    const { world, committer, keeper, store } = this.#mill;
    const parked = this.#park(drainMs);
    // A full disk may hold up what is to be stored for as long as it likes.
    const timeUp = Promise.withResolvers<void>();
    const timer = world.clock.setTimer(drainMs + world.graceMs + LAST_COMMIT_MS, timeUp.resolve);
    await Promise.race([parked, timeUp.promise]);
    timer.cancel();
    world.blobs.close();
    await committer.close();
    await parked;
    await closeEvents(this.#mill);
    await world.threads.close();
    await keeper.close();
    await store.close();
  }

  async #park(drainMs: number): Promise<void> {
    await Promise.all([...this.#mill.workers].map((worker) => worker.stop(drainMs)));
    // What was being claimed when the door closed is live now, or was refused.
    await Promise.all(this.#mill.starting);
    const live = [...this.#mill.live.values()];
    await Promise.all(live.map((run) => run.interrupt(drainMs)));
  }

  /** For a process that ends now: gives all runs back without waiting for stages that do not stop, and closes the
   *  store. Bound the time of it; nothing of this mill may be used after it. */
  async abandon(): Promise<void> {
    void this.#mill.world.threads.close();
    await abandonWork(this.#mill);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

/** Opens a store for durable runs. Foreground runs whose process is gone become `waiting` (`interrupted`). */
export async function openMillrace(options: OpenOptions = {}): Promise<Millrace> {
  refuseInImport("opens a store");
  return new Millrace(await makeMill(options));
}
