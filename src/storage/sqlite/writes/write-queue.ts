// Writes of the queue: the next runs are claimed, waiting ones wake, and those of the dead come back.

import { assert } from "../../../std/error/assert.ts";
import { claimOrder, claimQueued, reclaimRun, refuseReclaim, wakeRun } from "../../run-rules.ts";
import type {
  ClaimedPipeline,
  ClaimNextWrite,
  ReclaimRunWrite,
  WakeRunsWrite,
} from "../../write.ts";
import type { NextRun, WriteResult } from "../../write-result.ts";
import type { Batch } from "../batch.ts";
import { addCrash } from "./write-crash.ts";
import type { QueuedRun } from "../statements/queue.ts";

interface Candidate extends QueuedRun {
  readonly pipeline: ClaimedPipeline;
}

/** Claims the heads of the queues of some pipelines, merged in the order of claims. */
export function claimNext(batch: Batch, write: ClaimNextWrite): WriteResult {
  const heads = write.pipelines.flatMap((pipeline) => listCandidates(batch, pipeline, write.limit));
  if (write.pipelines.length > 1) heads.sort(byClaimOrder);
  return {
    kind: "claimed",
    runs: heads.slice(0, write.limit).map((one) => claim(batch, write, one)),
  };
}

function listCandidates(
  batch: Batch,
  pipeline: ClaimedPipeline,
  limit: number,
): readonly Candidate[] {
  const { name, maxActiveRuns } = pipeline;
  const free = maxActiveRuns === null ? limit : maxActiveRuns - batch.countRunning(name);
  if (free <= 0) return [];
  const found = batch.rows.queue.listNext(name, Math.min(limit, free));
  return found.map((queued) => ({ ...queued, pipeline }));
}

function byClaimOrder(left: Candidate, right: Candidate): number {
  return claimOrder(left.run) - claimOrder(right.run) || left.run.number - right.run.number;
}

function claim(
  batch: Batch,
  write: ClaimNextWrite,
  { run: read, head, pipeline }: Candidate,
): NextRun {
  const known = batch.adopt(head);
  // What this transaction did to the run before it was queued again may not stand in its row yet.
  const run = known.changed ? batch.record(known) : read;
  const claimed = claimQueued(run, { claim: write.claim, pipeline }, batch.nowMs);
  const events = [{ type: "run.started", data: { epoch: claimed.epoch } } as const];
  const numbers = batch.tell(known, events);
  if (run.definitionHash !== pipeline.definitionHash) {
    const definition = batch.keepDefinition(pipeline.definitionHash, pipeline.definitionJson);
    batch.rows.queue.redefine(run.number, definition);
  }
  batch.rows.queue.claim(claimed, known.runSeq);
  batch.claimed(known, claimed.epoch);
  return { run: claimed, numbers, events, formerHash: run.definitionHash };
}

/** Lets runs whose time has come go back to their queues. */
export function wakeRuns(batch: Batch, write: WakeRunsWrite): WriteResult {
  const { queue } = batch.rows;
  const due = queue.listDue(batch.nowMs, write.limit);
  for (const id of due) {
    const head = batch.head(id);
    assert(head !== undefined, `Run ${id} was due and is gone.`);
    batch.replace(head, wakeRun(batch.record(head), batch.nowMs));
  }
  return { kind: "woken", count: due.length, nextWakeAtMs: queue.nextWakeMs() };
}

/** Takes a run of a queue back from an owner that is gone. */
export function reclaim(batch: Batch, write: ReclaimRunWrite): WriteResult {
  const head = batch.head(write.runId);
  if (head === undefined) {
    return { kind: "conflict", run: null, reason: "There is no run with this id." };
  }
  const run = batch.record(head);
  const reason = refuseReclaim(run, write);
  if (reason !== undefined) return { kind: "conflict", run, reason };
  addCrash(batch, head, write);
  const { run: free, event } = reclaimRun(run, write, batch.nowMs);
  batch.replace(head, free);
  const events = event === null ? write.events : [...write.events, event];
  return { kind: "done", numbers: batch.tell(head, events), run: free };
}
