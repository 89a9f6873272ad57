// Goes on with a run: same id, next epoch, what succeeded is kept, the rest is done again with fresh attempts.
// A run that a live process works on is never taken.

import type { PipelineDefinition } from "../../model/definition.ts";
import { stageUnknown } from "../../model/compile/compile.ts";
import { MillraceError } from "../../model/errors.ts";
import type { MillraceEvent } from "../../model/event.ts";
import type { StageState } from "../../model/outcome.ts";
import type { RunRecord } from "../../model/run.ts";
import { foreseeRestored, listUnfinished } from "../../engine/restore/restore.ts";
import {
  decideReset,
  type DamagedStage,
  type ResetPlan,
  type StageReset,
} from "../../policy/reuse.ts";
import type { EncodedValue } from "../../std/value.ts";
import type { ClaimRunWrite, ClaimTerms, ResetStage } from "../../storage/write.ts";
import type { LiveRun } from "../live-run.ts";
import { getDefinition, type MillContext } from "../mill-context.ts";
import {
  checkProvided,
  listFrom,
  refuseThreadsWithoutModule,
  toSettings,
  type RunChoices,
} from "../prepare-run.ts";
import { findRun, runName } from "../queries/find-run.ts";
import { beginRun, whileOpen } from "./begin-run.ts";
import { claimPlace, lostRace } from "./claim-place.ts";
import { checkCheckpoints, type CheckedCheckpoints } from "./check-checkpoints.ts";
import { readInputText } from "./input-text.ts";
import { interruptAbandoned, judgeOwner } from "./interrupt-abandoned.ts";
import { isMap } from "./take-over.ts";

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
  const { id, pipeline } = await findRun(mill.store, reference);
  const definition = getDefinition(mill, pipeline);
  refuseThreadsWithoutModule(definition);
  const provide = { ...mill.provide, ...options.provide };
  checkProvided(definition, provide);
  return await whileOpen(mill, async () => {
    const terms = { owner: mill.owner, leaseMs: mill.leaseMs };
    const reopening = await prepare(mill, { id, definition, options, terms });
    const { run, write, checkpoints, plan, damaged, inputText } = reopening;
    return await claimPlace(mill, { definition, write }, (_result, claimed) => {
      if (claimed === null) throw lostRace(run);
      return beginRun(mill, {
        claimed,
        definition,
        inputText,
        provide,
        beforeMs: run.durationMs ?? 0,
        kept: { checkpoints, plan, damaged },
        onEvent: options.onEvent,
      });
    });
  });
}

/** Puts a run back into the queue, for whoever works: same id, next epoch. With `delayMs` it waits first. */
export async function queueRun(
  mill: MillContext,
  reference: string,
  options: ResumeOptions & { readonly delayMs?: number },
): Promise<RunRecord> {
  const { id, pipeline } = await findRun(mill.store, reference);
  const definition = getDefinition(mill, pipeline);
  return await whileOpen(mill, async () => {
    const { run, write } = await prepare(mill, { id, definition, options, terms: null });
    const { delayMs = 0 } = options;
    const result = await mill.committer.write({ ...write, delayMs });
    if (result.kind !== "done" || result.run === undefined) throw lostRace(run);
    mill.wake.emit(pipeline);
    return result.run;
  });
}

interface Request {
  readonly id: string;
  readonly definition: PipelineDefinition;
  readonly options: ResumeOptions;
  readonly terms: ClaimTerms | null;
}

interface Reopening extends CheckedCheckpoints {
  readonly run: RunRecord;
  readonly inputText: EncodedValue;
  readonly write: ClaimRunWrite;
}

/** Everything up to the claim. Checkpoints are read when nobody can write them any more. */
async function prepare(mill: MillContext, request: Request): Promise<Reopening> {
  const { id, definition, options } = request;
  const run = await interruptAbandoned(mill, await findRun(mill.store, id));
  checkResumable(mill, run);
  const { inputText, stale } = await readInputText(definition, run);
  const found = await mill.store.loadCheckpoints(id);
  const { only } = run.settings;
  const asked = {
    ...(options.from === undefined ? {} : { from: [positionOf(definition, options.from)] }),
    ...(only === undefined ? {} : { only }),
  };
  const unfinished = listUnfinished(found);
  const decide = (damaged?: ReadonlyMap<string, DamagedStage>): ResetPlan => {
    const more = damaged === undefined ? asked : { ...asked, damaged };
    return decideReset(definition, found.stages, { verb: "resume", unfinished, stale, ...more });
  };
  // Put into the queue, they are checked by whoever takes the run from there.
  const sound =
    request.terms === null
      ? { checkpoints: found, plan: decide(), damaged: 0 }
      : await checkCheckpoints(mill, { run, definition, checkpoints: found }, decide);
  const write = toClaim({ ...request, run, ...sound });
  return { run, ...sound, inputText, write };
}

function positionOf(definition: PipelineDefinition, stage: string): number {
  listFrom(definition, stage);
  const position = definition.positions.get(stage);
  if (position === undefined) throw stageUnknown(definition, stage);
  return position;
}

/** Refuses what cannot be resumed: a final run, or one in the hands of somebody alive. */
function checkResumable(mill: MillContext, run: RunRecord): void {
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
  // Only a run of a queue is still running here when its owner is gone.
  if (run.state !== "running" || judgeOwner(mill, run) !== "alive") return;
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

function toClaim(parts: Request & Pick<Reopening, "run" | "checkpoints" | "plan">): ClaimRunWrite {
  const { run, definition, checkpoints, plan, options, terms } = parts;
  const restored = foreseeRestored(checkpoints, plan);
  const records = new Map(checkpoints.stages.map((record) => [record.stage, record]));
  return {
    kind: "claim-run",
    runId: run.id,
    expectedEpoch: run.epoch,
    from: [run.state],
    claim: terms,
    foreground: terms !== null,
    reopen: run.state !== "queued",
    crashed: run.state === "running",
    definitionHash: definition.hash,
    definitionJson: definition.json,
    settings: { ...run.settings, ...toSettings(definition, options) },
    resetStages: [
      ...plan.stages.flatMap((reset) =>
        toReset(definition, reset, records.get(reset.stage)?.state),
      ),
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
  definition: PipelineDefinition,
  { stage, position, action }: StageReset,
  state: StageState | undefined,
): readonly ResetStage[] {
  const ofItems = isMap(definition, position);
  switch (action) {
    case "keep":
      return [];
    case "recheck":
      // The items of a map are compared one by one, and those that failed are done again.
      return [{ stage, mode: ofItems ? "open" : "keep" }];
    case "open":
      if (ofItems) return [{ stage, mode: "open" }];
      // Set back by an earlier resume that came no further: what it gave may still hold.
      if (state === "pending") return [];
      // A recorded start must stay until the engine has said what became of it, whatever happens before.
      if (state === "running" && definition.stages[position]?.idempotent === false) return [];
      return [{ stage, mode: "open" }];
    case "drop":
      return [{ stage, mode: "drop" }];
  }
}
