// Every fact that is told: one list of types, in past tense. A stored event is written in the transaction of
// the change it tells; an ephemeral one is live only. Listeners (views, logs, metrics) see nothing else.

import type { Json } from "../std/json.ts";

// Fields of `data` by type (all optional ones only where they apply):
//   run.created             pipeline, stages, definition, parent?, override?
//   run.started             epoch
//   run.resumed             epoch, keptStages, keptItems, redo: [{ stage, reason }]
//   run.interrupted         reason
//   run.returned            reason
//   run.parked              blocker, dueAtMs
//   run.reclaimed           reason, host, pid
//   run.cancel_requested    reason
//   run.succeeded … cancelled   durationMs, warnings, reason?, stage?, class?, message?, fingerprint?, forced?, host?, pid?
//   stage.started           (attempt is a field of the event)
//   stage.expanded          items, kept, added, changed, removed
//   stage/item.waiting      blocker, attempt, attempts, delayMs, dueAtMs, class, message
//   … for a resource        blocker (`limit:host/example.com`), resource, key?, ahead?, dueAtMs?, inBlock?, waiting? (items of the stage)
//   stage/item.succeeded    via, attempts; of a stage durationMs, items?, failedItems?
//   stage/item.failed       class, message, code?, attempts, fingerprint; of a stage durationMs
//   stage/item.skipped      reason
//   stage/item.cancelled    reason
//   stage/item.upstream_failed  stage, message
//   stage.progressed        done, total?, note?
//   stage.logged            level, message, data?
//   stage.emitted           name, data
//   stage.fell_silent       silentMs
//   stage.rule_failed       message
//   artifact.stored         name, artifact, bytes
//   breaker.opened … closed     resource, key?, from, to, untilMs?, actor, reason
//   resource.paused         resource, key?, untilMs, actor, reason
//   resource.set            resource, key?, limit?, quotas?, formerLimit?, formerQuotas?, untilMs?, actor, reason
//   resource.reset          resource, key?, actor, reason
//   run.refused             pipeline, source, verdict, reasons
//   schedule.set            schedule, fields, actor, reason?
//   schedule.enabled … disabled   schedule, actor, reason?
//   schedule.fired          schedule, at, run, source
//   schedule.skipped … missed     schedule, at, reason, count?, pipeline
//   watchdog.warned … repaired    rule, message, blockers?, run?, worker?
//   clock.jumped            byMs, clock
//   health.changed          pipeline, from, to, reasons
//   health.acknowledged     pipeline, actor, reason
//   failure.muted           fingerprint, pipeline, stage?, actor, reason
//   failure.unmuted         fingerprint, actor, reason?
//   external.reported       name, source, at, message?, data?
//   token.created … revoked    token, role, actor
//   operation.started … ended     operation, action, matching, changed?, refused?, actor
//   notice.failed           target, event, message
//   settings.applied        source, changed, restart
//   settings.refused        source, faults, count
//   system.heartbeat        runs, queued, workers
// Item events carry `index` besides; what a person does to a resource belongs to no run: `run` is empty then, and `runSeq`
// 0. Messages are cut to ERROR_LIST_CHARS_MAX.

/** Types that are stored with the change they tell. */
export const STORED_EVENT_TYPES = [
  "run.created",
  "run.started",
  "run.resumed",
  "run.interrupted",
  "run.returned",
  "run.parked",
  "run.reclaimed",
  "run.cancel_requested",
  "run.succeeded",
  "run.failed",
  "run.skipped",
  "run.cancelled",
  "stage.expanded",
  "stage.waiting",
  "stage.succeeded",
  "stage.failed",
  "stage.skipped",
  "stage.cancelled",
  "stage.upstream_failed",
  "stage.fell_silent",
  "stage.emitted",
  "stage.logged",
  "stage.rule_failed",
  "item.waiting",
  "item.succeeded",
  "item.failed",
  "item.skipped",
  "item.cancelled",
  "item.upstream_failed",
  "artifact.stored",
  "breaker.opened",
  "breaker.half_opened",
  "breaker.closed",
  "resource.paused",
  "resource.set",
  "resource.reset",
  "run.refused",
  "schedule.set",
  "schedule.enabled",
  "schedule.disabled",
  "schedule.fired",
  "schedule.skipped",
  "schedule.missed",
  "watchdog.warned",
  "watchdog.repaired",
  "clock.jumped",
  "health.changed",
  "health.acknowledged",
  "failure.muted",
  "failure.unmuted",
  "external.reported",
  "token.created",
  "token.revoked",
  "operation.started",
  "operation.ended",
  "notice.failed",
  "settings.applied",
  "settings.refused",
] as const;

/** Types that are live only. */
export const EPHEMERAL_EVENT_TYPES = [
  "stage.started",
  "item.started",
  "stage.progressed",
  "system.heartbeat",
] as const;

/** Type of an event. */
export type EventType =
  | (typeof STORED_EVENT_TYPES)[number]
  | (typeof EPHEMERAL_EVENT_TYPES)[number];

const EVENT_TYPES: readonly EventType[] = [...STORED_EVENT_TYPES, ...EPHEMERAL_EVENT_TYPES];

/** Types that are meant by these words: a type itself, or `stage.*` for all of a noun. Others mean none. */
export function selectEventTypes(words: readonly string[]): ReadonlySet<EventType> {
  return new Set(EVENT_TYPES.filter((type) => words.some((word) => isEventOf(type, word))));
}

/** Words that mean no type. */
export function listUnknownTypes(words: readonly string[]): readonly string[] {
  return words.filter((word) => !EVENT_TYPES.some((type) => isEventOf(type, word)));
}

/** Every type, and every noun as `stage.*`, for who misspelt one. */
export function listTypeWords(): readonly string[] {
  return [...EVENT_TYPES, ...new Set(EVENT_TYPES.map((type) => `${type.split(".")[0] ?? ""}.*`))];
}

function isEventOf(type: EventType, word: string): boolean {
  return type === word || (word.endsWith(".*") && type.startsWith(word.slice(0, -1)));
}

/** One fact. `data` depends on the type; docs/reference/events.md lists its fields. */
export interface MillraceEvent {
  /** Number in the store, rising; 0 for ephemeral events and for runs in memory. */
  readonly seq: number;
  /** Number within the run, rising; gap-free over the stored events of a run. 0 for ephemeral ones. */
  readonly runSeq: number;
  /** UTC ms. */
  readonly atMs: number;
  readonly type: EventType;
  /** Id of the run; empty for what concerns no run. */
  readonly run: string;
  readonly stage?: string;
  readonly item?: string;
  readonly attempt?: number;
  readonly data?: Readonly<Record<string, Json>>;
}

/** What the engine hands over to be stored and told; numbers and time are added on the way. */
export interface EventDraft {
  readonly type: EventType;
  readonly stage?: string;
  readonly item?: string;
  readonly attempt?: number;
  readonly data?: Readonly<Record<string, Json>>;
}
