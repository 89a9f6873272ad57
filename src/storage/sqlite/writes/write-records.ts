// Writes of the service that concern no lease: records, with a run that is made beside them, and events from outside.

import { changeRecord, refusePut } from "../../records/record-rules.ts";
import type { PutRecordsWrite, TellOutsideWrite } from "../../records/record-write.ts";
import type { WriteResult } from "../../write-result.ts";
import type { Batch } from "../batch.ts";
import { createRun } from "./write-run.ts";

/** Changes records, and makes the run that goes with them: all of it or nothing. */
export function putRecords(batch: Batch, write: PutRecordsWrite): WriteResult {
  const { records } = batch.rows;
  const found = write.puts.map(({ collection, key }) => records.find(collection, key));
  for (const [index, put] of write.puts.entries()) {
    const refused = refusePut(put, found[index]);
    if (refused !== undefined) return refused;
  }
  // The last that can be refused: nothing of the rest has been done yet.
  const made = write.run === undefined ? undefined : createRun(batch, write.run);
  if (made !== undefined && made.kind !== "done") return made;
  const kept = write.puts.flatMap((put, index) => {
    const record = changeRecord(put, found[index], batch.nowMs);
    if (record === undefined) records.drop(put.collection, put.key);
    else records.put(record);
    return record ?? [];
  });
  const numbers = batch.tellAll(write.events);
  const run = made?.run;
  return { kind: "recorded", numbers, records: kept, ...(run === undefined ? {} : { run }) };
}

/** Tells events for somebody who holds no lease. */
export function tellOutside(batch: Batch, { runId, events }: TellOutsideWrite): WriteResult {
  if (runId === null) return { kind: "done", numbers: batch.tellAll(events) };
  const head = batch.head(runId);
  if (head === undefined) {
    return { kind: "conflict", run: null, reason: "There is no run with this id." };
  }
  const numbers = batch.tell(head, events);
  head.changed = true;
  return { kind: "done", numbers };
}
