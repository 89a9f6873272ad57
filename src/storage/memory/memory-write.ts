// What each kind of write does to the runs of the memory store. One call is one transaction: nothing in it
// waits, so nobody sees half of it.

import { assert } from "../../std/error/assert.ts";
import type { EventDraft } from "../../model/event.ts";
import type { RunRecord, RunState } from "../../model/run.ts";
import {
  cancelRun,
  claimOrder,
  claimQueued,
  forgetsCrashes,
  interruptRun,
  isFull,
  isOverfull,
  makeRun,
  moveOwnedRun,
  reclaimRun,
  refuseClaim,
  refuseInterrupt,
  refuseOwnerMove,
  isDeletable,
  refuseReclaim,
  takeRun,
  toCrashFacts,
  wakeRun,
} from "../run-rules.ts";
import { countCrash } from "../../policy/crashes.ts";
import { isStageOver } from "../stage-rules.ts";
import type {
  BatchRecord,
  ClaimNextWrite,
  ClaimRunWrite,
  CreateBatchWrite,
  CreateRunWrite,
  DeleteRunsWrite,
  InterruptRunWrite,
  MoveRunWrite,
  OwnerWrite,
  PutRecordsWrite,
  ReclaimRunWrite,
  RequestCancelWrite,
  TellOutsideWrite,
  WakeRunsWrite,
  Write,
} from "../write.ts";
import type { EventNumbers, NextRun, WriteResult } from "../write-result.ts";
import { MemoryCache } from "./memory-cache.ts";
import { MemoryQueue } from "./memory-queue.ts";
import { conflict, putBackLease, putItem, putMemo, putStage } from "./memory-owned.ts";
import { MemoryLog } from "./memory-log.ts";
import { MemoryPermits } from "./memory-permits.ts";
import { MemoryRun } from "./memory-run.ts";
import { MemoryRecords } from "./memory-records.ts";
import { writePermits, writeResource } from "./memory-permit-write.ts";
import type { ReleasePermitsWrite, TakePermitsWrite } from "../permits/permit-write.ts";

type OwnerChange = Exclude<OwnerWrite, TakePermitsWrite | ReleasePermitsWrite>;

/** A batch, its runs in order of number, and their counts. */
export interface MemoryBatch {
  readonly record: BatchRecord;
  readonly runs: MemoryRun[];
  readonly counts: Map<RunState, number>;
}

/** Everything the memory store holds. */
export class MemoryRows {
  /** In order of number: the run with number n stands at n - 1, and nothing where it was deleted. */
  readonly runs: (MemoryRun | undefined)[] = [];
  readonly byId: Map<string, MemoryRun> = new Map();
  readonly byKey: Map<string, MemoryRun> = new Map();
  readonly counts: Map<string, Map<RunState, number>> = new Map();
  readonly definitions: Map<string, string> = new Map();
  readonly batches: Map<string, MemoryBatch> = new Map();
  readonly queue: MemoryQueue = new MemoryQueue();
  readonly cache: MemoryCache = new MemoryCache();
  readonly permits: MemoryPermits = new MemoryPermits((number) => this.runs[number - 1]);
  readonly records: MemoryRecords = new MemoryRecords();
  readonly log: MemoryLog = new MemoryLog();

  /** Does one write, or says why not. `nowMs` is the time of the transaction. */
  write(write: Write, nowMs: number): WriteResult {
    switch (write.kind) {
      case "set-resource":
        return writeResource({ permits: this.permits, log: this.log, nowMs }, write);
      case "create-run":
        return this.#createRun(write, nowMs);
      case "create-batch":
        return this.#createBatch(write, nowMs);
      case "claim-run":
        return this.#claimRun(write, nowMs);
      case "claim-next":
        return this.#claimNext(write, nowMs);
      case "wake-runs":
        return this.#wakeRuns(write, nowMs);
      case "reclaim-run":
        return this.#reclaimRun(write, nowMs);
      case "delete-runs":
        return this.#deleteRuns(write);
      case "request-cancel":
        return this.#requestCancel(write, nowMs);
      case "interrupt-run":
        return this.#interruptRun(write, nowMs);
      case "put-records":
        return this.#putRecords(write, nowMs);
      case "tell-outside":
        return this.#tellOutside(write, nowMs);
      case "take-permits":
      case "release-permits":
      case "put-stage":
      case "put-item":
      case "reset-stages":
      case "drop-items":
      case "place-items":
      case "put-memo":
      case "put-cache":
      case "put-crash":
      case "tell":
      case "move-run":
        return this.#writeOwned(write, nowMs);
    }
  }

