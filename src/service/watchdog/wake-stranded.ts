// A run of a queue that waits for a time and has none: nothing would ever wake it. It goes back to its queue, under the
// next epoch, so that a wait which somebody writes meanwhile is refused.

import type { RunRecord } from "../../model/run.ts";
import type { MillContext } from "../mill-context.ts";
import { runName } from "../queries/find-run.ts";

/** Puts it back into its queue. False: its definition is gone, or it has moved meanwhile. */
export async function wakeStranded(
  { store, committer }: Pick<MillContext, "store" | "committer">,
  run: RunRecord,
): Promise<boolean> {
  const definitionJson = await store.findDefinition(run.definitionHash);
  if (definitionJson === undefined) return false;
  const message = `Run ${runName(run)} waited (${run.reason ?? ""}) without a time. It was put back into its queue.`;
  const result = await committer.write({
    kind: "claim-run",
    runId: run.id,
    expectedEpoch: run.epoch,
    from: ["waiting"],
    claim: null,
    foreground: false,
    reopen: false,
    crashed: false,
    definitionHash: run.definitionHash,
    definitionJson,
    settings: run.settings,
    resetStages: [],
    events: [{ type: "watchdog.repaired", data: { rule: "wake-missing", message } }],
  });
  return result.kind === "done";
}
