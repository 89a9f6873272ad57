// Does a run again as a new one, linked to the old: from the beginning, from a stage, or only what failed.

import { stageUnknown } from "../../model/compile/compile.ts";
import type { PipelineDefinition } from "../../model/definition.ts";
import { MillraceError } from "../../model/errors.ts";
import type { MillraceEvent } from "../../model/event.ts";
import type { RunRecord } from "../../model/run.ts";
import { decideReset, type ResetPlan } from "../../policy/reuse.ts";
import { listUnfinished } from "../../engine/restore/restore.ts";
import { encodeOrThrow } from "../../engine/run-core.ts";
import type { EncodedValue } from "../../std/value.ts";
import type { CreateRunWrite } from "../../storage/write.ts";
import type { LiveRun } from "../live-run.ts";
import { passGate } from "../health/pass-gate.ts";
import { getDefinition, type MillContext } from "../mill-context.ts";
import {
  checkProvided,
  refuseThreadsWithoutModule,
  toSettings,
  type RunChoices,
} from "../prepare-run.ts";
import { findRun } from "../queries/find-run.ts";
import { beginRun, whileOpen } from "./begin-run.ts";
import { createInPlace } from "./claim-place.ts";
import { readInputText, toInputVersion } from "./input-text.ts";
import { listRedo, listTaken, readTakenOver } from "./take-over.ts";

/** What a caller may say of a rerun. */
export interface RerunOptions extends RunChoices {
  /** Takes over all checkpoints but those of this stage and of all after it. */
  readonly from?: string;
  /** Takes over every success. */
  readonly onlyFailed?: boolean;
  /** True: makes it although the health of its pipeline (`gate: "health"`) is degraded or unstable, which is kept with
   *  the run. Default false: HEALTH_REFUSED. */
  readonly override?: boolean;
  /** Another input; then nothing is taken over. Default: the old run's. */
  readonly input?: unknown;
  readonly tags?: Readonly<Record<string, string>>;
  readonly source?: string;
  readonly provide?: Readonly<Record<string, unknown>>;
  /** Told every event from the first one on; a listener added to the handle misses what happened before. */
  readonly onEvent?: (event: MillraceEvent) => void;
}

/** Makes the new run and works on it here. */
export async function rerunRun(
  mill: MillContext,
  reference: string,
  options: RerunOptions,
): Promise<LiveRun> {
  const old = await findRun(mill.store, reference);
  const definition = getDefinition(mill, old.pipeline);
  refuseThreadsWithoutModule(definition);
  const provide = { ...mill.provide, ...options.provide };
  checkProvided(definition, provide);
  const given = options.input === undefined ? old.input : encodeOrThrow(options.input, "the input");
  const { inputText, stale } = await readInputText(definition, { ...old, input: given });
  const plan = await planTakeOver(mill, { old, definition, options, stale });
  if (plan !== null && given !== old.input && toInputVersion(inputText) !== old.inputVersion) {
    throw new MillraceError(
      "OPTION_INVALID",
      "A rerun with another input takes no checkpoints over.",
      {
        hint: "leave out --from and --only-failed, or keep the input",
      },
    );
  }
  const { override = false, source = "rerun" } = options;
  const overridden = await passGate(mill, definition, { override, source });
  const write = toCreate(mill, { old, definition, options, given, inputText, plan, overridden });
  const { onEvent } = options;
  const parts = { definition, inputText, provide, onEvent };
  return await whileOpen(mill, () =>
    createInPlace(mill, { definition, write, onEvent }, async (result, claimed) => {
      if (claimed === null)
        throw new MillraceError("STORE_FAILED", `The store did not make the run: ${result.kind}.`);
      if (plan === null) return beginRun(mill, { ...parts, claimed });
      const found = await readTakenOver(mill, claimed.run.id, definition);
      return beginRun(mill, { ...parts, claimed, kept: { ...found, redo: listRedo(plan) } });
    }),
  );
}

interface CreateParts {
  readonly old: RunRecord;
  readonly definition: PipelineDefinition;
  readonly options: RerunOptions;
  /** As a caller gave it. */
  readonly given: EncodedValue;
  /** As stages read it. */
  readonly inputText: EncodedValue;
  readonly plan: ResetPlan | null;
  /** How its pipeline is doing where the gate was overridden; null: there was nothing to override. */
  readonly overridden: string | null;
}

function toCreate(mill: MillContext, parts: CreateParts): CreateRunWrite {
  const { old, definition, options, given, inputText, plan, overridden } = parts;
  const { scheduled } = old.settings;
  const { from } = options;
  const override = overridden === null ? {} : { override: overridden };
  const stages = plan === null ? [] : listTaken(definition, plan);
  return {
    kind: "create-run",
    run: {
      id: mill.nextId(),
      pipeline: definition.name,
      definitionHash: definition.hash,
      key: null,
      input: given,
      inputVersion: toInputVersion(inputText),
      foreground: true,
      parent: old.id,
      source: options.source ?? "rerun",
      tags: options.tags ?? old.tags,
      settings: {
        ...toSettings(definition, options),
        ...override,
        ...(scheduled === undefined ? {} : { scheduled }),
        ...(from === undefined ? {} : { from }),
      },
    },
    definitionJson: definition.json,
    claim: { owner: mill.owner, leaseMs: mill.leaseMs },
    ...(stages.length === 0 ? {} : { takeOver: { from: old.id, stages } }),
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
      { type: "run.started", data: { epoch: 1 } },
    ],
  };
}

/** What a rerun takes over of the old run; null: nothing, it does all of it again. STAGE_UNKNOWN. */
export async function planTakeOver(
  mill: MillContext,
  request: Pick<CreateParts, "old" | "definition"> & {
    readonly options: Pick<RerunOptions, "from" | "onlyFailed">;
    readonly stale: readonly number[];
  },
): Promise<ResetPlan | null> {
  const { definition, options, old, stale } = request;
  if (options.from === undefined && options.onlyFailed !== true) return null;
  const from = options.from === undefined ? undefined : definition.positions.get(options.from);
  if (options.from !== undefined && from === undefined)
    throw stageUnknown(definition, options.from);
  const checkpoints = await mill.store.loadCheckpoints(old.id);
  return decideReset(definition, checkpoints.stages, {
    unfinished: listUnfinished(checkpoints),
    stale,
    verb: options.onlyFailed === true ? "rerun-failed" : "rerun",
    ...(from === undefined ? {} : { from: [from] }),
  });
}
