// Ends a run from wherever the caller is: here, in another process, or with nobody at work on it.

import { MillraceError } from "../../model/errors.ts";
import { isRunOver, type RunRecord, type RunState } from "../../model/run.ts";
import type { MillContext } from "../mill-context.ts";
import { findRun, runName } from "../queries/find-run.ts";
import { interruptAbandoned } from "./interrupt-abandoned.ts";

/** What became of a request to cancel. */
export interface CancelOutcome {
  /** Short name. */
  readonly run: string;
  readonly before: RunState;
  readonly after: RunState;
  /** The process that works on it and has been asked. */
  readonly holder?: string;
  readonly note?: string;
}

/** Cancels a run. One that is cancelled already is answered as it is; any other that has ended is
 *  RUN_STATE_CONFLICT. */
export async function cancelRun(
  mill: MillContext,
  reference: string,
  reason: string,
): Promise<CancelOutcome> {
  const run = await findRun(mill.store, reference);
  const name = runName(run);
  const before = run.state;
  if (before === "cancelled")
    return { run: name, before, after: before, note: "was cancelled already" };
  const live = mill.live.get(run.id);
  if (live !== undefined) {
    await live.cancel(reason);
    const after = (await findRun(mill.store, run.id)).state;
    // It was on its way to wait, or its store failed: then nobody works on it any more.
    if (isRunOver(after)) return { run: name, before, after };
  }
  const parked = await interruptAbandoned(mill, await findRun(mill.store, run.id));
  if (parked.state === "cancelled") return { run: name, before, after: parked.state };
  const after = await requestCancel(mill, run, reason);
  return { run: name, before, after: after.state, ...describeHolder(after) };
}

async function requestCancel(
  mill: MillContext,
  run: RunRecord,
  reason: string,
): Promise<RunRecord> {
  const result = await mill.committer.write({ kind: "request-cancel", runId: run.id, reason });
  if (result.kind === "done" && result.run !== undefined) return result.run;
  const now = await findRun(mill.store, run.id);
  const name = runName(run);
  throw new MillraceError(
    "RUN_STATE_CONFLICT",
    `Run ${name} has ended ${now.state}: it cannot be cancelled.`,
    {
      hint: "only a run that has not ended can be",
      next: `npx millrace show ${name}`,
      details: { run: run.id, name, state: now.state },
    },
  );
}

function describeHolder(run: RunRecord): Pick<CancelOutcome, "holder" | "note"> {
  const owner = run.lease?.owner;
  if (run.state !== "running" || owner === undefined) return {};
  return {
    holder: `process ${owner.pid} on ${owner.host}`,
    note: "asked to stop; it sees this within 2 s",
  };
}
