// Queues a resume of failed runs: same ids, what succeeded is kept, fresh attempts for the rest.

import type { RunRecord } from "../../model/run.ts";
import type { MillContext } from "../mill-context.ts";
import { queueRun } from "./resume-run.ts";
import { listRunPages, Selection, type SelectionOutcome } from "./run-selection.ts";

/** Which failed runs. Absent: all. */
export interface RetryFailedOptions {
  readonly pipeline?: string;
  /** Ended at this UTC ms or later. */
  readonly sinceMs?: number;
  /** Of the failure that ended the run, or its beginning. */
  readonly fingerprint?: string;
  /** True: only counts. */
  readonly dryRun?: boolean;
}

/** Queues failed runs again. One that cannot be resumed is skipped, with the reason. */
export async function retryFailed(
  mill: MillContext,
  options: RetryFailedOptions = {},
): Promise<SelectionOutcome> {
  const { pipeline, dryRun } = options;
  const selection = new Selection();
  const query = { states: ["failed"] as const, ...(pipeline === undefined ? {} : { pipeline }) };
  for await (const page of listRunPages(mill.store, query)) {
    const runs = page.filter((run) => matches(run, options));
    selection.match(runs.length);
    if (dryRun === true) continue;
    await selection.changeEach(runs, (run) => queueRun(mill, run.id, {}));
  }
  return selection.outcome;
}

function matches(run: RunRecord, { sinceMs, fingerprint }: RetryFailedOptions): boolean {
  if (sinceMs !== undefined && (run.endedAtMs ?? 0) < sinceMs) return false;
  return fingerprint === undefined || run.failure?.fingerprint.startsWith(fingerprint) === true;
}
