// Finds foreground runs whose process is gone and parks them `waiting` (`interrupted`), so that lists tell the
// truth and `resume` finds them. Runs of live processes, and of machines we cannot judge, are left alone.

import type { MillContext } from "../mill-context.ts";
import { isAbandoned } from "./resume-run.ts";
import { PAGE_ROWS_MAX } from "../../model/limits.ts";

/** Parks what is left of dead processes. One pass over all running runs, page by page. */
export async function rescueInterrupted(mill: MillContext): Promise<number> {
  let rescued = 0;
  let before: number | undefined;
  for (;;) {
    const page = await mill.store.listRuns({
      states: ["running"],
      limit: PAGE_ROWS_MAX,
      ...(before === undefined ? {} : { beforeNumber: before }),
    });
    for (const run of page) {
      if (!run.foreground || !isAbandoned(mill, run)) continue;
      const result = await mill.committer.write({
        kind: "interrupt-run",
        runId: run.id,
        expectedEpoch: run.epoch,
        events: [{ type: "run.interrupted", data: { reason: "its process is gone" } }],
      });
      if (result.kind === "done") rescued += 1;
    }
    before = page.at(-1)?.number;
    if (page.length < PAGE_ROWS_MAX || before === undefined) return rescued;
  }
}
