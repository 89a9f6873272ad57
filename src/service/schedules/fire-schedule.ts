// One decision about one schedule that is due, as one transaction: the schedule goes on, its tick is recorded, its run is
// queued, the events are told. Whoever else came to it at the same time finds its revision changed and leaves it.
//
// A tick that cannot start is recorded with its reason, and the schedule goes on. Only a store that cannot be written
// leaves it as it is, for the next look.

import { SCHEDULER_SLEEP_MS_MAX, TICK_LATE_MS_MAX } from "../../model/limits.ts";
import { toEffective, type ScheduleState } from "../../model/schedule/schedule-state.ts";
import { decideTurn } from "../../policy/schedule/decide-turn.ts";
import { toJitterMs } from "../../policy/schedule/jitter.ts";
import { makeTicks } from "../../policy/schedule/next-tick.ts";
import type { StoreRecord } from "../../storage/records/record-write.ts";
import type { MillContext } from "../mill-context.ts";
import { stepBackfill } from "./backfill-step.ts";
import { cancelRuns, type DueSchedule, type FireOutcome, type MayStart } from "./due-schedule.ts";
import { putSchedule } from "./known-schedule.ts";
import { isPipelineFull, listLiveRuns } from "./live-runs.ts";
import { commitMove } from "./move-schedule.ts";
import { parseScheduleState } from "./schedule-record.ts";

/** Decides one thing about a schedule whose record is due. Store errors are thrown; nothing was changed then. */
export async function fireSchedule(
  mill: MillContext,
  record: StoreRecord,
  mayStart: MayStart,
): Promise<FireOutcome> {
  const state = parseScheduleState(record.value);
  if (state === undefined) return await setAside(mill, record, "its record cannot be read");
  const spec = toEffective(state);
  const definition = mill.pipelines.get(spec.pipeline);
  if (definition === undefined) {
    return await leave(mill, record, `pipeline "${spec.pipeline}" is not known here`);
  }
  const ticks = makeTicks(spec);
  if (!ticks.ok) return await setAside(mill, record, ticks.error);
  const live = await listLiveRuns(mill.store, state.runs);
  const name = record.key;
  const due = { name, record, state, spec, definition, ticks: ticks.value, live, mayStart };
  return await decide(mill, due);
}

async function decide(mill: MillContext, due: DueSchedule): Promise<FireOutcome> {
  const { name, state, spec, ticks, live, definition } = due;
  const nowMs = mill.store.nowMs() - toJitterMs(name, spec.jitterMs);
  const isBusy = live.length > 0 || (await isPipelineFull(mill.store, definition));
  const turn = spec.enabled
    ? decideTurn({ state, spec, ticks, nowMs, isBusy })
    : ({ kind: "nothing" } as const);
  if (turn.kind === "move") return await commitMove(mill, due, { turn, nowMs });
  if (turn.kind === "hold" && turn.cancel) await cancelRuns(mill, live);
  const filled = state.backfill === null ? null : await stepBackfill(mill, due, state.backfill);
  if (filled !== null) return filled;
  if (turn.kind === "hold" || state.backfill !== null) return await hold(mill, due.record);
  return await settle(mill, due, state);
}

/** It was due and there is nothing to do: its next time is written again. */
async function settle(
  mill: MillContext,
  due: DueSchedule,
  state: ScheduleState,
): Promise<FireOutcome> {
  const put = putSchedule(due, state);
  if (put.dueAtMs === due.record.dueAtMs) return { kind: "idle" };
  return await write(mill, put, { kind: "idle" });
}

/** Others come to it later, so that a list of what is due shows what can be done. Who holds it looks more often. */
async function hold(mill: MillContext, record: StoreRecord): Promise<FireOutcome> {
  const nowMs = mill.store.nowMs();
  if (record.dueAtMs !== null && record.dueAtMs > nowMs) return { kind: "held" };
  const dueAtMs = nowMs + SCHEDULER_SLEEP_MS_MAX;
  return await write(mill, { ...keep(record), dueAtMs }, { kind: "held" });
}

/** Whoever knows its pipeline has had a minute: then it makes room for others in the list of what is due. */
async function leave(
  mill: MillContext,
  record: StoreRecord,
  problem: string,
): Promise<FireOutcome> {
  const nowMs = mill.store.nowMs();
  const state = parseScheduleState(record.value);
  const lateMs = Math.max(0, nowMs - (state?.nextMs ?? record.dueAtMs ?? nowMs));
  const left = { kind: "left" as const, problem: `schedule "${record.key}": ${problem}`, lateMs };
  if (record.dueAtMs === null || nowMs - record.dueAtMs < TICK_LATE_MS_MAX) return left;
  return await write(mill, { ...keep(record), dueAtMs: nowMs + TICK_LATE_MS_MAX }, left);
}

/** It is never due again until somebody sets it: what it says cannot be followed. */
async function setAside(
  mill: MillContext,
  record: StoreRecord,
  problem: string,
): Promise<FireOutcome> {
  const left = {
    kind: "left" as const,
    problem: `schedule "${record.key}": ${problem}`,
    lateMs: 0,
  };
  return await write(mill, { ...keep(record), dueAtMs: null }, left);
}

function keep({ collection, key, revision, value }: StoreRecord): {
  readonly collection: StoreRecord["collection"];
  readonly key: string;
  readonly expected: number;
  readonly value: StoreRecord["value"];
} {
  return { collection, key, expected: revision, value };
}

async function write(
  mill: MillContext,
  put: ReturnType<typeof putSchedule>,
  outcome: FireOutcome,
): Promise<FireOutcome> {
  const result = await mill.committer.write({ kind: "put-records", puts: [put], events: [] });
  return result.kind === "recorded" ? outcome : { kind: "lost" };
}