  /** The end of a transaction: parked runs for which there is room now go back to their queues. */
  finish(nowMs: number): void {
    this.permits.wake(nowMs, (run) => this.#replace(run, wakeRun(run.record, nowMs)));
  }

  #createRun(write: CreateRunWrite, nowMs: number): WriteResult {
    const { id, pipeline, key, batch = null } = write.run;
    assert(batch === null || this.batches.has(batch), `There is no batch ${batch}.`);
    const rival = key === null ? undefined : this.byKey.get(keyOf(pipeline, key));
    if (rival !== undefined) return { kind: "key-taken", run: rival.record };
    const twin = this.byId.get(id);
    if (twin !== undefined) return conflict(twin, "There is a run with this id.");
    const holder = this.#findHolder(pipeline, write);
    if (holder !== undefined) return { kind: "busy", run: holder.record };
    const counts = this.counts.get(pipeline);
    const queued = (counts?.get("queued") ?? 0) + (counts?.get("waiting") ?? 0);
    if (isOverfull(write, queued)) return { kind: "full", queued };
    const run = new MemoryRun(makeRun(write, this.runs.length + 1, nowMs));
    this.runs.push(run);
    this.byId.set(id, run);
    if (key !== null) this.byKey.set(keyOf(pipeline, key), run);
    this.#keepDefinition(write.run.definitionHash, write.definitionJson);
    this.#count(run.record, run.record.state, 1);
    if (run.record.batch !== null) this.batches.get(run.record.batch)?.runs.push(run);
    this.queue.note(run);
    const from = write.takeOver === undefined ? undefined : this.byId.get(write.takeOver.from);
    if (from !== undefined) {
      for (const stage of write.takeOver?.stages ?? []) run.takeOver(from, stage);
    }
    return this.#done(run, write.events, nowMs);
  }

