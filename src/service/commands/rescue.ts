// Finds foreground runs whose process is gone and parks them `waiting` (`interrupted`), so that lists tell the
// truth and `resume` finds them. Runs of live processes, and of machines we cannot judge, are left alone.

import { PAGE_ROWS_MAX } from "../../model/limits.ts";
import type { MillContext } from "../mill-context.ts";
import { interruptAbandoned, judgeOwner } from "./interrupt-abandoned.ts";

/** Parks what is left of dead processes; answers how many. One pass over all running runs, page by page. */
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
      if (!run.foreground || judgeOwner(mill, run) !== "gone") continue;
      const now = await interruptAbandoned(mill, run);
      if (now.epoch > run.epoch) rescued += 1;
    }
    before = page.at(-1)?.number;
    if (page.length < PAGE_ROWS_MAX || before === undefined) return rescued;
  }
}
