// A schedule as it leaves the house: what is in force, who changed it, and what became of its last tick.

import { describeWhen, type MissedRule, type Overlap } from "../../model/schedule/schedule.ts";
import type { TickDecision, TickRecord } from "../../model/schedule/schedule-state.ts";
import type { RunRecord, RunState } from "../../model/run.ts";
import { formatDuration } from "../../std/duration.ts";
import type { Json } from "../../std/json.ts";
import type { KnownSchedule } from "../schedules/known-schedule.ts";
import { runName } from "../queries/find-run.ts";
import { toIso } from "./time-view.ts";

/** A schedule. */
export interface ScheduleView {
  readonly name: string;
  readonly pipeline: string;
  /** In words: `daily 02:30`, `every 15m`, `cron 0 * * * *`. */
  readonly when: string;
  /** IANA name. */
  readonly zone: string;
  readonly overlap: Overlap;
  readonly missed: MissedRule;
  readonly jitterMs: number;
  readonly priority: number;
  readonly tags: Readonly<Record<string, string>>;
  /** Null: none. */
  readonly input: Json;
  readonly deadlineMs?: number;
  readonly description?: string;
  readonly enabled: boolean;
  /** Who switched it on or off; absent: as it was declared. */
  readonly changedBy?: ChangeView;
  /** Fields that somebody set over what is declared. */
  readonly override?: ChangeView & { readonly fields: readonly string[] };
  /** True: the configuration does not name it any more. */
  readonly removed?: true;
  readonly last?: TickView;
  readonly nextAt?: string;
  /** Ticks that wait for a run to end. */
  readonly waiting: number;
  readonly backfill?: ChangeView & {
    readonly total: number;
    readonly left: number;
    readonly limit: number;
  };
}

/** Who did something, and when. */
export interface ChangeView {
  readonly actor: string;
  readonly at: string;
  readonly reason?: string;
}

/** What became of a tick. */
export interface TickView {
  readonly at: string;
  readonly decision: TickDecision;
  readonly reason?: string;
  /** Of ticks that were missed together: how many, and the first. */
  readonly count?: number;
  readonly from?: string;
  /** Its run, while that is kept. */
  readonly run?: { readonly id: string; readonly name: string; readonly state: RunState };
}

/** A schedule with the run of its last tick, if that is kept. */
export function toScheduleView(
  { name, state, spec }: KnownSchedule,
  lastRun: RunRecord | undefined,
): ScheduleView {
  const { switched, override, backfill, last } = state;
  const { pipeline, zone, overlap, missed, jitterMs, priority, tags, input, enabled } = spec;
  return {
    name,
    pipeline,
    when: describeWhen(spec.when, formatDuration),
    zone,
    overlap,
    missed,
    jitterMs,
    priority,
    tags,
    input,
    ...(spec.deadlineMs === null ? {} : { deadlineMs: spec.deadlineMs }),
    ...(spec.description === null ? {} : { description: spec.description }),
    enabled,
    ...(switched === null ? {} : { changedBy: toChange(switched) }),
    ...(override === null
      ? {}
      : { override: { ...toChange(override), fields: Object.keys(override.fields) } }),
    ...(state.removed ? { removed: true } : {}),
    ...(last === null ? {} : { last: toTickView(last, lastRun) }),
    ...(enabled && state.nextMs !== null ? { nextAt: toIso(state.nextMs) } : {}),
    waiting: state.waiting.length,
    ...(backfill === null
      ? {}
      : {
          backfill: {
            ...toChange(backfill),
            total: backfill.total,
            left: backfill.pending.length,
            limit: backfill.limit,
          },
        }),
  };
}

function toChange(change: {
  readonly actor: string;
  readonly atMs: number;
  readonly reason?: string | null;
}): ChangeView {
  const { actor, atMs, reason } = change;
  return {
    actor,
    at: toIso(atMs),
    ...(reason === undefined || reason === null ? {} : { reason }),
  };
}

/** A tick with its run. */
export function toTickView(tick: TickRecord, run: RunRecord | undefined): TickView {
  const { atMs, decision, reason, count, fromMs } = tick;
  return {
    at: toIso(atMs),
    decision,
    ...(reason === undefined ? {} : { reason }),
    ...(count === undefined ? {} : { count }),
    ...(fromMs === undefined ? {} : { from: toIso(fromMs) }),
    ...(run === undefined ? {} : { run: { id: run.id, name: runName(run), state: run.state } }),
  };
}
