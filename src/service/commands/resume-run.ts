// Goes on with a run: same id, next epoch, what succeeded is kept, the rest is done again with fresh attempts.
// A run that a live process works on is never taken.

import type { PipelineDefinition } from "../../model/definition.ts";
import { LEASE_GRACE_MS_DEFAULT } from "../../model/defaults.ts";
import { MillraceError } from "../../model/errors.ts";
import type { MillraceEvent } from "../../model/event.ts";
import type { RunRecord } from "../../model/run.ts";
import { foreseeRestored, restoreRun, type Restored } from "../../engine/restore.ts";
import { decideReset, type ResetPlan } from "../../policy/reuse.ts";
import { decodeValue } from "../../std/value.ts";
import type { ClaimRunWrite, ResetStage } from "../../storage/store.ts";
import { LiveRun } from "../live-run.ts";
import { getDefinition, type MillContext } from "../mill-context.ts";
import {
  checkProvided,
  listFrom,
  refuseUnavailable,
  toSettings,
  type RunChoices,
} from "../prepare-run.ts";
import { findRun, runName } from "../queries/find-run.ts";
import { stageUnknown } from "../../model/compile/compile.ts";
import { toInputText } from "./start-run.ts";

/** What a caller may say of a resume. The input can never change: that is a `rerun`. */
export interface ResumeOptions extends Pick<
  RunChoices,
  "concurrency" | "failFast" | "deadline" | "noRetry"
> {
  /** Drops the checkpoints of this stage and of all after it. */
  readonly from?: string;
  readonly provide?: Readonly<Record<string, unknown>>;
  /** Told every event from the first one on; a listener added to the handle misses what happened before. */
  readonly onEvent?: (event: MillraceEvent) => void;
}

/** Takes the run and works on it here. RUN_BUSY if a live process holds it, RUN_STATE_CONFLICT if it is final. */
export async function resumeRun(
  mill: MillContext,
  reference: string,
  options: ResumeOptions,
): Promise<LiveRun> {
  const run = await findRun(mill.store, reference);
  checkResumable(mill, run);
  const definition = getDefinition(mill, run.pipeline);
  refuseUnavailable(definition);
  const provide = { ...mill.provide, ...options.provide };
  checkProvided(definition, provide);
  const checkpoints = await mill.store.loadCheckpoints(run.id);
  const plan = decideReset(definition, checkpoints.stages, {
    verb: "resume",
    ...(options.from === undefined ? {} : { from: [positionOf(definition, options.from)] }),
  });
  const inputText = await toInputText(definition, decodeValue(run.input));
  const restored = foreseeRestored(checkpoints, plan);
  const write = toClaim(mill, { run, definition, plan, options, restored });
  const result = await mill.committer.write(write);
  if (result.kind !== "done" || result.run === undefined) throw lostRace(run);
  const live = new LiveRun({ mill, definition, record: result.run, inputText, provide });
  live.noteRestored(restoreRun(live.core, checkpoints, plan));
  if (options.onEvent !== undefined) live.onEvent(options.onEvent);
  live.start();
  return live;
}

function positionOf(definition: PipelineDefinition, stage: string): number {
  listFrom(definition, stage);
  const position = definition.positions.get(stage);
  if (position === undefined) throw stageUnknown(definition, stage);
  return position;
}

/** Puts a run back into the queue, for whoever works: same id, next epoch. */
export async function queueRun(
  mill: MillContext,
  reference: string,
  options: ResumeOptions,
): Promise<RunRecord> {
  const run = await findRun(mill.store, reference);
  checkResumable(mill, run);
  const definition = getDefinition(mill, run.pipeline);
  const checkpoints = await mill.store.loadCheckpoints(run.id);
  const plan = decideReset(definition, checkpoints.stages, {
    verb: "resume",
    ...(options.from === undefined ? {} : { from: [positionOf(definition, options.from)] }),
  });
  const restored = foreseeRestored(checkpoints, plan);
  const claimed = await mill.committer.write(
    toClaim(mill, { run, definition, plan, options, restored }),
  );
  if (claimed.kind !== "done" || claimed.run === undefined) throw lostRace(run);
  const { id, epoch } = claimed.run;
  const queued = await mill.committer.write({
    kind: "move-run",
    runId: id,
    epoch,
    to: "queued",
    reason: null,
    events: [],
  });
  if (queued.kind !== "done") throw lostRace(run);
  return await findRun(mill.store, id);
}

