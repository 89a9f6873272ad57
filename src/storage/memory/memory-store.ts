// The reference store: the rules of every store over plain maps, without durability. Runs in memory, tests
// and simulations use it; the conformance suite holds every other store against it.

import type { CacheEntry } from "../../model/cache.ts";
import type { PermitRecord, ResourceAddress, ResourceRecord } from "../permits/permit-write.ts";
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
} from "../../model/checkpoint.ts";
import { MillraceError } from "../../model/errors.ts";
import type { MillraceEvent } from "../../model/event.ts";
import type { Owner } from "../../model/lease.ts";
import { ITEM_ENDS_MAX, WORKER_SILENT_MS_MAX } from "../../model/limits.ts";
import type { RunRecord, RunState } from "../../model/run.ts";
import type { WorkerFacts } from "../../model/worker.ts";
import type { Clock } from "../../std/clock.ts";
import type { EncodedValue } from "../../std/value.ts";
import type { BlobStore } from "../blob-store.ts";
import { MemoryBlobs } from "../blobs/memory-blobs.ts";
import type { StoreCapabilities } from "../capabilities.ts";
import { claimOrder, isBehind } from "../run-rules.ts";
import { KNOWN_ITEM_STATES } from "../stage-rules.ts";
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
  RunEnd,
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
import { byText, selectEvents, selectItems, selectRuns, selectSums } from "./memory-query.ts";
import { byAddress } from "./memory-permits.ts";
import type { MemoryRun } from "./memory-run.ts";
import { keyOf, MemoryRows } from "./memory-write.ts";

/** What a memory store is made of. */
export interface MemoryStoreOptions {
  /** Its wall time at the start, moved on by its monotonic time, is the store's clock. */
  readonly clock: Clock;
  /** Where to put large values. Default: memory. */
  readonly blobs?: BlobStore;
}

/** A store that ends with its process. Its methods answer what the port says, at once. */
export class MemoryStore implements Store {
  readonly url = "memory:";
  readonly capabilities: StoreCapabilities = { durable: false, shared: false };
  readonly blobs: BlobStore;
  readonly #clock: Clock;
  readonly #anchorMs: number;
  readonly #rows = new MemoryRows();
  readonly #workers = new Map<string, WorkerRecord>();
  #closed = false;

  constructor(options: MemoryStoreOptions) {
    this.#clock = options.clock;
    this.#anchorMs = options.clock.wallMs() - options.clock.monotonicMs();
    this.blobs = options.blobs ?? new MemoryBlobs();
  }

