// From a stage or item that waits, for its next attempt or for a resource, to what is stored and told of it. Times that
// outlive the process are those of the store, whose clock no time server sets.

import type { ItemRecord, StageRecord, WaitHistory } from "../../model/checkpoint.ts";
import type { EventDraft } from "../../model/event.ts";
import {
  writeGateBlocker,
  type GateBlocker,
  type PresentWait,
} from "../../model/resource/gate-wait.ts";
import { ERROR_LIST_CHARS_MAX } from "../../model/limits.ts";
import type { Failure } from "../../model/outcome.ts";
import { boundedText } from "../../std/json.ts";
import type { Attempt } from "../attempt/attempt.ts";
import { newHistory, type AttemptHistory } from "../attempt/attempt-history.ts";
import type { Journal } from "./journal.ts";
import { toItemRecord, toStageRecord } from "./records.ts";
import type { RunCore } from "../run-core.ts";
import { trailOf } from "./wait-tally.ts";

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

/** Why a stage or item waits that failed and is to be tried again. */
const RETRY = "retry";

/** When a wait that begins now is over, UTC ms. */
export function dueAfter(core: RunCore, delayMs: number): number {
  const { clock } = core.world;
  const nowMs = core.journal?.nowMs() ?? core.wallOf(clock.monotonicMs());
  return Math.round(nowMs + delayMs);
}

/** The row of a stage that waits. */
export function toWaitingStage(core: RunCore, attempt: Attempt, wait: BegunWait): StageRecord {
  const record = { ...toStageRecord(core, attempt.stageRun), failure: wait.failure };
  return withHistory(core, { ...record, blocker: RETRY, dueAtMs: wait.dueAtMs }, wait);
}

/** The row of an item that waits. */
export function toWaitingItem(core: RunCore, attempt: Attempt, wait: BegunWait): ItemRecord {
  const { stageRun, index } = attempt;
  const { endedMs, dueAtMs, deferral, failure, inputVersion = null } = wait;
  const facts = { attempt, endedMs, inputVersion, stored: null, dueAtMs };
  const record = toItemRecord(core, { stageRun, index }, facts);
  const attempts = deferral ? attempt.attempt - 1 : attempt.attempt;
  return withHistory(core, { ...record, blocker: RETRY, attempts, failure }, wait);
}

function withHistory<T extends StageRecord | ItemRecord>(
  core: RunCore,
  record: T,
  wait: Pick<WaitFacts, "history" | "delayMs">,
): T {
  if (core.journal === null) return record;
  return { ...record, history: toWaitHistory(core, core.journal, wait) };
}

function toWaitHistory(
  core: RunCore,
  journal: Journal,
  { history, delayMs }: Pick<WaitFacts, "history" | "delayMs">,
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
      blocker: RETRY,
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

/** A wait for a resource. */
export interface HeldWait {
  readonly gate: GateBlocker;
  readonly now: PresentWait;
  /** When it may clear, UTC ms of the store; null: when somebody gives a permit back. */
  readonly dueAtMs: number | null;
  /** How many of its stage wait for resources, this one included. */
  readonly waiting: number;
  /** True: a block of an attempt that has begun waits. */
  readonly isInBlock: boolean;
  /** Of an item: hash of what it is made from. Default: nobody can say. */
  readonly inputVersion?: string | null;
}

/** The row of a stage that waits for a resource. Who goes on from it begins the attempt that waits anew. */
export function toHeldStage(core: RunCore, attempt: Attempt, wait: HeldWait): StageRecord {
  return withGate(core, toStageRecord(core, attempt.stageRun), { attempt, wait });
}

/** The row of an item that waits for a resource. */
export function toHeldItem(core: RunCore, attempt: Attempt, wait: HeldWait): ItemRecord {
  const { stageRun, index } = attempt;
  const { inputVersion = null, dueAtMs } = wait;
  // What the attempt has counted so far counts with its end.
  const metrics = new Map();
  const facts = { attempt, endedMs: 0, inputVersion, stored: null, dueAtMs, metrics };
  const record = toItemRecord(core, { stageRun, index }, facts);
  return withGate(core, { ...record, endedAtMs: null, durationMs: null }, { attempt, wait });
}

interface HeldFacts {
  readonly attempt: Attempt;
  readonly wait: HeldWait;
}

function withGate<T extends StageRecord | ItemRecord>(
  core: RunCore,
  record: T,
  { attempt: held, wait }: HeldFacts,
): T {
  const { attempt, history, stageRun, index, atGate } = held;
  const tally = index < 0 ? stageRun.tally : stageRun.map?.tallies.get(index);
  // Its stored start must stay one: without an end it may not be repeated, or names who took the process along.
  const isBegun = wait.isInBlock && core.isStartStored(stageRun);
  const place = isBegun
    ? { state: "running" as const, attempts: attempt }
    : { state: "waiting" as const, attempts: attempt - 1 };
  const waiting = {
    ...record,
    ...place,
    blocker: writeGateBlocker(wait.gate),
    dueAtMs: wait.dueAtMs,
    ...trailOf(tally, wait.now),
  };
  const deferrals = atGate?.deferrals ?? 0;
  if (history === null && deferrals === 0) return waiting;
  // It was tried or deferred before, and what it knows of that must outlive this process.
  const known =
    history ??
    newHistory({
      attempts: attempt - 1,
      message: "",
      deferrals,
      readySince: held.readyMs,
    });
  const failed = { ...waiting, failure: known.failure };
  return withHistory(core, failed, { history: known, delayMs: known.previousDelayMs });
}

/** The event that tells of a wait for a resource. */
export function toHeldEvent(attempt: Attempt, wait: HeldWait): EventDraft {
  const { gate, now, dueAtMs, waiting, isInBlock } = wait;
  const isItem = attempt.index >= 0;
  return {
    type: isItem ? "item.waiting" : "stage.waiting",
    ...attempt.address(),
    data: {
      blocker: writeGateBlocker(gate),
      resource: gate.resource,
      ...(gate.key === null ? {} : { key: gate.key }),
      ...(now.ahead === null ? {} : { ahead: now.ahead }),
      ...(dueAtMs === null ? {} : { dueAtMs }),
      ...(isInBlock ? { inBlock: true } : {}),
      ...(isItem ? { waiting, index: attempt.index } : {}),
    },
  };
}
