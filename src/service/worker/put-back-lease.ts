// Gives a run that is worked on here its lease back, where a hand from outside has taken it from the store: the run
// goes on, and one event tells of it.

import type { LeasedRun } from "../../storage/lease-renewer.ts";
import type { MillContext } from "../mill-context.ts";

/** Puts the lease back. False: the run is not ours any more. */
export async function putBackLease(
  mill: Pick<MillContext, "committer" | "owner" | "leaseMs">,
  { id, epoch }: LeasedRun,
): Promise<boolean> {
  const { committer, owner, leaseMs } = mill;
  const message = "The run had no lease although its process works on it. The lease was put back.";
  const result = await committer.write({
    kind: "tell",
    runId: id,
    epoch,
    lease: { owner, leaseMs },
    events: [
      { type: "watchdog.repaired", data: { rule: "lease-missing", message, worker: owner.worker } },
    ],
  });
  // A conflict: it has one again.
  return result.kind === "done" || result.kind === "conflict";
}
