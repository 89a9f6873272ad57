// How the runs of a period ended: the one count behind statistics and reports, so that they cannot disagree. A period is
// over the runs that ended in it. Bounded: the newest PERIOD_RUNS_MAX runs are looked at, and of what is beyond it is
// said that it is left out.

import { PAGE_ROWS_MAX, PERIOD_RUNS_MAX } from "../../model/limits.ts";
import type { Store } from "../../storage/store.ts";
import { ENDED_STATES } from "../history/list-history.ts";
import { isEndedRun, type EndedRun } from "../views/summary-view.ts";

/** Which runs. */
export interface CountedPeriod {
  /** Default: all. */
  readonly pipeline?: string;
  /** Ended at this UTC ms or later. Absent: all that are kept, from maintained counts. */
  readonly sinceMs?: number;
}

/** How the runs of a period ended. */
export interface PeriodCounts {
  /** Runs that succeeded or failed; one that was skipped or cancelled says nothing of either. */
  readonly executed: number;
  readonly succeeded: number;
  readonly failed: number;
  readonly skipped: number;
  readonly cancelled: number;
  /** Share of the executed ones that succeeded, 0 to 1; 0 where nothing was executed. */
  readonly successRate: number;
  /** True: there are more runs than were looked at, all older. */
  readonly isCut: boolean;
}

type Ends = Record<EndedRun["state"], number>;

/** Counts them; `note` hears of each run, newest first, if there is a `sinceMs`. */
export async function countPeriod(
  store: Pick<Store, "listRuns" | "countRuns">,
  { pipeline, sinceMs }: CountedPeriod,
  note?: (run: EndedRun) => void,
): Promise<PeriodCounts> {
  const ends: Ends = { succeeded: 0, failed: 0, skipped: 0, cancelled: 0 };
  if (sinceMs === undefined) {
    for (const [name, counts] of await store.countRuns()) {
      if (pipeline !== undefined && name !== pipeline) continue;
      ends.succeeded += counts.succeeded ?? 0;
      ends.failed += counts.failed ?? 0;
      ends.skipped += counts.skipped ?? 0;
      ends.cancelled += counts.cancelled ?? 0;
    }
    return toCounts(ends, false);
  }
  const isCut = await visitEnded(store, pipeline, (run) => {
    if (run.endedAtMs < sinceMs) return;
    ends[run.state] += 1;
    note?.(run);
  });
  return toCounts(ends, isCut);
}

/** By when they ended: a run that was queued before the period counts, too. Answers whether older ones were left out. */
async function visitEnded(
  store: Pick<Store, "listRuns">,
  pipeline: string | undefined,
  visit: (run: EndedRun) => void,
): Promise<boolean> {
  let beforeNumber: number | undefined;
  for (let looked = 0; looked < PERIOD_RUNS_MAX; looked += PAGE_ROWS_MAX) {
    const page = await store.listRuns({
      ...(pipeline === undefined ? {} : { pipeline }),
      states: ENDED_STATES,
      limit: PAGE_ROWS_MAX,
      ...(beforeNumber === undefined ? {} : { beforeNumber }),
    });
    for (const run of page) if (isEndedRun(run)) visit(run);
    beforeNumber = page.at(-1)?.number;
    if (page.length < PAGE_ROWS_MAX) return false;
  }
  return true;
}

function toCounts(ends: Ends, isCut: boolean): PeriodCounts {
  const executed = ends.succeeded + ends.failed;
  return {
    executed,
    ...ends,
    successRate: executed === 0 ? 0 : ends.succeeded / executed,
    isCut,
  };
}
