// A schedule by name: what the store has of it under what the mill was opened with. The file seeds and may change; what
// somebody set or switched in the store stays over it until it is taken back.

import { MillraceError } from "../../model/errors.ts";
import type { ScheduleSpec } from "../../model/schedule/schedule.ts";
import { toEffective, toJson, type ScheduleState } from "../../model/schedule/schedule-state.ts";
import { makeTicks } from "../../policy/schedule/next-tick.ts";
import { toJitterMs } from "../../policy/schedule/jitter.ts";
import { canonicalJson, type Json } from "../../std/json.ts";
import { findNearest } from "../../std/nearest.ts";
import type { RecordPut, StoreRecord } from "../../storage/records/record-write.ts";
import type { Store } from "../../storage/store.ts";
import { declareSchedules } from "./declare-schedules.ts";
import { parseScheduleState } from "./schedule-record.ts";

/** What of a mill a question about schedules needs; a store opened for reading is enough. */
export interface ScheduleScene {
  readonly store: Store;
  /** As they are written, by name. */
  readonly schedules: unknown;
}

/** One schedule. */
export interface KnownSchedule {
  readonly name: string;
  /** Undefined: the store does not have it yet. */
  readonly record: StoreRecord | undefined;
  readonly state: ScheduleState;
  /** What is in force. */
  readonly spec: ScheduleSpec;
}

/** What is declared, by the object it is declared in: it is read once. */
const declarations = new WeakMap<object, ReadonlyMap<string, ScheduleSpec>>();

/** What the mill was opened with. DEFINITION_INVALID, SCHEDULE_INVALID. */
export function listDeclared({
  schedules,
  store,
}: ScheduleScene): ReadonlyMap<string, ScheduleSpec> {
  if (typeof schedules !== "object" || schedules === null)
    return declareSchedules(schedules ?? {}, store.nowMs());
  const known = declarations.get(schedules);
  if (known !== undefined) return known;
  const read = declareSchedules(schedules, store.nowMs());
  declarations.set(schedules, read);
  return read;
}

/** The schedule of that name. SCHEDULE_UNKNOWN with the nearest. */
export async function getSchedule(scene: ScheduleScene, name: string): Promise<KnownSchedule> {
  const declared = listDeclared(scene);
  const record = await scene.store.findRecord("schedules", name);
  const known = toKnown(name, record, { spec: declared.get(name), nowMs: scene.store.nowMs() });
  if (known !== undefined) return known;
  const near = findNearest(name, [...declared.keys()]);
  throw new MillraceError("SCHEDULE_UNKNOWN", `There is no schedule "${name}".`, {
    hint: near === undefined ? "schedules stand in millrace.config.ts" : `did you mean "${near}"?`,
    next: "npx millrace schedule list",
    details: { given: name },
  });
}

/** What is declared now. */
export interface DeclaredNow {
  /** Undefined: it is not declared here. */
  readonly spec: ScheduleSpec | undefined;
  readonly nowMs: number;
}

/** A schedule from its record and what is declared; undefined: there is neither, or the record cannot be read. */
export function toKnown(
  name: string,
  record: StoreRecord | undefined,
  { spec, nowMs }: DeclaredNow,
): KnownSchedule | undefined {
  const stored = record === undefined ? undefined : parseScheduleState(record.value);
  const state = spec === undefined ? stored : declareAgain(stored, spec, nowMs);
  return state === undefined ? undefined : { name, record, state, spec: toEffective(state) };
}

function declareAgain(
  stored: ScheduleState | undefined,
  declared: ScheduleSpec,
  nowMs: number,
): ScheduleState {
  if (stored === undefined) {
    const fresh: ScheduleState = {
      declared,
      removed: false,
      override: null,
      switched: null,
      nextMs: null,
      waiting: [],
      runs: [],
      last: null,
      backfill: null,
    };
    return changeState(fresh, {}, nowMs);
  }
  const isSame = !stored.removed && canonicalJson(stored.declared) === canonicalJson(declared);
  return isSame ? stored : changeState(stored, { declared, removed: false }, nowMs);
}

/** What may be changed of a schedule by hand or by its file. */
export type StateChange = Partial<
  Pick<ScheduleState, "declared" | "removed" | "override" | "switched" | "backfill">
>;

/**
 * The schedule after a change. Where that changes its times, or switches it on, the next tick is found anew from now on:
 * a pause accumulates nothing.
 */
export function changeState(
  state: ScheduleState,
  change: StateChange,
  nowMs: number,
): ScheduleState {
  const before = toEffective(state);
  const changed: ScheduleState = { ...state, ...change };
  const after = toEffective(changed);
  const isMoved =
    canonicalJson([before.when, before.zone]) !== canonicalJson([after.when, after.zone]);
  const isOn = after.enabled && !before.enabled;
  if (!isMoved && !isOn && state.nextMs !== null) return changed;
  const ticks = makeTicks(after);
  const fromMs = Math.max(nowMs, lastDecidedMs(state));
  return { ...changed, nextMs: ticks.ok ? ticks.value.next(fromMs) : null };
}

/** No instant fires twice, also after the clock went back. */
function lastDecidedMs({ last, waiting }: ScheduleState): number {
  return Math.max(last?.atMs ?? 0, waiting.at(-1) ?? 0);
}

/** When somebody has to look at a schedule; null: never. */
function toDueAtMs(name: string, state: ScheduleState): number | null {
  const spec = toEffective(state);
  const dues: number[] = [];
  if (spec.enabled) {
    const [waiting] = state.waiting;
    if (waiting !== undefined) dues.push(waiting);
    if (state.nextMs !== null) dues.push(state.nextMs + toJitterMs(name, spec.jitterMs));
  }
  if (state.backfill !== null) dues.push(state.backfill.atMs);
  return dues.length === 0 ? null : Math.min(...dues);
}

/** The change of a schedule's record. */
export function putSchedule(
  { name, record }: Pick<KnownSchedule, "name" | "record">,
  state: ScheduleState,
): RecordPut {
  return {
    collection: "schedules",
    key: name,
    expected: record?.revision ?? 0,
    value: toJson(state),
    dueAtMs: toDueAtMs(name, state),
  };
}

/** Key of a tick. */
export function tickKey(name: string, atMs: number): string {
  return `${name}/${new Date(atMs).toISOString()}`;
}

/** True where both would be stored the same. */
export function isSameState(state: ScheduleState, value: Json): boolean {
  return canonicalJson(toJson(state)) === canonicalJson(value);
}
