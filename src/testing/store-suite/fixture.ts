// Writes for the cases of the suite: complete and plain, so that each case says only what it is about.

import assert from "node:assert/strict";
import type { ItemRecord, RetryRecord, StageRecord, WaitHistory } from "../../model/checkpoint.ts";
import type { EventDraft } from "../../model/event.ts";
import type { Owner } from "../../model/lease.ts";
import type { Failure, StoredValue } from "../../model/outcome.ts";
import type { RunRecord } from "../../model/run.ts";
import { encodeValue, type EncodedValue } from "../../std/value.ts";
import type { Store } from "../../storage/store.ts";
import type {
  ClaimedPipeline,
  ClaimNextWrite,
  ClaimRunWrite,
  CreateBatchWrite,
  CreateRunWrite,
  InterruptRunWrite,
  MoveRunWrite,
  NewRun,
  PutItemWrite,
  PutMemoWrite,
  PutStageWrite,
  ReclaimRunWrite,
  RequestCancelWrite,
  ResetStage,
  Write,
} from "../../storage/write.ts";
import type { NextRun, WriteResult } from "../../storage/write-result.ts";

/** Length of the leases that the fixtures take. */
export const LEASE_MS = 30_000;

/** A process that owns runs. */
export function makeOwner(worker: string): Owner {
  return { worker, host: "host-1", pid: 4711, bootId: "boot-1", processStart: "17@1" };
}

const OWNER = makeOwner("worker-1");

/** A value as it is stored. */
export function encoded(value: unknown): EncodedValue {
  const result = encodeValue(value);
  assert.ok(result.ok);
  return result.value;
}

/** An output in its row. */
export function inline(value: unknown): StoredValue {
  return { kind: "inline", text: encoded(value) };
}

/** A failure as data. */
export function makeFailure(message: string): Failure {
  return { class: "server", message, attempts: 1, fingerprint: `f-${message}` };
}

let lastId = 0;

/** Makes a run: running under worker-1 unless `claim` is null. */
export function createRun(
  run: Partial<NewRun> = {},
  write: Partial<Omit<CreateRunWrite, "kind" | "run">> = {},
): CreateRunWrite {
  lastId += 1;
  return {
    kind: "create-run",
    run: {
      id: `00000000-0000-7000-8000-${String(lastId).padStart(12, "0")}`,
      pipeline: "crawl",
      definitionHash: "hash-1",
      key: null,
      input: encoded({ url: "https://example.test" }),
      inputVersion: "input-1",
      foreground: false,
      parent: null,
      source: "test",
      tags: {},
      settings: {},
      ...run,
    },
    definitionJson: `{"name":"crawl"}`,
    claim: { owner: OWNER, leaseMs: LEASE_MS },
    events: [],
    ...write,
  };
}

/** Takes a run for worker-2 as its next owner. */
export function claimRun(
  run: Pick<RunRecord, "id" | "epoch">,
  write: Partial<Omit<ClaimRunWrite, "kind" | "runId">> = {},
): ClaimRunWrite {
  return {
    kind: "claim-run",
    runId: run.id,
    expectedEpoch: run.epoch,
    from: ["queued", "running", "waiting", "failed", "cancelled"],
    claim: { owner: makeOwner("worker-2"), leaseMs: LEASE_MS },
    foreground: false,
    reopen: false,
    crashed: false,
    definitionHash: "hash-1",
    definitionJson: `{"name":"crawl"}`,
    settings: {},
    resetStages: [],
    events: [],
    ...write,
  };
}

/** Queues a run: nobody works on it. */
export function queueRun(
  run: Partial<NewRun> = {},
  write: Partial<Omit<CreateRunWrite, "kind" | "run" | "claim">> = {},
): CreateRunWrite {
  return createRun(run, { claim: null, ...write });
}

