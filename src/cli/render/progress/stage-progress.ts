// What is known of one stage while a run works: state, items by state, what is open, what it waits for. Counts
// are kept as events come, never recounted.

import type { StageState, Via } from "../../../model/outcome.ts";
import { DurationSketch } from "./duration-sketch.ts";
import type { RateMeter } from "./rate-meter.ts";

/** What is known of a stage before it starts. */
export interface PlannedStage {
  readonly name: string;
  readonly kind: "stage" | "map" | "command";
  /** Attempts in all that its retry policy allows. */
  readonly attemptsMax: number;
}

/** What something waits for, as an event tells it. */
export interface Wait {
  /** Kind of the blocker: `retry`, `quota` ... */
  readonly kind: string;
  /** The resource, where one is to blame. */
  readonly name: string | undefined;
  /** When it goes on, UTC ms. */
  readonly dueAtMs: number | undefined;
  /** Number of the next attempt. */
  readonly attempt: number | undefined;
  /** Before it in line, when it was told. */
  readonly ahead: number | undefined;
  /** How many of its stage waited then, told or not. */
  readonly waiting: number;
  /** What the attempt before failed with. */
  readonly message: string | undefined;
  readonly class: string | undefined;
}

/** An item, or a stage without items, that is neither pending nor over. */
export interface OpenWork {
  /** When its attempt started; undefined: it waits. */
  startedAtMs: number | undefined;
  wait: Wait | undefined;
  attempt: number;
}

/** Items of a map stage by state. */
export type ItemCounts = { total: number } & Record<StageState, number>;

/** What is known of a stage. Written by the reducer alone. */
export interface StageProgress extends PlannedStage {
  state: StageState;
  via: Via | undefined;
  attempts: number;
  startedAtMs: number | undefined;
  endedAtMs: number | undefined;
  durationMs: number | undefined;
  /** Of skipped, cancelled and upstream_failed stages: why, or the stage that failed. */
  reason: string | undefined;
  /** What it failed with. */
  failure: { readonly class: string; readonly message: string } | undefined;
  /** Reported by `ctx.progress` or a command. */
  reported: { readonly done: number; readonly total?: number; readonly note?: string } | undefined;
  /** How long a command has been silent, as of the last event about it. */
  silentMs: number | undefined;
  /** Of map stages, once their list is known. */
  items: ItemCounts | undefined;
  /** By item key; of a stage without items under the empty key. */
  readonly open: Map<string, OpenWork>;
  /** How many wait for what: blocker kind and name, to a count and the earliest due time. */
  readonly waits: Map<string, { readonly wait: Wait; count: number }>;
  /** Successes taken from checkpoints of the run, and from the cache. */
  kept: number;
  cached: number;
  /** Items that succeeded after a retry. */
  retried: number;
  rate: RateMeter | undefined;
  readonly durations: DurationSketch;
}

/** A stage of which nothing happened yet. */
export function makeStageProgress(plan: PlannedStage): StageProgress {
  return {
    ...plan,
    state: "pending",
    via: undefined,
    attempts: 0,
    startedAtMs: undefined,
    endedAtMs: undefined,
    durationMs: undefined,
    reason: undefined,
    failure: undefined,
    reported: undefined,
    silentMs: undefined,
    items: undefined,
    open: new Map(),
    waits: new Map(),
    kept: 0,
    cached: 0,
    retried: 0,
    rate: undefined,
    durations: new DurationSketch(),
  };
}

/** No items yet, in any state. */
export function makeItemCounts(total: number): ItemCounts {
  return {
    total,
    pending: total,
    running: 0,
    waiting: 0,
    succeeded: 0,
    failed: 0,
    skipped: 0,
    cancelled: 0,
    upstream_failed: 0,
  };
}

/** Items that have ended, however they did. */
export function countEnded(items: ItemCounts): number {
  return items.succeeded + items.failed + items.skipped + items.cancelled + items.upstream_failed;
}

/** What most of a stage's open work waits for; undefined: nothing waits. */
export function mainWait(stage: StageProgress): { wait: Wait; count: number } | undefined {
  let main: { wait: Wait; count: number } | undefined;
  for (const entry of stage.waits.values()) {
    if (entry.count > 0 && (main === undefined || entry.count > main.count)) main = entry;
  }
  return main;
}

/**
 * How many items of a stage wait: of those that wait for a resource not all are told one by one, and the last that was
 * told of them was more than are open by now.
 */
export function countWaiting(stage: StageProgress): number {
  const { waiting = 0, pending = 0 } = stage.items ?? {};
  return Math.max(waiting, Math.min(waiting + pending, mainWait(stage)?.wait.waiting ?? 0));
}

/** ms until a map stage has ended at the present rate; undefined: it cannot be told. */
export function remainingMs(stage: StageProgress, nowMs: number): number | undefined {
  if (stage.items === undefined || stage.rate === undefined) return undefined;
  const perSecond = stage.rate.perSecond(nowMs);
  const left = stage.items.total - countEnded(stage.items);
  return perSecond <= 0 || left <= 0 ? undefined : (left / perSecond) * 1000;
}
