// Everything that can be written to a store; what may become of it is `write-result.ts`. Each write of an owner carries its run's
// epoch; many are applied in one transaction, where one refused write never harms its neighbours.

import type { NewCacheEntry } from "../model/cache.ts";
import type { ItemRecord, RetryRecord, StageRecord, StateEntry } from "../model/checkpoint.ts";
import type { EventDraft } from "../model/event.ts";
import type { Owner } from "../model/lease.ts";
import type { Failure } from "../model/outcome.ts";
import type { RunSettings, RunState } from "../model/run.ts";
import type { Suspect } from "../policy/crashes.ts";
import type { EncodedValue } from "../std/value.ts";
import type { RecordPut } from "./records/record-write.ts";
import type { ParkedFor } from "./permits/parked-runs.ts";
import type {
  ReleasePermitsWrite,
  SetResourceWrite,
  TakePermitsWrite,
} from "./permits/permit-write.ts";

/** Every write names its run; `epoch` must be the run's current one or nothing of the write is done. */
interface FencedWrite {
  readonly runId: string;
  readonly epoch: number;
  /** Told in the same transaction, in this order. */
  readonly events: readonly EventDraft[];
}

/** Makes a run: `queued`, or `running` under `lease` for the process that starts it. */
export interface CreateRunWrite {
  readonly kind: "create-run";
  readonly run: NewRun;
  /** Stored once per hash. */
  readonly definitionJson: string;
  /** Null: `queued`. Else the run is born `running`, epoch 1, leased for `leaseMs`. */
  readonly claim: ClaimTerms | null;
  /** With a claim: `busy` where so many runs of its pipeline are running. Default: any number may be. */
  readonly maxActiveRuns?: number | null;
  /** Without a claim: `full` where so many runs of its pipeline are queued or waiting. Default: any number may be. */
  readonly maxQueued?: number | null;
  /** Checkpoints taken over from another run: stage rows, items, memos and state entries of these stages. */
  readonly takeOver?: { readonly from: string; readonly stages: readonly TakenStage[] };
  readonly events: readonly EventDraft[];
}

/** A stage whose checkpoint another run gives. */
export interface TakenStage {
  readonly stage: string;
  /**
   * `whole`: its ending stands, with all items that ended. `recheck`: its row is `pending` until the engine has
   * seen whether its inputs are unchanged. `items`: no row. The last two take the successes among its items.
   */
  readonly mode: "whole" | "recheck" | "items";
}

/** What the caller decides of a new run; the store adds number, epoch, times. */
export interface NewRun {
  readonly id: string;
  readonly pipeline: string;
  readonly definitionHash: string;
  readonly key: string | null;
  readonly input: EncodedValue;
  readonly inputVersion: string;
  readonly foreground: boolean;
  readonly parent: string | null;
  readonly source: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly settings: RunSettings;
  /** Default 0. */
  readonly priority?: number;
  /** Of a run that is queued: not claimed before this has passed, ms; it waits (`due`) until then. Default 0. */
  readonly delayMs?: number;
  /** Id of a batch that is stored. Default: none. */
  readonly batch?: string | null;
  /** Of a run without a claim: its starter waits for a place in its full pipeline; it is `waiting` (`busy`), in no
   *  queue. Default false. */
  readonly waitsForPlace?: boolean;
}

/** Runs that are enqueued together. */
export interface BatchRecord {
  readonly id: string;
  readonly pipeline: string;
  /** Where they came from, for people: a file, a program. */
  readonly source: string;
  readonly createdAtMs: number;
}

/** Makes a batch. One with this id stays as it is, so that the same call may be repeated. */
export interface CreateBatchWrite {
  readonly kind: "create-batch";
  readonly batch: Omit<BatchRecord, "createdAtMs">;
}

/** Who takes a run and for how long. The store's clock decides when the lease ends. */
export interface ClaimTerms {
  readonly owner: Owner;
  readonly leaseMs: number;
}

/**
 * Takes a run that exists: epoch + 1, `running`, lease set; without terms `queued`, for whoever works. Refused
 * (`conflict`) unless the run's epoch is `expectedEpoch` and its state one of `from`, so that of two takers one
 * wins.
 */
export interface ClaimRunWrite {
  readonly kind: "claim-run";
  readonly runId: string;
  readonly expectedEpoch: number;
  readonly from: readonly RunState[];
  /** Null: nobody takes it yet. */
  readonly claim: ClaimTerms | null;
  /** With a claim: `busy` where so many runs of its pipeline are running. Default: any number may be. */
  readonly maxActiveRuns?: number | null;
  /** Whether it is from now on in the foreground of the process that takes it. */
  readonly foreground: boolean;
  /** True: a `resume`, counted in `resumes`; ending fields (ended, failure, cancel request) are cleared. */
  readonly reopen: boolean;
  /** Without terms: it waits (`due`) for so long before it is queued, ms. Default 0. */
  readonly delayMs?: number;
  /** True: the last owner crashed, counted in `crashes`. */
  readonly crashed: boolean;
  readonly definitionHash: string;
  readonly definitionJson: string;
  readonly settings: RunSettings;
  /** Stages that have a row and are done again, wholly or in part; a stage without a row is passed over. */
  readonly resetStages: readonly ResetStage[];
  readonly events: readonly EventDraft[];
}

