// Tells `health.changed` when the verdict on a pipeline is another one than was told last. The last one is a record, so
// that of any number of processes that notice a change one tells it.

import { isPlainRecord } from "../../model/compile/option-reader.ts";
import { HEALTH_VERDICTS, type HealthVerdict } from "../../policy/health/health.ts";
import type { StoreRecord } from "../../storage/records/record-write.ts";
import type { MillContext } from "../mill-context.ts";
import { isBuiltIn } from "../pipelines/built-in.ts";
import { readHealth } from "./read-health.ts";

/** Times that the record may have been changed by others meanwhile. */
const TRIES_MAX = 5;

/** Judges a pipeline of the user's, and tells where it has changed. True: this call told it. */
export async function noteHealth(
  mill: Pick<MillContext, "store" | "committer">,
  pipeline: string,
): Promise<boolean> {
  // Of our own it is told otherwise, such as by `notice.failed`: a notice about notices would fail as they do.
  if (isBuiltIn(pipeline)) return false;
  for (let tries = 0; tries < TRIES_MAX; tries += 1) {
    // The record first: a verdict that others tell meanwhile then stands in the way of this one.
    const record = await mill.store.findRecord("verdicts", pipeline);
    const from = parseVerdict(record);
    const { verdict: to, reasons } = await readHealth(mill.store, pipeline);
    if (from === to) return false;
    const data = { pipeline, from, to, reasons: reasons.map(({ text }) => text) };
    const result = await mill.committer.write({
      kind: "put-records",
      puts: [
        {
          collection: "verdicts",
          key: pipeline,
          expected: record?.revision ?? 0,
          value: { verdict: to },
        },
      ],
      events: [{ type: "health.changed", data }],
    });
    if (result.kind === "recorded") return true;
  }
  return false;
}

/** What was told last. Nothing, or nothing that can be read: it was healthy. */
function parseVerdict(record: StoreRecord | undefined): HealthVerdict {
  const said = isPlainRecord(record?.value) ? record.value["verdict"] : undefined;
  return HEALTH_VERDICTS.find((verdict) => verdict === said) ?? "healthy";
}
