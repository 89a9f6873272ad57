// Writes that make, take, cancel or interrupt a run. They read and store the whole record, since they are rare;
// what becomes of it is said by the rules that all stores share.

import type { RunRecord } from "../../../model/run.ts";
import {
  cancelRun,
  forgetsCrashes,
  interruptRun,
  isFull,
  isOverfull,
  makeRun,
  refuseClaim,
  refuseInterrupt,
  takeRun,
} from "../../run-rules.ts";
import { REOPENED_ITEM_STATES } from "../../stage-rules.ts";
import type {
  ClaimRunWrite,
  CreateRunWrite,
  InterruptRunWrite,
  RequestCancelWrite,
  ResetStage,
  TakenStage,
} from "../../write.ts";
import type { WriteResult } from "../../write-result.ts";
import type { Batch } from "../batch.ts";

const NO_RUN: WriteResult = {
  kind: "conflict",
  run: null,
  reason: "There is no run with this id.",
};

/** Makes a run. */
export function createRun(batch: Batch, write: CreateRunWrite): WriteResult {
  const { rows } = batch;
  const refused = refuseWithoutPlace(batch, write);
  if (refused !== undefined) return refused;
  const run = makeRun(write, batch.nextRunNumber, batch.nowMs);
  const definition = batch.keepDefinition(run.definitionHash, write.definitionJson);
  const batchNumber = batch.batchNumber(run.batch);
  const born = { definition, batch: batchNumber, runSeq: write.events.length };
  if (!rows.runs.insert(run, born)) return explainTaken(batch, run);
  const head = batch.keepRun(run, batchNumber);
  if (write.takeOver !== undefined) {
    const from = batch.head(write.takeOver.from)?.number;
    for (const stage of from === undefined ? [] : write.takeOver.stages) {
      takeStageOver(batch, { run: run.number, from, stage });
    }
  }
  const numbers = batch.tell(head, write.events);
  // The row was born with the number of its last event.
  head.changed = false;
  return { kind: "done", numbers, run };
}

/** A key or id that is taken comes first: whoever has it may be the very run that holds the place. */
function refuseWithoutPlace(batch: Batch, write: CreateRunWrite): WriteResult | undefined {
  const { id, pipeline, key } = write.run;
  const refused = findNoPlace(batch, write);
  if (refused === undefined) return undefined;
  if (batch.head(id) !== undefined) return explainTaken(batch, { id, pipeline, key });
  const rival = key === null ? undefined : batch.rows.runs.findByKey(pipeline, key);
  return rival === undefined ? refused : explainTaken(batch, { id, pipeline, key });
}

function findNoPlace(batch: Batch, write: CreateRunWrite): WriteResult | undefined {
  const { pipeline } = write.run;
  if (write.claim === null && (write.maxQueued ?? null) !== null) {
    const queued = batch.countQueued(pipeline);
    return isOverfull(write, queued) ? { kind: "full", queued } : undefined;
  }
  const holder = findHolder(batch, pipeline, { write, own: null });
  return holder === undefined ? undefined : { kind: "busy", run: holder };
}

/** The newest running run of a pipeline that has no place left for this claim; `own` gives its place up. */
function findHolder(
  batch: Batch,
  pipeline: string,
  {
    write,
    own,
  }: {
    readonly write: Pick<CreateRunWrite, "claim" | "maxActiveRuns">;
    readonly own: string | null;
  },
): RunRecord | undefined {
  if (write.claim === null || (write.maxActiveRuns ?? null) === null) return undefined;
  if (!isFull(write, batch.countRunning(pipeline) - (own === null ? 0 : 1))) return undefined;
  const found = batch.rows.runs.list({ pipeline, states: ["running"], limit: 2 });
  const holder = found.find(({ id }) => id !== own);
  const head = holder === undefined ? undefined : batch.head(holder.id);
  return head === undefined ? holder : batch.record(head);
}

