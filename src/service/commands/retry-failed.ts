// Queues a resume of failed runs: same ids, what succeeded is kept, fresh attempts for the rest.

import type { RunRecord } from "../../model/run.ts";
import type { Duration } from "../../std/duration.ts";
import type { MillContext } from "../mill-context.ts";
import { queueRun } from "./resume-run.ts";
import { listRunPages, parseAge, Selection, type SelectionOutcome } from "./run-selection.ts";

/** Which failed runs. Absent: all. */
export interface RetryFailedOptions {
  readonly pipeline?: string;
  /** Ended at this moment or later, or at most this long ago. */
  readonly since?: Date | Duration;
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
  const { pipeline, dryRun, fingerprint } = options;
  const sinceMs = toSinceMs(mill, options.since);
  const selection = new Selection();
  const query = { states: ["failed"] as const, ...(pipeline === undefined ? {} : { pipeline }) };
  for await (const page of listRunPages(mill.store, query)) {
    const runs = page.filter((run) => matches(run, { sinceMs, fingerprint }));
    selection.match(runs.length);
    if (dryRun === true) continue;
    await selection.changeEach(runs, (run) => queueRun(mill, run.id, {}));
  }
  return selection.outcome;
}

function toSinceMs({ store }: MillContext, since: Date | Duration | undefined): number {
  if (since === undefined) return 0;
  return since instanceof Date ? since.getTime() : store.nowMs() - parseAge("since", since);
}

interface Wanted {
  readonly sinceMs: number;
  readonly fingerprint: string | undefined;
}

function matches(run: RunRecord, { sinceMs, fingerprint }: Wanted): boolean {
  if ((run.endedAtMs ?? 0) < sinceMs) return false;
  return fingerprint === undefined || run.failure?.fingerprint.startsWith(fingerprint) === true;
}
