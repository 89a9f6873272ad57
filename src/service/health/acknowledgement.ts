// What somebody said who has looked at a blocked pipeline: one record per pipeline, which holds for the run that had
// blocked it and for no later one.

import { isPlainRecord } from "../../model/compile/option-reader.ts";
import type { StoreRecord } from "../../storage/records/record-write.ts";

/** An acknowledgement. */
export interface Acknowledgement {
  /** Id of the run that had blocked the pipeline. */
  readonly run: string;
  readonly actor: string;
  readonly reason: string;
  /** UTC ms of the store's clock. */
  readonly atMs: number;
}

/** Reads the record of one; null where there is none, or none that can be read: then nothing is acknowledged. */
export function parseAcknowledgement(record: StoreRecord | undefined): Acknowledgement | null {
  const value = record?.value;
  if (!isPlainRecord(value)) return null;
  const { run, actor, reason } = value;
  if (typeof run !== "string" || typeof actor !== "string" || typeof reason !== "string")
    return null;
  return { run, actor, reason, atMs: record?.updatedAtMs ?? 0 };
}