  nowMs(): number {
    return Math.floor(this.#anchorMs + this.#clock.monotonicMs());
  }

  async apply(writes: readonly Write[]): Promise<readonly WriteResult[]> {
    this.#assertOpen();
    assertWrites(writes);
    const nowMs = this.nowMs();
    const results = writes.map((write) => this.#rows.write(write, nowMs));
    this.#rows.finish(nowMs);
    return results;
  }

  async renewLeases(
    owner: Owner,
    runs: readonly { readonly id: string; readonly epoch: number }[],
    leaseMs: number,
  ): Promise<readonly string[]> {
    this.#assertOpen();
    const expiresAtMs = this.nowMs() + leaseMs;
    const lost: string[] = [];
    for (const { id, epoch } of runs) {
      const run = this.#rows.byId.get(id);
      const lease = run?.record.lease;
      if (run?.record.epoch === epoch && lease?.owner.worker === owner.worker) {
        run.record = { ...run.record, lease: { owner: lease.owner, expiresAtMs } };
      } else lost.push(id);
    }
    return lost;
  }

  async beat(owner: Owner, running: readonly string[], facts?: WorkerFacts): Promise<void> {
    this.#assertOpen();
    const beatAtMs = this.nowMs();
    this.#workers.set(owner.worker, { owner, beatAtMs, running, facts: facts ?? null });
    for (const worker of this.#workers.values()) {
      if (worker.beatAtMs < beatAtMs - WORKER_SILENT_MS_MAX)
        this.#workers.delete(worker.owner.worker);
    }
  }

  async findRun(id: string): Promise<RunRecord | undefined> {
    return this.#run(id)?.record;
  }

  async findRunByNumber(number: number): Promise<RunRecord | undefined> {
    this.#assertOpen();
    return this.#rows.runs[number - 1]?.record;
  }

  async findRunByKey(pipeline: string, key: string): Promise<RunRecord | undefined> {
    this.#assertOpen();
    return this.#rows.byKey.get(keyOf(pipeline, key))?.record;
  }

  async listRuns(query: RunQuery): Promise<readonly RunRecord[]> {
    this.#assertOpen();
    assertPage(query.limit);
    return selectRuns(this.#rows.runs, query);
  }

  async findBatch(id: string): Promise<BatchRecord | undefined> {
    this.#assertOpen();
    return this.#rows.batches.get(id)?.record;
  }

  async listBatchRuns(query: BatchQuery): Promise<readonly RunRecord[]> {
    this.#assertOpen();
    assertPage(query.limit);
    const runs = this.#rows.batches.get(query.batch)?.runs ?? [];
    const after = query.afterNumber ?? 0;
    const first = runs.findIndex((run) => run.record.number > after);
    if (first === -1) return [];
    return runs.slice(first, first + query.limit).map((run) => run.record);
  }

  async countBatch(id: string): Promise<Readonly<Partial<Record<RunState, number>>>> {
    this.#assertOpen();
    const kept: Partial<Record<RunState, number>> = {};
    for (const [state, count] of this.#rows.batches.get(id)?.counts ?? [])
      if (count > 0) kept[state] = count;
    return kept;
  }

  async findNextQueued(pipeline: string): Promise<RunRecord | undefined> {
    this.#assertOpen();
    return this.#rows.queue.listNext(pipeline, 1)[0]?.record;
  }

  async listQueued({ pipeline, after, limit }: QueuedQuery): Promise<readonly RunRecord[]> {
    this.#assertOpen();
    assertPage(limit);
    const runs = this.#rows.queue.listNext(pipeline, Infinity).map(({ record }) => record);
    return runs.filter((run) => after === undefined || isBehind(run, after)).slice(0, limit);
  }

  async countAhead(run: QueuePlace, limit: number): Promise<number> {
    this.#assertOpen();
    assertAhead(limit);
    const own = claimOrder(run);
    return this.#rows.queue.listNext(run.pipeline, limit).filter(({ record }) => {
      const order = claimOrder(record);
      return order < own || (order === own && record.number < run.number);
    }).length;
  }

  async changeMark(): Promise<number> {
    this.#assertOpen();
    return this.#rows.log.lastSeq;
  }

  async loadCheckpoints(runId: string): Promise<RunCheckpoints> {
    const run = this.#run(runId);
    const items = new Map<string, readonly ItemRecord[]>();
    for (const stage of run?.stagesWithItems() ?? []) {
      const known = [...(run?.itemsOf(stage).values() ?? [])].filter((item) =>
        KNOWN_ITEM_STATES.includes(item.state),
      );
      if (known.length > 0) items.set(stage, known);
    }
    return {
      stages: await this.listStages(runId),
      items,
      state: await this.listState(runId),
      crashes: await this.listCrashes(runId),
    };
  }

  async listCrashes(runId: string): Promise<readonly CrashRecord[]> {
    const address = byText((one: CrashRecord) => `${one.stage ?? ""}\0${one.item ?? ""}`);
    return [...(this.#run(runId)?.crashes ?? [])].sort(address);
  }

  async findStage(runId: string, stage: string): Promise<StageRecord | undefined> {
    return this.#run(runId)?.stages.get(stage);
  }

  async listStages(runId: string): Promise<readonly StageRecord[]> {
    return [...(this.#run(runId)?.stages.values() ?? [])].sort(byText((record) => record.stage));
  }

  async listStageEnds(runId: string): Promise<readonly StageEnd[]> {
    return await this.listStages(runId);
  }

  async findItem(runId: string, stage: string, key: string): Promise<ItemRecord | undefined> {
    return this.#run(runId)?.itemsOf(stage).get(key);
  }

  async listItems(query: ItemQuery): Promise<readonly ItemRecord[]> {
    assertPage(query.limit);
    const run = this.#run(query.runId);
    return run === undefined ? [] : selectItems(run.itemsOf(query.stage).values(), query);
  }

  async listItemEnds(query: ItemEndQuery): Promise<readonly ItemEnd[]> {
    assertPage(query.limit, ITEM_ENDS_MAX);
    const run = this.#run(query.runId);
    return run === undefined
      ? []
      : selectItems(run.itemsOf(query.stage).values(), query).map(toEnd);
  }

  async countItems(runId: string): Promise<ReadonlyMap<string, StateCounts>> {
    return this.#run(runId)?.counts() ?? new Map();
  }

  async listRunSums(numbers: readonly number[]): Promise<ReadonlyMap<number, RunSums>> {
    this.#assertOpen();
    assertNumbers(numbers);
    return selectSums(this.#rows.runs, numbers);
  }

  async listRunEnds({ state, ...query }: RunEndQuery): Promise<readonly RunEnd[]> {
    return (await this.listRuns({ ...query, states: [state] })).flatMap(toRunEnd);
  }

  async countRuns(): Promise<ReadonlyMap<string, Readonly<Partial<Record<RunState, number>>>>> {
    this.#assertOpen();
    const counts = new Map<string, Partial<Record<RunState, number>>>();
    for (const [pipeline, states] of this.#rows.counts) {
      const kept: Partial<Record<RunState, number>> = {};
      for (const [state, count] of states) if (count > 0) kept[state] = count;
      if (Object.keys(kept).length > 0) counts.set(pipeline, kept);
    }
    return counts;
  }

  async listRetries(
    runId: string,
    stage: string,
    item: string | null,
  ): Promise<readonly RetryRecord[]> {
    return [...(this.#run(runId)?.retriesOf(stage, item) ?? [])];
  }

  async listState(runId: string): Promise<readonly StateEntry[]> {
    return [...(this.#run(runId)?.state.values() ?? [])].sort(byText((entry) => entry.key));
  }

  async findMemo({ runId, stage, item, name }: MemoAddress): Promise<EncodedValue | undefined> {
    return this.#run(runId)?.findMemo(stage, item, name);
  }

  async findCache(key: string): Promise<CacheEntry | undefined> {
    this.#assertOpen();
    return this.#rows.cache.find(key);
  }

  async findLatestCache(address: CacheAddress): Promise<CacheEntry | undefined> {
    this.#assertOpen();
    return this.#rows.cache.findLatest(address);
  }

  async listEvents(query: EventQuery): Promise<readonly MillraceEvent[]> {
    this.#assertOpen();
    assertEventPage(query.limit);
    const { runId } = query;
    const events = runId === undefined ? this.#rows.log.events : (this.#run(runId)?.events ?? []);
    return selectEvents(events, query);
  }

  async findDefinition(hash: string): Promise<string | undefined> {
    this.#assertOpen();
    return this.#rows.definitions.get(hash);
  }

  async listResources({
    resource,
    after,
    limit,
  }: ResourceQuery): Promise<readonly ResourceRecord[]> {
    this.#assertOpen();
    assertPage(limit);
    return this.#rows.permits
      .list(this.nowMs())
      .filter((one) => resource === undefined || one.resource === resource)
      .filter((one) => after === undefined || byAddress(one, after) > 0)
      .slice(0, limit);
  }

  async findResource(address: ResourceAddress): Promise<ResourceRecord | undefined> {
    this.#assertOpen();
    return this.#rows.permits.record(address, this.nowMs());
  }

  async listHolders(address: ResourceAddress, limit: number): Promise<readonly PermitRecord[]> {
    this.#assertOpen();
    assertPage(limit);
    return this.#rows.permits.holders(address).slice(0, limit);
  }

  async listPermits(runId: string, limit: number): Promise<readonly PermitRecord[]> {
    assertPage(limit);
    const run = this.#run(runId);
    if (run === undefined) return [];
    return this.#rows.permits.ofRun(run.record.number).slice(0, limit);
  }

  async findRecord(collection: RecordCollection, key: string): Promise<StoreRecord | undefined> {
    this.#assertOpen();
    return this.#rows.records.find(collection, key);
  }

  async listRecords(query: RecordQuery): Promise<readonly StoreRecord[]> {
    this.#assertOpen();
    assertPage(query.limit);
    return this.#rows.records.list(query);
  }

  async listDueRecords(query: DueQuery): Promise<readonly StoreRecord[]> {
    this.#assertOpen();
    assertPage(query.limit);
    return this.#rows.records.listDue(query);
  }

  async nextDueMs(collection: RecordCollection): Promise<number | null> {
    this.#assertOpen();
    return this.#rows.records.nextDueMs(collection);
  }

  async listWorkers(): Promise<readonly WorkerRecord[]> {
    this.#assertOpen();
    return [...this.#workers.values()].sort((left, right) => right.beatAtMs - left.beatAtMs);
  }

  async close(): Promise<void> {
    this.#closed = true;
  }

  #run(id: string): MemoryRun | undefined {
    this.#assertOpen();
    return this.#rows.byId.get(id);
  }

  #assertOpen(): void {
    if (this.#closed) throw new MillraceError("STORE_CLOSED", `The store "${this.url}" is closed.`);
  }
}

function toRunEnd({ number, startedAtMs, endedAtMs }: RunRecord): readonly RunEnd[] {
  return endedAtMs === null ? [] : [{ number, startedAtMs, endedAtMs }];
}

function toEnd({ key, index, state, attempts, blocker, endedAtMs }: ItemRecord): ItemEnd {
  return { key, index, state, attempts, blocker, endedAtMs };
}
