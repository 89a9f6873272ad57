// The port behind which durable truth lives: a handful of writes, each carrying its run's epoch, applied many
// at a time in one transaction, and reads that never block them. Memory and SQLite implement it under one
// conformance suite. The engine sees this file alone and never learns which store it talks to.
import type { CacheEntry } from "../model/cache.ts";
import type {
  CrashRecord,
  ItemEnd,
  ItemRecord,
  RetryRecord,
  RunCheckpoints,
  RunSums,
  StageEnd,
  StageRecord,
  StateCounts,
  StateEntry,
} from "../model/checkpoint.ts";
import type { MillraceEvent } from "../model/event.ts";
import type { Owner } from "../model/lease.ts";
import type { StageState } from "../model/outcome.ts";
import type { RunRecord, RunState } from "../model/run.ts";
import type { WorkerFacts } from "../model/worker.ts";
import type { EncodedValue } from "../std/value.ts";
import type { BlobStore } from "./blob-store.ts";
import type { StoreCapabilities } from "./capabilities.ts";
import type { LeaseRenewer, RenewalListener, RenewalTerms } from "./lease-renewer.ts";
import type { BatchRecord, Write } from "./write.ts";
import type { WriteResult } from "./write-result.ts";
import type {
  DueQuery,
  RecordCollection,
  RecordQuery,
  StoreRecord,
} from "./records/record-write.ts";
import type { PermitRecord, ResourceAddress, ResourceRecord } from "./permits/permit-write.ts";

/** What is asked of a list of runs; newest first. */
export interface RunQuery {
  readonly states?: readonly RunState[];
  readonly pipeline?: string;
  readonly parent?: string;
  readonly sinceMs?: number;
  readonly tag?: readonly [key: string, value: string];
  /** Only runs that were started in the foreground, over an input of this version. */
  readonly inputVersion?: string;
  /** 1 to PAGE_ROWS_MAX. */
  readonly limit: number;
  /** Only runs with a number under this one. */
  readonly beforeNumber?: number;
  /** Only runs with a number above this one, and of those the nearest to it; they too come newest first. */
  readonly afterNumber?: number;
}

/** What is asked of a list of a batch's runs; in the order they were enqueued. */
export interface BatchQuery {
  readonly batch: string;
  /** 1 to PAGE_ROWS_MAX. */
  readonly limit: number;
  /** Only runs with a number above this one. */
  readonly afterNumber?: number;
}

/** What is asked of a list of items; in order of their places, then of their keys. */
export interface ItemQuery {
  readonly runId: string;
  readonly stage: string;
  readonly states?: readonly StageState[];
  /** 1 to PAGE_ROWS_MAX. */
  readonly limit: number;
  /** Only items after this position. */
  readonly afterIndex?: number;
  /** With `afterIndex`: also the items at that position whose key comes after this one. */
  readonly afterKey?: string;
  /** Instead of `afterIndex`: only items before this position, of those the nearest to it; they too come in order. */
  readonly beforeIndex?: number;
  /** With `beforeIndex`: also the items at that position whose key comes before this one. */
  readonly beforeKey?: string;
}

/** The same in larger pages: 1 to ITEM_ENDS_MAX. */
export type ItemEndQuery = Omit<ItemQuery, "states" | "beforeIndex" | "beforeKey">;

/** What is asked of the queue of a pipeline; in the order of claims. */
export interface QueuedQuery {
  readonly pipeline: string;
  /** Only runs that are claimed after one in this place: `dueAtMs` less a minute for each step of priority, and
   *  number. */
  readonly after?: { readonly order: number; readonly number: number };
  /** 1 to PAGE_ROWS_MAX. */
  readonly limit: number;
}

/** Whose ends. */
export interface RunEndQuery {
  readonly pipeline: string;
  readonly state: RunState;
  /** 1 to PAGE_ROWS_MAX. */
  readonly limit: number;
  /** Only runs with a number under this one. */
  readonly beforeNumber?: number;
}

/** A run that is over; times are UTC ms. */
export interface RunEnd {
  readonly number: number;
  /** Null: it never began. */
  readonly startedAtMs: number | null;
  readonly endedAtMs: number;
}

