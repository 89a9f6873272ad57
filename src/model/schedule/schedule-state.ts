// What the store remembers of a schedule (collection "schedules", key: its name) and of its ticks (collection "ticks",
// key: name/instant). Changed by compare-and-set alone, so that of any number of schedulers one decides about a tick.

import type { Json } from "../../std/json.ts";
import type { ScheduleFields, ScheduleSpec } from "./schedule.ts";

/** What somebody set while the schedule is in use, over what is declared. */
export interface ScheduleOverride {
  readonly fields: Partial<ScheduleFields>;
  readonly actor: string;
  readonly atMs: number;
}

/** Who switched a schedule on or off. It stays so until somebody says otherwise. */
export interface ScheduleSwitch {
  readonly enabled: boolean;
  readonly actor: string;
  readonly atMs: number;
  readonly reason: string | null;
}

/** Past ticks that are run by hand, one after the other. One at a time for each schedule. */
export interface Backfill {
  readonly actor: string;
  readonly atMs: number;
  /** Runs at once. */
  readonly limit: number;
  readonly total: number;
  /** Instants that are left, the oldest first. */
  readonly pending: readonly number[];
  /** Ids of runs that may not have ended. */
  readonly runs: readonly string[];
}

/** What became of a tick. */
export const TICK_DECISIONS = ["fired", "waiting", "skipped", "missed"] as const;

/** `missed`: nobody was there in time; `skipped`: a rule or a fault kept it from running. */
export type TickDecision = (typeof TICK_DECISIONS)[number];

/** One tick, or several that were missed together: then `atMs` is the last of them. */
export interface TickRecord {
  readonly atMs: number;
  readonly decision: TickDecision;
  readonly reason?: string;
  /** Id of its run. */
  readonly run?: string;
  /** Of ticks missed together: how many, and the first. */
  readonly count?: number;
  readonly fromMs?: number;
}

/** A schedule as the store has it. */
export interface ScheduleState {
  /** As the configuration said last. */
  readonly declared: ScheduleSpec;
  /** True: the configuration does not name it any more, so that it does not tick. */
  readonly removed: boolean;
  readonly override: ScheduleOverride | null;
  readonly switched: ScheduleSwitch | null;
  /** The first tick that nothing was decided about; null: it never ticks. */
  readonly nextMs: number | null;
  /** Ticks that wait for a run to end, the oldest first. */
  readonly waiting: readonly number[];
  /** Ids of its runs that may not have ended, the oldest first. */
  readonly runs: readonly string[];
  readonly last: TickRecord | null;
  readonly backfill: Backfill | null;
}

/** What is in force. */
export function toEffective({
  declared,
  override,
  switched,
  removed,
}: ScheduleState): ScheduleSpec {
  const enabled = !removed && (switched?.enabled ?? declared.enabled);
  return { ...declared, ...override?.fields, enabled };
}

/** As it is stored. */
export function toJson(state: ScheduleState | TickRecord): Json {
  // Both are plain data by their types; what is undefined is left out, as in every row.
  const plain: Json = JSON.parse(JSON.stringify(state));
  return plain;
}
