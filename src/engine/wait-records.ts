// From an attempt after which a stage or item waits to what is stored and told of it. Times that outlive the process
// are those of the store, whose clock no time server sets.

import type { ItemRecord, StageRecord, WaitHistory } from "../model/checkpoint.ts";
import type { EventDraft } from "../model/event.ts";
import { ERROR_LIST_CHARS_MAX } from "../model/limits.ts";
import type { Failure } from "../model/outcome.ts";
import { boundedText } from "../std/json.ts";
import type { Attempt } from "./attempt/attempt.ts";
import type { AttemptHistory } from "./attempt/attempt-history.ts";
import type { Journal } from "./journal.ts";
import { toItemRecord, toStageRecord } from "./records.ts";
import type { RunCore } from "./run-core.ts";

/** A wait before the next attempt. */
export interface WaitFacts {
  readonly failure: Failure;
  readonly delayMs: number;
  /** True: it costs no attempt, the next one has the same number. */
  readonly deferral: boolean;
  readonly history: AttemptHistory;
  /** Of an item: hash of what it is made from. Default: nobody can say. */
  readonly inputVersion?: string | null;
}

/** A wait that has begun. */
export interface BegunWait extends WaitFacts {
  /** Monotonic ms when the attempt before it ended. */
  readonly endedMs: number;
  /** UTC ms when it is over. */
  readonly dueAtMs: number;
}

/** When a wait that begins now is over, UTC ms. */
export function dueAfter(core: RunCore, delayMs: number): number {
  const { clock } = core.world;
  const nowMs = core.journal?.nowMs() ?? core.wallOf(clock.monotonicMs());
  return Math.round(nowMs + delayMs);
}

/** The row of a stage that waits. */
export function toWaitingStage(core: RunCore, attempt: Attempt, wait: BegunWait): StageRecord {
  const record = { ...toStageRecord(core, attempt.stageRun), failure: wait.failure };
  return withHistory(core, { ...record, dueAtMs: wait.dueAtMs }, wait);
}

/** The row of an item that waits. */
export function toWaitingItem(core: RunCore, attempt: Attempt, wait: BegunWait): ItemRecord {
  const { stageRun, index } = attempt;
  const { endedMs, dueAtMs, deferral, failure, inputVersion = null } = wait;
  const facts = { attempt, endedMs, inputVersion, stored: null, dueAtMs };
  const record = toItemRecord(core, { stageRun, index }, facts);
  const attempts = deferral ? attempt.attempt - 1 : attempt.attempt;
  return withHistory(core, { ...record, attempts, failure }, wait);
}

function withHistory<T extends StageRecord | ItemRecord>(
  core: RunCore,
  record: T,
  wait: BegunWait,
): T {
  if (core.journal === null) return record;
  return { ...record, history: toWaitHistory(core, core.journal, wait) };
}

function toWaitHistory(
  core: RunCore,
  journal: Journal,
  { history, delayMs }: WaitFacts,
): WaitHistory {
  const { deferrals, deferredMs, onceUsed, readySince } = history;
  const readyForMs = core.world.clock.monotonicMs() - readySince;
  const readyAtMs = Math.round(journal.nowMs() - readyForMs);
  return { deferrals, deferredMs, delayMs, onceUsed, readyAtMs };
}

/** The event that tells of a wait. */
export function toWaitEvent(attempt: Attempt, wait: BegunWait): EventDraft {
  const item = attempt.index >= 0;
  return {
    type: item ? "item.waiting" : "stage.waiting",
    ...attempt.address(),
    data: {
      blocker: "retry",
      attempt: attempt.attempt,
      attempts: attempt.stageRun.definition.retry.attempts,
      delayMs: wait.delayMs,
      dueAtMs: wait.dueAtMs,
      class: wait.failure.class,
      message: boundedText(wait.failure.message, ERROR_LIST_CHARS_MAX),
      ...(item ? { index: attempt.index } : {}),
    },
  };
}
