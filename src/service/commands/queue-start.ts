// Queues one run for whoever works, with all that a start may be told: its input is checked first, what `only` and
// `from` read is taken over from the newest run with the same input, and the gate of the pipeline is asked.

import { encodeOrThrow } from "../../engine/run-core.ts";
import type { PipelineDefinition } from "../../model/definition.ts";
import { MillraceError } from "../../model/errors.ts";
import { listUpstream } from "../../model/graph.ts";
import { parseDuration, type Duration } from "../../std/duration.ts";
import type { CreateRunWrite, TakenStage } from "../../storage/write.ts";
import type { WriteResult } from "../../storage/write-result.ts";
import { passGate } from "../health/pass-gate.ts";
import type { MillContext } from "../mill-context.ts";
import { refuseThreadsWithoutModule, toSettings } from "../prepare-run.ts";
import { queueFull } from "../queue-import/queue-full.ts";
import { whileOpen } from "./begin-run.ts";
import { checkEntry, type EnqueuedRun } from "./enqueue-runs.ts";
import { checkLabels } from "./check-labels.ts";
import { createAlone, refuseActive } from "./start-alone.ts";
import { toInputText, toInputVersion } from "./input-text.ts";
import type { StartOptions } from "./start-run.ts";
import { selectTakeOver, type Selection } from "./take-over.ts";

/** What a caller may say of a run it queues. */
export interface QueueStartOptions extends Omit<
  StartOptions,
  "provide" | "onEvent" | "onWait" | "signal" | "parentRun"
> {
  /** -1,000 to 1,000. Default 0. */
  readonly priority?: number;
  /** Not claimed before this has passed. Default 0. */
  readonly delay?: Duration;
  /** Of the new run: where there is one with this id, it is the one that an earlier call made. Default: a new one. */
  readonly id?: string;
}

/** What to queue. */
export interface QueueStartRequest {
  readonly definition: PipelineDefinition;
  readonly input: unknown;
  readonly options: QueueStartOptions;
  /** Only where no run of the pipeline is under way. Default false. */
  readonly alone?: boolean;
}

/**
 * Queues a run; resolves when it is committed. One whose key is known makes no second run. INPUT_INVALID,
 * OPTION_INVALID, STAGE_UNKNOWN, CHECKPOINT_MISSING, HEALTH_REFUSED, QUEUE_FULL; with `alone` RUN_BUSY.
 */
export async function queueStart(
  mill: MillContext,
  { definition, input, options, alone = false }: QueueStartRequest,
): Promise<EnqueuedRun> {
  // An earlier call made it, and its answer was lost: nothing is asked again, the gate included.
  const made = options.id === undefined ? undefined : await mill.store.findRun(options.id);
  if (made !== undefined) return { run: made, created: true };
  if (alone) await refuseActive(mill.store, definition.name);
  refuseThreadsWithoutModule(definition);
  checkLabels(options);
  checkEntry({ ...options, input }, "");
  toSettings(definition, options);
  const given = encodeOrThrow(input, "the input");
  const inputVersion = toInputVersion(await toInputText(definition, input));
  const selected = await selectTakeOver(mill, { definition, options, inputVersion });
  const selection = await withUpstream(mill, { definition, options }, selected);
  const { key, override = false, source = "http" } = options;
  const overridden = await passGate(mill, definition, { override, source, keys: [key] });
  const parts = { definition, options, given, inputVersion, selection, overridden };
  const write = toCreate(mill, parts);
  const result = await whileOpen(mill, () =>
    alone ? createAlone(mill, write) : mill.committer.write(write),
  );
  const queued = toQueued(definition, result);
  if (queued.created) mill.wake.emit(definition.name);
  return queued;
}

/**
 * Whoever claims the run judges its checkpoints like those of any other, so that a result needs the results before it:
 * with `only`, all that lies above what is read comes along.
 */
async function withUpstream(
  { store }: MillContext,
  { definition, options }: Pick<QueueStartRequest, "definition" | "options">,
  selection: Selection | null,
): Promise<Selection | null> {
  const { only } = options;
  if (selection === null || only === undefined) return selection;
  const { takeOver } = selection;
  const places = only.flatMap((name) => definition.positions.get(name) ?? []);
  const above = listUpstream(definition.graph, places);
  const settled = (await store.listStages(takeOver.from)).filter(
    ({ stage, state }) =>
      (state === "succeeded" || state === "skipped") &&
      !only.includes(stage) &&
      above.has(definition.positions.get(stage) ?? -1),
  );
  const stages = settled.map(({ stage }): TakenStage => ({ stage, mode: "whole" }));
  const names = stages.map(({ stage }) => stage);
  return { takeOver: { ...takeOver, stages }, only: [...only, ...names] };
}

function toQueued(definition: PipelineDefinition, result: WriteResult): EnqueuedRun {
  if (result.kind === "key-taken") return { run: result.run, created: false };
  const isMade = result.kind === "done" || result.kind === "recorded";
  if (isMade && result.run !== undefined) return { run: result.run, created: true };
  if (result.kind === "full")
    throw queueFull(definition, { created: 0, duplicates: 0, refused: 1 });
  throw new MillraceError("STORE_FAILED", `The store did not make the run: ${result.kind}.`);
}

interface CreateParts extends Pick<QueueStartRequest, "definition" | "options"> {
  readonly given: CreateRunWrite["run"]["input"];
  readonly inputVersion: string;
  readonly selection: Selection | null;
  readonly overridden: string | null;
}

function toCreate(mill: MillContext, parts: CreateParts): CreateRunWrite {
  const { definition, options, given, inputVersion, selection, overridden } = parts;
  const { from, delay } = options;
  const takeOver = selection?.takeOver;
  const waited = delay === undefined ? undefined : parseDuration(delay);
  return {
    kind: "create-run",
    run: {
      id: options.id ?? mill.nextId(),
      pipeline: definition.name,
      definitionHash: definition.hash,
      key: options.key ?? null,
      input: given,
      inputVersion,
      foreground: false,
      parent: takeOver?.from ?? null,
      source: options.source ?? "http",
      tags: options.tags ?? {},
      settings: {
        ...toSettings(definition, options),
        ...(selection === null ? {} : { only: selection.only }),
        ...(overridden === null ? {} : { override: overridden }),
        ...(from === undefined ? {} : { from }),
      },
      priority: options.priority ?? 0,
      delayMs: waited?.ok === true ? waited.value : 0,
    },
    definitionJson: definition.json,
    claim: null,
    maxQueued: definition.maxQueued,
    ...(takeOver === undefined
      ? {}
      : { takeOver: { from: takeOver.from, stages: takeOver.stages } }),
    events: [
      {
        type: "run.created",
        data: {
          pipeline: definition.name,
          stages: definition.stages.length,
          definition: definition.hash,
          ...(takeOver === undefined ? {} : { parent: takeOver.from }),
          ...(overridden === null ? {} : { override: overridden }),
        },
      },
    ],
  };
}
