// A durable run in the hands of this process: drives it, keeps its lease, tells its events, ends or parks it.
// Modes: made (claimed, not driven yet), `driving`, `settled` (ended, parked, or lost).

import { DRAIN_MS_DEFAULT, PARK_MS_DEFAULT } from "../model/defaults.ts";
import type { PipelineDefinition } from "../model/definition.ts";
import { isMillraceError, MillraceError } from "../model/errors.ts";
import type { EventDraft, MillraceEvent } from "../model/event.ts";
import { READER_QUEUE_MAX, RECENT_EVENTS_MAX } from "../model/limits.ts";
import type { RunRecord } from "../model/run.ts";
import type { WorkEntry } from "../model/worker.ts";
import { DurableJournal, type LiveOnly, toEvents } from "../engine/ledger/durable-journal.ts";
import { decideEnd, type DriveEnd } from "../engine/finish.ts";
import type { Isolator } from "../engine/executors/isolated/isolated-run.ts";
import type { Journal, RunEnd } from "../engine/ledger/journal.ts";
import type { EngineWorld } from "../engine/ports.ts";
import type { Restored } from "../engine/restore/restore.ts";
import { RunCore } from "../engine/run-core.ts";
import { RunDriver } from "../engine/run-driver.ts";
import { collectLoads } from "../engine/needs.ts";
import { SlotShare } from "../engine/slots.ts";
import type { EventNumbers } from "../storage/write-result.ts";
import { Emitter } from "../std/emitter.ts";
import type { EncodedValue } from "../std/value.ts";
import { toInputVersion } from "./commands/input-text.ts";
import type { Explanation } from "./explain.ts";
import { EventQueue } from "./event-queue.ts";
import type { MillContext } from "./mill-context.ts";
import { DrivenResult } from "./outputs.ts";
import { runName } from "./queries/find-run.ts";
import type { RunHandle } from "./run-handle.ts";
import { toRunEvent } from "./run-event.ts";
import type { RunResult } from "./run-result.ts";

/** What a live run is made of. */
export interface LiveRunParts {
  readonly mill: MillContext;
  readonly definition: PipelineDefinition;
  /** As claimed: its epoch is ours. */
  readonly record: RunRecord;
  readonly inputText: EncodedValue;
  /** Of a run that lost its process before. Default: none. */
  readonly isolator?: Isolator | undefined;
  readonly provide: Readonly<Record<string, unknown>>;
  /** Active time of the epochs before, ms. */
  readonly beforeMs: number;
  /** Monotonic ms before the claim was sent. */
  readonly sentMs: number;
  /** What was committed with the claim; told first. */
  readonly firstEvents: {
    readonly events: readonly EventDraft[];
    readonly numbers: EventNumbers;
  };
}

/** A run that this process works on. */
export class LiveRun implements RunHandle {
  readonly id: string;
  readonly name: string;
  readonly number: number;
  readonly definition: PipelineDefinition;
  readonly created: boolean = true;
  readonly core: RunCore;
  resumed?: NonNullable<RunHandle["resumed"]>;
  readonly #parts: LiveRunParts;
  readonly #mill: MillContext;
  readonly #journal: Journal;
  readonly #driver: RunDriver;
  readonly #events: Emitter<MillraceEvent> = new Emitter();
  readonly #queues: Set<EventQueue> = new Set();
  /** Number in the store of the last event that was told. */
  #lastSeq: number = 0;
  #cancelHeard: boolean = false;
  #result: Promise<RunResult> | null = null;

