// A place among the runs of a pipeline that may be running at once (`maxActiveRuns`). The store counts them and
// refuses a claim beyond; here a place that a dead process holds is freed first, and a start that finds none is
// refused, or waits in this process (`onBusy: "queue"`) as a run that lists and `why` show `waiting` (`busy`).
//
// Whoever waits looks again when a run ends here, and once a second: other processes send no word.

import { PRESENCE_MS_DEFAULT } from "../../model/defaults.ts";
import type { PipelineDefinition } from "../../model/definition.ts";
import { MillraceError } from "../../model/errors.ts";
import type { EventDraft, MillraceEvent } from "../../model/event.ts";
import type { RunRecord } from "../../model/run.ts";
import { toEvents } from "../../engine/ledger/durable-journal.ts";
import type { ClaimRunWrite, CreateRunWrite } from "../../storage/write.ts";
import type { WriteResult } from "../../storage/write-result.ts";
import type { MillContext } from "../mill-context.ts";
import { runName } from "../queries/find-run.ts";
import { rescueRuns } from "../worker/rescuer.ts";
import { claimRun, type Claimed } from "./begin-run.ts";

/** What became of a claim, and the claim unless it was refused. Never `busy`. */
type Begin<T> = (result: WriteResult, claimed: Claimed | null) => T | Promise<T>;

/** Takes a run that exists, if its pipeline has a place for it. RUN_BUSY with a run that has one. */
export async function claimPlace<T>(
  mill: MillContext,
  { definition, write }: { readonly definition: PipelineDefinition; readonly write: ClaimRunWrite },
  begin: Begin<T>,
): Promise<T> {
  const claim = { ...write, maxActiveRuns: definition.maxActiveRuns };
  const taken = await tryPlace(mill, claim, begin);
  if (taken.kind === "begun") return taken.value;
  throw pipelineBusy(definition, taken.holder);
}

/** A run to be made. */
export interface NewPlace {
  readonly definition: PipelineDefinition;
  /** With its claim. */
  readonly write: CreateRunWrite;
  /** Ends the wait for a place: SHUTDOWN, and the run is cancelled. */
  readonly signal?: AbortSignal | undefined;
  /** Told once, when it has to wait: the run that waits, and one that has a place. */
  readonly onWait?: ((waiting: RunRecord, holder: RunRecord) => void) | undefined;
  readonly onEvent?: ((event: MillraceEvent) => void) | undefined;
}

/** Makes a run, if its pipeline has a place for it. RUN_BUSY, or it waits for one, as its pipeline says. */
export async function createInPlace<T>(
  mill: MillContext,
  place: NewPlace,
  begin: Begin<T>,
): Promise<T> {
  const { definition } = place;
  const write = { ...place.write, maxActiveRuns: definition.maxActiveRuns };
  const taken = await tryPlace(mill, write, begin);
  if (taken.kind === "begun") return taken.value;
  if (definition.onBusy === "refuse") throw pipelineBusy(definition, taken.holder);
  return await createAndWait(mill, { ...place, holder: taken.holder }, begin);
}

type Taken<T> =
  | { readonly kind: "begun"; readonly value: T }
  | { readonly kind: "busy"; readonly holder: RunRecord };

/** Once more where a dead process held a place. */
async function tryPlace<T>(
  mill: MillContext,
  write: CreateRunWrite | ClaimRunWrite,
  begin: Begin<T>,
): Promise<Taken<T>> {
  const first = await tryOnce(mill, write, begin);
  if (first.kind === "begun" || (await rescueRuns(mill)) === 0) return first;
  return await tryOnce(mill, write, begin);
}

async function tryOnce<T>(
  mill: MillContext,
  write: CreateRunWrite | ClaimRunWrite,
  begin: Begin<T>,
): Promise<Taken<T>> {
  return await claimRun(mill, write, async (result, claimed): Promise<Taken<T>> => {
    if (result.kind === "busy") return { kind: "busy", holder: result.run };
    return { kind: "begun", value: await begin(result, claimed) };
  });
}

