// All statements of one connection, by aggregate. None is prepared before it is used.

import type { DatabaseSync } from "node:sqlite";
import { BatchRows } from "./statements/batches.ts";
import { CacheRows } from "./statements/cache.ts";
import { CounterRows } from "./statements/counters.ts";
import { CrashRows } from "./statements/crashes.ts";
import { DefinitionRows } from "./statements/definitions.ts";
import { DeletionRows } from "./statements/deletions.ts";
import { EventRows } from "./statements/events.ts";
import { ItemRows } from "./statements/items.ts";
import { MemoRows } from "./statements/memos.ts";
import { MetaRows } from "./statements/meta.ts";
import { ParkedRunRows } from "./statements/parked-runs.ts";
import { QueueRows } from "./statements/queue.ts";
import { RecordRows } from "./statements/records.ts";
import { ResourceRows } from "./statements/resources.ts";
import { RetryRows } from "./statements/retries.ts";
import { RunStateRows } from "./statements/run-state.ts";
import { RunSumRows } from "./statements/run-sums.ts";
import { RunRows } from "./statements/runs.ts";
import { StageRows } from "./statements/stages.ts";
import { WorkerRows } from "./statements/workers.ts";

/** The tables of a store, over one connection. */
export class Rows {
  readonly batches: BatchRows;
  readonly cache: CacheRows;
  readonly counters: CounterRows;
  readonly crashes: CrashRows;
  readonly definitions: DefinitionRows;
  readonly deletions: DeletionRows;
  readonly events: EventRows;
  readonly items: ItemRows;
  readonly memos: MemoRows;
  readonly meta: MetaRows;
  readonly parked: ParkedRunRows;
  readonly queue: QueueRows;
  readonly records: RecordRows;
  readonly resources: ResourceRows;
  readonly retries: RetryRows;
  readonly runs: RunRows;
  readonly stages: StageRows;
  readonly state: RunStateRows;
  readonly sums: RunSumRows;
  readonly workers: WorkerRows;

  constructor(database: DatabaseSync) {
    this.batches = new BatchRows(database);
    this.cache = new CacheRows(database);
    this.counters = new CounterRows(database);
    this.crashes = new CrashRows(database);
    this.definitions = new DefinitionRows(database);
    this.deletions = new DeletionRows(database);
    this.events = new EventRows(database);
    this.items = new ItemRows(database);
    this.memos = new MemoRows(database);
    this.meta = new MetaRows(database);
    this.parked = new ParkedRunRows(database);
    this.records = new RecordRows(database);
    this.resources = new ResourceRows(database);
    this.retries = new RetryRows(database);
    this.runs = new RunRows(database);
    this.queue = new QueueRows(database, this.runs);
    this.stages = new StageRows(database);
    this.state = new RunStateRows(database);
    this.sums = new RunSumRows(database);
    this.workers = new WorkerRows(database);
  }
}
