// From a driven stage or item to what is stored and told of it.

import type { ItemRecord, MetricChange, RetryRecord, StageRecord } from "../../model/checkpoint.ts";
import type { EventDraft, EventType } from "../../model/event.ts";
import { ERROR_HISTORY_CHARS_MAX, ERROR_LIST_CHARS_MAX } from "../../model/limits.ts";
import type { Failure, StageState, StoredValue } from "../../model/outcome.ts";
import { boundedText, type Json } from "../../std/json.ts";
import type { Attempt } from "../attempt/attempt.ts";
import type { MapItems } from "../map/map-items.ts";
import type { RunCore } from "../run-core.ts";
import type { StageRun } from "../stage-run.ts";
import { trailOf } from "./wait-tally.ts";

/** The row of a stage as it stands now. */
export function toStageRecord(core: RunCore, stageRun: StageRun): StageRecord {
  const { definition, startedMs, endedMs } = stageRun;
  return {
    stage: definition.name,
    state: stageRun.state,
    via: stageRun.via,
    attempts: stageRun.attempts,
    output: stageRun.stored,
    outputVersion: stageRun.outputVersion,
    inputVersion: stageRun.inputVersion,
    stageVersion: definition.stageVersion,
    reason: stageRun.reason,
    failure: stageRun.failure,
    metrics: stageRun.metrics === null ? {} : Object.fromEntries(stageRun.metrics),
    waitedMs: stageRun.waitedMs ?? {},
    dueAtMs: stageRun.dueAtMs,
    // What waits says itself for what; see wait-records.ts.
    blocker: null,
    ...trailOf(stageRun.tally),
    startedAtMs: startedMs < 0 ? null : core.wallOf(startedMs),
    endedAtMs: endedMs < 0 ? null : core.wallOf(endedMs),
    durationMs: endedMs < 0 ? null : durationOf(stageRun),
    cpuMs: stageRun.cpuMs,
    peakBytes: stageRun.peakBytes,
    itemCount: stageRun.map === null ? null : stageRun.map.size,
  };
}

/** From the first start to the end, ms; a stage that never started took 0. */
export function durationOf(stageRun: StageRun): number {
  if (stageRun.keptDurationMs !== null) return stageRun.keptDurationMs;
  return stageRun.startedMs < 0 ? 0 : Math.max(0, stageRun.endedMs - stageRun.startedMs);
}

/** What is known of an item besides its place in the map. */
export interface ItemFacts {
  readonly attempt: Attempt | null;
  readonly endedMs: number;
  readonly inputVersion: string | null;
  readonly stored: StoredValue | null;
  readonly dueAtMs: number | null;
  /** Default: what the attempt counted. */
  readonly metrics?: ReadonlyMap<string, MetricChange>;
}

/** The row of an item as it stands now. */
export function toItemRecord(
  core: RunCore,
  at: { readonly stageRun: StageRun; readonly index: number },
  facts: ItemFacts,
): ItemRecord {
  const map = at.stageRun.map;
  const state: StageState = map?.stateOf(at.index) ?? "pending";
  const { attempt, endedMs } = facts;
  const tally = map?.tallies.get(at.index);
  return {
    stage: at.stageRun.definition.name,
    key: map?.keyOf(at.index) ?? "",
    index: at.index,
    state,
    via: state === "succeeded" ? (map?.vias.get(at.index) ?? "run") : null,
    attempts: attempt === null ? 0 : countAttempts(attempt, state),
    output: facts.stored,
    inputVersion: facts.inputVersion,
    reason: map?.reasons.get(at.index) ?? null,
    failure: map?.failures.get(at.index) ?? null,
    metrics: Object.fromEntries(facts.metrics ?? attempt?.metricsSet ?? []),
    waitedMs: tally?.sums ?? {},
    dueAtMs: facts.dueAtMs,
    blocker: null,
    ...trailOf(tally),
    startedAtMs: attempt === null || attempt.startedMs < 0 ? null : core.wallOf(attempt.startedMs),
    endedAtMs: state === "waiting" ? null : core.wallOf(endedMs),
    durationMs: attempt === null || attempt.startedMs < 0 ? 0 : endedMs - attempt.startedMs,
  };
}