async function createAndWait<T>(
  mill: MillContext,
  place: NewPlace & { readonly holder: RunRecord },
  begin: Begin<T>,
): Promise<T> {
  const { write, definition, signal, onWait, onEvent } = place;
  const isStart = ({ type }: EventDraft): boolean => type === "run.started";
  const events = write.events.filter((event) => !isStart(event));
  const made = await mill.committer.write({
    ...write,
    run: { ...write.run, waitsForPlace: true },
    claim: null,
    events,
  });
  if (made.kind !== "done" || made.run === undefined) return await begin(made, null);
  const { run, numbers } = made;
  for (const event of toEvents(run.id, events, numbers)) onEvent?.(event);
  onWait?.(run, place.holder);
  const claim = toClaim(write, { run, definition, events: write.events.filter(isStart) });
  for (let { holder } = place; ;) {
    await nap(mill, signal);
    if (mill.closing || signal?.aborted === true) throw await giveUp(mill, run, holder);
    const taken = await tryPlace(mill, claim, begin);
    if (taken.kind === "begun") return taken.value;
    holder = taken.holder;
  }
}

function toClaim(
  { claim, run: { settings, definitionHash }, definitionJson }: CreateRunWrite,
  parts: {
    readonly run: RunRecord;
    readonly definition: PipelineDefinition;
    readonly events: readonly EventDraft[];
  },
): ClaimRunWrite {
  return {
    kind: "claim-run",
    runId: parts.run.id,
    expectedEpoch: parts.run.epoch,
    from: ["waiting"],
    claim,
    maxActiveRuns: parts.definition.maxActiveRuns,
    foreground: true,
    reopen: false,
    crashed: false,
    definitionHash,
    definitionJson,
    settings,
    resetStages: [],
    events: parts.events,
  };
}

/** Until there may be a place, or no reason to wait for one. */
function nap(mill: MillContext, signal: AbortSignal | undefined): Promise<void> {
  if (mill.closing || signal?.aborted === true) return Promise.resolve();
  return new Promise((resolve) => {
    const wake = (): void => {
      timer.cancel();
      deaf();
      signal?.removeEventListener("abort", wake);
      resolve();
    };
    const timer = mill.world.clock.setTimer(PRESENCE_MS_DEFAULT, wake);
    const deaf = mill.places.on(wake);
    signal?.addEventListener("abort", wake, { once: true });
  });
}

/** Nothing of it has happened, so that nothing is left to go on with. */
async function giveUp(
  mill: MillContext,
  run: RunRecord,
  holder: RunRecord,
): Promise<MillraceError> {
  const name = runName(run);
  const reason = "its process was stopped while it waited for a place";
  await mill.committer.write({ kind: "request-cancel", runId: run.id, reason });
  return new MillraceError(
    "SHUTDOWN",
    `Run ${name} of pipeline "${run.pipeline}" was cancelled while it waited for run ${runName(holder)}.`,
    {
      hint: "nothing of it had started",
      next: `npx millrace resume ${name}`,
      details: { run: run.id, name },
    },
  );
}

/** RUN_BUSY: between the look at a run and its claim somebody else took it. */
export function lostRace(run: RunRecord): MillraceError {
  const name = runName(run);
  return new MillraceError("RUN_BUSY", `Run ${name} was taken by another process just now.`, {
    next: `npx millrace why ${name}`,
    details: { run: run.id, name },
  });
}

function pipelineBusy(
  { name: pipeline, maxActiveRuns }: PipelineDefinition,
  holder: RunRecord,
): MillraceError {
  const name = runName(holder);
  const most = maxActiveRuns === 1 ? "one run" : `${maxActiveRuns} runs`;
  return new MillraceError(
    "RUN_BUSY",
    `Run ${name} of pipeline "${pipeline}" is running, and at most ${most} of it may be running at once.`,
    {
      hint: "wait for its end, or enqueue; nothing was started",
      next: `npx millrace why ${name}`,
      retryable: true,
      details: { pipeline, maxActiveRuns, run: holder.id, name },
    },
  );
}
