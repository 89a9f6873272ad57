// Brings back the runs of workers that died: those of a queue return to it under the next epoch, those in the
// foreground wait for their resume. A live holder is never robbed, however old its lease.

import { countCrash, isPoison } from "../../policy/crashes.ts";
import { fingerprintOf } from "../../policy/failure.ts";
import { PAGE_ROWS_MAX } from "../../model/limits.ts";
import type { Failure } from "../../model/outcome.ts";
import type { RunRecord } from "../../model/run.ts";
import {
  interruptAbandoned,
  judgeOwner,
  type OwnerStanding,
} from "../commands/interrupt-abandoned.ts";
import type { MillContext } from "../mill-context.ts";
import { findSuspects } from "./find-suspects.ts";
import { noteLostRun } from "./lost-workers.ts";

/** One pass over all running runs, page by page; answers how many of them came back. */
export async function rescueRuns(mill: MillContext): Promise<number> {
  let rescued = 0;
  let before: number | undefined;
  for (;;) {
    const page = await mill.store.listRuns({
      states: ["running"],
      limit: PAGE_ROWS_MAX,
      ...(before === undefined ? {} : { beforeNumber: before }),
    });
    for (const run of page) if (await rescue(mill, run)) rescued += 1;
    before = page.at(-1)?.number;
    if (page.length < PAGE_ROWS_MAX || before === undefined) return rescued;
  }
}

async function rescue(mill: MillContext, run: RunRecord): Promise<boolean> {
  const standing = judgeOwner(mill, run);
  if (standing === "alive") return false;
  if (run.foreground) {
    // One that only hangs goes on by itself, or is resumed by whoever knows better.
    if (standing !== "gone") return false;
    return (await interruptAbandoned(mill, run)).epoch > run.epoch;
  }
  return await reclaim(mill, run, standing);
}

async function reclaim(
  mill: MillContext,
  run: RunRecord,
  standing: OwnerStanding,
): Promise<boolean> {
  const definition = mill.pipelines.get(run.pipeline);
  // Whoever knows the pipeline knows how many claims it may lose.
  if (definition === undefined) return false;
  const owner = run.lease?.owner;
  const reason = standing === "gone" ? "its process is gone" : "its lease ran out";
  const message = `${definition.attempts} claims in a row were lost to crashes; the last one: ${reason}.`;
  const failure: Failure = {
    class: "crash",
    message,
    attempts: run.attempts + 1,
    fingerprint: fingerprintOf("crash", undefined, message),
  };
  const checkpoints = await mill.store.loadCheckpoints(run.id);
  const workers = await mill.store.listWorkers();
  const suspects = findSuspects(run, { definition, checkpoints, workers });
  const crash = { suspects, reason, lostBefore: run.attempts };
  // Once it is known who does it, that one fails and the rest of the run goes on.
  const isFound = countCrash(checkpoints.crashes, crash).some(isPoison);
  const result = await mill.committer.write({
    kind: "reclaim-run",
    runId: run.id,
    expectedEpoch: run.epoch,
    attemptsMax: isFound ? Infinity : definition.attempts,
    failure,
    suspects,
    reason,
    events: [
      {
        type: "run.reclaimed",
        data: { reason, host: owner?.host ?? "", pid: owner?.pid ?? 0 },
      },
    ],
  });
  if (result.kind !== "done") return false;
  if (owner !== undefined) await noteLostRun(mill, { owner, run, reason });
  return true;
}
