// The run whose results a start with `only` or `from` reads: the newest over the same input. Runs that were started in
// the foreground are found by an index; of queued ones, which may be millions, the newest that have ended are looked at.

import { PAGE_ROWS_MAX } from "../../../model/limits.ts";
import type { RunRecord, RunState } from "../../../model/run.ts";
import type { Store } from "../../../storage/store.ts";

const ENDED: readonly RunState[] = ["succeeded", "failed", "skipped", "cancelled"];

/** The newest such run; undefined: there is none, or none among the newest 500 of the queue that have ended. */
export async function findSourceRun(
  store: Pick<Store, "listRuns">,
  pipeline: string,
  inputVersion: string,
): Promise<RunRecord | undefined> {
  const [[started], ended] = await Promise.all([
    store.listRuns({ pipeline, inputVersion, limit: 1 }),
    store.listRuns({ pipeline, states: ENDED, limit: PAGE_ROWS_MAX }),
  ]);
  const queued = ended.find((run) => !run.foreground && run.inputVersion === inputVersion);
  if (started === undefined || queued === undefined) return started ?? queued;
  return started.number > queued.number ? started : queued;
}
