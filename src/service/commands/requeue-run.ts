// Queues a rerun: a new run over the same input, linked to the old one, for whoever works.

import type { PipelineDefinition } from "../../model/definition.ts";
import { MillraceError } from "../../model/errors.ts";
import { PAGE_ROWS_MAX } from "../../model/limits.ts";
import { isRunOver, type RunRecord } from "../../model/run.ts";
import type { CreateRunWrite, TakenStage } from "../../storage/write.ts";
import { askOnce, type Gate } from "../health/pass-gate.ts";
import { getDefinition, type MillContext } from "../mill-context.ts";
import { refuseThreadsWithoutModule } from "../prepare-run.ts";
import { findRun, runName } from "../queries/find-run.ts";
import { whileOpen } from "./begin-run.ts";
import { readInputText } from "./input-text.ts";
import { planTakeOver } from "./rerun-run.ts";
import { listTaken } from "./take-over.ts";
import { queueFull } from "../queue-import/queue-full.ts";
import { Selection, type SelectionOutcome } from "../selection/run-selection.ts";

/** What may be said of runs that are queued again. */
export interface RequeueWishes {
  /** True: queues although the health of the pipeline (`gate: "health"`) is degraded or unstable, which is kept with the
   *  runs. Default false: HEALTH_REFUSED. */
  readonly override?: boolean;
}

/** What a queued rerun takes over. Default: nothing. */
export interface RequeueOptions extends RequeueWishes {
  /** All checkpoints but those of this stage and of all after it. */
  readonly from?: string;
  /** Every success. */
  readonly onlyFailed?: boolean;
  /** Where it was asked for, for people. Default: where the old run came from. */
  readonly source?: string;
  /** Of the new run: where there is one with this id, it is the one that an earlier call made. Default: a new one. */
  readonly id?: string;
  /** Asked instead of the gate, where many are queued again. Default: the gate of its pipeline. */
  readonly gate?: Gate;
}

/** Queues a rerun of one run. RUN_STATE_CONFLICT unless it has ended, STAGE_UNKNOWN, HEALTH_REFUSED. */
export async function requeueRun(
  mill: MillContext,
  reference: string,
  options: RequeueOptions = {},
): Promise<RunRecord> {
  return await requeue(mill, await findRun(mill.store, reference), options);
}

/** What may be said of a batch that is queued again. */
export interface RequeueBatchOptions extends RequeueWishes {
  /** True: only counts. Default false. */
  readonly dryRun?: boolean;
}

/** Queues a rerun of every run of a batch; those that have not ended are skipped. RUN_NOT_FOUND: no such batch;
 *  HEALTH_REFUSED. */
export async function requeueBatch(
  mill: MillContext,
  batch: string,
  { dryRun = false, override = false }: RequeueBatchOptions = {},
): Promise<SelectionOutcome> {
  const found = await mill.store.findBatch(batch);
  if (found === undefined) throw batchNotFound(mill, batch);
  const gate = askOnce(mill, { override, source: SOURCE });
  // First, since a run that is refused is left, and the rest goes on.
  if (!dryRun) await gate(getDefinition(mill, found.pipeline));
  const selection = new Selection();
  for (let afterNumber = 0; ;) {
    const page = await mill.store.listBatchRuns({ batch, limit: PAGE_ROWS_MAX, afterNumber });
    selection.match(page.length);
    if (!dryRun) await selection.changeEach(page, (run) => requeue(mill, run, { gate }));
    if (page.length < PAGE_ROWS_MAX) return selection.outcome;
    afterNumber = page.at(-1)?.number ?? 0;
  }
}

async function requeue(
  mill: MillContext,
  old: RunRecord,
  options: RequeueOptions = {},
): Promise<RunRecord> {
  const made = options.id === undefined ? undefined : await mill.store.findRun(options.id);
  if (made !== undefined) return made;
  const name = runName(old);
  if (!isRunOver(old.state)) {
    throw new MillraceError(
      "RUN_STATE_CONFLICT",
      `Run ${name} is ${old.state}: only a run that has ended is queued again.`,
      {
        next: `npx millrace why ${name}`,
        details: { run: old.id, name, state: old.state },
      },
    );
  }
  const definition = getDefinition(mill, old.pipeline);
  const taken = await listTakenOver(mill, { old, definition, options });
  const { override = false, source = SOURCE } = options;
  const gate = options.gate ?? askOnce(mill, { override, source });
  const write = toCreate(mill, {
    definition,
    old,
    options,
    taken,
    overridden: await gate(definition),
  });
  const result = await whileOpen(mill, () => mill.committer.write(write));
  if (result.kind === "full")
    throw queueFull(definition, { created: 0, duplicates: 0, refused: 1 });
  if (result.kind !== "done" || result.run === undefined)
    throw new MillraceError("STORE_FAILED", `The store did not make the run: ${result.kind}.`);
  mill.wake.emit(old.pipeline);
  return result.run;
}

/** Where a run that is queued again was asked for, in what is told of a refusal. */
const SOURCE = "requeue";

interface Requeued {
  readonly old: RunRecord;
  readonly definition: PipelineDefinition;
  readonly options: RequeueOptions;
}

async function listTakenOver(
  mill: MillContext,
  { old, definition, options }: Requeued,
): Promise<readonly TakenStage[]> {
  if (options.from === undefined && options.onlyFailed !== true) return [];
  const { stale } = await readInputText(definition, old);
  const plan = await planTakeOver(mill, { old, definition, options, stale });
  return plan === null ? [] : listTaken(definition, plan);
}

interface CreateParts extends Requeued {
  readonly taken: readonly TakenStage[];
  /** How its pipeline is doing where the gate was overridden; null: there was nothing to override. */
  readonly overridden: string | null;
}

/** Its key stays with the old run, which is still there to be found by it. */
function toCreate(
  mill: MillContext,
  { definition, old, options, taken, overridden }: CreateParts,
): CreateRunWrite {
  refuseThreadsWithoutModule(definition);
  const { scheduled } = old.settings;
  const override = overridden === null ? {} : { override: overridden };
  return {
    kind: "create-run",
    run: {
      id: options.id ?? mill.nextId(),
      pipeline: old.pipeline,
      definitionHash: definition.hash,
      key: null,
      input: old.input,
      inputVersion: old.inputVersion,
      foreground: false,
      parent: old.id,
      source: options.source ?? old.source,
      tags: old.tags,
      settings: { ...override, ...(scheduled === undefined ? {} : { scheduled }) },
      priority: old.priority,
    },
    definitionJson: definition.json,
    claim: null,
    maxQueued: definition.maxQueued,
    ...(taken.length === 0 ? {} : { takeOver: { from: old.id, stages: taken } }),
    events: [
      {
        type: "run.created",
        data: {
          pipeline: definition.name,
          stages: definition.stages.length,
          definition: definition.hash,
          parent: old.id,
          ...override,
        },
      },
    ],
  };
}

function batchNotFound(mill: MillContext, batch: string): MillraceError {
  return new MillraceError("RUN_NOT_FOUND", `There is no batch "${batch}" in ${mill.store.url}.`, {
    next: "npx millrace runs",
    details: { given: batch },
  });
}