/** Claims the next run of "crawl" for worker-2, or other runs of other pipelines. */
export function claimNext(
  write: Partial<Omit<ClaimNextWrite, "kind" | "pipelines">> = {},
  ...pipelines: readonly Partial<ClaimedPipeline>[]
): ClaimNextWrite {
  const wanted = pipelines.length === 0 ? [{}] : pipelines;
  return {
    kind: "claim-next",
    claim: { owner: makeOwner("worker-2"), leaseMs: LEASE_MS },
    limit: 1,
    pipelines: wanted.map((pipeline) => ({
      name: "crawl",
      definitionHash: "hash-1",
      definitionJson: `{"name":"crawl"}`,
      maxActiveRuns: null,
      ...pipeline,
    })),
    ...write,
  };
}

/** Takes a run back from an owner that is gone; its third lost claim is its last. */
export function reclaimRun(
  run: Held,
  write: Partial<Omit<ReclaimRunWrite, "kind" | "runId">> = {},
): ReclaimRunWrite {
  return {
    kind: "reclaim-run",
    runId: run.id,
    expectedEpoch: run.epoch,
    attemptsMax: 3,
    failure: makeFailure("its owner was lost"),
    events: [],
    ...write,
  };
}

/** Sets stages back under the run's lease. */
export function resetStages(run: Held, ...stages: readonly ResetStage[]): Write {
  return { kind: "reset-stages", runId: run.id, epoch: run.epoch, stages, events: [] };
}

/** Makes a batch of "crawl". */
export function createBatch(id: string): CreateBatchWrite {
  return { kind: "create-batch", batch: { id, pipeline: "crawl", source: "list.jsonl" } };
}

/** A run under an epoch: what a fenced write carries. */
export type Held = Pick<RunRecord, "id" | "epoch">;

/** Moves a run. */
export function moveRun(
  run: Held,
  to: MoveRunWrite["to"],
  write: Partial<Omit<MoveRunWrite, "kind" | "runId" | "epoch" | "to">> = {},
): MoveRunWrite {
  return {
    kind: "move-run",
    runId: run.id,
    epoch: run.epoch,
    to,
    reason: null,
    events: [],
    ...write,
  };
}

/** Ends a run. */
export function endRun(
  run: Held,
  to: "succeeded" | "failed" | "skipped" | "cancelled",
): MoveRunWrite {
  const failure = to === "failed" ? makeFailure("ended") : null;
  return moveRun(run, to, { end: { durationMs: 10, warnings: 0, failure, metrics: {} } });
}

/** Stores a stage that succeeded, unless the record says otherwise. */
export function putStage(
  run: Held,
  record: Partial<StageRecord> & { readonly stage: string },
  write: Partial<Omit<PutStageWrite, "kind" | "runId" | "epoch" | "record">> = {},
): PutStageWrite {
  return {
    kind: "put-stage",
    runId: run.id,
    epoch: run.epoch,
    record: { ...STAGE, ...record },
    events: [],
    ...write,
  };
}

const STAGE: Omit<StageRecord, "stage"> = {
  state: "succeeded",
  via: "run",
  attempts: 1,
  output: inline("out"),
  outputVersion: "out-1",
  inputVersion: "in-1",
  stageVersion: "1",
  reason: null,
  failure: null,
  metrics: {},
  waitedMs: {},
  dueAtMs: null,
  blocker: null,
  startedAtMs: 1_000,
  endedAtMs: 2_000,
  durationMs: 1_000,
  cpuMs: null,
  peakBytes: null,
  itemCount: null,
};

/** What has not begun. */
export const PENDING = {
  state: "pending",
  via: null,
  attempts: 0,
  output: null,
  startedAtMs: null,
  endedAtMs: null,
  durationMs: null,
} as const;

/** What waits for its second attempt. */
export const WAITING: Pick<
  ItemRecord,
  Exclude<keyof typeof PENDING, "state"> | "state" | "failure" | "dueAtMs" | "blocker"
> & { readonly history: WaitHistory } = {
  ...PENDING,
  state: "waiting",
  attempts: 1,
  failure: makeFailure("not yet"),
  dueAtMs: 60_000,
  blocker: "retry",
  history: { deferrals: 2, deferredMs: 30, delayMs: 20, onceUsed: true, readyAtMs: 7 },
};

/** What failed. */
export const FAILED = { state: "failed", via: null, output: null, outputVersion: null } as const;

