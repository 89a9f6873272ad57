// A batch: what it is, how its runs stand, and a page of them in the order they were queued.

import { MillraceError } from "../../../model/errors.ts";
import { parseCrockford } from "../../../std/crockford.ts";
import type { Store } from "../../../storage/store.ts";
import type { RunView } from "../../views/run-view.ts";
import { toIso } from "../../views/time-view.ts";
import { runName } from "../find-run.ts";
import { checkPageLimit, cursorInvalid } from "../page-limit.ts";
import { toRunCounts, type RunCounts } from "./queue-stats.ts";
import { viewRuns } from "../run/view-run.ts";

/** A batch. */
export interface BatchView {
  readonly batch: string;
  readonly pipeline: string;
  /** Where its runs came from, for people. */
  readonly source: string;
  readonly createdAt: string;
  readonly counts: RunCounts;
  readonly runs: readonly RunView[];
  /** Absent on the last page. */
  readonly nextCursor?: string;
}

/** Shows a batch. RUN_NOT_FOUND: there is none of this id. */
export async function showBatch(
  store: Store,
  id: string,
  page: { readonly limit?: number; readonly cursor?: string },
): Promise<BatchView> {
  const limit = checkPageLimit(page.limit);
  const afterNumber = page.cursor === undefined ? 0 : parseCrockford(page.cursor);
  if (afterNumber === undefined) throw cursorInvalid(page.cursor ?? "");
  const batch = await store.findBatch(id);
  if (batch === undefined) {
    throw new MillraceError("RUN_NOT_FOUND", `There is no batch "${id}" in this store.`, {
      details: { given: id },
    });
  }
  const found = await store.listBatchRuns({ batch: id, limit, afterNumber });
  const runs = await viewRuns(store, found);
  const last = found.at(-1);
  return {
    batch: id,
    pipeline: batch.pipeline,
    source: batch.source,
    createdAt: toIso(batch.createdAtMs),
    counts: toRunCounts([await store.countBatch(id)]),
    runs,
    ...(last === undefined || found.length < limit ? {} : { nextCursor: runName(last) }),
  };
}
