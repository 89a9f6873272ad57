// Queues a rerun: a new run over the same input, linked to the old one, for whoever works.

import type { PipelineDefinition } from "../../model/definition.ts";
import { MillraceError } from "../../model/errors.ts";
import { PAGE_ROWS_MAX } from "../../model/limits.ts";
import { isRunOver, type RunRecord } from "../../model/run.ts";
import type { CreateRunWrite } from "../../storage/write.ts";
import { getDefinition, type MillContext } from "../mill-context.ts";
import { refuseUnavailable } from "../prepare-run.ts";
import { findRun, runName } from "../queries/find-run.ts";
import { whileOpen } from "./begin-run.ts";
import { queueFull } from "../queue-import/queue-full.ts";
import { Selection, type SelectionOutcome } from "../selection/run-selection.ts";

/** Queues a rerun of one run. RUN_STATE_CONFLICT unless it has ended. */
export async function requeueRun(mill: MillContext, reference: string): Promise<RunRecord> {
  return await requeue(mill, await findRun(mill.store, reference));
}

/** Queues a rerun of every run of a batch; those that have not ended are skipped. RUN_NOT_FOUND: no such batch. */
export async function requeueBatch(
  mill: MillContext,
  batch: string,
  options: { readonly dryRun?: boolean } = {},
): Promise<SelectionOutcome> {
  if ((await mill.store.findBatch(batch)) === undefined) throw batchNotFound(mill, batch);
  const selection = new Selection();
  for (let afterNumber = 0; ;) {
    const page = await mill.store.listBatchRuns({ batch, limit: PAGE_ROWS_MAX, afterNumber });
    selection.match(page.length);
    if (options.dryRun !== true) await selection.changeEach(page, (run) => requeue(mill, run));
    if (page.length < PAGE_ROWS_MAX) return selection.outcome;
    afterNumber = page.at(-1)?.number ?? 0;
  }
}

async function requeue(mill: MillContext, old: RunRecord): Promise<RunRecord> {
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
  const write = toCreate(mill, definition, old);
  const result = await whileOpen(mill, () => mill.committer.write(write));
  if (result.kind === "full")
    throw queueFull(definition, { created: 0, duplicates: 0, refused: 1 });
  if (result.kind !== "done" || result.run === undefined)
    throw new MillraceError("STORE_FAILED", `The store did not make the run: ${result.kind}.`);
  mill.wake.emit(old.pipeline);
  return result.run;
}

/** Its key stays with the old run, which is still there to be found by it. */
function toCreate(
  mill: MillContext,
  definition: PipelineDefinition,
  old: RunRecord,
): CreateRunWrite {
  refuseUnavailable(definition);
  return {
    kind: "create-run",
    run: {
      id: mill.nextId(),
      pipeline: old.pipeline,
      definitionHash: definition.hash,
      key: null,
      input: old.input,
      inputVersion: old.inputVersion,
      foreground: false,
      parent: old.id,
      source: old.source,
      tags: old.tags,
      settings:
        old.settings.scheduled === undefined ? {} : { scheduled: old.settings.scheduled },
      priority: old.priority,
    },
    definitionJson: definition.json,
    claim: null,
    maxQueued: definition.maxQueued,
    events: [
      {
        type: "run.created",
        data: {
          pipeline: definition.name,
          stages: definition.stages.length,
          definition: definition.hash,
          parent: old.id,
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
