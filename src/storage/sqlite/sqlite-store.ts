// The port over one SQLite file: writes go through the one writing connection, reads through another that is
// opened when it is first needed, and every fault of SQLite leaves as an error of ours.

import type { DatabaseSync } from "node:sqlite";
import type { CacheEntry } from "../../model/cache.ts";
import { LINE_SILENT_MS } from "../permits/permit-lines.ts";
import type { PermitRecord, ResourceAddress, ResourceRecord } from "../permits/permit-write.ts";
import type {
  CrashRecord,
  RetryRecord,
  RunCheckpoints,
  StageEnd,
  StageRecord,
  StateCounts,
  StateEntry,
} from "../../model/checkpoint.ts";
import { MillraceError } from "../../model/errors.ts";
import type { MillraceEvent } from "../../model/event.ts";
import type { Owner } from "../../model/lease.ts";
import type { RunRecord } from "../../model/run.ts";
import type { WorkerFacts } from "../../model/worker.ts";
import type { EncodedValue } from "../../std/value.ts";
import type { BlobStore } from "../blob-store.ts";
import type { StoreCapabilities } from "../capabilities.ts";
import type { LeaseRenewer, RenewalListener, RenewalTerms } from "../lease-renewer.ts";
import type {
  BatchQuery,
  CacheAddress,
  EventQuery,
  ItemEndQuery,
  ItemQuery,
  MemoAddress,
  QueuedQuery,
  QueuePlace,
  ResourceQuery,
  RunEndQuery,
  RunQuery,
  Store,
  WorkerRecord,
} from "../store.ts";
import type {
  DueQuery,
  RecordCollection,
  RecordQuery,
  StoreRecord,
} from "../records/record-write.ts";
import type { BatchRecord, Write } from "../write.ts";
import type { WriteResult } from "../write-result.ts";
import {
  assertAhead,
  assertEventPage,
  assertNumbers,
  assertPage,
  assertWrites,
} from "../write-check.ts";
import { isDoubtful, toStoreError } from "./faults.ts";
import { Rows } from "./rows.ts";
import type { RunCounts } from "./statements/counters.ts";
import type { SqliteStoreOptions } from "./sqlite-store-options.ts";
import { groupByStage } from "./statements/items.ts";
import { readTogether } from "./transaction.ts";
import type { Writer } from "./writes/writer.ts";

interface Reader {
  readonly database: DatabaseSync;
  readonly rows: Rows;
}

/** A store in one file that any number of processes of a machine share. */
export class SqliteStore implements Store {
  readonly url: string;
  readonly capabilities: StoreCapabilities;
  readonly blobs: BlobStore;
  readonly #options: SqliteStoreOptions;
  #writer: Writer | undefined;
  #reader: Reader | undefined;
  #closed = false;

  constructor(options: SqliteStoreOptions) {
    this.url = options.url;
    this.capabilities = options.capabilities;
    this.blobs = options.blobs;
    this.#options = options;
    this.#writer = options.writer;
  }

  nowMs(): number {
    return this.#options.clock.nowMs();
  }

  async apply(writes: readonly Write[]): Promise<readonly WriteResult[]> {
    assertWrites(writes);
    return this.#write((writer) => (writes.length === 0 ? [] : writer.apply(writes)));
  }

