// What the chapters of the queue share: runs queued under a name, and runs that lost their owner so often.

import assert from "node:assert/strict";
import type { RunRecord } from "../../../model/run.ts";
import type { Store } from "../../../storage/store.ts";
import type { NewRun } from "../../../storage/write.ts";
import type { NextRun } from "../../../storage/write-result.ts";
import { applyAll, applyClaim, applyRun, claimNext, queueRun, reclaimRun } from "../fixture.ts";

/** The names of claimed runs, in the order of the claim. */
export function keysOf(runs: readonly NextRun[]): readonly (string | null)[] {
  return runs.map(({ run }) => run.key);
}

/** Queues a run under a name. */
export async function enqueue(store: Store, key: string, run: Partial<NewRun> = {}): Promise<void> {
  await applyAll(store, queueRun({ key, ...run }));
}

/** The next run, claimed; and lost again, so often. Default: never. */
export async function claimOne(store: Store, losses: number = 0): Promise<RunRecord> {
  const [next] = await applyClaim(store, claimNext());
  assert.ok(next !== undefined, "nothing was claimed");
  if (losses === 0) return next.run;
  await applyRun(store, reclaimRun(next.run));
  return claimOne(store, losses - 1);
}
