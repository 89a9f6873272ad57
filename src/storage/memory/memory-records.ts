// Records of the memory store, by collection and key. Lists sort what they find: there are few, and nothing lasts.

import type { Json } from "../../std/json.ts";
import { changeRecord, keyAfter, refusePut } from "../records/record-rules.ts";
import type {
  DueQuery,
  RecordCollection,
  RecordPut,
  RecordQuery,
  StoreRecord,
} from "../records/record-write.ts";
import type { WriteResult } from "../write-result.ts";
import { byText, compareText } from "./memory-query.ts";

/** All records. */
export class MemoryRecords {
  readonly #byCollection = new Map<RecordCollection, Map<string, StoreRecord>>();

  /** Why these changes may not be made, if they may not. */
  refuse(puts: readonly RecordPut[]): WriteResult | undefined {
    for (const put of puts) {
      const refused = refusePut(put, this.find(put.collection, put.key));
      if (refused !== undefined) return refused;
    }
    return undefined;
  }

  /** Makes a change that is not refused. */
  put(put: RecordPut, nowMs: number): StoreRecord | undefined {
    const { collection, key } = put;
    let records = this.#byCollection.get(collection);
    if (records === undefined) this.#byCollection.set(collection, (records = new Map()));
    const changed = changeRecord(put, records.get(key), nowMs);
    if (changed === undefined) records.delete(key);
    else records.set(key, { ...changed, value: copyOf(changed.value) });
    return changed;
  }

  find(collection: RecordCollection, key: string): StoreRecord | undefined {
    return this.#byCollection.get(collection)?.get(key);
  }

  list({
    collection,
    prefix = "",
    after,
    newestFirst = false,
    limit,
  }: RecordQuery): readonly StoreRecord[] {
    const end = keyAfter(prefix);
    const found = this.#all(collection).filter(({ key }) => key.startsWith(prefix));
    found.sort(byText(({ key }) => key));
    if (newestFirst) {
      const before = after ?? end;
      return found
        .toReversed()
        .filter(({ key }) => compareText(key, before) < 0)
        .slice(0, limit);
    }
    return found.filter(({ key }) => compareText(key, after ?? "") > 0).slice(0, limit);
  }

  listDue({ collection, untilMs, limit }: DueQuery): readonly StoreRecord[] {
    return this.#all(collection)
      .filter(({ dueAtMs }) => dueAtMs !== null && dueAtMs <= untilMs)
      .toSorted((left, right) => (left.dueAtMs ?? 0) - (right.dueAtMs ?? 0))
      .slice(0, limit);
  }

  nextDueMs(collection: RecordCollection): number | null {
    let next: number | null = null;
    for (const { dueAtMs } of this.#all(collection)) {
      if (dueAtMs !== null && (next === null || dueAtMs < next)) next = dueAtMs;
    }
    return next;
  }

  #all(collection: RecordCollection): StoreRecord[] {
    return [...(this.#byCollection.get(collection)?.values() ?? [])];
  }
}

/** As it would come back from a file. */
function copyOf(value: Json): Json {
  // What was JSON is JSON again.
  return JSON.parse(JSON.stringify(value)) as Json;
}
