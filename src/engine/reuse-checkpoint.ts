// Uses the checkpoint of a stage that was reached again, if it was made from what the stage would get now.

import type { StageLedger } from "./stage-ledger.ts";
import type { StageRun } from "./stage-run.ts";

/** A checkpoint of an earlier epoch holds if it was made from what the stage would get now. */
export function reuseCheckpoint(ledger: StageLedger, stageRun: StageRun): boolean {
  const record = stageRun.candidate;
  if (record === null || record.inputVersion !== stageRun.inputVersion) return false;
  if (record.state !== "succeeded" || (record.output === null && stageRun.definition.persist))
    return false;
  if (stageRun.definition.map !== null) return false; // its items are compared one by one
  stageRun.attempts = record.attempts;
  stageRun.stored = record.output;
  stageRun.text = record.output?.kind === "inline" ? record.output.text : null;
  stageRun.outputVersion = record.outputVersion;
  ledger.endStage(stageRun, { state: "succeeded", via: "checkpoint" });
  return true;
}
