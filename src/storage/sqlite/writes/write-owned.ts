// Writes that an owner makes under its lease. Each is refused unless its run is running under the epoch it
// carries; the head of the run, read once per transaction under the write lock, answers that for all of them.

import type { OwnerWrite } from "../../write.ts";
import type { EventNumbers, WriteResult } from "../../write-result.ts";
import type {
  DropItemsWrite,
  MoveRunWrite,
  PutCacheWrite,
  PutItemWrite,
  PutMemoWrite,
  PutStageWrite,
  TellWrite,
} from "../../write.ts";
import type { ReleasePermitsWrite, TakePermitsWrite } from "../../permits/permit-write.ts";
import { claimOrder, HAS_LEASE, refuseOwnerMove, toLease } from "../../run-rules.ts";
import { isStageOver, refuseStageMove } from "../../stage-rules.ts";
import type { Batch } from "../batch.ts";
import { release, take } from "./write-permits.ts";
import { addCrash } from "./write-crash.ts";
import { resetStage } from "./write-run.ts";
import type { RunHead } from "../statements/runs.ts";

const LEASE_LOST: WriteResult = { kind: "lease-lost" };

/** Does one write under its lease, or says why not. */
export function writeOwned(batch: Batch, write: OwnerWrite): WriteResult {
  const head = batch.head(write.runId);
  if (head === undefined || head.epoch !== write.epoch || head.state !== "running") {
    return LEASE_LOST;
  }
  if (write.kind === "take-permits") return take(batch, head, write);
  if (write.kind === "release-permits") return release(batch, head, write);
  const refused = change(batch, head, write);
  if (refused !== undefined) return refused;
  if (write.events.length === 0) head.changed = true;
  const numbers: EventNumbers = batch.tell(head, write.events);
  return { kind: "done", numbers };
}

type Change = Exclude<OwnerWrite, TakePermitsWrite | ReleasePermitsWrite>;

function change(batch: Batch, head: RunHead, write: Change): WriteResult | undefined {
  switch (write.kind) {
    case "put-stage":
      return putStage(batch, head, write);
    case "put-item":
      return putItem(batch, head, write);
    case "put-memo":
      return putMemo(batch, head, write);
    case "put-cache":
      return putCache(batch, head, write);
    case "put-crash":
      addCrash(batch, head, write);
      return undefined;
    case "move-run":
      return moveRun(batch, head, write);
    case "drop-items":
      for (const key of write.keys) dropItem(batch, { run: head.number, stage: write.stage }, key);
      return undefined;
    case "place-items":
      for (const item of write.places) batch.rows.items.place(head.number, write.stage, item);
      return undefined;
    case "reset-stages":
      for (const reset of write.stages) resetStage(batch, head.number, reset);
      return undefined;
    case "tell":
      return putBackLease(batch, head, write);
  }
}

function putBackLease(batch: Batch, head: RunHead, { lease }: TellWrite): WriteResult | undefined {
  if (lease === undefined) return undefined;
  const put = batch.rows.runs.putBack(head.number, toLease(lease, batch.nowMs));
  if (put) return undefined;
  return { kind: "conflict", run: batch.record(head), reason: HAS_LEASE };
}

function putStage(batch: Batch, head: RunHead, write: PutStageWrite): WriteResult | undefined {
  const { stages } = batch.rows;
  const { record } = write;
  const subject = `Stage "${record.stage}"`;
  // A first row is by far the most common: it costs one statement.
  let reason = refuseStageMove(subject, undefined, record.state);
  if (reason !== undefined || !stages.insert(head.number, record)) {
    const known = stages.stateOf(head.number, record.stage);
    reason = refuseStageMove(subject, known, record.state);
    if (reason !== undefined) return { kind: "conflict", run: batch.record(head), reason };
    stages.update(head.number, record);
  }
  putHistory(batch, head, write);
  if (isStageOver(record.state)) forgetLostClaims(head);
  return undefined;
}

function putItem(batch: Batch, head: RunHead, write: PutItemWrite): WriteResult | undefined {
  const { items } = batch.rows;
  const { record } = write;
  const subject = `Item "${record.key}" of stage "${record.stage}"`;
  const of = { run: head.number, stage: record.stage };
  let reason = refuseStageMove(subject, undefined, record.state);
  if (reason === undefined && items.insert(head.number, record)) {
    batch.countItem(of, undefined, record.state);
  } else {
    const known = items.stateOf(head.number, record.stage, record.key);
    reason = refuseStageMove(subject, known, record.state);
    if (reason !== undefined) return { kind: "conflict", run: batch.record(head), reason };
    items.update(head.number, record);
    batch.countItem(of, known, record.state);
  }
  if (isStageOver(record.state)) forgetLostClaims(head);
  putHistory(batch, head, write);
  return undefined;
}

/** A checkpoint is progress: claims that are lost from now on are counted anew. */
function forgetLostClaims(head: RunHead): void {
  if (head.attempts === 0) return;
  head.attempts = 0;
  head.changed = true;
}

function putHistory(batch: Batch, head: RunHead, write: PutStageWrite | PutItemWrite): void {
  const { retry, state } = write;
  if (retry !== undefined) {
    batch.rows.retries.add(head.number, retry);
    if (retry.delayMs !== null) {
      head.retriesAdded += 1;
      head.changed = true;
    }
  }
  for (const entry of state ?? []) batch.rows.state.put(head.number, entry);
}

function putMemo(batch: Batch, head: RunHead, write: PutMemoWrite): WriteResult | undefined {
  const { memos } = batch.rows;
  if (memos.insert(head.number, write, write.value)) return undefined;
  const kept = memos.find(head.number, write);
  return kept === undefined ? LEASE_LOST : { kind: "kept", value: kept };
}

/** A fault of the cache table undoes its own statement; what else is in the transaction stays. */
function putCache(batch: Batch, head: RunHead, write: PutCacheWrite): WriteResult | undefined {
  try {
    batch.rows.cache.put(write.entry, { run: head.number, nowMs: batch.nowMs });
    return undefined;
  } catch (error) {
    // A fault that took the transaction with it is everybody's.
    if (!batch.rows.cache.isInTransaction) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    return { kind: "conflict", run: null, reason: `The cache entry was not stored: ${reason}` };
  }
}

function moveRun(batch: Batch, head: RunHead, write: MoveRunWrite): WriteResult | undefined {
  const reason = refuseOwnerMove(head, write);
  if (reason !== undefined) return { kind: "conflict", run: batch.record(head), reason };
  const { runs } = batch.rows;
  if (write.to === "running") {
    runs.stay(head.number, write.reason);
    head.changed = true;
    return undefined;
  }
  runs.leave({ ...head, runSeq: head.runSeq + write.events.length }, write, batch.nowMs);
  batch.moved(head, write.to);
  const { waitsFor = [] } = write;
  if (waitsFor.length > 0) {
    const { number: run, epoch } = head;
    batch.permits.park({ run, epoch, place: claimOrder(batch.record(head)) }, waitsFor);
  }
  return undefined;
}

function dropItem(
  batch: Batch,
  of: { readonly run: number; readonly stage: string },
  key: DropItemsWrite["keys"][number],
): void {
  const { items, memos, retries, crashes } = batch.rows;
  const state = items.drop(of.run, of.stage, key);
  if (state === undefined) return;
  batch.countItem(of, state, undefined);
  memos.dropItem(of.run, of.stage, key);
  crashes.dropItem(of.run, of.stage, key);
  retries.dropItem(of.run, of.stage, key);
}