  #claimRun(write: ClaimRunWrite, nowMs: number): WriteResult {
    const run = this.byId.get(write.runId);
    if (run === undefined) return NO_RUN;
    const refusal = refuseClaim(run.record, write);
    if (refusal !== undefined) return conflict(run, refusal);
    const holder = this.#findHolder(run.record.pipeline, write, run);
    if (holder !== undefined) return { kind: "busy", run: holder.record };
    this.#keepDefinition(write.definitionHash, write.definitionJson);
    if (forgetsCrashes(run.record, write)) run.crashes = [];
    this.#replace(run, takeRun(run.record, write, nowMs));
    for (const reset of write.resetStages) run.reset(reset);
    return this.#done(run, write.events, nowMs);
  }

  /** The newest running run of a pipeline that has no place left for this claim; `self` gives its own place up. */
  #findHolder(
    pipeline: string,
    write: Pick<CreateRunWrite, "claim" | "maxActiveRuns">,
    self?: MemoryRun,
  ): MemoryRun | undefined {
    const running = this.counts.get(pipeline)?.get("running") ?? 0;
    const own = self?.record.state === "running" ? 1 : 0;
    if (!isFull(write, running - own)) return undefined;
    return this.runs.findLast(
      (run) => run !== self && run?.record.pipeline === pipeline && run.record.state === "running",
    );
  }

  #requestCancel(write: RequestCancelWrite, nowMs: number): WriteResult {
    const run = this.byId.get(write.runId);
    if (run === undefined) return NO_RUN;
    const answer = cancelRun(run.record, write, nowMs);
    if (answer.kind === "refused") return conflict(run, answer.reason);
    if (answer.kind === "unchanged") return this.#done(run, [], nowMs);
    this.#replace(run, answer.run);
    return this.#done(run, [answer.event], nowMs);
  }

  #interruptRun(write: InterruptRunWrite, nowMs: number): WriteResult {
    const run = this.byId.get(write.runId);
    if (run === undefined) return NO_RUN;
    const refusal = refuseInterrupt(run.record, write);
    if (refusal !== undefined) return conflict(run, refusal);
    this.#replace(run, interruptRun(run.record, nowMs));
    return this.#done(run, write.events, nowMs);
  }

  #writeOwned(write: OwnerWrite, nowMs: number): WriteResult {
    const run = this.byId.get(write.runId);
    if (run === undefined) return LEASE_LOST;
    if (run.record.epoch !== write.epoch || run.record.state !== "running") return LEASE_LOST;
    if (write.kind === "take-permits" || write.kind === "release-permits")
      return writePermits({ permits: this.permits, log: this.log, nowMs }, run, write);
    const refused = this.#changeOwned(run, write, nowMs);
    if (refused !== undefined) return refused;
    const isEnding = write.kind === "put-stage" || write.kind === "put-item";
    if (isEnding && run.record.attempts > 0 && isStageOver(write.record.state))
      run.record = { ...run.record, attempts: 0 };
    if (run.record.updatedAtMs !== nowMs) run.record = { ...run.record, updatedAtMs: nowMs };
    return { kind: "done", numbers: this.log.tell(run, write.events, nowMs) };
  }

  #putRecords({ puts, run, events, eventsOf }: PutRecordsWrite, nowMs: number): WriteResult {
    const refused = this.records.refuse(puts);
    if (refused !== undefined) return refused;
    if (eventsOf !== undefined && !this.byId.has(eventsOf)) return NO_RUN;
    const made = run === undefined ? undefined : this.#createRun(run, nowMs);
    if (made !== undefined && made.kind !== "done") return made;
    const records = puts.flatMap((put) => this.records.put(put, nowMs) ?? []);
    const numbers = this.#tellAbout(eventsOf ?? null, events, nowMs);
    return {
      kind: "recorded",
      numbers,
      records,
      ...(made?.run === undefined ? {} : { run: made.run }),
    };
  }

  #tellOutside({ runId, events }: TellOutsideWrite, nowMs: number): WriteResult {
    if (runId !== null && !this.byId.has(runId)) return NO_RUN;
    return { kind: "done", numbers: this.#tellAbout(runId, events, nowMs) };
  }

  #tellAbout(runId: string | null, events: readonly EventDraft[], nowMs: number): EventNumbers {
    const run = runId === null ? undefined : this.byId.get(runId);
    if (run === undefined) return this.log.tellAll(events, nowMs);
    run.record = { ...run.record, updatedAtMs: nowMs };
    return this.log.tell(run, events, nowMs);
  }

  #changeOwned(run: MemoryRun, write: OwnerChange, nowMs: number): WriteResult | undefined {
    switch (write.kind) {
      case "put-stage":
        return putStage(run, write);
      case "put-item":
        return putItem(run, write);
      case "put-memo":
        return putMemo(run, write);
      case "put-cache":
        this.cache.put(write.entry, { run: run.record.number, nowMs });
        return undefined;
      case "put-crash":
        run.crashes = countCrash(run.crashes, toCrashFacts(write, run.record));
        return undefined;
      case "move-run":
        return this.#moveRun(run, write, nowMs);
      case "drop-items":
        for (const key of write.keys) run.dropItem(write.stage, key);
        return undefined;
      case "place-items":
        for (const { key, index } of write.places) run.placeItem(write.stage, key, index);
        return undefined;
      case "reset-stages":
        for (const reset of write.stages) run.reset(reset);
        return undefined;
      case "tell":
        return putBackLease(run, write, nowMs);
    }
  }

  #moveRun(run: MemoryRun, write: MoveRunWrite, nowMs: number): WriteResult | undefined {
    const refusal = refuseOwnerMove(run.record, write);
    if (refusal !== undefined) return conflict(run, refusal);
    this.#replace(run, moveOwnedRun(run.record, write, nowMs));
    this.permits.park(run.record, write.waitsFor ?? [], nowMs);
    return undefined;
  }

  #createBatch({ batch }: CreateBatchWrite, nowMs: number): WriteResult {
    if (!this.batches.has(batch.id)) {
      const record = { ...batch, createdAtMs: nowMs };
      this.batches.set(batch.id, { record, runs: [], counts: new Map() });
    }
    return { kind: "kept-batch" };
  }

  #claimNext(write: ClaimNextWrite, nowMs: number): WriteResult {
    const heads = write.pipelines.flatMap((pipeline) => {
      const running = this.counts.get(pipeline.name)?.get("running") ?? 0;
      const free = pipeline.maxActiveRuns === null ? write.limit : pipeline.maxActiveRuns - running;
      const found = this.queue.listNext(pipeline.name, Math.max(0, Math.min(write.limit, free)));
      return found.map((run) => ({ run, pipeline }));
    });
    heads.sort(
      ({ run: left }, { run: right }) =>
        claimOrder(left.record) - claimOrder(right.record) ||
        left.record.number - right.record.number,
    );
    const runs = heads.slice(0, write.limit).map(({ run, pipeline }): NextRun => {
      const formerHash = run.record.definitionHash;
      this.#keepDefinition(pipeline.definitionHash, pipeline.definitionJson);
      this.#replace(run, claimQueued(run.record, { claim: write.claim, pipeline }, nowMs));
      const events = [{ type: "run.started", data: { epoch: run.record.epoch } } as const];
      const numbers = this.log.tell(run, events, nowMs);
      return { run: run.record, numbers, events, formerHash };
    });
    return { kind: "claimed", runs };
  }

  #wakeRuns(write: WakeRunsWrite, nowMs: number): WriteResult {
    const due = this.queue.listDue(nowMs, write.limit);
    for (const run of due) this.#replace(run, wakeRun(run.record, nowMs));
    return { kind: "woken", count: due.length, nextWakeAtMs: this.queue.nextWakeMs() };
  }

  #reclaimRun(write: ReclaimRunWrite, nowMs: number): WriteResult {
    const run = this.byId.get(write.runId);
    if (run === undefined) return NO_RUN;
    const refusal = refuseReclaim(run.record, write);
    if (refusal !== undefined) return conflict(run, refusal);
    run.crashes = countCrash(run.crashes, toCrashFacts(write, run.record));
    const { run: free, event } = reclaimRun(run.record, write, nowMs);
    this.#replace(run, free);
    return this.#done(run, event === null ? write.events : [...write.events, event], nowMs);
  }

  #deleteRuns({ runIds, states }: DeleteRunsWrite): WriteResult {
    const runs = runIds.flatMap((id) => this.byId.get(id) ?? []);
    const gone = new Set(runs.filter(({ record }) => isDeletable(record.state, states)));
    const deleted = [...gone].map(({ record }) => record.id);
    for (const run of gone) this.#forget(run);
    const ids = new Set(deleted);
    return {
      kind: "deleted",
      deleted,
      kept: runIds.filter((id) => !ids.has(id)),
      items: [...gone].reduce((count, run) => count + run.itemCount, 0),
      events: this.log.forget(ids),
    };
  }

  #forget(run: MemoryRun): void {
    const { id, number, pipeline, key, batch, state } = run.record;
    this.#count(run.record, state, -1);
    this.byId.delete(id);
    if (key !== null) this.byKey.delete(keyOf(pipeline, key));
    this.runs[number - 1] = undefined;
    const others = batch === null ? undefined : this.batches.get(batch)?.runs;
    others?.splice(others.indexOf(run), 1);
    // So that the queue passes it over.
    run.record = { ...run.record, state: "cancelled", wakeAtMs: null };
  }

  #keepDefinition(hash: string, json: string): void {
    if (!this.definitions.has(hash)) this.definitions.set(hash, json);
  }

  #replace(run: MemoryRun, record: RunRecord): void {
    const isLeft = run.record.epoch !== record.epoch || record.state !== "running";
    // Whoever held permits for it does so no more.
    if (run.record.state === "running" && isLeft) this.permits.freeRun(record.number);
    if (run.record.state !== record.state) {
      this.#count(record, run.record.state, -1);
      this.#count(record, record.state, 1);
    }
    run.record = record;
    this.queue.note(run);
  }

  #count({ pipeline, batch }: RunRecord, state: RunState, change: number): void {
    let counts = this.counts.get(pipeline);
    if (counts === undefined) this.counts.set(pipeline, (counts = new Map()));
    counts.set(state, (counts.get(state) ?? 0) + change);
    const ofBatch = batch === null ? undefined : this.batches.get(batch)?.counts;
    ofBatch?.set(state, (ofBatch.get(state) ?? 0) + change);
  }

  #done(run: MemoryRun, drafts: readonly EventDraft[], nowMs: number): WriteResult {
    return { kind: "done", numbers: this.log.tell(run, drafts, nowMs), run: run.record };
  }
}

/** The name under which a run with a key of its own is found. */
export function keyOf(pipeline: string, key: string): string {
  return JSON.stringify([pipeline, key]);
}

const LEASE_LOST: WriteResult = { kind: "lease-lost" };
const NO_RUN: WriteResult = {
  kind: "conflict",
  run: null,
  reason: "There is no run with this id.",
};
