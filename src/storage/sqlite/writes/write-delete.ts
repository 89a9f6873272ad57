// Deletes runs with all they have, a bounded number of rows at a time: what is left of a run goes with the next
// write that asks for it.

import { isDeletable } from "../../run-rules.ts";
import type { DeleteRunsWrite } from "../../write.ts";
import type { WriteResult } from "../../write-result.ts";
import type { Batch } from "../batch.ts";
import type { RunHead } from "../statements/runs.ts";

/** Deletes runs, or as much of them as one write may. */
export function deleteRuns(batch: Batch, write: DeleteRunsWrite): WriteResult {
  const deleted: string[] = [];
  const kept: string[] = [];
  const gone = { items: 0, events: 0 };
  let left = write.rowsMax;
  for (const id of write.runIds) {
    const head = batch.head(id);
    if (head === undefined || !isDeletable(head.state, write.states)) kept.push(id);
    else if (left > 0) {
      left = deleteRows(batch, head, { left, gone });
      if (left === 0) continue;
      batch.forget(head);
      batch.rows.deletions.deleteRun(head.number);
      deleted.push(id);
    }
  }
  return { kind: "deleted", deleted, kept, ...gone };
}

/** Deletes rows that a run may have many of; answers how many more may go. At 0 there may be some left. */
function deleteRows(
  batch: Batch,
  head: RunHead,
  { left, gone }: { readonly left: number; readonly gone: { items: number; events: number } },
): number {
  const { deletions } = batch.rows;
  const run = head.number;
  batch.rows.events.flush();
  deletions.deleteProgress(run);
  const items = deletions.deleteItems(run, left);
  for (const { stage, state } of items) batch.countItems({ run, stage }, state, -1);
  gone.items += items.length;
  let rest = left - items.length;
  if (rest > 0) rest -= deletions.deleteHistory(run, rest);
  if (rest === 0) return 0;
  const events = deletions.deleteEvents(run, rest);
  gone.events += events;
  return rest - events;
}
