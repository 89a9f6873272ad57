// Runs as documents show them. One on which nobody works costs no more than its row and its sums.

import type { RunSums } from "../../../model/checkpoint.ts";
import type { RunRecord } from "../../../model/run.ts";
import type { Store } from "../../../storage/store.ts";
import { isAtRest, toRestingView, toRunView, type RunView } from "../../views/run-view.ts";
import { findRun } from "../find-run.ts";
import { readRunFacts } from "../run-facts.ts";

/** The view of a run as it is now, by any of its names or by its record. RUN_NOT_FOUND. */
export async function viewRun(store: Store, run: string | RunRecord): Promise<RunView> {
  const record = typeof run === "string" ? await findRun(store, run) : run;
  if (!isAtRest(record)) return toRunView(await readRunFacts(store, record));
  const sums = await store.listRunSums([record.number]);
  return toRestingView(record, sums.get(record.number) ?? NO_SUMS);
}

/** The views of a page of runs as they are now, in their order. */
export async function viewRuns(
  store: Store,
  runs: readonly RunRecord[],
): Promise<readonly RunView[]> {
  const resting = runs.filter(isAtRest).map(({ number }) => number);
  const sums = resting.length === 0 ? NOTHING : await store.listRunSums(resting);
  const views: RunView[] = [];
  for (const run of runs) {
    views.push(
      isAtRest(run)
        ? toRestingView(run, sums.get(run.number) ?? NO_SUMS)
        : toRunView(await readRunFacts(store, run)),
    );
  }
  return views;
}

const NOTHING: ReadonlyMap<number, RunSums> = new Map();
const NO_SUMS: RunSums = Object.freeze({ stages: [], itemCounts: new Map() });