/**
 * Takes the next queued runs of these pipelines, in order of due time less one minute per unit of priority, then of
 * number: epoch + 1, `running`, lease set, the definition theirs from now on, `run.started` told. Answers `claimed`.
 */
export interface ClaimNextWrite {
  readonly kind: "claim-next";
  readonly claim: ClaimTerms;
  /** 1 to CLAIM_RUNS_MAX. */
  readonly limit: number;
  readonly pipelines: readonly ClaimedPipeline[];
}

/** A pipeline whose runs are claimed. */
export interface ClaimedPipeline {
  readonly name: string;
  readonly definitionHash: string;
  readonly definitionJson: string;
  /** Runs of it that may be running at once, over all processes; null: any number. */
  readonly maxActiveRuns: number | null;
}

/**
 * Lets waiting runs whose time has come go back to their queues, the longest due first. Answers `woken` with how
 * many, and when the next one is due.
 */
export interface WakeRunsWrite {
  readonly kind: "wake-runs";
  /** 1 to WAKE_RUNS_MAX. */
  readonly limit: number;
}

/**
 * Takes a run of a queue back from an owner that is gone: epoch + 1, `crashes` + 1, `attempts` + 1, `queued`; or
 * `failed` with `failure` when `attempts` reaches `attemptsMax`. Its suspects get a crash each. A run whose end was
 * asked for is `cancelled`. `conflict` unless it is running under the expected epoch, and not in the foreground.
 */
export interface ReclaimRunWrite {
  readonly kind: "reclaim-run";
  readonly runId: string;
  readonly expectedEpoch: number;
  readonly attemptsMax: number;
  /** Of the run, when this was its last attempt. */
  readonly failure: Failure;
  /** What may have taken the owner along; each gets a crash. Default: nobody knows. */
  readonly suspects?: readonly Suspect[];
  /** Of the crash, for people. Default: that of `failure`. */
  readonly reason?: string;
  readonly events: readonly EventDraft[];
}

/** Counts a process of its own that died with one stage or item, and with nothing else. */
export interface PutCrashWrite extends FencedWrite {
  readonly kind: "put-crash";
  readonly stage: string;
  /** Null: the stage itself. */
  readonly item: string | null;
  /** For people: `the process was killed by SIGABRT`. */
  readonly reason: string;
}

/** Sets stages back under a lease, as a claim does it, when the claim could not know which. */
export interface ResetStagesWrite extends FencedWrite {
  readonly kind: "reset-stages";
  readonly stages: readonly ResetStage[];
}

/** How a stage is set back. */
export interface ResetStage {
  readonly stage: string;
  /**
   * `open`: the stage, and those of its items that failed, were cancelled or upstream_failed, become `pending`
   *  without attempts, failure, reason, waits, metrics and times; output and versions stay, and so do the other
   *  items, memos and state entries.
   * `keep`: row and items stay as they are but for the stage's own state (`pending`): the engine decides
   *  whether the output still holds.
   * `drop`: row, items, memos and state entries are deleted: everything is done again. Its retry history stays.
   */
  readonly mode: "open" | "keep" | "drop";
}

/**
 * Stores a stage: its end, its wait for a retry, its expanded list. `conflict` if it has ended already, or if
 * `transition.ts` knows no such move; the start of an attempt need not be stored, so that `waiting` may become
 * `succeeded`.
 */
export interface PutStageWrite extends FencedWrite {
  readonly kind: "put-stage";
  readonly record: StageRecord;
  readonly retry?: RetryRecord;
  /** `ctx.state` entries that become visible with this end; each replaces an older value of its key. */
  readonly state?: readonly StateEntry[];
}

/** Stores an item, by the rules of a stage. */
export interface PutItemWrite extends FencedWrite {
  readonly kind: "put-item";
  readonly record: ItemRecord;
  readonly retry?: RetryRecord;
  readonly state?: readonly StateEntry[];
}

/**
 * Deletes items, with their memos and retry history: their keys left the list when it was expanded again, or
 * their content changed, so that they are done again.
 */
export interface DropItemsWrite extends FencedWrite {
  readonly kind: "drop-items";
  readonly stage: string;
  readonly keys: readonly string[];
}

/** Gives kept items their new places after the list was expanded again. Keys without a row are passed over. */
export interface PlaceItemsWrite extends FencedWrite {
  readonly kind: "place-items";
  readonly stage: string;
  readonly places: readonly { readonly key: string; readonly index: number }[];
}

/** Stores a sub-result of `ctx.memo`. An existing one of that name stays and is answered (`kept`). */
export interface PutMemoWrite extends FencedWrite {
  readonly kind: "put-memo";
  readonly stage: string;
  readonly item: string | null;
  readonly name: string;
  readonly value: EncodedValue;
}

/**
 * Stores a success for later runs, after its checkpoint; one of the same key is replaced. `conflict` where the
 * cache alone cannot be written, which harms no other write.
 */
