// What an owner's write does to the stages, items and memos of a run in the memory store.

import type { StateEntry } from "../../model/checkpoint.ts";
import { refuseStageMove } from "../stage-rules.ts";
import { HAS_LEASE, toLease } from "../run-rules.ts";
import type { PutItemWrite, PutMemoWrite, PutStageWrite, TellWrite } from "../write.ts";
import type { WriteResult } from "../write-result.ts";
import type { MemoryRun } from "./memory-run.ts";

/** The refusal of a write, with the run as it stands. */
export function conflict(run: MemoryRun, reason: string): WriteResult {
  return { kind: "conflict", run: run.record, reason };
}

/** Puts a lease back where there is none, or says why not. */
export function putBackLease(
  run: MemoryRun,
  { lease }: TellWrite,
  nowMs: number,
): WriteResult | undefined {
  if (lease === undefined) return undefined;
  if (run.record.lease !== null) return conflict(run, HAS_LEASE);
  run.record = { ...run.record, lease: toLease(lease, nowMs) };
  return undefined;
}

/** Stores a stage, or says why not. */
export function putStage(run: MemoryRun, write: PutStageWrite): WriteResult | undefined {
  const { record } = write;
  const known = run.stages.get(record.stage)?.state;
  const refusal = refuseStageMove(`Stage "${record.stage}"`, known, record.state);
  if (refusal !== undefined) return conflict(run, refusal);
  run.stages.set(record.stage, record);
  addHistory(run, write);
  return undefined;
}

/** Stores an item, or says why not. */
export function putItem(run: MemoryRun, write: PutItemWrite): WriteResult | undefined {
  const { record } = write;
  const known = run.itemsOf(record.stage).get(record.key)?.state;
  const subject = `Item "${record.key}" of stage "${record.stage}"`;
  const refusal = refuseStageMove(subject, known, record.state);
  if (refusal !== undefined) return conflict(run, refusal);
  run.putItem(record);
  addHistory(run, write);
  return undefined;
}

function addHistory(run: MemoryRun, write: PutStageWrite | PutItemWrite): void {
  if (write.retry !== undefined) run.addRetry(write.retry);
  for (const entry of write.state ?? []) addState(run.state, entry);
}

// Deleted first, so that the order of the map is that of writing, like the order of rows.
function addState(state: Map<string, StateEntry>, entry: StateEntry): void {
  state.delete(entry.key);
  state.set(entry.key, entry);
}

/** Stores a memo, unless there is one. */
export function putMemo(run: MemoryRun, write: PutMemoWrite): WriteResult | undefined {
  const { stage, item, name, value } = write;
  const kept = run.findMemo(stage, item, name);
  if (kept !== undefined) return { kind: "kept", value: kept };
  run.putMemo({ stage, item, name, value });
  return undefined;
}