  constructor(parts: LiveRunParts) {
    const { mill, definition, record } = parts;
    this.#parts = parts;
    this.#mill = mill;
    this.id = record.id;
    this.number = record.number;
    this.name = runName(record);
    this.definition = definition;
    this.#journal = new DurableJournal({
      store: mill.store,
      blobs: mill.world.blobs,
      committer: mill.committer,
      runId: record.id,
      epoch: record.epoch,
      worker: mill.owner.worker,
      onTold: (events, numbers) => this.#told(events, numbers),
      liveOnly: this.#toLiveOnly(),
      onFault: (error) => this.#driver.fail(error),
    });
    this.core = new RunCore({
      definition,
      runId: record.id,
      input: undefined,
      inputText: parts.inputText,
      inputVersion: toInputVersion(parts.inputText),
      settings: record.settings,
      provide: parts.provide,
      world: this.#toWorld(record.settings.concurrency),
      journal: this.#journal,
      sink: { tell: (draft) => this.#tell(draft) },
    });
    this.core.priority = record.priority;
    if (!record.foreground) {
      this.core.parksAfterMs = PARK_MS_DEFAULT;
      this.core.spentMs = this.#toSpent();
    }
    if (parts.isolator !== undefined) this.core.isolation = parts.isolator.makeIsolation(this.core);
    this.#driver = new RunDriver(this.core);
  }

  /** True while it waits for resources and nothing of it is at work. */
  get isResting(): boolean {
    return this.#driver.gate.isResting;
  }

  /** Asks a run at rest to wait in its queue instead; false: it may go on soon, or is at work. */
  hurry(): boolean {
    return this.#driver.gate.hurry();
  }

  /** How much of its deadline the epochs before used up, and what lay between them. A resume begins it anew; since then
   *  only active time is known. */
  #toSpent(): number {
    const { record, beforeMs } = this.#parts;
    if (record.epoch <= 1) return 0;
    if (record.resumes > 0) return beforeMs;
    const sinceMs = Math.max(record.startedAtMs ?? 0, record.dueAtMs);
    return Math.max(0, this.#mill.store.nowMs() - sinceMs);
  }

  #toWorld(concurrency: number | undefined): EngineWorld {
    const world = shareOf(this.#mill.world, concurrency);
    const { isolator } = this.#parts;
    if (isolator === undefined) return world;
    const isActive = (): boolean => this.core.isolation?.isActive === true;
    return { ...world, slots: isolator.makeSlots(world.slots, isActive) };
  }

  /** Says what was brought back from an earlier epoch. */
  noteRestored(restored: Restored): void {
    this.resumed = restored;
  }

  /** Starts working. Called once, after the claim is committed. */
  start(): void {
    const { record, sentMs, firstEvents } = this.#parts;
    this.#mill.live.set(this.id, this);
    this.#mill.keeper.keep(
      {
        id: this.id,
        epoch: record.epoch,
        deadlineAtMs: this.core.deadlineAtMs,
        lost: (error) => this.#driver.fail(error),
        cancelRequested: (reason) => this.#hearCancel(reason),
        listRunning: (limit) => this.listRunning(limit),
      },
      sentMs,
    );
    this.#told(firstEvents.events, firstEvents.numbers);
    if (this.#mill.events.settings.archive !== null) void this.#settleArchive();
    this.#result = this.#drive();
    // Whoever awaits the result sees the fault; without anybody it must not end the process.
    this.#result.catch(() => undefined);
  }

  async #drive(): Promise<RunResult> {
    try {
      // Its end may have been asked for while nobody worked on it.
      const { cancelRequestedAtMs, cancelReason } = this.#parts.record;
      const cancelled = cancelRequestedAtMs === null ? null : (cancelReason ?? "cancelled");
      const driven = await this.#driver.drive(cancelled);
      const endedMs = this.#mill.world.clock.monotonicMs();
      const end = await this.#conclude(driven);
      await this.#loadOutputs();
      return new DrivenResult(this.core, {
        name: this.name,
        end,
        startedAtMs: this.#parts.record.startedAtMs,
        endedAtMs: this.core.wallOf(endedMs),
      });
    } catch (error) {
      await this.#letGo(error);
      throw error;
    } finally {
      this.#mill.keeper.release(this.id);
      this.#mill.live.delete(this.id);
      this.#mill.places.emit();
      for (const queue of this.#queues) queue.end();
    }
  }

  async #conclude(driven: DriveEnd): Promise<RunEnd> {
    if (driven.kind === "over") {
      const end = decideEnd(this.core, driven);
      const durationMs = end.durationMs + this.#parts.beforeMs;
      const odd = (await this.#settleArchive()) ? 1 : 0;
      const total = { ...end, durationMs, warnings: end.warnings + odd };
      await this.#journal.endRun(total, [toRunEvent(total)]);
      return total;
    }
    const { wait } = driven;
    const end = this.#toParked();
    if (wait === null) {
      await this.#journal.parkRun(end, [this.#toLetGo("interrupted")]);
      return end;
    }
    const { wakeAtMs, reason, waitsFor } = wait;
    const parked = { ...end, to: "waiting", reason, wakeAtMs, waitsFor } as const;
    const data = { blocker: reason, dueAtMs: wakeAtMs };
    await this.#journal.parkRun(parked, [{ type: "run.parked", data }]);
    return parked;
  }

  /** Brings its events so far to the files that were asked for; true: they cannot be written, which is a warning of the
   *  run and no more. */
  async #settleArchive(): Promise<boolean> {
    if (this.#mill.events.settings.archive === null) return false;
    const { openArchive } = await import("./events/open-archive.ts");
    return await (await openArchive(this.#mill)).settle();
  }

  #toLiveOnly(): LiveOnly | null {
    const types = this.#mill.events.settings.liveOnly;
    return types.size === 0 ? null : { types, tell: (draft) => this.#tell(draft) };
  }

  #toParked(): RunEnd {
    const activeMs = this.#mill.world.clock.monotonicMs() - this.core.startedMs;
    return {
      ...(this.#parts.record.foreground
        ? { to: "waiting", reason: "interrupted" }
        : { to: "queued", reason: null }),
      durationMs: activeMs + this.#parts.beforeMs,
      warnings: 0,
      failure: null,
      metrics: {},
    };
  }

  /** In the foreground a run waits for its resume; one of a queue goes back to it. */
  #toLetGo(reason: string): EventDraft {
    if (this.#parts.record.foreground) return { type: "run.interrupted", data: { reason } };
    return { type: "run.returned", data: { reason } };
  }

  /** The store failed, or we did: the run is parked if that can still be written, so that it can be resumed at
   *  once. Where it was lost to another owner nothing of this changes anything. */
  async #letGo(error: unknown): Promise<void> {
    const reason = isMillraceError(error) ? error.message : "its process met an internal error";
    try {
      await this.#journal.parkRun(this.#toParked(), [this.#toLetGo(reason)]);
    } catch {
      // Then its lease runs out, and whoever resumes it takes it from there. The first error is the one to tell.
    }
  }

  /** Outputs that lie in blobs are brought in, so that the result answers without waiting. */
  async #loadOutputs(): Promise<void> {
    const loads: Promise<void>[] = [];
    for (const stageRun of this.core.stages) collectLoads(this.core, stageRun, loads);
    if (loads.length > 0) await Promise.all(loads);
  }

  /** Events are made only for those who listen. */
  #told(drafts: readonly EventDraft[], numbers: EventNumbers): void {
    this.#lastSeq = numbers.firstSeq + drafts.length - 1;
    this.#mill.resources.tell(drafts);
    if (this.#events.size === 0) return;
    for (const event of toEvents(this.id, drafts, numbers)) this.#events.emit(event);
  }

  #emit(event: MillraceEvent): void {
    this.#lastSeq = event.seq;
    this.#events.emit(event);
  }

  #tell(draft: EventDraft): void {
    const { live } = this.#mill.events;
    if (this.#events.size === 0 && live.size === 0) return;
    const atMs = this.#mill.world.clock.wallMs();
    const event: MillraceEvent = { ...draft, seq: 0, runSeq: 0, atMs, run: this.id };
    this.#events.emit(event);
    live.emit(event);
  }

  /** Somebody else asked for the end: its event is told here too, so that listeners see no gap. */
  #hearCancel(reason: string): void {
    if (this.#cancelHeard) return;
    this.#cancelHeard = true;
    const asked = this.#mill.store.listEvents({
      runId: this.id,
      after: this.#lastSeq,
      limit: RECENT_EVENTS_MAX,
    });
    asked
      .then((events) => {
        for (const event of events) if (event.type === "run.cancel_requested") this.#emit(event);
      })
      .catch(() => undefined)
      .finally(() => this.#driver.cancel(reason));
  }

  /** What of it runs now, at most so many. */
  listRunning(limit: number): readonly WorkEntry[] {
    const work: WorkEntry[] = [];
    for (const attempt of this.#driver.runner.running) {
      if (work.length >= limit) break;
      // Its row says that a block of it waits, and for what.
      if (attempt.atGate?.isTellingBlock === true) continue;
      const { stage, item, attempt: number, startedMs, progressed } = attempt;
      work.push({
        run: this.name,
        stage,
        attempt: number,
        startedAtMs: startedMs < 0 ? null : this.core.wallOf(startedMs),
        ...(item === undefined ? {} : { item: item.key, index: item.index }),
        ...(progressed === null ? {} : { progress: progressed }),
      });
    }
    return work;
  }

  result(): Promise<RunResult> {
    return this.#result ?? Promise.reject(new Error("The run was not started."));
  }

  onEvent(listener: (event: MillraceEvent) => void): () => void {
    return this.#events.on(listener);
  }

  events(): AsyncIterable<MillraceEvent> {
    let leave = (): void => {};
    const queue = new EventQueue(READER_QUEUE_MAX, () => leave());
    const stop = this.#events.on((event) => queue.push(event));
    this.#queues.add(queue);
    leave = () => {
      stop();
      this.#queues.delete(queue);
    };
    return queue;
  }

  async cancel(reason: string = "cancelled by its owner"): Promise<void> {
    this.#driver.cancel(reason);
    const ended = await this.result().catch(() => undefined);
    if (ended?.state !== "waiting" || this.#parts.record.foreground) return;
    // It was on its way to wait elsewhere: then nobody has to be asked, or its next owner is.
    await this.#mill.committer.write({ kind: "request-cancel", runId: this.id, reason });
  }

  async interrupt(drainMs: number = DRAIN_MS_DEFAULT): Promise<void> {
    this.#driver.park(drainMs);
    await this.result().catch(() => undefined);
  }

  /** Gives the run back without waiting for what does not stop. Resolves when that is written, or cannot be. */
  async giveBack(): Promise<void> {
    const text = `Its process ended before run ${this.name} did.`;
    this.#driver.fail(new MillraceError("SHUTDOWN", text, { details: { run: this.id } }));
    await this.result().catch(() => undefined);
  }

  async why(stage?: string, item?: string): Promise<Explanation> {
    const { explainRun } = await import("./explain.ts");
    return await explainRun(this.#mill.store, this.#parts.record, {
      ...(stage === undefined ? {} : { stage }),
      ...(item === undefined ? {} : { item }),
    });
  }
}

/** The world of one run: with a limit of its own within that of the process, if it has one. */
function shareOf(world: EngineWorld, concurrency: number | undefined): EngineWorld {
  if (concurrency === undefined) return world;
  return { ...world, slots: new SlotShare(world.slots, concurrency) };
}
