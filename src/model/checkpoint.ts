// Checkpoints: the stored ending of a stage or item, and what a run brings back from the store when it goes
// on. `inputVersion` says what the result was made from, so that a reader of something redone is redone only
// where its input really changed.

import type { EncodedValue } from "../std/value.ts";
import type { WaitTrail } from "./resource/gate-wait.ts";
import type { Failure, StageState, StoredValue, Via } from "./outcome.ts";

/** Time spent waiting, by cause, in ms: `retry`, or a kind of blocker with its resource, such as `quota:scorer`. */
export type WaitedMs = Readonly<Record<string, number>>;

/** A metric as one attempt left it. */
export interface MetricChange {
  /** True: set to `value`. False: raised by it. */
  readonly absolute: boolean;
  readonly value: number;
}

/** One attempt that did not succeed, or one wait: text is cut to ERROR_HISTORY_CHARS_MAX. */
export interface RetryRecord {
  readonly stage: string;
  /** Null: the stage itself. */
  readonly item: string | null;
  readonly attempt: number;
  readonly class: string;
  readonly message: string;
  /** Wait before the next attempt in ms; null: there was none. */
  readonly delayMs: number | null;
  readonly startedAtMs: number;
  readonly endedAtMs: number;
}

/** What the attempts of a waiting stage or item leave for the next one, besides what its failure says. */
export interface WaitHistory {
  /** Waits so far that cost no attempt, and their sum in ms. */
  readonly deferrals: number;
  readonly deferredMs: number;
  /** This wait, ms: from its beginning it never takes longer, whatever clocks do. */
  readonly delayMs: number;
  /** True: the one repetition that some failures allow has been made. */
  readonly onceUsed: boolean;
  /** When it became ready, UTC ms of the store: its deadline counts from then. */
  readonly readyAtMs: number;
}

/** What the store keeps of a stage. */
export interface StageRecord {
  readonly stage: string;
  readonly state: StageState;
  readonly via: Via | null;
  readonly attempts: number;
  /** Null: none, or not stored (`persist: false`). */
  readonly output: StoredValue | null;
  /** Hash of the output: equal outputs leave readers untouched. */
  readonly outputVersion: string | null;
  /** Hash of everything the result was made from. */
  readonly inputVersion: string | null;
  /** `version` option and shape of the stage when it was stored. */
  readonly stageVersion: string;
  /** Of skipped and cancelled stages. */
  readonly reason: string | null;
  readonly failure: Failure | null;
  readonly metrics: Readonly<Record<string, number>>;
  readonly waitedMs: WaitedMs;
  /** Of a `waiting` stage: when it goes on, and for what it waits: `retry`, or a gate (`gate-wait.ts`). */
  readonly dueAtMs: number | null;
  readonly blocker: string | null;
  /** Absent: it never waited long for a resource. */
  readonly trail?: WaitTrail;
  /** Of a `waiting` one: what its next attempt has to know. Absent: nothing. */
  readonly history?: WaitHistory;
  readonly startedAtMs: number | null;
  readonly endedAtMs: number | null;
  readonly durationMs: number | null;
  readonly cpuMs: number | null;
  readonly peakBytes: number | null;
  /** Of a map stage, once its list is known: how many items. */
  readonly itemCount: number | null;
}

/** What tells how a stage ended, without what it was made from and what it made. */
export type StageEnd = Pick<
  StageRecord,
  "stage" | "state" | "via" | "attempts" | "waitedMs" | "durationMs" | "itemCount"
>;

/** What a line about a run that nobody works on says of its stages: waits and lengths, of those that have any, and how
 *  its items stand. */
export interface RunSums {
  /** In order of name. */
  readonly stages: readonly Pick<StageRecord, "stage" | "waitedMs" | "itemCount">[];
  readonly itemCounts: ReadonlyMap<string, StateCounts>;
}

/** What the store keeps of an item. */
export interface ItemRecord {
  readonly stage: string;
  readonly key: string;
  readonly index: number;
  readonly state: StageState;
  readonly via: Via | null;
  readonly attempts: number;
  readonly output: StoredValue | null;
  /** Hash of the item and of the stage's other needs: unchanged ones keep their checkpoint. */
  readonly inputVersion: string | null;
  readonly reason: string | null;
  readonly failure: Failure | null;
  /** What it counted: the metrics of its stage are made of those of its items. */
  readonly metrics: Readonly<Record<string, MetricChange>>;
  readonly waitedMs: WaitedMs;
  readonly dueAtMs: number | null;
  readonly blocker: string | null;
  readonly trail?: WaitTrail;
  /** Of a `waiting` one: what its next attempt has to know. Absent: nothing. */
  readonly history?: WaitHistory;
  readonly startedAtMs: number | null;
  readonly endedAtMs: number | null;
  readonly durationMs: number | null;
}

/** What tells how an item stands, without what it was made from and what it made. */
export type ItemEnd = Pick<
  ItemRecord,
  "key" | "index" | "state" | "attempts" | "blocker" | "endedAtMs"
>;

/** All that a run brings back when it goes on. */
export interface RunCheckpoints {
  readonly stages: readonly StageRecord[];
  /** Items that ended, wait for their next attempt, or whose start is recorded, by stage. */
  readonly items: ReadonlyMap<string, readonly ItemRecord[]>;
  /** `ctx.state` entries with the stage that wrote each. */
  readonly state: readonly StateEntry[];
  /** What may have taken a process along; empty for nearly every run. */
  readonly crashes: readonly CrashRecord[];
}

/** How often a stage or item was running, or may have been, when its process died. */
export interface CrashRecord {
  /** Null: nobody knows what was running. */
  readonly stage: string | null;
  /** Null: the stage itself. */
  readonly item: string | null;
  readonly crashes: number;
  /** Those of them in which nothing else was running. */
  readonly isolated: number;
  /** Of the last one, for people. */
  readonly reason: string;
}

/** One entry of the run-shared state. */
export interface StateEntry {
  readonly key: string;
  readonly stage: string;
  readonly value: EncodedValue;
}

/** Counts by state; states with 0 are left out. */
export type StateCounts = Readonly<Partial<Record<StageState, number>>>;
