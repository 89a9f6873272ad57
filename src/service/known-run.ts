// A run that has ended, as a handle: what `start` answers when the key is known. Nothing of it runs here.

import type { StageRecord } from "../model/checkpoint.ts";
import type { PipelineDefinition } from "../model/definition.ts";
import { stageUnknown } from "../model/compile/compile.ts";
import { MillraceError } from "../model/errors.ts";
import type { MillraceEvent } from "../model/event.ts";
import { isRunOver, type RunRecord } from "../model/run.ts";
import { versionOfText } from "../std/json.ts";
import { restoreRun } from "../engine/restore/restore.ts";
import { collectLoads } from "../engine/needs.ts";
import { DurableJournal } from "../engine/ledger/durable-journal.ts";
import { RunCore } from "../engine/run-core.ts";
import { explainRun, type Explanation } from "./explain.ts";
import { getDefinition, type MillContext } from "./mill-context.ts";
import { findRun, runName } from "./queries/find-run.ts";
import type { RunHandle } from "./run-handle.ts";
import type { RunResult } from "./run-result.ts";
import { DrivenResult } from "./outputs.ts";

/** An ended run. */
export class KnownRun implements RunHandle {
  readonly id: string;
  readonly name: string;
  readonly number: number;
  readonly definition: PipelineDefinition;
  readonly created: boolean = false;
  readonly #mill: MillContext;
  readonly #run: RunRecord;
  #result: RunResult | null = null;

  constructor(
    mill: MillContext,
    parts: { readonly definition: PipelineDefinition; readonly run: RunRecord },
  ) {
    this.#mill = mill;
    this.#run = parts.run;
    this.definition = parts.definition;
    this.id = parts.run.id;
    this.number = parts.run.number;
    this.name = runName(parts.run);
  }

  /** Reads what the run gave. Called once, before the handle is given out. */
  async load(): Promise<void> {
    this.#result = await readResult(this.#mill, this.definition, this.#run);
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
    return explainRun(this.#mill.store, this.#run, {
      ...(stage === undefined ? {} : { stage }),
      ...(item === undefined ? {} : { item }),
    });
  }
}

/** The result of a run by short name, id or "last". RUN_NOT_FOUND, RUN_STATE_CONFLICT where there is none yet. */
export async function findResult(mill: MillContext, reference: string): Promise<RunResult> {
  const run = await findRun(mill.store, reference);
  const live = mill.live.get(run.id);
  if (live !== undefined) return await live.result();
  if (isRunOver(run.state) || run.state === "waiting")
    return await readResult(mill, getDefinition(mill, run.pipeline), run);
  const name = runName(run);
  throw new MillraceError(
    "RUN_STATE_CONFLICT",
    `Run ${name} is ${run.state}: it has no result yet.`,
    {
      hint: "another process works on it, or will",
      next: `npx millrace why ${name}`,
      details: { run: run.id, name, state: run.state },
    },
  );
}

/** The result of a run that has ended, or waits, from its rows. */
async function readResult(
  { store, world }: MillContext,
  definition: PipelineDefinition,
  run: RunRecord,
): Promise<RunResult> {
  const journal = new DurableJournal({
    store,
    blobs: store.blobs,
    committer: {
      write: () => Promise.reject(new Error("An ended run is not written.")),
      post: () => {
        throw new Error("An ended run is not written.");
      },
    },
    runId: run.id,
    epoch: run.epoch,
    worker: "",
    onTold: () => {},
    onFault: () => {},
  });
  const core = new RunCore({
    definition,
    runId: run.id,
    input: undefined,
    inputText: run.input,
    inputVersion: run.inputVersion,
    settings: run.settings,
    provide: {},
    world,
    journal,
    sink: null,
  });
  const checkpoints = await store.loadCheckpoints(run.id);
  for (const record of checkpoints.stages) refuseDamaged(run, definition, record);
  const stages = checkpoints.stages.flatMap((record) => {
    const position = definition.positions.get(record.stage);
    return position === undefined
      ? []
      : [{ position, stage: record.stage, action: "keep" as const, reason: null }];
  });
  restoreRun(core, { checkpoints, plan: { stages, vanished: [] } }, { everyEnding: true });
  const loads: Promise<void>[] = [];
  for (const stageRun of core.stages) collectLoads(core, stageRun, loads);
  await Promise.all(loads);
  return new DrivenResult(core, {
    name: runName(run),
    startedAtMs: run.startedAtMs,
    endedAtMs: run.endedAtMs ?? run.updatedAtMs,
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

/** VALUE_DAMAGED for an output in a row that is not what was stored; one in a blob is looked at when it is read. */
function refuseDamaged(
  run: RunRecord,
  definition: PipelineDefinition,
  { stage, output, outputVersion }: StageRecord,
): void {
  const position = definition.positions.get(stage);
  // The version of a list is made of its items, which lie in rows of their own.
  if (position === undefined || definition.stages[position]?.map !== null) return;
  if (output?.kind !== "inline" || outputVersion === null) return;
  if (versionOfText(output.text) === outputVersion) return;
  throw new MillraceError(
    "VALUE_DAMAGED",
    `The stored output of stage "${stage}" of run ${runName(run)} is damaged.`,
    {
      hint: "Its content does not match its version. What made it has to be done again.",
      next: `npx millrace rerun ${runName(run)}`,
      details: { run: run.id, stage },
    },
  );
}
