// The port for what keeps a store in order from outside of any run: copies of it, and taking away what nobody
// needs any more, in steps that hold up writers only shortly. Apart from the store's own port, because the engine
// has no business here and a store in memory has neither files nor a past.

import type { RunState } from "../model/run.ts";

/** What a copy holds. */
export interface StoreCopyFacts {
  /** Of the file and of the blobs that belong to it. */
  readonly bytes: number;
  readonly runs: number;
  readonly blobs: number;
  /** Names of blobs that the store itself no longer has whole: what made them is done again when it is needed. */
  readonly missing: readonly string[];
}

/** What may go. Times are those of the store's clock. */
export interface Expiry {
  /** Runs in these states go when they ended before. */
  readonly runs: readonly {
    readonly states: readonly RunState[];
    readonly endedBeforeMs: number;
  }[];
  /** Events go when they were told before. */
  readonly eventsBeforeMs: number;
  /** Cache entries go when they were no longer valid before. */
  readonly cacheBeforeMs: number;
  /** Keys of resources go when nobody has used them since, and they are at rest: as if they had never been used. */
  readonly keysBeforeMs: number;
  /** The time by which a key is at rest. */
  readonly nowMs: number;
}

/** How much may go. */
export interface ExpiredCounts {
  readonly runs: number;
  /** Those of runs that go included. */
  readonly events: number;
  readonly cache: number;
  /** Of resources. */
  readonly keys: number;
}

/** Blobs that went, or may go. */
export interface SweptBlobs {
  readonly blobs: number;
  readonly bytes: number;
  /** Other stores of the folder that could not be asked what they need: then no blob goes. */
  readonly unread: readonly string[];
}

/** How blobs are swept. */
export interface SweepOptions {
  /** Blobs changed later than this stay, whoever needs them. UTC ms by the clock of the files. */
  readonly changedBeforeMs: number;
  /** The same for blobs that are younger than a run that is being worked on: this much older than its start, ms. */
  readonly marginMs: number;
  /** Counts as if this had gone. Undefined: really removes what nothing needs now. */
  readonly foresee?: Expiry | undefined;
}

/** Keeps one store in order. Every method rejects with what the store rejects with. */
export interface StoreUpkeep {
  /**
   * Copies the store and its blobs while others go on writing; the copy is of one moment, is checked, and gets its
   * name last. FILE_EXISTS, STORE_DAMAGED. `path` is absolute.
   */
  copyTo(path: string): Promise<StoreCopyFacts>;
  countExpired(expiry: Expiry): ExpiredCounts;
  /** Ids of runs that may go, at most `limit`. */
  listExpiredRuns(expiry: Expiry, limit: number): readonly string[];
  /** Those of the runs that another store beside this one has, too, as a copy of it may; all if one cannot be asked. */
  listRunsElsewhere(runIds: readonly string[]): ReadonlySet<string>;
  /** Deletes events, the oldest first; answers how many. */
  deleteEvents(expiry: Expiry, limit: number): number;
  /** Deletes cache entries; answers how many. */
  deleteCache(expiry: Expiry, limit: number): number;
  /** Deletes keys of resources; answers how many. */
  deleteKeys(expiry: Expiry, limit: number): number;
  sweepBlobs(options: SweepOptions): Promise<SweptBlobs>;
  /** Brings the write-ahead log into the file as far as nobody reads what is older; `isHeld`: somebody does. */
  checkpoint(): { readonly isHeld: boolean };
  /** What is wrong with the file as a whole, at most 5 faults; empty: nothing. Reads all of it. */
  check(): readonly string[];
  close(): void;
}
