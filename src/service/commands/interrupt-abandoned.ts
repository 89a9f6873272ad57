// Who holds a run that is `running`, and what becomes of one whose owner is gone: `waiting` (`interrupted`) under
// the next epoch, so that whatever that owner still sends changes nothing.

import { LEASE_MS_DEFAULT } from "../../model/defaults.ts";
import type { RunRecord } from "../../model/run.ts";
import type { MillContext } from "../mill-context.ts";

/**
 * How the owner of a running run stands. `alive`: it works, or nobody can tell yet. `late`: its process lives and
 * has not renewed its lease in time: it hangs, was stopped, or let the run go. `gone`: proven dead, or nobody can
 * tell and the lease is over by more than the grace.
 */
export type OwnerStanding = "alive" | "late" | "gone";

/** Judges the owner of a run. */
export function judgeOwner(mill: MillContext, run: RunRecord): OwnerStanding {
  if (mill.live.has(run.id) || mill.claiming.has(run.id)) return "alive";
  if (run.lease === null || run.lease.owner.worker === "") {
    // Somebody may work on it all the same, and puts its lease back with a beat. Whoever does is given as long as with
    // a lease.
    return mill.standing.leaselessMs(run) < mill.leaseMs ? "alive" : "gone";
  }
  mill.standing.hasLease(run);
  const { owner, expiresAtMs } = run.lease;
  // Ours, and nobody here drives it: its store failed. Unless it has just been claimed.
  if (owner.worker === mill.owner.worker) return mill.queueClaims > 0 ? "alive" : "gone";
  const gone = mill.machine.isGone(owner);
  if (gone === true) return "gone";
  const nowMs = mill.store.nowMs();
  const isOver = nowMs > expiresAtMs + mill.leaseTerms.graceMs;
  // No holder writes an end further away than its lease is long: such a row is worth nothing.
  const isImpossible = expiresAtMs > nowMs + Math.max(mill.leaseMs, LEASE_MS_DEFAULT);
  // All may have missed their renewals for one reason, which is not theirs.
  if (mill.standing.amnesty.isOn) return "alive";
  if (gone === undefined) return isOver || isImpossible ? "gone" : "alive";
  return isOver ? "late" : "alive";
}

/**
 * Parks a running run whose owner has let it go, and ends it if its end was asked for meanwhile. Answers the run as
 * it stands then; one that is not running, or in living hands, is answered as it is.
 */
export async function interruptAbandoned(mill: MillContext, run: RunRecord): Promise<RunRecord> {
  if (run.state !== "running" || !run.foreground) return run;
  const standing = judgeOwner(mill, run);
  if (standing === "alive") return run;
  const result = await mill.committer.write({
    kind: "interrupt-run",
    runId: run.id,
    expectedEpoch: run.epoch,
    events: [
      {
        type: "run.interrupted",
        data: {
          reason: standing === "gone" ? "its process is gone" : "its process does not answer",
        },
      },
    ],
  });
  const now = result.kind === "done" || result.kind === "conflict" ? result.run : null;
  if (result.kind !== "done" || now?.cancelRequestedAtMs === null) return now ?? run;
  const reason = run.cancelReason ?? "cancelled";
  const cancelled = await mill.committer.write({ kind: "request-cancel", runId: run.id, reason });
  return cancelled.kind === "done" ? (cancelled.run ?? run) : (now ?? run);
}
