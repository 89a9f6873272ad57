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
  /** The process that works on it and has been asked, or from which it was taken. */
  readonly holder?: string;
  readonly note?: string;
}

/** How a run is cancelled. */
export interface CancelOptions {
  /** For people. Default "cancelled". */
  readonly reason?: string;
  /** Takes a running run from its process instead of asking it: for one that is stuck. The run is `cancelled` at once,
   *  and whatever that process still writes of it is refused. Default false. */
  readonly force?: boolean;
}

/** Cancels a run. One that is cancelled already is answered as it is; any other that has ended is
 *  RUN_STATE_CONFLICT. */
export async function cancelRun(
  mill: MillContext,
  reference: string,
  { reason = "cancelled", force = false }: CancelOptions,
): Promise<CancelOutcome> {
  const run = await findRun(mill.store, reference);
  const name = runName(run);
  const before = run.state;
  if (before === "cancelled")
    return { run: name, before, after: before, note: "was cancelled already" };
  if (force && before === "running") return await takeFromOwner(mill, run, reason);
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

/** Times that a run may change hands while it is taken. */
const TAKES_MAX = 10;

/** Not asked, not waited for: its process may be stuck, and hears of it when it can. */
async function takeFromOwner(
  mill: MillContext,
  found: RunRecord,
  reason: string,
): Promise<CancelOutcome> {
  let run = found;
  for (let takes = 0; run.state === "running" && takes < TAKES_MAX; takes += 1) {
    const result = await mill.committer.write({
      kind: "request-cancel",
      runId: run.id,
      reason,
      forceEpoch: run.epoch,
    });
    if (result.kind === "done") {
      const holder = sayOwner(run);
      const note =
        "taken from its process; what that still writes of it is refused, and if it hangs, end it";
      const outcome = { run: runName(run), before: run.state, after: "cancelled" as const };
      return holder === undefined ? outcome : { ...outcome, holder, note };
    }
    run = await findRun(mill.store, run.id);
  }
  const { state } = await requestCancel(mill, run, reason);
  return { run: runName(run), before: run.state, after: state };
}

/** Ends a run that nobody works on; asks for the end of another. RUN_STATE_CONFLICT for one that has ended. */
export async function requestCancel(
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
  const holder = sayOwner(run);
  if (run.state !== "running" || holder === undefined) return {};
  return { holder, note: "asked to stop; it sees this within 2 s" };
}

function sayOwner({ lease }: RunRecord): string | undefined {
  return lease === null ? undefined : `process ${lease.owner.pid} on ${lease.owner.host}`;
}