/** What decides when a queued run is claimed. */
export type QueuePlace = Pick<RunRecord, "pipeline" | "dueAtMs" | "priority" | "number">;

/** What a worker said last of itself: one row per process. */
export interface WorkerRecord {
  readonly owner: Owner;
  readonly beatAtMs: number;
  /** `run/stage` or `run/stage/key` of what is running now, at most RUNNING_NAMES_MAX. */
  readonly running: readonly string[];
  /** Null: it said no more. */
  readonly facts: WorkerFacts | null;
}

/** Durable truth. Every method may be called at any time until `close`; then STORE_CLOSED. */
export interface Store {
  /** As the user wrote it, for messages. */
  readonly url: string;
  readonly capabilities: StoreCapabilities;
  readonly blobs: BlobStore;
  /** The one clock that judges leases, UTC ms, never going back. */
  nowMs(): number;
  /**
   * All writes in one transaction, in order; when it resolves they are durable. At most COMMIT_WRITES_MAX.
   * Rejects when nothing was written: STORE_BUSY (retryable), STORE_FULL, STORE_DAMAGED, STORE_READ_ONLY,
   * STORE_FAILED.
   */
  apply(writes: readonly Write[]): Promise<readonly WriteResult[]>;
  /** Renews the leases of these runs in one statement; answers the ids that are lost. */
  renewLeases(
    owner: Owner,
    runs: readonly { readonly id: string; readonly epoch: number }[],
    leaseMs: number,
  ): Promise<readonly string[]>;
  /** Renews leases apart from the loop of the caller. Undefined, or null: this store can not. */
  openRenewer?(terms: RenewalTerms, listener: RenewalListener): LeaseRenewer | null;
  /** Publishes what this process is running, and what it is. Rows of processes that fell silent a day ago go. */
  beat(owner: Owner, running: readonly string[], facts?: WorkerFacts): Promise<void>;

