// What an earlier epoch left of the items of one map, compared with its list as it is now: kept are those of the
// same key, content and needs; the rows of the others are in the way, in another place, or no longer wanted.

import type { ItemRecord } from "../../model/checkpoint.ts";

/** What a list that was opened again means for the rows of its items. */
export interface ReopenedItems {
  /** Keys that left the list, or whose content changed: done again, if at all, as if never before. */
  readonly dropped: readonly string[];
  readonly moved: readonly { readonly key: string; readonly index: number }[];
}

/** What is known of an item. `started`: its start is recorded, and no end. `waiting`: for its next attempt, if it is
 *  still made from the same. */
export type Match =
  | { readonly kind: "kept" | "waiting"; readonly record: ItemRecord }
  | { readonly kind: "started" }
  | { readonly kind: "none" };

const NONE: Match = { kind: "none" };
const STARTED: Match = { kind: "started" };

/** Checkpoints of the items of one map. */
export class ItemCheckpoints {
  readonly counts: { kept: number; added: number; changed: number } = {
    kept: 0,
    added: 0,
    changed: 0,
  };
  readonly #records: Map<string, ItemRecord>;
  /** Positions of items that have a row and did not end well. */
  readonly #rows: Set<number> = new Set();
  #dropped: string[] = [];
  #moved: { key: string; index: number }[] = [];

  readonly #keepsFailures: boolean;

  /** `keepsFailures`: an item that failed is not tried again. */
  constructor(
    records: ReadonlyMap<string, ItemRecord> | null,
    options: { readonly keepsFailures: boolean } = { keepsFailures: false },
  ) {
    this.#records = new Map(records);
    this.#keepsFailures = options.keepsFailures;
  }

  /** True when there is nothing to compare with: keys need not even be made. */
  get isEmpty(): boolean {
    return this.#records.size === 0;
  }

  /** What is known of the item that is now at `index`. Asked once for every item. */
  match(item: { readonly key: string; readonly index: number }, version: string | null): Match {
    const record = this.#take(item.key);
    if (record === undefined) {
      this.counts.added += 1;
      return NONE;
    }
    const isKeptFailure = this.#keepsFailures && record.state === "failed";
    if (!isDone(record) && !isKeptFailure) {
      this.counts.added += 1;
      this.#rows.add(item.index);
      if (record.state === "waiting") return { kind: "waiting", record };
      return record.state === "running" ? STARTED : NONE;
    }
    // A failure has no version: what it was made from made nothing.
    if (record.inputVersion !== version && !isKeptFailure) {
      this.counts.changed += 1;
      this.#dropped.push(record.key);
      return NONE;
    }
    this.counts.kept += 1;
    if (record.index !== item.index) this.#moved.push(item);
    return { kind: "kept", record };
  }

  /** An item without a checkpoint. */
  noteAdded(): void {
    this.counts.added += 1;
  }

  /** The item ends now without being compared: what it once was is no longer true. */
  forget(key: string): void {
    const record = this.#take(key);
    if (record !== undefined && isDone(record)) this.#dropped.push(key);
  }

  /** True if the store has a row for the item at this position that says something else than its end. */
  hasRow(index: number): boolean {
    return this.#rows.has(index);
  }

  /** What has to be stored before anything else of the items in question; null if nothing. */
  takeChanges(): ReopenedItems | null {
    if (this.#dropped.length + this.#moved.length === 0) return null;
    const changes = { dropped: this.#dropped, moved: this.#moved };
    this.#dropped = [];
    this.#moved = [];
    return changes;
  }

  /** The list is complete: keys that are in it no more. Those that are in it may still be asked for: the items of
   *  a map that follows another get their values later. */
  takeRemoved(list: { readonly size: number; keyOf(index: number): string }): readonly string[] {
    if (this.isEmpty) return [];
    const listed = new Set(Array.from({ length: list.size }, (_, index) => list.keyOf(index)));
    const removed = [...this.#records.keys()].filter((key) => !listed.has(key));
    for (const key of removed) this.#records.delete(key);
    return removed;
  }

  #take(key: string): ItemRecord | undefined {
    const record = this.#records.get(key);
    this.#records.delete(key);
    return record;
  }
}

/** True for a row that keeps its ending over a resume. */
function isDone(record: ItemRecord): boolean {
  return record.state === "succeeded" || record.state === "skipped";
}
