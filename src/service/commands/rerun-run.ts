// Does a run again as a new one, linked to the old: from the beginning, from a stage, or only what failed.

import { MillraceError } from "../../model/errors.ts";
import type { MillraceEvent } from "../../model/event.ts";
import { restoreRun } from "../../engine/restore.ts";
import { encodeOrThrow } from "../../engine/run-core.ts";
import { decideReset, type ResetPlan } from "../../policy/reuse.ts";
import { sha256Hex } from "../../std/json.ts";
import { decodeValue } from "../../std/value.ts";
import type { TakenStage } from "../../storage/store.ts";
import { stageUnknown } from "../../model/compile/compile.ts";
import { LiveRun } from "../live-run.ts";
import { getDefinition, type MillContext } from "../mill-context.ts";
import { checkProvided, refuseUnavailable, toSettings, type RunChoices } from "../prepare-run.ts";
import { findRun } from "../queries/find-run.ts";
import { toInputText } from "./start-run.ts";

/** What a caller may say of a rerun. */
export interface RerunOptions extends RunChoices {
  /** Takes over all checkpoints but those of this stage and of all after it. */
  readonly from?: string;
  /** Takes over every success. */
  readonly onlyFailed?: boolean;
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
  refuseUnavailable(definition);
  const provide = { ...mill.provide, ...options.provide };
  checkProvided(definition, provide);
  const settings = toSettings(definition, options);
  const input = options.input === undefined ? decodeValue(old.input) : options.input;
  const inputText = await toInputText(definition, input);
  const inputVersion = sha256Hex(inputText).slice(0, 32);
  const plan = await planTakeOver(mill, { oldId: old.id, definition, options });
  if (plan !== null && inputVersion !== old.inputVersion) {
    throw new MillraceError(
      "OPTION_INVALID",
      "A rerun with another input takes no checkpoints over.",
      {
        hint: "leave out --from and --only-failed, or keep the input",
      },
    );
  }
  const taken = plan === null ? [] : listTaken(plan);
  const result = await mill.committer.write({
    kind: "create-run",
    run: {
      id: mill.nextId(),
      pipeline: definition.name,
      definitionHash: definition.hash,
      key: null,
      input: encodeOrThrow(input, "the input"),
      inputVersion,
      foreground: true,
      parent: old.id,
      source: options.source ?? "rerun",
      tags: options.tags ?? old.tags,
      settings: options.from === undefined ? settings : { ...settings, from: options.from },
    },
    definitionJson: definition.json,
    claim: { owner: mill.owner, leaseMs: mill.leaseMs },
    ...(taken.length === 0 ? {} : { takeOver: { from: old.id, stages: taken } }),
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
      { type: "run.started", data: { epoch: 1 } },
    ],
  });
  if (result.kind !== "done" || result.run === undefined) {
    throw new MillraceError("STORE_FAILED", `The store did not make the run: ${result.kind}.`);
  }
  const live = new LiveRun({ mill, definition, record: result.run, inputText, provide });
  if (taken.length > 0) {
    const checkpoints = await mill.store.loadCheckpoints(live.id);
    const kept = decideReset(definition, checkpoints.stages, { verb: "resume" });
    live.noteRestored(restoreRun(live.core, checkpoints, kept));
  }
  if (options.onEvent !== undefined) live.onEvent(options.onEvent);
  live.start();
  return live;
}

async function planTakeOver(
  mill: MillContext,
  request: {
    readonly oldId: string;
    readonly definition: ReturnType<typeof getDefinition>;
    readonly options: RerunOptions;
  },
): Promise<ResetPlan | null> {
  const { definition, options } = request;
  if (options.from === undefined && options.onlyFailed !== true) return null;
  const from = options.from === undefined ? undefined : definition.positions.get(options.from);
  if (options.from !== undefined && from === undefined)
    throw stageUnknown(definition, options.from);
  const records = await mill.store.listStages(request.oldId);
  return decideReset(definition, records, {
    verb: options.onlyFailed === true ? "rerun-failed" : "rerun",
    ...(from === undefined ? {} : { from: [from] }),
  });
}

/** Kept and rechecked stages go along whole, open ones with the items that succeeded. */
function listTaken(plan: ResetPlan): readonly TakenStage[] {
  return plan.stages.flatMap(({ stage, action }) => {
    if (action === "drop") return [];
    return [{ stage, itemsOnly: action === "open" }];
  });
}