export interface PutCacheWrite extends FencedWrite {
  readonly kind: "put-cache";
  readonly entry: NewCacheEntry;
}

/** Tells events without changing anything else. */
export interface TellWrite extends FencedWrite {
  readonly kind: "tell";
  /** Put back where the row of a running run has none, which only a hand from outside can have made; `conflict` where
   *  it has one. Default: leases are left alone. */
  readonly lease?: ClaimTerms;
}

/**
 * Moves a run its owner holds: parks it, returns it, ends it. Drops the lease unless it stays `running`.
 * `conflict` if `transition.ts` knows no such move, or if a foreground run would be queued, now or by waking.
 */
export interface MoveRunWrite extends FencedWrite {
  readonly kind: "move-run";
  readonly to: RunState;
  readonly reason: string | null;
  /** Of a run that is parked: goes back to its queue at this time of the store, by `wake-runs`; at once where its end
   *  was asked for. Default: never. */
  readonly wakeAtMs?: number;
  /** Of a run that is parked: it goes back to its queue before, when there is room in one of these keys, those first
   *  that are claimed first. At most PARKED_KEYS_MAX. Default: none. */
  readonly waitsFor?: readonly ParkedFor[];
  /** Set at the end of a run. */
  readonly end?: {
    readonly durationMs: number;
    readonly warnings: number;
    readonly failure: Failure | null;
    readonly metrics: Readonly<Record<string, number>>;
  };
}

/**
 * Asks for a run's end. A run that nobody works on (queued, waiting) is cancelled at once; a running one gets
 * a flag that its owner sees. `conflict` if it has ended. Repeating it changes nothing.
 */
export interface RequestCancelWrite {
  readonly kind: "request-cancel";
  readonly runId: string;
  readonly reason: string;
  /** Of a running run whose owner is stuck: the run is `cancelled` now, its epoch rises, its lease is dropped, and its
   *  event names the owner. `conflict` unless this is its epoch. Default: the owner is asked. */
  readonly forceEpoch?: number;
}

/**
 * A foreground run whose owner is gone becomes `waiting` (`interrupted`), its epoch and `crashes` rise, its
 * lease is dropped. `conflict` unless it is running in the foreground under the expected epoch.
 */
export interface InterruptRunWrite {
  readonly kind: "interrupt-run";
  readonly runId: string;
  readonly expectedEpoch: number;
  readonly events: readonly EventDraft[];
}

/**
 * Deletes runs with all they have: input, stages, items, memos, state entries, retries, events. Their keys are free
 * then, their numbers are never given again. Answers `deleted`; runs that it names neither as deleted nor as kept
 * have rows left and are asked for again. What stands between two such writes is a run without progress.
 */
export interface DeleteRunsWrite {
  readonly kind: "delete-runs";
  /** 1 to DELETE_RUNS_MAX. */
  readonly runIds: readonly string[];
  /** A run in none of these states is kept, and a running one always. */
  readonly states: readonly RunState[];
  /** Items, events, memos and retries that go at most, 1 to DELETE_ROWS_MAX. A store without disk may pass it. */
  readonly rowsMax: number;
}

/**
 * Changes records, makes a run, and tells events: all of it or nothing. Answers `recorded` (with the run), or
 * `record-conflict` with the first record that is not at its expected revision, or what `create-run` answers where it
 * cannot make the run.
 */
export interface PutRecordsWrite {
  readonly kind: "put-records";
  /** 0 to RECORD_PUTS_MAX. */
  readonly puts: readonly RecordPut[];
  /** Made in the same transaction, with events of its own. Default: none. */
  readonly run?: CreateRunWrite;
  /** Of the run `eventsOf`, else of none. */
  readonly events: readonly EventDraft[];
  /** Id of a run; `conflict` where it is gone, and nothing is changed. Default: none. */
  readonly eventsOf?: string;
}

/**
 * Tells events of a run without its lease, by who does not own it: a watchdog, a program outside. Of no run where
 * `runId` is null. `conflict` where the run is gone.
 */
export interface TellOutsideWrite {
  readonly kind: "tell-outside";
  readonly runId: string | null;
  readonly events: readonly EventDraft[];
}

/** Everything that can be written. */
export type Write =
  | CreateBatchWrite
  | CreateRunWrite
  | ClaimRunWrite
  | ClaimNextWrite
  | WakeRunsWrite
  | ReclaimRunWrite
  | DeleteRunsWrite
  | ResetStagesWrite
  | PutStageWrite
  | PutItemWrite
  | DropItemsWrite
  | PlaceItemsWrite
  | PutMemoWrite
  | PutCacheWrite
  | PutCrashWrite
  | TellWrite
  | MoveRunWrite
  | RequestCancelWrite
  | InterruptRunWrite
  | TakePermitsWrite
  | ReleasePermitsWrite
  | SetResourceWrite
  | PutRecordsWrite
  | TellOutsideWrite;

/** Writes that an owner makes under its lease: refused (`lease-lost`) unless the run is running under `epoch`. */
export type OwnerWrite = Extract<Write, FencedWrite>;
