// Uses the checkpoint of a stage that was reached again, if it was made from what the stage would get now.

import { takeRecord } from "./restore.ts";
import type { StageLedger } from "../ledger/stage-ledger.ts";
import type { StageRun } from "../stage-run.ts";

/** A checkpoint of an earlier epoch holds if it was made from what the stage would get now. */
export function reuseCheckpoint(ledger: StageLedger, stageRun: StageRun): boolean {
  const record = stageRun.candidate;
  if (record === null || record.inputVersion !== stageRun.inputVersion) return false;
  if (stageRun.definition.map !== null) return false; // its items are compared one by one
  // `pending` with an output: an earlier resume set it back, and was cut short before it came here.
  const isPending = record.state === "pending" && record.output !== null;
  if (!isPending && record.state !== "succeeded") return false;
  if (record.output === null && stageRun.definition.persist) return false;
  takeRecord(stageRun, record);
  ledger.endStage(stageRun, { state: "succeeded", via: "checkpoint" });
  return true;
}