  findRun(id: string): Promise<RunRecord | undefined>;
  findRunByNumber(number: number): Promise<RunRecord | undefined>;
  findRunByKey(pipeline: string, key: string): Promise<RunRecord | undefined>;
  /** Records may be shared: one that is frozen is given again while nothing of its run has changed. */
  listRuns(query: RunQuery): Promise<readonly RunRecord[]>;
  findBatch(id: string): Promise<BatchRecord | undefined>;
  listBatchRuns(query: BatchQuery): Promise<readonly RunRecord[]>;
  /** Maintained counts of a batch's runs; states with 0 are left out. */
  countBatch(id: string): Promise<Readonly<Partial<Record<RunState, number>>>>;
  /** The run that the next claim of this pipeline would take, whatever else keeps it from being claimed. */
  findNextQueued(pipeline: string): Promise<RunRecord | undefined>;
  /** Queued runs of a pipeline in the order of claims; one that waits for its time is not queued yet. */
  listQueued(query: QueuedQuery): Promise<readonly RunRecord[]>;
  /** Queued runs of its pipeline that are claimed before this one, counted up to `limit`, 1 to QUEUE_AHEAD_MAX. */
  countAhead(run: QueuePlace, limit: number): Promise<number>;
  /** A number that differs once another process may have written. A hint: reading is what tells. */
  changeMark(): Promise<number>;
  /**
   * Everything a run needs to go on: stage rows, items that ended or are recorded as started, state entries, crashes;
   * empty if there is no such run.
   */
  loadCheckpoints(runId: string): Promise<RunCheckpoints>;
  /** Crashes of a run's stages and items, in order of both; empty for nearly every run. */
  listCrashes(runId: string): Promise<readonly CrashRecord[]>;
  findStage(runId: string, stage: string): Promise<StageRecord | undefined>;
  /** In order of name. */
  listStages(runId: string): Promise<readonly StageRecord[]>;
  /** The same without what the stages were made from and what they made: cheap however large that is. */
  listStageEnds(runId: string): Promise<readonly StageEnd[]>;
  findItem(runId: string, stage: string, key: string): Promise<ItemRecord | undefined>;
  listItems(query: ItemQuery): Promise<readonly ItemRecord[]>;
  /** The same without what the items were made from and what they made, in larger pages. */
  listItemEnds(query: ItemEndQuery): Promise<readonly ItemEnd[]>;
  /** Maintained counts of items, by stage; O(stages). */
  countItems(runId: string): Promise<ReadonlyMap<string, StateCounts>>;
  /** What a page of runs says of their stages and items, by number, at most PAGE_ROWS_MAX; runs of which there is
   *  nothing to say are left out. Cheap however many stages they have, and however large those are. */
  listRunSums(numbers: readonly number[]): Promise<ReadonlyMap<number, RunSums>>;
  /** When the runs of a pipeline that ended in this state began and ended, those with the highest numbers first. */
  listRunEnds(query: RunEndQuery): Promise<readonly RunEnd[]>;
  /** Maintained counts of runs by pipeline and state. */
  countRuns(): Promise<ReadonlyMap<string, Readonly<Partial<Record<RunState, number>>>>>;
  /** Attempts that did not succeed, oldest first, at most RETRY_HISTORY_MAX. */
  listRetries(runId: string, stage: string, item: string | null): Promise<readonly RetryRecord[]>;
  /** In order of key. */
  listState(runId: string): Promise<readonly StateEntry[]>;
  findMemo(memo: MemoAddress): Promise<EncodedValue | undefined>;
  /** The entry of that key, whatever its age; undefined too where its row cannot be read. */
  findCache(key: string): Promise<CacheEntry | undefined>;
  /** The entry that was stored last for a stage or item, whatever its key. */
  findLatestCache(address: CacheAddress): Promise<CacheEntry | undefined>;
  /** Stored events; what is told later has a higher number, and no earlier time. */
  listEvents(query: EventQuery): Promise<readonly MillraceEvent[]>;
  findDefinition(hash: string): Promise<string | undefined>;
  /** Keys of resources that were used or set, in order of name and key. */
  listResources(query: ResourceQuery): Promise<readonly ResourceRecord[]>;
  /** One key; undefined if it was never used nor set. An empty key: the resource itself. */
  findResource(address: ResourceAddress): Promise<ResourceRecord | undefined>;
  /** Who holds a key, the longest first. */
  listHolders(address: ResourceAddress, limit: number): Promise<readonly PermitRecord[]>;
  /** What a run holds, in order of stage and item. */
  listPermits(runId: string, limit: number): Promise<readonly PermitRecord[]>;
  findRecord(collection: RecordCollection, key: string): Promise<StoreRecord | undefined>;
  listRecords(query: RecordQuery): Promise<readonly StoreRecord[]>;
  /** Records whose time has come, the longest due first. */
  listDueRecords(query: DueQuery): Promise<readonly StoreRecord[]>;
  /** When the next record of a collection is due, UTC ms of the store's clock; null: none is. */
  nextDueMs(collection: RecordCollection): Promise<number | null>;
  /** Latest beat first. */
  listWorkers(): Promise<readonly WorkerRecord[]>;
  close(): Promise<void>;
}

/** Which keys of resources. */
export interface ResourceQuery {
  /** Only of the resource of this name. */
  readonly resource?: string;
  /** Only those that come after this one. */
  readonly after?: ResourceAddress;
  /** 1 to PAGE_ROWS_MAX. */
  readonly limit: number;
}

/** Which memo. */
export interface MemoAddress {
  readonly runId: string;
  readonly stage: string;
  readonly item: string | null;
  readonly name: string;
}

/** Whose cache entries. */
export interface CacheAddress {
  readonly pipeline: string;
  readonly stage: string;
  /** Null: the stage itself. */
  readonly item: string | null;
  /** Only of the run with this number. */
  readonly run?: number;
}

/** Which events; in order of number. */
export interface EventQuery {
  readonly runId?: string;
  /** Only with a number above this one; 0: from the beginning. */
  readonly after: number;
  /** Only with a number under this one. Default: to the end. */
  readonly before?: number;
  /** In falling order of number. Default false. */
  readonly newestFirst?: boolean;
  /** Only of these types; `stage.*` stands for all of a noun. What is no type selects nothing. Without an index: bound
   *  `before` where rare types are asked of a long list. */
  readonly types?: readonly string[];
  /** Only told at this time of the store or after, UTC ms. */
  readonly sinceMs?: number;
  /** 1 to RECENT_EVENTS_MAX. */
  readonly limit: number;
}
