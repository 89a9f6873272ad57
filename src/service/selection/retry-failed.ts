// Queues a resume of failed runs: same ids, what succeeded is kept, fresh attempts for the rest. Not all at once:
// what they failed of may have only just come back.

import { RETRIED_RUNS_PER_SECOND } from "../../model/defaults.ts";
import { MillraceError } from "../../model/errors.ts";
import type { RunRecord } from "../../model/run.ts";
import type { Duration } from "../../std/duration.ts";
import type { MillContext } from "../mill-context.ts";
import { queueRun } from "../commands/resume-run.ts";
import { listRunPages, parseAge, Selection, type SelectionOutcome } from "./run-selection.ts";

/** Which failed runs. Absent: all. */
export interface RetryFailedOptions {
  readonly pipeline?: string;
  /** Ended at this moment or later, or at most this long ago. */
  readonly since?: Date | Duration;
  /** Of the failure that ended the run, or its beginning. */
  readonly fingerprint?: string;
  /** Runs that may begin within a second, 1 or more: the rest waits its turn. Default 10. */
  readonly runsPerSecond?: number;
  /** True: only counts. */
  readonly dryRun?: boolean;
}

/** What became of them, and over which time they begin. */
export interface RetryOutcome extends SelectionOutcome {
  /** Until the last of them may begin, ms. */
  readonly spreadMs: number;
}

/** Queues failed runs again. One that cannot be resumed is skipped, with the reason. */
export async function retryFailed(
  mill: MillContext,
  options: RetryFailedOptions = {},
): Promise<RetryOutcome> {
  const { pipeline, dryRun, fingerprint, runsPerSecond = RETRIED_RUNS_PER_SECOND } = options;
  checkRate(runsPerSecond);
  const delayOf = (place: number): number => Math.floor(place / runsPerSecond) * 1_000;
  let place = 0;
  const sinceMs = toSinceMs(mill, options.since);
  const selection = new Selection();
  const query = { states: ["failed"] as const, ...(pipeline === undefined ? {} : { pipeline }) };
  for await (const page of listRunPages(mill.store, query)) {
    const runs = page.filter((run) => matches(run, { sinceMs, fingerprint }));
    selection.match(runs.length);
    if (dryRun === true) continue;
    await selection.changeEach(runs, (run) =>
      queueRun(mill, run.id, { delayMs: delayOf(place++) }),
    );
  }
  const { outcome } = selection;
  const count = dryRun === true ? outcome.matching : place;
  return { ...outcome, spreadMs: delayOf(Math.max(0, count - 1)) };
}

function checkRate(runsPerSecond: number): void {
  if (Number.isSafeInteger(runsPerSecond) && runsPerSecond >= 1) return;
  throw new MillraceError(
    "OPTION_INVALID",
    `runsPerSecond: expected a whole number of runs from 1 on; got ${String(runsPerSecond)}.`,
  );
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