function explainTaken(batch: Batch, run: Pick<RunRecord, "id" | "pipeline" | "key">): WriteResult {
  const rival = run.key === null ? undefined : batch.rows.runs.findByKey(run.pipeline, run.key);
  if (rival !== undefined) {
    const head = batch.head(rival.id);
    return { kind: "key-taken", run: head === undefined ? rival : batch.record(head) };
  }
  const twin = batch.head(run.id);
  if (twin === undefined) return NO_RUN;
  return { kind: "conflict", run: batch.record(twin), reason: "There is a run with this id." };
}

/** Takes a run that exists. */
export function claimRun(batch: Batch, write: ClaimRunWrite): WriteResult {
  const head = batch.head(write.runId);
  if (head === undefined) return NO_RUN;
  const run = batch.record(head);
  const reason = refuseClaim(run, write);
  if (reason !== undefined) return { kind: "conflict", run, reason };
  const holder = findHolder(batch, run.pipeline, {
    write,
    own: run.state === "running" ? run.id : null,
  });
  if (holder !== undefined) return { kind: "busy", run: holder };
  batch.keepDefinition(write.definitionHash, write.definitionJson);
  if (forgetsCrashes(run, write)) batch.rows.crashes.clear(head.number);
  const taken = takeRun(run, write, batch.nowMs);
  batch.replace(head, taken);
  for (const reset of write.resetStages) resetStage(batch, head.number, reset);
  return { kind: "done", numbers: batch.tell(head, write.events), run: taken };
}

/** Cancels a run, or asks its owner to. */
export function requestCancel(batch: Batch, write: RequestCancelWrite): WriteResult {
  const head = batch.head(write.runId);
  if (head === undefined) return NO_RUN;
  const run = batch.record(head);
  const answer = cancelRun(run, write, batch.nowMs);
  if (answer.kind === "refused") return { kind: "conflict", run, reason: answer.reason };
  if (answer.kind === "unchanged") return { kind: "done", numbers: batch.tell(head, []), run };
  batch.replace(head, answer.run);
  return { kind: "done", numbers: batch.tell(head, [answer.event]), run: answer.run };
}

/** Lets a foreground run wait whose owner is gone. */
export function interruptOwner(batch: Batch, write: InterruptRunWrite): WriteResult {
  const head = batch.head(write.runId);
  if (head === undefined) return NO_RUN;
  const run = batch.record(head);
  const reason = refuseInterrupt(run, write);
  if (reason !== undefined) return { kind: "conflict", run, reason };
  const interrupted = interruptRun(run, batch.nowMs);
  batch.replace(head, interrupted);
  return { kind: "done", numbers: batch.tell(head, write.events), run: interrupted };
}

/** Sets one stage of a run back. */
export function resetStage(batch: Batch, run: number, { stage, mode }: ResetStage): void {
  const { stages, items, memos, state, crashes } = batch.rows;
  switch (mode) {
    case "keep":
      stages.keep(run, stage);
      return;
    case "open":
      stages.open(run, stage);
      for (const [from, count] of items.countStage(run, stage)) {
        if (!REOPENED_ITEM_STATES.includes(from)) continue;
        batch.countItems({ run, stage }, from, -count);
        batch.countItems({ run, stage }, "pending", count);
      }
      items.openStage(run, stage);
      return;
    case "drop":
      for (const [from, count] of items.countStage(run, stage)) {
        batch.countItems({ run, stage }, from, -count);
      }
      stages.drop(run, stage);
      items.dropStage(run, stage);
      memos.dropStage(run, stage);
      state.dropStage(run, stage);
      crashes.dropStage(run, stage);
  }
}

function takeStageOver(
  batch: Batch,
  of: { readonly run: number; readonly from: number | undefined; readonly stage: TakenStage },
): void {
  const { stages, items, memos, state } = batch.rows;
  const {
    run,
    from,
    stage: { stage, mode },
  } = of;
  if (from === undefined) return;
  if (mode !== "items" && !stages.takeOver(run, from, stage)) return;
  if (mode === "recheck") stages.keep(run, stage);
  items.takeOver({ run, from }, stage, mode === "whole");
  for (const [state, count] of items.countStage(run, stage)) {
    batch.countItems({ run, stage }, state, count);
  }
  memos.takeOver(run, from, stage);
  state.takeOver(run, from, stage);
}