/** One that failed at the gate, as its deadline or its resource would not let it wait, was none. */
function countAttempts({ attempt, atGate, startedMs }: Attempt, state: StageState): number {
  return state === "failed" && atGate !== null && startedMs < 0 ? attempt - 1 : attempt;
}

/** One line of the retry history. */
export function toRetryRecord(
  core: RunCore,
  attempt: Attempt,
  facts: { readonly failure: Failure; readonly delayMs: number | null; readonly endedMs: number },
): RetryRecord {
  return {
    stage: attempt.stage,
    item: attempt.item?.key ?? null,
    attempt: attempt.attempt,
    class: facts.failure.class,
    message: boundedText(facts.failure.message, ERROR_HISTORY_CHARS_MAX),
    delayMs: facts.delayMs,
    startedAtMs: core.wallOf(attempt.startedMs),
    endedAtMs: core.wallOf(facts.endedMs),
  };
}

/** Fields of a failure that events carry. */
function describeFailure(failure: Failure): Record<string, Json> {
  return {
    class: failure.class,
    message: boundedText(failure.message, ERROR_LIST_CHARS_MAX),
    attempts: failure.attempts,
    fingerprint: failure.fingerprint,
    ...(failure.code === undefined ? {} : { code: failure.code }),
  };
}

/** The event that tells how a stage ended. */
export function toStageEvent(stageRun: StageRun): EventDraft {
  const type = `stage.${endWord(stageRun.state)}` satisfies EventType;
  const stage = stageRun.definition.name;
  const data = describeStageEnd(stageRun);
  const attempt = stageRun.attempts;
  return attempt > 0 ? { type, stage, attempt, data } : { type, stage, data };
}

type EndWord = "succeeded" | "failed" | "skipped" | "cancelled" | "upstream_failed";

function endWord(state: StageState): EndWord {
  return state === "pending" || state === "running" || state === "waiting" ? "cancelled" : state;
}

function describeStageEnd(stageRun: StageRun): Record<string, Json> {
  const durationMs = durationOf(stageRun);
  const map = stageRun.map;
  switch (stageRun.state) {
    case "succeeded": {
      const data = { via: stageRun.via ?? "run", attempts: stageRun.attempts, durationMs };
      return map === null ? data : { ...data, items: map.size, failedItems: map.counts.failed };
    }
    case "failed":
      return {
        ...(stageRun.failure === null ? {} : describeFailure(stageRun.failure)),
        durationMs,
      };
    case "upstream_failed":
      return { stage: stageRun.failure?.stage ?? "", message: stageRun.failure?.message ?? "" };
    default:
      return { reason: stageRun.reason ?? "" };
  }
}

/** The event that tells how an item ended. */
export function toItemEvent(
  stageRun: StageRun,
  index: number,
  attempt: Attempt | null,
): EventDraft {
  const map = stageRun.map;
  const state = map?.stateOf(index) ?? "cancelled";
  const attempts = attempt?.attempt ?? 0;
  return {
    type: `item.${endWord(state)}` satisfies EventType,
    stage: stageRun.definition.name,
    item: map?.keyOf(index) ?? "",
    ...(attempts > 0 ? { attempt: attempts } : {}),
    data: { index, ...describeItemEnd(map, index, attempts) },
  };
}

function describeItemEnd(
  map: MapItems | null,
  index: number,
  attempts: number,
): Record<string, Json> {
  const state = map?.stateOf(index);
  if (state === "succeeded") return { via: map?.vias.get(index) ?? "run", attempts };
  const failure = map?.failures.get(index);
  const isFailed = state === "failed" || state === "upstream_failed";
  return isFailed && failure !== undefined
    ? describeFailure(failure)
    : { reason: map?.reasons.get(index) ?? "" };
}
