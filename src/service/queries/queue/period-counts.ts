// How many runs ended within a time, and how: read from the newest runs on, up to a bound that is told.

import type { Store } from "../../../storage/store.ts";
import { PAGE_ROWS_MAX, PERIOD_RUNS_MAX } from "../../../model/limits.ts";
import type { RunState } from "../../../model/run.ts";

/** What ended. */
export interface PeriodCounts {
  /** Runs that ended succeeded or failed. */
  readonly executed: number;
  readonly succeeded: number;
  readonly failed: number;
  /** Of what was executed; 0 when nothing was. */
  readonly successRate: number;
  /** False: there were more runs than are looked at, and older ones are not counted. */
  readonly complete: boolean;
}

/** Counts runs that ended at `sinceMs` or later. Without it all that are kept, from maintained counts. */
export async function countPeriod(
  store: Pick<Store, "listRuns" | "countRuns">,
  { pipeline, sinceMs }: { readonly pipeline?: string; readonly sinceMs?: number },
): Promise<PeriodCounts> {
  if (sinceMs !== undefined) return await countSince(store, { pipeline, sinceMs });
  let succeeded = 0;
  let failed = 0;
  for (const [name, counts] of await store.countRuns()) {
    if (pipeline !== undefined && name !== pipeline) continue;
    succeeded += counts.succeeded ?? 0;
    failed += counts.failed ?? 0;
  }
  return toCounts({ succeeded, failed, complete: true });
}

interface Since {
  readonly pipeline: string | undefined;
  readonly sinceMs: number;
}

async function countSince(
  store: Pick<Store, "listRuns">,
  { pipeline, sinceMs }: Since,
): Promise<PeriodCounts> {
  const states: readonly RunState[] = ["succeeded", "failed"];
  const count = { succeeded: 0, failed: 0 };
  let beforeNumber: number | undefined;
  for (let looked = 0; looked < PERIOD_RUNS_MAX; looked += PAGE_ROWS_MAX) {
    const page = await store.listRuns({
      states,
      limit: PAGE_ROWS_MAX,
      ...(pipeline === undefined ? {} : { pipeline }),
      ...(beforeNumber === undefined ? {} : { beforeNumber }),
    });
    for (const { state, endedAtMs } of page) {
      if (endedAtMs === null || endedAtMs < sinceMs) continue;
      if (state === "succeeded") count.succeeded += 1;
      else count.failed += 1;
    }
    if (page.length < PAGE_ROWS_MAX) return toCounts({ ...count, complete: true });
    beforeNumber = page.at(-1)?.number;
  }
  return toCounts({ ...count, complete: false });
}

function toCounts(counts: Pick<PeriodCounts, "succeeded" | "failed" | "complete">): PeriodCounts {
  const executed = counts.succeeded + counts.failed;
  return { executed, ...counts, successRate: executed === 0 ? 0 : counts.succeeded / executed };
}