  async renewLeases(
    owner: Owner,
    runs: readonly { readonly id: string; readonly epoch: number }[],
    leaseMs: number,
  ): Promise<readonly string[]> {
    return this.#write((writer) =>
      runs.length === 0 ? [] : writer.renewLeases(owner, runs, leaseMs),
    );
  }

  openRenewer(terms: RenewalTerms, listener: RenewalListener): LeaseRenewer | null {
    return this.#options.openRenewer?.(terms, listener) ?? null;
  }

  async beat(owner: Owner, running: readonly string[], facts?: WorkerFacts): Promise<void> {
    this.#write((writer) => {
      writer.beat({ owner, running, facts: facts ?? null });
    });
  }

  async findRun(id: string): Promise<RunRecord | undefined> {
    return this.#read(({ rows }) => rows.runs.find(id));
  }

  async findRunByNumber(number: number): Promise<RunRecord | undefined> {
    return this.#read(({ rows }) => rows.runs.findByNumber(number));
  }

  async findRunByKey(pipeline: string, key: string): Promise<RunRecord | undefined> {
    return this.#read(({ rows }) => rows.runs.findByKey(pipeline, key));
  }

  async listRuns(query: RunQuery): Promise<readonly RunRecord[]> {
    assertPage(query.limit);
    return this.#read(({ rows }) => rows.runs.list(query));
  }

  async findBatch(id: string): Promise<BatchRecord | undefined> {
    return this.#read(({ rows }) => rows.batches.find(id));
  }

  async listBatchRuns({ batch, limit, afterNumber }: BatchQuery): Promise<readonly RunRecord[]> {
    assertPage(limit);
    return this.#readBatch(batch, [], (rows, number) =>
      rows.runs.listBatch(number, afterNumber ?? 0, limit),
    );
  }

  async countBatch(id: string): Promise<RunCounts> {
    return this.#readBatch(id, {}, (rows, number) => rows.batches.countsOf(number));
  }

  async findNextQueued(pipeline: string): Promise<RunRecord | undefined> {
    return this.#read(({ rows }) => rows.queue.listNext(pipeline, 1)[0]?.run);
  }

  async listQueued(query: QueuedQuery): Promise<readonly RunRecord[]> {
    assertPage(query.limit);
    return this.#read(({ rows }) => rows.queue.list(query));
  }

  async countAhead(run: QueuePlace, limit: number): Promise<number> {
    assertAhead(limit);
    return this.#read(({ rows }) => rows.queue.countAhead(run, limit));
  }

  async changeMark(): Promise<number> {
    return this.#read(({ rows }) => rows.meta.version());
  }

  async loadCheckpoints(runId: string): Promise<RunCheckpoints> {
    return this.#readRun(runId, NO_CHECKPOINTS, (rows, run) => ({
      stages: rows.stages.list(run),
      items: groupByStage(rows.items.listKnown(run)),
      state: rows.state.list(run),
      crashes: rows.crashes.list(run),
    }));
  }

  async listCrashes(runId: string): Promise<readonly CrashRecord[]> {
    return this.#readRun(runId, [], (rows, run) => rows.crashes.list(run));
  }

  async findStage(runId: string, stage: string): Promise<StageRecord | undefined> {
    return this.#readRun(runId, undefined, (rows, run) => rows.stages.find(run, stage));
  }

  async listStages(runId: string): Promise<readonly StageRecord[]> {
    return this.#readRun(runId, [], (rows, run) => rows.stages.list(run));
  }

  async listStageEnds(runId: string): Promise<readonly StageEnd[]> {
    return this.#readRun(runId, [], (rows, run) => rows.stages.listEnds(run));
  }

  async findItem(runId: string, stage: string, key: string): ReturnType<Store["findItem"]> {
    return this.#readRun(runId, undefined, (rows, run) => rows.items.find(run, stage, key));
  }

  async listItems(query: ItemQuery): ReturnType<Store["listItems"]> {
    assertPage(query.limit);
    return this.#readRun(query.runId, [], (rows, run) => rows.items.list(run, query));
  }

  async listItemEnds(query: ItemEndQuery): ReturnType<Store["listItemEnds"]> {
    return this.#readRun(query.runId, [], (rows, run) => rows.items.listEnds(run, query));
  }

  async countItems(runId: string): Promise<ReadonlyMap<string, StateCounts>> {
    return this.#readRun(runId, NO_COUNTS, (rows, run) => rows.counters.itemsOf(run));
  }

  async listRunSums(numbers: readonly number[]): ReturnType<Store["listRunSums"]> {
    assertNumbers(numbers);
    return this.#read(({ database, rows }) =>
      readTogether(database, () => rows.sums.list(numbers)),
    );
  }

  async listRunEnds(query: RunEndQuery): ReturnType<Store["listRunEnds"]> {
    assertPage(query.limit);
    return this.#read(({ rows }) => rows.sums.listEnds(query));
  }

  async countRuns(): Promise<ReadonlyMap<string, RunCounts>> {
    return this.#read(({ rows }) => rows.counters.runs());
  }

  async listRetries(
    runId: string,
    stage: string,
    item: string | null,
  ): Promise<readonly RetryRecord[]> {
    return this.#readRun(runId, [], (rows, run) => rows.retries.list(run, stage, item));
  }

  async listState(runId: string): Promise<readonly StateEntry[]> {
    return this.#readRun(runId, [], (rows, run) => rows.state.list(run));
  }

  async findMemo(memo: MemoAddress): Promise<EncodedValue | undefined> {
    return this.#readRun(memo.runId, undefined, (rows, run) => rows.memos.find(run, memo));
  }

  async findCache(key: string): Promise<CacheEntry | undefined> {
    return this.#read(({ rows }) => rows.cache.find(key));
  }

  async findLatestCache(address: CacheAddress): Promise<CacheEntry | undefined> {
    return this.#read(({ rows }) => rows.cache.findLatest(address));
  }

  async listEvents(query: EventQuery): Promise<readonly MillraceEvent[]> {
    assertEventPage(query.limit);
    if (query.runId === undefined) return this.#read(({ rows }) => rows.events.list(query, null));
    return this.#readRun(query.runId, [], (rows, run) => rows.events.list(query, run));
  }

  async findDefinition(hash: string): Promise<string | undefined> {
    return this.#read(({ rows }) => rows.definitions.find(hash));
  }

  async listResources({
    resource,
    after,
    limit,
  }: ResourceQuery): Promise<readonly ResourceRecord[]> {
    assertPage(limit);
    const seenAfterMs = this.nowMs() - LINE_SILENT_MS;
    return this.#read(({ rows }) => {
      if (resource === undefined)
        return rows.resources.list(after ?? { resource: "", key: "" }, limit, seenAfterMs);
      const key = after?.key ?? "";
      const own =
        after === undefined ? rows.resources.record({ resource, key }, seenAfterMs) : undefined;
      const rest = rows.resources.listNamed({ resource, key }, limit, seenAfterMs);
      return own === undefined ? rest : [own, ...rest].slice(0, limit);
    });
  }

  async findResource(address: ResourceAddress): Promise<ResourceRecord | undefined> {
    return this.#read(({ rows }) => rows.resources.record(address, this.nowMs() - LINE_SILENT_MS));
  }

  async listHolders(address: ResourceAddress, limit: number): Promise<readonly PermitRecord[]> {
    assertPage(limit);
    return this.#read(({ rows }) => rows.resources.holders(address, limit));
  }

  async listPermits(runId: string, limit: number): Promise<readonly PermitRecord[]> {
    assertPage(limit);
    return this.#readRun(runId, [], (rows, run) => rows.resources.ofRun(run, limit));
  }

  async findRecord(collection: RecordCollection, key: string): Promise<StoreRecord | undefined> {
    return this.#read(({ rows }) => rows.records.find(collection, key));
  }

  async listRecords(query: RecordQuery): Promise<readonly StoreRecord[]> {
    assertPage(query.limit);
    return this.#read(({ rows }) => rows.records.list(query));
  }

  async listDueRecords(query: DueQuery): Promise<readonly StoreRecord[]> {
    assertPage(query.limit);
    return this.#read(({ rows }) => rows.records.listDue(query));
  }

  async nextDueMs(collection: RecordCollection): Promise<number | null> {
    return this.#read(({ rows }) => rows.records.nextDueMs(collection));
  }

  async listWorkers(): Promise<readonly WorkerRecord[]> {
    return this.#read(({ rows }) => rows.workers.list());
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#closeReader();
    this.#writer?.close();
    this.#writer = undefined;
  }

  #write<T>(work: (writer: Writer) => T): T {
    this.#assertOpen();
    if (this.#options.writer === undefined) throw readOnly(this.url);
    try {
      this.#writer ??= this.#options.reopenWriter();
      return work(this.#writer);
    } catch (error) {
      if (isDoubtful(error)) this.#dropConnections();
      throw toStoreError(error, this.url);
    }
  }

  #read<T>(work: (reader: Reader) => T): T {
    this.#assertOpen();
    try {
      return work(this.#openReader());
    } catch (error) {
      if (isDoubtful(error)) this.#closeReader();
      throw toStoreError(error, this.url);
    }
  }

  /** Reads of one run, as of one moment. */
  #readRun<T>(runId: string, none: T, work: (rows: Rows, run: number) => T): T {
    return this.#read(({ database, rows }) =>
      readTogether(database, () => {
        const run = rows.runs.numberOf(runId);
        return run === undefined ? none : work(rows, run);
      }),
    );
  }

  #readBatch<T>(id: string, none: T, work: (rows: Rows, number: number) => T): T {
    return this.#read(({ rows }) => {
      const number = rows.batches.numberOf(id);
      return number === undefined ? none : work(rows, number);
    });
  }

  #openReader(): Reader {
    if (this.#options.isReaderStale?.() === true) this.#closeReader();
    if (this.#reader === undefined) {
      const database = this.#options.openReader();
      this.#reader = { database, rows: new Rows(database) };
    }
    return this.#reader;
  }

  // What a failed write left in the cache of a connection is not what is on the disk.
  #dropConnections(): void {
    this.#writer?.close();
    this.#writer = undefined;
    this.#closeReader();
  }

  #closeReader(): void {
    if (this.#reader?.database.isOpen === true) this.#reader.database.close();
    this.#reader = undefined;
  }

  #assertOpen(): void {
    if (this.#closed) throw new MillraceError("STORE_CLOSED", `The store "${this.url}" is closed.`);
  }
}

const NO_COUNTS: ReadonlyMap<string, StateCounts> = new Map();
const NO_CHECKPOINTS: RunCheckpoints = {
  stages: [],
  items: new Map(),
  state: [],
  crashes: [],
};

function readOnly(url: string): MillraceError {
  return new MillraceError("STORE_READ_ONLY", `The store "${url}" was opened to be read.`, {
    hint: "Only runs, resumes and upkeep open a store for writing.",
  });
}
