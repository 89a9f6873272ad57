// A durable run in the hands of this process: drives it, keeps its lease, tells its events, ends or parks it.
// Modes: made (claimed, not driven yet), `driving`, `settled` (ended, parked, or lost).

import { DRAIN_MS_DEFAULT } from "../model/defaults.ts";
import type { PipelineDefinition } from "../model/definition.ts";
import type { EventDraft, MillraceEvent } from "../model/event.ts";
import { READER_QUEUE_MAX } from "../model/limits.ts";
import type { RunRecord } from "../model/run.ts";
import { DurableJournal } from "../engine/durable-journal.ts";
import { decideEnd } from "../engine/finish.ts";
import type { Journal, RunEnd } from "../engine/journal.ts";
import type { Restored } from "../engine/restore.ts";
import { RunCore } from "../engine/run-core.ts";
import { RunDriver, type DriveEnd } from "../engine/run-driver.ts";
import { collectLoads } from "../engine/needs.ts";
import { Emitter } from "../std/emitter.ts";
import type { EncodedValue } from "../std/value.ts";
import { explainRun, type Explanation } from "./explain.ts";
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
  readonly provide: Readonly<Record<string, unknown>>;
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
  readonly #mill: MillContext;
  readonly #record: RunRecord;
  readonly #journal: Journal;
  readonly #driver: RunDriver;
  readonly #events: Emitter<MillraceEvent> = new Emitter();
  readonly #queues: Set<EventQueue> = new Set();
  #result: Promise<RunResult> | null = null;

  constructor(parts: LiveRunParts) {
    const { mill, definition, record } = parts;
    this.#mill = mill;
    this.#record = record;
    this.id = record.id;
    this.number = record.number;
    this.name = runName(record);
    this.definition = definition;
    this.#journal = new DurableJournal({
      store: mill.store,
      committer: mill.committer,
      runId: record.id,
      epoch: record.epoch,
      onEvent: (event) => this.#events.emit(event),
    });
    this.core = new RunCore({
      definition,
      runId: record.id,
      input: undefined,
      inputText: parts.inputText,
      inputVersion: record.inputVersion,
      settings: record.settings,
      provide: parts.provide,
      world: mill.world,
      journal: this.#journal,
      sink: { tell: (draft) => this.#tell(draft) },
    });
    this.#driver = new RunDriver(this.core);
  }

  /** Says what was brought back from an earlier epoch. */
  noteRestored(restored: Restored): void {
    this.resumed = restored;
  }

  /** Starts working. Called once, after the claim is committed. */
  start(): void {
    this.#mill.live.set(this.id, this);
    this.#mill.keeper.keep({
      id: this.id,
      epoch: this.#record.epoch,
      lost: (error) => this.#driver.fail(error),
      cancelRequested: (reason) => this.#driver.cancel(reason),
      listRunning: (limit) => this.#listRunning(limit),
    });
    this.#result = this.#drive();
    // Whoever awaits the result sees the fault; without anybody it must not end the process.
    this.#result.catch(() => undefined);
  }

  async #drive(): Promise<RunResult> {
    try {
      const driven = await this.#driver.drive();
      const end = await this.#conclude(driven);
      await this.#loadOutputs();
      return new DrivenResult(this.core, { name: this.name, end });
    } finally {
      this.#mill.keeper.release(this.id);
      this.#mill.live.delete(this.id);
      for (const queue of this.#queues) queue.end();
    }
  }

  async #conclude(driven: DriveEnd): Promise<RunEnd> {
    if (driven.kind === "over") {
      const end = decideEnd(this.core, driven);
      const beforeMs = this.#record.durationMs ?? 0;
      const total = { ...end, durationMs: end.durationMs + beforeMs };
      await this.#journal.endRun(total, [toRunEvent(total)]);
      return total;
    }
    await this.#journal.parkRun("interrupted", [
      { type: "run.interrupted", data: { reason: "interrupted" } },
    ]);
    return {
      to: "waiting",
      reason: "interrupted",
      durationMs: this.#mill.world.clock.monotonicMs() - this.core.startedMs,
      warnings: 0,
      failure: null,
      metrics: {},
    };
  }

  /** Outputs that lie in blobs are brought in, so that the result answers without waiting. */
  async #loadOutputs(): Promise<void> {
    const loads: Promise<void>[] = [];
    for (const { stage } of this.definition.outputs)
      collectLoads(this.core, this.core.stageAt(stage), loads);
    await Promise.all(loads);
  }

  #tell(draft: EventDraft): void {
    if (this.#events.size === 0) return;
    this.#events.emit({
      ...draft,
      seq: 0,
      runSeq: 0,
      atMs: this.#mill.world.clock.wallMs(),
      run: this.id,
    });
  }

  #listRunning(limit: number): readonly string[] {
    const names: string[] = [];
    for (const attempt of this.#driver.runner.running) {
      if (names.length >= limit) break;
      const item = attempt.item;
      names.push(`${this.name}/${attempt.stage}${item === undefined ? "" : `/${item.key}`}`);
    }
    return names;
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
    await this.result().catch(() => undefined);
  }

  async interrupt(drainMs: number = DRAIN_MS_DEFAULT): Promise<void> {
    this.#driver.park(drainMs);
    await this.result().catch(() => undefined);
  }

  why(stage?: string, item?: string): Promise<Explanation> {
    return explainRun(this.#mill.store, this.#record, {
      ...(stage === undefined ? {} : { stage }),
      ...(item === undefined ? {} : { item }),
    });
  }
}
