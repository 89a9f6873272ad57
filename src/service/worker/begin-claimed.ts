// From a run that was claimed from its queue to one that is worked on: its input goes through the schema, what an
// earlier epoch left is brought back, and every ending of it stands, because nobody asked to try again.

import type { RunCheckpoints } from "../../model/checkpoint.ts";
import type { PipelineDefinition } from "../../model/definition.ts";
import { isMillraceError } from "../../model/errors.ts";
import type { MillraceEvent } from "../../model/event.ts";
import type { Failure } from "../../model/outcome.ts";
import { fingerprintOf } from "../../policy/failure.ts";
import { decideReset, type ResetPlan } from "../../policy/reuse.ts";
import type { NextRun, ResetStage } from "../../storage/store.ts";
import { beginRun } from "../commands/begin-run.ts";
import { readInputText } from "../commands/input-text.ts";
import type { LiveRun } from "../live-run.ts";
import { getDefinition, type MillContext } from "../mill-context.ts";

/** A run that was claimed, and when its claim was sent (monotonic ms). */
export interface ClaimedNext {
  readonly next: NextRun;
  readonly sentMs: number;
  readonly onEvent?: ((event: MillraceEvent) => void) | undefined;
}

/** Works on a claimed run. Null: it ended at once, because its input does not fit. */
export function beginClaimed(
  mill: MillContext,
  claimed: ClaimedNext,
): LiveRun | Promise<LiveRun | null> {
  const { run } = claimed.next;
  const definition = getDefinition(mill, run.pipeline);
  // Nothing can have been left of a first claim, and without a schema the input is what it was.
  const isFirst = run.epoch === 1 && run.parent === null;
  if (isFirst && definition.input === null) {
    return beginRun(mill, { ...toBeginning(mill, claimed), definition, inputText: run.input });
  }
  return restore(mill, claimed, definition);
}

function toBeginning(
  mill: MillContext,
  { next, sentMs, onEvent }: ClaimedNext,
): Pick<Parameters<typeof beginRun>[1], "claimed" | "provide" | "beforeMs" | "onEvent"> {
  const { run, numbers, events } = next;
  return {
    claimed: { run, numbers, events, sentMs },
    provide: mill.provide,
    beforeMs: run.durationMs ?? 0,
    onEvent,
  };
}

async function restore(
  mill: MillContext,
  claimed: ClaimedNext,
  definition: PipelineDefinition,
): Promise<LiveRun | null> {
  const { run } = claimed.next;
  const input = await readInput(mill, claimed, definition);
  if (input === null) return null;
  const { inputText, stale } = input;
  const beginning = { ...toBeginning(mill, claimed), definition, inputText };
  const checkpoints = await mill.store.loadCheckpoints(run.id);
  if (checkpoints.stages.length === 0 && checkpoints.items.size === 0)
    return beginRun(mill, beginning);
  const plan = decideReset(definition, checkpoints.stages, { verb: "continue", stale });
  const stages = listResets(definition, checkpoints, plan);
  if (stages.length > 0) {
    await mill.committer.write({
      kind: "reset-stages",
      runId: run.id,
      epoch: run.epoch,
      stages,
      events: [],
    });
  }
  return beginRun(mill, { ...beginning, kept: { checkpoints, plan, everyEnding: true } });
}

/** The input after its schema. One that does not fit fails the run, and no stage starts. */
async function readInput(
  mill: MillContext,
  { next }: ClaimedNext,
  definition: PipelineDefinition,
): Promise<Awaited<ReturnType<typeof readInputText>> | null> {
  const { run } = next;
  try {
    return await readInputText(definition, run);
  } catch (error) {
    if (!isMillraceError(error)) throw error;
    const failure: Failure = {
      class: "permanent",
      code: error.code,
      message: error.message,
      attempts: 0,
      fingerprint: fingerprintOf("permanent", error.code, error.message),
    };
    await mill.committer.write({
      kind: "move-run",
      runId: run.id,
      epoch: run.epoch,
      to: "failed",
      reason: error.code,
      end: { durationMs: 0, warnings: 0, failure, metrics: {} },
      events: [
        {
          type: "run.failed",
          data: { durationMs: 0, warnings: 0, class: "permanent", message: error.message },
        },
      ],
    });
    return null;
  }
}

/** What has to be set back in the store before anything of these stages is written again. */
function listResets(
  definition: PipelineDefinition,
  checkpoints: RunCheckpoints,
  plan: ResetPlan,
): readonly ResetStage[] {
  const resets: ResetStage[] = plan.vanished.map((stage) => ({ stage, mode: "drop" }));
  for (const { stage, position, action } of plan.stages) {
    const map = definition.stages[position]?.map ?? null;
    if (action === "drop") resets.push({ stage, mode: "drop" });
    else if (action === "recheck") resets.push({ stage, mode: map === null ? "keep" : "open" });
    else if (action === "open" && map?.onItemFailure === "fail" && hasFailed(checkpoints, stage))
      // Its end was cut short: siblings that were to be cancelled may have run meanwhile.
      resets.push({ stage, mode: "open" });
  }
  return resets;
}

function hasFailed(checkpoints: RunCheckpoints, stage: string): boolean {
  const items = checkpoints.items.get(stage) ?? [];
  return items.some(({ state }) => state !== "succeeded" && state !== "skipped");
}
