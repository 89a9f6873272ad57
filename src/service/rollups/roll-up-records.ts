// Roll-ups in the store: records of the collection "rollups", and one cursor that says how far events are in them. What
// is folded and the cursor are one transaction, under the revisions that were read: whatever dies or comes second, no
// event is counted twice, and none is left out.

import { foldEntries } from "../../policy/rollup/fold-entries.ts";
import type { RollUpEntry } from "../../policy/rollup/roll-up-entry.ts";
import { isRecord } from "../../std/record.ts";
import type { RecordPut } from "../../storage/records/record-write.ts";
import type { Store } from "../../storage/store.ts";
import type { MillContext } from "../mill-context.ts";

/** What roll-ups need of a mill. */
export type RolledMill = Pick<MillContext, "store" | "committer" | "resources"> & {
  readonly world: Pick<MillContext["world"], "clock">;
};

/** How far it is. */
export interface RollUpCursor {
  /** 0: there is none yet. */
  readonly revision: number;
  /** Number of the last event that is in. */
  readonly seq: number;
  /** What was told until then is in, UTC ms; 0: nothing. */
  readonly untilMs: number;
  /** Number of the minute since 1970 in which levels were last looked at; 0: none. */
  readonly lookedMinute: number;
}

/** In the collection "cursors". */
const CURSOR_KEY = "rollups";

/** Reads it; a damaged one begins anew. */
export async function readCursor(store: Pick<Store, "findRecord">): Promise<RollUpCursor> {
  const record = await store.findRecord("cursors", CURSOR_KEY);
  const value = isRecord(record?.value) ? record.value : {};
  const read = (name: string): number => {
    const found = value[name];
    return typeof found === "number" && Number.isSafeInteger(found) && found >= 0 ? found : 0;
  };
  return {
    revision: record?.revision ?? 0,
    seq: read("seq"),
    untilMs: read("untilMs"),
    lookedMinute: read("lookedMinute"),
  };
}

/** Entries by the record they belong to, so many records at most. */
export class EntryGroups {
  readonly groups: Map<string, RollUpEntry[]> = new Map();
  readonly #max: number;

  /** @param max Records. */
  constructor(max: number) {
    this.#max = max;
  }

  /** Takes all of them, or none: false, since there would be too many records. */
  take(entries: readonly RollUpEntry[]): boolean {
    // Two of one new record count twice, which only begins the next piece a little sooner.
    let added = 0;
    for (const { key } of entries) if (!this.groups.has(key)) added += 1;
    if (this.groups.size + added > this.#max) return false;
    for (const entry of entries) {
      const known = this.groups.get(entry.key);
      if (known === undefined) this.groups.set(entry.key, [entry]);
      else known.push(entry);
    }
    return true;
  }
}

/** Folds entries in and moves the cursor, both or neither. False: somebody else was faster. */
export async function writeEntries(
  { store, committer }: RolledMill,
  { groups }: EntryGroups,
  cursor: RollUpCursor,
): Promise<boolean> {
  const { revision, ...value } = cursor;
  const puts: RecordPut[] = [{ collection: "cursors", key: CURSOR_KEY, expected: revision, value }];
  for (const [key, entries] of groups) {
    const known = await store.findRecord("rollups", key);
    puts.push({
      collection: "rollups",
      key,
      expected: known?.revision ?? 0,
      value: foldEntries(known?.value, entries),
      dueAtMs: entries.at(-1)?.dueAtMs ?? null,
    });
  }
  const result = await committer.write({ kind: "put-records", puts, events: [] });
  return result.kind === "recorded";
}
