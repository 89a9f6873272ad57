// A run that has ended, as a handle: what `start` answers when the key is known. Nothing of it runs here.

import type { PipelineDefinition } from "../model/definition.ts";
import { stageUnknown } from "../model/compile/compile.ts";
import { MillraceError } from "../model/errors.ts";
import type { MillraceEvent } from "../model/event.ts";
import type { RunRecord } from "../model/run.ts";
import { restoreRun } from "../engine/restore.ts";
import { collectLoads } from "../engine/needs.ts";
import { DurableJournal } from "../engine/durable-journal.ts";
import { RunCore } from "../engine/run-core.ts";
import { Slots } from "../engine/slots.ts";
import { systemClock } from "../std/clock.ts";
import { systemRandom } from "../std/random.ts";
import type { Store } from "../storage/store.ts";
import { explainRun, type Explanation } from "./explain.ts";
import { runName } from "./queries/find-run.ts";
import type { RunHandle } from "./run-handle.ts";
import type { RunResult } from "./run-result.ts";
import { DrivenResult } from "./outputs.ts";
import { makeFiles } from "./world.ts";

/** An ended run. */
export class KnownRun implements RunHandle {
  readonly id: string;
  readonly name: string;
  readonly number: number;
  readonly definition: PipelineDefinition;
  readonly created: boolean = false;
  readonly #store: Store;
  readonly #run: RunRecord;
  #result: RunResult | null = null;

  constructor(
    store: Store,
    parts: { readonly definition: PipelineDefinition; readonly run: RunRecord },
  ) {
    this.#store = store;
    this.#run = parts.run;
    this.definition = parts.definition;
    this.id = parts.run.id;
    this.number = parts.run.number;
    this.name = runName(parts.run);
  }

  /** Reads what the run gave. Called once, before the handle is given out. */
  async load(): Promise<void> {
    this.#result = await readResult(this.#store, this.definition, this.#run);
  }

  result(): Promise<RunResult> {
    if (this.#result === null) return Promise.reject(new Error("The run was not loaded."));
    return Promise.resolve(this.#result);
  }

  onEvent(): () => void {
    return () => {};
  }

  async *events(): AsyncIterable<MillraceEvent> {
    // It has ended: nothing happens any more.
  }

  cancel(): Promise<void> {
    const { state } = this.#run;
    if (state === "cancelled") return Promise.resolve();
    return Promise.reject(
      new MillraceError(
        "RUN_STATE_CONFLICT",
        `Run ${this.name} has ended ${state}: it cannot be cancelled.`,
      ),
    );
  }

  interrupt(): Promise<void> {
    return Promise.resolve();
  }

  why(stage?: string, item?: string): Promise<Explanation> {
    if (stage !== undefined && !this.definition.positions.has(stage))
      throw stageUnknown(this.definition, stage);
    return explainRun(this.#store, this.#run, {
      ...(stage === undefined ? {} : { stage }),
      ...(item === undefined ? {} : { item }),
    });
  }
}

/** The result of a run that has ended, from its rows. */
export async function readResult(
  store: Store,
  definition: PipelineDefinition,
  run: RunRecord,
): Promise<RunResult> {
  const journal = new DurableJournal({
    store,
    committer: { write: () => Promise.reject(new Error("An ended run is not written.")) },
    runId: run.id,
    epoch: run.epoch,
    onEvent: () => {},
  });
  const core = new RunCore({
    definition,
    runId: run.id,
    input: undefined,
    inputText: run.input,
    inputVersion: run.inputVersion,
    settings: run.settings,
    provide: {},
    world: {
      clock: systemClock,
      random: systemRandom,
      slots: new Slots(1),
      files: makeFiles(store.url),
      blobs: store.blobs,
      environment: {},
      graceMs: 0,
      stuckMs: 0,
    },
    journal,
    sink: null,
  });
  const checkpoints = await store.loadCheckpoints(run.id);
  const stages = checkpoints.stages.flatMap((record) => {
    const position = definition.positions.get(record.stage);
    return position === undefined
      ? []
      : [{ position, stage: record.stage, action: "keep" as const, reason: null }];
  });
  restoreRun(core, checkpoints, { stages, vanished: [] }, { everyEnding: true });
  const loads: Promise<void>[] = [];
  for (const stageRun of core.stages) collectLoads(core, stageRun, loads);
  await Promise.all(loads);
  for (const stageRun of core.stages) {
    const { state, failure } = stageRun;
    if (state === "failed" && failure !== null) core.noteError(stageRun, { failure, index: null });
  }
  return new DrivenResult(core, {
    name: runName(run),
    end: {
      to: run.state,
      reason: run.reason,
      durationMs: run.durationMs ?? 0,
      warnings: run.warnings,
      failure: run.failure,
      metrics: run.metrics,
    },
  });
}