/** Refuses what cannot be resumed: a final run, or one in the hands of somebody alive. */
export function checkResumable(mill: MillContext, run: RunRecord): void {
  const name = runName(run);
  if (run.state === "succeeded" || run.state === "skipped") {
    throw new MillraceError(
      "RUN_STATE_CONFLICT",
      `Run ${name} has ${run.state}: there is nothing to resume.`,
      {
        hint: "a rerun does it again as a new run",
        next: `npx millrace rerun ${name}`,
        details: { run: run.id, name, state: run.state },
      },
    );
  }
  if (run.state !== "running" || isAbandoned(mill, run)) return;
  const owner = run.lease?.owner;
  throw new MillraceError(
    "RUN_BUSY",
    `Run ${name} is being worked on by process ${owner?.pid ?? "?"} on ${owner?.host ?? "?"}.`,
    {
      hint: "it is never taken from a live process; cancel it first, or wait",
      next: `npx millrace why ${name}`,
      details: { run: run.id, name, pid: owner?.pid ?? 0, host: owner?.host ?? "" },
    },
  );
}

/** True if the owner is proven dead, or nobody can tell and its lease is over by more than the grace. */
export function isAbandoned(mill: MillContext, run: RunRecord): boolean {
  if (run.lease === null) return true;
  if (mill.live.has(run.id)) return false;
  const gone = mill.machine.isGone(run.lease.owner);
  if (gone !== undefined) return gone;
  return mill.store.nowMs() > run.lease.expiresAtMs + LEASE_GRACE_MS_DEFAULT;
}

function lostRace(run: RunRecord): MillraceError {
  const name = runName(run);
  return new MillraceError("RUN_BUSY", `Run ${name} was taken by another process just now.`, {
    next: `npx millrace why ${name}`,
    details: { run: run.id, name },
  });
}

interface ClaimParts {
  readonly run: RunRecord;
  readonly definition: PipelineDefinition;
  readonly plan: ResetPlan;
  readonly options: ResumeOptions;
  readonly restored: Restored;
}

function toClaim(mill: MillContext, parts: ClaimParts): ClaimRunWrite {
  const { run, definition, plan, options, restored } = parts;
  return {
    kind: "claim-run",
    runId: run.id,
    expectedEpoch: run.epoch,
    from: [run.state],
    claim: { owner: mill.owner, leaseMs: mill.leaseMs },
    reopen: run.state !== "queued",
    crashed: run.state === "running",
    definitionHash: definition.hash,
    definitionJson: definition.json,
    settings: { ...run.settings, ...toSettings(definition, options) },
    resetStages: [
      ...plan.stages.flatMap(({ stage, action }) => toReset(stage, action)),
      ...plan.vanished.map((stage): ResetStage => ({ stage, mode: "drop" })),
    ],
    events: [
      {
        type: "run.resumed",
        data: {
          epoch: run.epoch + 1,
          keptStages: restored.keptStages,
          keptItems: restored.keptItems,
          redo: restored.redo.map((one) => ({ ...one })),
        },
      },
    ],
  };
}

function toReset(
  stage: string,
  action: ResetPlan["stages"][number]["action"],
): readonly ResetStage[] {
  switch (action) {
    case "keep":
      return [];
    case "recheck":
      return [{ stage, mode: "keep" }];
    case "open":
    case "drop":
      return [{ stage, mode: action }];
  }
}
