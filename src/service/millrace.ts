// openMillrace: the facade of durable runs. Opening starts nothing: no timer, no thread, no claim. What a run
// needs to stay ours (lease, beat) begins with the first run and ends with the last. What no start needs loads late.

import { GroupCommit } from "../storage/group-commit.ts";
import { openStore } from "../storage/open-store.ts";
import type { Store } from "../storage/store.ts";
import { LeaseKeeper } from "../engine/lease-keeper.ts";
import { Gate } from "../engine/limits/gate.ts";
import { makeDurableLimits } from "../engine/limits/limits.ts";
import { Slots } from "../engine/slots.ts";
import { LazyThreads } from "../engine/threads.ts";
import {
  ABORT_GRACE_MS_DEFAULT,
  CONCURRENCY_DEFAULT,
  DRAIN_MS_DEFAULT,
  PROBE_MS_DEFAULT,
  STORE_URL_DEFAULT,
  STUCK_SLOT_MS_DEFAULT,
} from "../model/defaults.ts";
import type { RunRecord } from "../model/run.ts";
import { checkLeaseTerms } from "../policy/lease-terms.ts";
import { systemClock } from "../std/clock.ts";
import { Emitter } from "../std/emitter.ts";
import { makeIdSource } from "../std/id.ts";
import { systemMachine } from "../std/machine.ts";
import { readMemory } from "../std/figures/memory.ts";
import { systemRandom } from "../std/random.ts";
import { abandonWork } from "./worker/abandon-work.ts";
import type { CancelOptions, CancelOutcome } from "./commands/cancel-run.ts";
import {
  enqueueRuns,
  type EnqueueEntry,
  type EnqueueOptions,
  type EnqueueOutcome,
} from "./commands/enqueue-runs.ts";
import { readEventOptions } from "./events/event-options.ts";
import type { EventReport, RecordedEvent } from "./events/record-event.ts";
import type { CancelRunsOptions } from "./selection/cancel-runs.ts";
import type { PurgeOptions } from "./selection/purge-runs.ts";
import type { RetryFailedOptions, RetryOutcome } from "./selection/retry-failed.ts";
import type { SelectionOutcome } from "./selection/run-selection.ts";
import type { RerunOptions } from "./commands/rerun-run.ts";
import { rescueInterrupted } from "./commands/rescue.ts";
import { queueRun, resumeRun, type ResumeOptions } from "./commands/resume-run.ts";
import type {
  ResourceOrderOptions,
  SetResourceOptions,
  TripResourceOptions,
} from "./resources/set-resource.ts";
import { startRun, type StartOptions } from "./commands/start-run.ts";
import { GateWatch } from "./resources/gate-watch.ts";
import { declareResources } from "./resources/declare-resources.ts";
import { indexPipelines } from "./index-pipelines.ts";
import { closeEvents } from "./feed/close-events.ts";
import { makeEventWires } from "./feed/event-wires.ts";
import { readNotices } from "./listeners/notices/read-notices.ts";
import { prepareTracing } from "./listeners/tracing.ts";
import { keepContext, type MillContext } from "./mill-context.ts";
import { MillQuestions } from "./mill-questions.ts";
import type { OpenOptions } from "./open-options.ts";
import type { Pipeline } from "./pipeline.ts";
import { PatientBlobs } from "./patient-blobs.ts";
import { checkConcurrency, refuseInImport, toThreadsMax } from "./prepare-run.ts";
import type { ImportOptions, ImportOutcome } from "./queue-import/import-runs.ts";
import type { HealthAckOptions, HealthAckOutcome } from "./health/acknowledge-health.ts";
import type { RunHandle } from "./run-handle.ts";
import type { RunReport, RunReported } from "./schedules/report-run.ts";
import { ScheduleHandle } from "./schedules/schedule-handle.ts";
import type { ResourceView } from "./views/resource-view.ts";
import { putBackLease } from "./worker/put-back-lease.ts";
import { Standing } from "./worker/standing.ts";
import { tellJump } from "./worker/tell-jump.ts";
import { WorkerSelf } from "./worker/worker-self.ts";
import { Worker, type WorkOptions, type WorkSummary } from "./worker/worker.ts";
import { makeFiles } from "./world.ts";

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
   * aborted and what ran has ended or gone back. PROVIDED_MISSING, FEATURE_UNAVAILABLE, PIPELINE_UNKNOWN.
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
  requeue(run: string): Promise<RunRecord>;
  requeue(all: { readonly batch: string; readonly dryRun?: boolean }): Promise<SelectionOutcome>;
  async requeue(
    what: string | { readonly batch: string; readonly dryRun?: boolean },
  ): Promise<RunRecord | SelectionOutcome> {
    const { requeueBatch, requeueRun } = await import("./commands/requeue-run.ts");
    if (typeof what === "string") return await requeueRun(this.#mill, what);
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
  checkConcurrency(options.concurrency);
  const threadsMax = toThreadsMax(options.threads);
  const leaseTerms = checkLeaseTerms(options.lease);
  await prepareTracing();
  const notices = await readNotices(options.notify);
  const pipelines = indexPipelines(options.pipelines ?? [], notices.pipelines);
  const resources = declareResources(options.resources ?? {}, pipelines.values());
  const events = makeEventWires(readEventOptions(options));
  const clock = options.clock ?? systemClock;
  const random = options.random ?? systemRandom;
  const machine = options.machine ?? systemMachine;
  const url = options.store ?? STORE_URL_DEFAULT;
  const mode = options.mode ?? "write";
  const store = await openStore(url, {
    clock,
    machine,
    mode,
    ...(options.busyTimeoutMs === undefined ? {} : { busyTimeoutMs: options.busyTimeoutMs }),
  });
  const nextId = makeIdSource(clock, random);
  const { host, pid, bootId, processStart } = machine;
  const owner = { worker: nextId(), host, pid, bootId, processStart };
  const standing = new Standing({ store, clock, terms: leaseTerms });
  const self = new WorkerSelf({ ...options, store, clock, owner, pipelines, readMemory, standing });
  const warn = options.onWarning ?? warnOfProcess;
  const mill: MillContext = {
    store,
    committer: new GroupCommit({ store, clock, random }),
    keeper: new LeaseKeeper({
      store,
      clock,
      owner,
      terms: leaseTerms,
      warn,
      describe: (work) => self.describe(work),
      putBack: (run) => putBackLease(mill, run),
      onBeat: () => standing.clocks.look(),
    }),
    world: {
      clock,
      random,
      slots: new Slots(options.concurrency ?? CONCURRENCY_DEFAULT),
      limits: makeDurableLimits(new Gate(clock, random), resources),
      files: makeFiles(url),
      blobs: new PatientBlobs(store.blobs, clock),
      environment: options.environment ?? machine.environment,
      graceMs: options.graceMs ?? ABORT_GRACE_MS_DEFAULT,
      stuckMs: options.stuckMs ?? STUCK_SLOT_MS_DEFAULT,
      stuck: standing.stuck,
      // Threads work in real time, whatever clock the mill is on.
      threads: new LazyThreads({ clock: systemClock, threadsMax }),
      childImports: options.childImports ?? [],
    },
    machine,
    owner,
    leaseMs: leaseTerms.leaseMs,
    leaseTerms,
    provide: options.provide ?? {},
    probeMs: options.probeMs ?? PROBE_MS_DEFAULT,
    pipelines,
    resources,
    schedules: options.schedules ?? {},
    notices,
    nextId,
    live: new Map(),
    claiming: new Set(),
    queueClaims: 0,
    standing,
    self,
    workers: new Set(),
    starting: new Set(),
    wake: new Emitter(),
    places: new Emitter(),
    events,
    warn,
    closing: false,
  };
  new GateWatch(mill, mill.world.limits.gate);
  standing.jumped.on((byMs) => void tellJump(mill, byMs).catch(() => undefined));
  if (mode === "write") await rescueInterrupted(mill);
  return new Millrace(mill);
}

function warnOfProcess(message: string): void {
  process.emitWarning(message, "MillraceWarning");
}
