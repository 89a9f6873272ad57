// One run as documents show it.

import type { RunRecord } from "../../../model/run.ts";
import type { Store } from "../../../storage/store.ts";
import { toRunView, type RunView } from "../../views/run-view.ts";
import { findRun } from "../find-run.ts";
import { readRunFacts } from "../run-facts.ts";

/** The view of a run as it is now, by any of its names or by its record. RUN_NOT_FOUND. */
export async function viewRun(store: Store, run: string | RunRecord): Promise<RunView> {
  const record = typeof run === "string" ? await findRun(store, run) : run;
  return toRunView(await readRunFacts(store, record));
}
