// Ends a run from wherever the caller is: here, in another process, or with nobody at work on it.

import { MillraceError } from "../../model/errors.ts";
import type { RunState } from "../../model/run.ts";
import type { MillContext } from "../mill-context.ts";
import { findRun, runName } from "../queries/find-run.ts";
import { isAbandoned } from "./resume-run.ts";

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
  if (run.state === "cancelled")
    return { run: name, before: run.state, after: run.state, note: "was cancelled already" };
  const live = mill.live.get(run.id);
  if (live !== undefined) {
    await live.cancel(reason);
    const after = await mill.store.findRun(run.id);
    return { run: name, before: run.state, after: after?.state ?? "cancelled" };
  }
  if (run.state === "running" && isAbandoned(mill, run)) {
    await mill.committer.write({
      kind: "interrupt-run",
      runId: run.id,
      expectedEpoch: run.epoch,
      events: [{ type: "run.interrupted", data: { reason: "its process is gone" } }],
    });
  }
  const result = await mill.committer.write({ kind: "request-cancel", runId: run.id, reason });
  if (result.kind === "conflict") {
    throw new MillraceError(
      "RUN_STATE_CONFLICT",
      `Run ${name} has ended ${run.state}: it cannot be cancelled.`,
      {
        hint: "only a run that has not ended can be",
        next: `npx millrace show ${name}`,
        details: { run: run.id, name, state: run.state },
      },
    );
  }
  const after = (await mill.store.findRun(run.id))?.state ?? "cancelled";
  const owner = run.lease?.owner;
  return {
    run: name,
    before: run.state,
    after,
    ...(after !== "running" || owner === undefined
      ? {}
      : {
          holder: `process ${owner.pid} on ${owner.host}`,
          note: "asked to stop; it sees this within 2 s",
        }),
  };
}
