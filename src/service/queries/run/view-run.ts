// Runs as documents show them. One on which nobody works costs no more than its row and its sums.

import type { RunSums } from "../../../model/checkpoint.ts";
import { isRunOver, type RunRecord } from "../../../model/run.ts";
import { assert } from "../../../std/error/assert.ts";
import { freezeJson } from "../../../std/json.ts";
import type { Store } from "../../../storage/store.ts";
import { isAtRest, toRestingView, toRunView, type RunView } from "../../views/run-view.ts";
import { findRun } from "../find-run.ts";
import { readRunFacts } from "../run-facts.ts";

/** Views of runs that are over, by records that a store gives to many: frozen ones, given again while nothing of the run
 *  has changed. */
const viewsOfEnded = new WeakMap<RunRecord, RunView>();

/** The view of a run as it is now, by any of its names or by its record. RUN_NOT_FOUND. */
export async function viewRun(store: Store, run: string | RunRecord): Promise<RunView> {
  const record = typeof run === "string" ? await findRun(store, run) : run;
  const [view] = await viewRuns(store, [record]);
  assert(view !== undefined, "A run has a view.");
  return view;
}

/** The views of a page of runs as they are now, in their order. */
export async function viewRuns(
  store: Store,
  runs: readonly RunRecord[],
): Promise<readonly RunView[]> {
  const resting = runs.filter((run) => isAtRest(run) && !viewsOfEnded.has(run));
  const sums = resting.length === 0 ? NOTHING : await store.listRunSums(resting.map(numberOf));
  const views: RunView[] = [];
  for (const run of runs) {
    views.push(
      viewsOfEnded.get(run) ??
        (isAtRest(run)
          ? viewResting(run, sums.get(run.number))
          : toRunView(await readRunFacts(store, run))),
    );
  }
  return views;
}

function viewResting(run: RunRecord, sums: RunSums = NO_SUMS): RunView {
  const view = toRestingView(run, sums);
  if (isRunOver(run.state) && Object.isFrozen(run)) viewsOfEnded.set(run, freezeJson(view));
  return view;
}

function numberOf({ number }: RunRecord): number {
  return number;
}

const NOTHING: ReadonlyMap<number, RunSums> = new Map();
const NO_SUMS: RunSums = Object.freeze({ stages: [], itemCounts: new Map() });
