// What somebody said of a kind of failure that shall not call for attention: one record per kind. It holds for the
// definitions that had failed so by then; with another one the failure has returned.

import { isPlainRecord } from "../../model/compile/option-reader.ts";
import { PAGE_ROWS_MAX } from "../../model/limits.ts";
import type { Store } from "../../storage/store.ts";
import type { StoreRecord } from "../../storage/records/record-write.ts";
import type { FailedEvent } from "./failed-event.ts";

/** A mute. */
export interface FailureMute {
  readonly actor: string;
  readonly reason: string;
  /** UTC ms of the store's clock. */
  readonly atMs: number;
  /** Hashes of the definitions that had failed so, as far back as was looked. */
  readonly definitions: readonly string[];
}

/** Mutes that there may be at once: as many as one page holds. */
export const MUTES_MAX: number = PAGE_ROWS_MAX;

const PREFIX = "mute/";

/** Key of the mute of a kind, in the collection "failures". */
export function muteKey(fingerprint: string): string {
  return `${PREFIX}${fingerprint}`;
}

/** All mutes, by fingerprint; one that cannot be read is none. */
export async function listMutes(
  store: Pick<Store, "listRecords">,
): Promise<ReadonlyMap<string, FailureMute>> {
  const records = await store.listRecords({
    collection: "failures",
    prefix: PREFIX,
    limit: MUTES_MAX,
  });
  const mutes = new Map<string, FailureMute>();
  for (const record of records) {
    const mute = parseMute(record);
    if (mute !== null) mutes.set(record.key.slice(PREFIX.length), mute);
  }
  return mutes;
}

/** True while none of these failures comes of a definition that the mute does not know. */
export function isMutedStill(mute: FailureMute, told: readonly FailedEvent[]): boolean {
  const known = new Set(mute.definitions);
  return told.every(({ run }) => known.has(run.definitionHash));
}

function parseMute({ value, updatedAtMs }: StoreRecord): FailureMute | null {
  if (!isPlainRecord(value)) return null;
  const { actor, reason, definitions } = value;
  if (typeof actor !== "string" || typeof reason !== "string") return null;
  if (!Array.isArray(definitions)) return null;
  const hashes = definitions.filter((hash) => typeof hash === "string");
  return { actor, reason, atMs: updatedAtMs, definitions: hashes };
}