/** Stores an item of stage "fetch" that succeeded, unless the record says otherwise. */
export function putItem(
  run: Held,
  record: Partial<ItemRecord> & { readonly key: string },
  write: Partial<Omit<PutItemWrite, "kind" | "runId" | "epoch" | "record">> = {},
): PutItemWrite {
  return {
    kind: "put-item",
    runId: run.id,
    epoch: run.epoch,
    record: { ...ITEM, ...record },
    events: [],
    ...write,
  };
}

const ITEM: Omit<ItemRecord, "key"> = {
  stage: "fetch",
  index: 0,
  state: "succeeded",
  via: "run",
  attempts: 1,
  output: inline("out"),
  inputVersion: "in-1",
  reason: null,
  failure: null,
  metrics: {},
  waitedMs: {},
  dueAtMs: null,
  blocker: null,
  startedAtMs: 1_000,
  endedAtMs: 2_000,
  durationMs: 1_000,
};

/** An item that failed. */
export const FAILED_ITEM = { state: "failed", via: null, output: null } as const;

/** Stores a memo. */
export function putMemo(
  run: Held,
  memo: Pick<PutMemoWrite, "stage" | "item" | "name">,
  value: unknown,
): PutMemoWrite {
  return {
    kind: "put-memo",
    runId: run.id,
    epoch: run.epoch,
    ...memo,
    value: encoded(value),
    events: [],
  };
}

/** Tells events. */
export function tell(run: Held, ...events: readonly EventDraft[]): Write {
  return { kind: "tell", runId: run.id, epoch: run.epoch, events };
}

/** A failed attempt of stage "fetch" that is tried again after a second. */
export function makeRetry(retry: Partial<RetryRecord> = {}): RetryRecord {
  return {
    stage: "fetch",
    item: null,
    attempt: 1,
    class: "server",
    message: "HTTP 502",
    delayMs: 1_000,
    startedAtMs: 1_000,
    endedAtMs: 1_250,
    ...retry,
  };
}

/** Asks for a run's end. */
export function requestCancel(
  runId: string,
  reason: string = "no longer wanted",
): RequestCancelWrite {
  return { kind: "request-cancel", runId, reason };
}

/** Says that a foreground run's owner is gone. */
export function interruptRun(run: Held, ...events: readonly EventDraft[]): InterruptRunWrite {
  return { kind: "interrupt-run", runId: run.id, expectedEpoch: run.epoch, events };
}

/** Applies one write. */
export async function apply(store: Store, write: Write): Promise<WriteResult> {
  const [result] = await store.apply([write]);
  assert.ok(result !== undefined, "apply answered nothing for a write");
  return result;
}

/** Applies writes that must all be done. */
export async function applyAll(store: Store, ...writes: readonly Write[]): Promise<void> {
  const results = await store.apply(writes);
  for (const [index, result] of results.entries()) {
    assert.equal(result.kind, "done", `${writes[index]?.kind}: ${JSON.stringify(result)}`);
  }
  assert.equal(results.length, writes.length);
}

/** Applies a write that must be done, and answers its run. */
export async function applyRun(store: Store, write: Write): Promise<RunRecord> {
  const result = await apply(store, write);
  assert.ok(result.kind === "done", `${write.kind}: ${JSON.stringify(result)}`);
  assert.ok(result.run !== undefined, `${write.kind} answered no run`);
  return result.run;
}

/** The run as it is stored. */
export async function getRun(store: Store, id: string): Promise<RunRecord> {
  const run = await store.findRun(id);
  assert.ok(run !== undefined, `no run ${id}`);
  return run;
}

/** The reason of a write that must be refused. */
export async function refusalOf(store: Store, write: Write): Promise<string> {
  const result = await apply(store, write);
  assert.equal(result.kind, "conflict", JSON.stringify(result));
  return result.kind === "conflict" ? result.reason : "";
}

/** Applies a claim of the next runs, and answers what it took. */
export async function applyClaim(store: Store, write: ClaimNextWrite): Promise<readonly NextRun[]> {
  const result = await apply(store, write);
  assert.ok(result.kind === "claimed", JSON.stringify(result));
  return result.runs;
}
