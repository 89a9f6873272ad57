// What the engine tells whoever remembers: endings, waits, memos, facts. A durable run has a journal that
// writes to the store; a run in memory has none, keeps references and encodes nothing. Every promise settles
// after the commit, never before.

import type { CacheEntry, NewCacheEntry } from "../../model/cache.ts";
import type { ItemRecord, RetryRecord, StageRecord, StateEntry } from "../../model/checkpoint.ts";
import type { EventDraft } from "../../model/event.ts";
import type { Failure, StoredValue } from "../../model/outcome.ts";
import type { RunState } from "../../model/run.ts";
import type { ParkedFor } from "../../storage/permits/parked-runs.ts";
import type { PermitResult } from "../../storage/permits/permit-write.ts";
import type { EncodedValue } from "../../std/value.ts";
import type { Asked, Returned } from "../limits/permit-request.ts";

/** How a run ended, for its row. */
export interface RunEnd {
  readonly to: RunState;
  readonly reason: string | null;
  readonly durationMs: number;
  readonly warnings: number;
  readonly failure: Failure | null;
  readonly metrics: Readonly<Record<string, number>>;
}

/** How a run is let go unfinished. */
export interface RunParked extends RunEnd {
  /** When it goes back to its queue, UTC ms of the store. Default: when somebody resumes it, or at once. */
  readonly wakeAtMs?: number;
  /** Keys in which it waits for room: it goes back to its queue when there is some. */
  readonly waitsFor?: readonly ParkedFor[];
}

/** What rides on the ending of a stage or item. */
export interface Rider {
  readonly events: readonly EventDraft[];
  readonly retry?: RetryRecord;
  readonly state?: readonly StateEntry[];
}

/** What died with a process of its own. */
export interface CrashedAttempt {
  readonly stage: string;
  /** Null: the stage itself. */
  readonly item: string | null;
  /** For people. */
  readonly reason: string;
}

/** Where an item is in its list. */
export interface ItemPlace {
  readonly key: string;
  readonly index: number;
}

/** The memory of one durable run. Every method rejects with LEASE_LOST once the run has another owner. */
export interface Journal {
  /** The clock of the store, UTC ms: times that outlive this process are its. */
  nowMs(): number;
  putStage(record: StageRecord, rider: Rider): Promise<unknown>;
  putItem(record: ItemRecord, rider: Rider): Promise<unknown>;
  dropItems(stage: string, keys: readonly string[]): Promise<void>;
  /** Gives items that were kept their new places. */
  placeItems(stage: string, places: readonly ItemPlace[]): Promise<void>;
  tell(events: readonly EventDraft[]): Promise<void>;
  /** Asks for the permits of an attempt: all or none. */
  takePermits(asked: Asked): Promise<PermitResult>;
  /** Gives permits back with whatever is written next. A run that is lost has none; any other fault is told to who
   *  writes next. */
  releasePermits(returned: Returned): void;
  /** Counts a process of its own that died with a stage or item. */
  putCrash(crash: CrashedAttempt): Promise<void>;
  endRun(end: RunEnd, events: readonly EventDraft[]): Promise<void>;
  /** Lets the run go unfinished, for a `resume` or back to its queue; of the end its reason and active time are
   *  kept. */
  parkRun(parked: RunParked, events: readonly EventDraft[]): Promise<void>;
  findMemo(address: JournalMemo): Promise<EncodedValue | undefined>;
  /** Stores a memo; answers the one that was there first, if any. */
  putMemo(address: JournalMemo, value: EncodedValue): Promise<EncodedValue>;
  /** In the row when it is small, in a blob when it is large. */
  store(text: EncodedValue): StoredValue | Promise<StoredValue>;
  load(value: StoredValue): EncodedValue | Promise<EncodedValue>;
  readonly cache: JournalCache;
}

/** Results of earlier runs. Every method rejects where it cannot answer; nobody but the cache is harmed. */
export interface JournalCache {
  /** By the store's clock, UTC ms. */
  nowMs(): number;
  find(key: string): Promise<CacheEntry | undefined>;
  /** The entry that was stored last for a stage, or for the item of that key. */
  findLatest(address: {
    readonly pipeline: string;
    readonly stage: string;
    readonly item: string | null;
  }): Promise<CacheEntry | undefined>;
  put(entry: NewCacheEntry): Promise<void>;
}

/** Which memo of the run. */
export interface JournalMemo {
  readonly stage: string;
  readonly item: string | null;
  readonly name: string;
}
