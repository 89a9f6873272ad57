// Writes of the service that concern no lease: records, with a run that is made beside them, and events from outside.

import type { EventDraft } from "../../../model/event.ts";
import { changeRecord, refusePut } from "../../records/record-rules.ts";
import type { PutRecordsWrite, TellOutsideWrite } from "../../write.ts";
import type { EventNumbers, WriteResult } from "../../write-result.ts";
import type { Batch } from "../batch.ts";
import type { RunHead } from "../statements/runs.ts";
import { createRun } from "./write-run.ts";

/** Changes records, and makes the run that goes with them: all of it or nothing. */
export function putRecords(batch: Batch, write: PutRecordsWrite): WriteResult {
  const { records } = batch.rows;
  const found = write.puts.map(({ collection, key }) => records.find(collection, key));
  for (const [index, put] of write.puts.entries()) {
    const refused = refusePut(put, found[index]);
    if (refused !== undefined) return refused;
  }
  const head = write.eventsOf === undefined ? undefined : batch.head(write.eventsOf);
  if (write.eventsOf !== undefined && head === undefined) return NO_RUN;
  // The last that can be refused: nothing of the rest has been done yet.
  const made = write.run === undefined ? undefined : createRun(batch, write.run);
  if (made !== undefined && made.kind !== "done") return made;
  const kept = write.puts.flatMap((put, index) => {
    const record = changeRecord(put, found[index], batch.nowMs);
    if (record === undefined) records.drop(put.collection, put.key);
    else records.put(record);
    return record ?? [];
  });
  const numbers = head === undefined ? batch.tellAll(write.events) : tellOf(batch, head, write);
  const run = made?.run;
  return { kind: "recorded", numbers, records: kept, ...(run === undefined ? {} : { run }) };
}

/** Tells events for somebody who holds no lease. */
export function tellOutside(batch: Batch, { runId, events }: TellOutsideWrite): WriteResult {
  if (runId === null) return { kind: "done", numbers: batch.tellAll(events) };
  const head = batch.head(runId);
  if (head === undefined) return NO_RUN;
  return { kind: "done", numbers: tellOf(batch, head, { events }) };
}

function tellOf(
  batch: Batch,
  head: RunHead,
  { events }: { readonly events: readonly EventDraft[] },
): EventNumbers {
  head.changed = true;
  return batch.tell(head, events);
}

const NO_RUN: WriteResult = {
  kind: "conflict",
  run: null,
  reason: "There is no run with this id.",
};
