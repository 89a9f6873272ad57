// Writes a decision about the ticks of a schedule: one transaction with the schedule, the tick, its run and the events.

import { boundedText } from "../../std/json.ts";
import { REASON_CHARS_MAX, TICKS_COUNTED_MAX, TICKS_WAITING_MAX } from "../../model/limits.ts";
import {
  toJson,
  type ScheduleState,
  type TickRecord,
} from "../../model/schedule/schedule-state.ts";
import type { EventDraft } from "../../model/event.ts";
import type { JudgedTick, Turn } from "../../policy/schedule/decide-turn.ts";
import type { MissedTicks } from "../../policy/schedule/missed.ts";
import { findPrevious, listTicks, type Ticks } from "../../policy/schedule/next-tick.ts";
import type { RecordPut } from "../../storage/records/record-write.ts";
import type { CreateRunWrite } from "../../storage/write.ts";
import type { WriteResult } from "../../storage/write-result.ts";
import { MillraceError } from "../../model/errors.ts";
import type { MillContext } from "../mill-context.ts";
import { cancelRuns, sayFault, type DueSchedule, type FireOutcome } from "./due-schedule.ts";
import { putSchedule, tickKey } from "./known-schedule.ts";
import { listOldTicks } from "./old-ticks.ts";
import { prepareTickRun } from "./tick-run.ts";

type Move = Extract<Turn, { readonly kind: "move" }>;

/** A decision and when it was made, less the jitter. */
export interface DecidedMove {
  readonly turn: Move;
  readonly nowMs: number;
}

/** A tick with what becomes of it. */
interface Told {
  /** Besides that of the tick. */
  readonly event?: EventDraft | undefined;
  readonly record: TickRecord;
  readonly run: CreateRunWrite | null;
}

/** Writes it. `lost` where another process was first. */
export async function commitMove(
  mill: MillContext,
  due: DueSchedule,
  { turn, nowMs }: DecidedMove,
): Promise<FireOutcome> {
  const missed = turn.missed === null ? null : await countMissed(mill, due.ticks, turn.missed);
  const told = turn.tick === null ? null : await tellTick(mill, due, turn.tick);
  const move = { due, turn, missed };
  let result = await write(mill, move, told);
  if (told !== null) result = await answer(mill, { move, told, result });
  if (result.kind === "record-conflict") return { kind: "lost" };
  if (result.kind !== "recorded") {
    throw new MillraceError("STORE_FAILED", `The store did not take the tick: ${result.kind}.`);
  }
  if (result.run !== undefined) mill.wake.emit(result.run.pipeline);
  if (turn.cancel) await cancelRuns(mill, due.live);
  const decidedMs = turn.tick?.atMs ?? turn.missed?.untilMs ?? nowMs;
  return { kind: "moved", lateMs: Math.max(0, nowMs - decidedMs) };
}

interface Written {
  readonly due: DueSchedule;
  readonly turn: Move;
  readonly missed: TickRecord | null;
}

/** What stands in the way of a tick's run is the reason why it does not run; the schedule goes on. */
async function answer(
  mill: MillContext,
  {
    move,
    told,
    result,
  }: { readonly move: Written; readonly told: Told; readonly result: WriteResult },
): Promise<WriteResult> {
  const { atMs } = told.record;
  if (result.kind === "full") {
    return await write(mill, move, skipped(atMs, "the queue of its pipeline is full"));
  }
  if (result.kind === "key-taken") {
    const record: TickRecord = { atMs, decision: "fired", run: result.run.id };
    return await write(mill, move, { record, run: null });
  }
  // The schedule itself is as it was read: the tick was decided before, by a clock that went back since.
  if (result.kind === "record-conflict" && result.key !== move.due.name) {
    return await write(mill, { ...move, turn: { ...move.turn, tick: null } }, null);
  }
  return result;
}

function skipped(atMs: number, reason: string): Told {
  const text = boundedText(reason, REASON_CHARS_MAX);
  return { record: { atMs, decision: "skipped", reason: text }, run: null };
}

async function tellTick(mill: MillContext, due: DueSchedule, tick: JudgedTick): Promise<Told> {
  const { atMs } = tick;
  if (tick.kind === "skip") return skipped(atMs, tick.reason);
  if (tick.kind === "wait") return { record: { atMs, decision: "waiting" }, run: null };
  try {
    const source = `schedule ${due.name}`;
    const verdict = await due.mayStart(due.spec.pipeline, { kind: "scheduled", source });
    if (verdict.kind === "no") {
      return { ...skipped(atMs, verdict.reason), event: verdict.event };
    }
    const { definition, spec, name, ticks } = due;
    const scheduled = { schedule: name, atMs, fromMs: findPrevious(ticks, atMs) ?? atMs };
    const run = await prepareTickRun(mill, { definition, spec, scheduled });
    return { record: { atMs, decision: "fired", run: run.run.id }, run };
  } catch (error) {
    return skipped(atMs, sayFault(error));
  }
}

async function write(mill: MillContext, move: Written, told: Told | null): Promise<WriteResult> {
  const { due, turn, missed } = move;
  const run = told?.run ?? null;
  const state = toState(move, told);
  const puts: RecordPut[] = [putSchedule(due, state)];
  const put = (record: TickRecord, expected: number | null): void => {
    const key = tickKey(due.name, record.atMs);
    puts.push({ collection: "ticks", key, expected, value: toJson(record) });
  };
  if (missed !== null) put(missed, null);
  // One that waited has its record.
  const waited = told !== null && due.state.waiting.includes(told.record.atMs);
  if (told !== null) put(told.record, waited ? null : 0);
  const dropped = turn.dropped.map((atMs) => skipped(atMs, "a later tick took its place").record);
  for (const record of dropped) put(record, null);
  const old = await listOldTicks(mill.store, due.name, { ...due, nextMs: turn.nextMs });
  puts.push(...old.filter(({ key }) => puts.every((other) => other.key !== key)));
  const records = [missed, ...dropped, told?.record ?? null].filter((record) => record !== null);
  const events = records.flatMap((record) => toEvent(due, record));
  if (told?.event !== undefined) events.push(told.event);
  return await mill.committer.write({
    kind: "put-records",
    puts,
    ...(run === null ? {} : { run }),
    events,
  });
}

function toState({ due, turn, missed }: Written, told: Told | null): ScheduleState {
  const { state, live } = due;
  const run = told?.record.run;
  const runs = [...live.map(({ id }) => id), ...(run === undefined ? [] : [run])];
  return {
    ...state,
    nextMs: turn.nextMs,
    waiting: turn.waiting,
    runs: runs.slice(-TICKS_WAITING_MAX),
    last: told?.record ?? missed ?? state.last,
  };
}

/** An event of a tick; one that waits is told when it is decided. */
function toEvent({ name, spec }: DueSchedule, tick: TickRecord): readonly EventDraft[] {
  const at = new Date(tick.atMs).toISOString();
  const { pipeline } = spec;
  const { reason = "", run = "", count = 1 } = tick;
  switch (tick.decision) {
    case "fired":
      return [{ type: "schedule.fired", data: { schedule: name, at, run, source: "schedule" } }];
    case "skipped":
      return [{ type: "schedule.skipped", data: { schedule: name, at, reason, pipeline } }];
    case "missed":
      return [{ type: "schedule.missed", data: { schedule: name, at, reason, count, pipeline } }];
    case "waiting":
      return [];
  }
}

/** Ticks that are counted before others get a turn of the process. */
const COUNT_STEP = 500;

async function countMissed(
  mill: MillContext,
  ticks: Ticks,
  { fromMs, untilMs, reason }: MissedTicks,
): Promise<TickRecord> {
  let count = 0;
  for (let nextMs = fromMs; count < TICKS_COUNTED_MAX;) {
    const found = listTicks(ticks, { fromMs: nextMs, untilMs }, COUNT_STEP);
    count += found.length;
    const last = found.at(-1);
    if (last === undefined || found.length < COUNT_STEP) break;
    nextMs = last + 1;
    await new Promise<void>((resolve) => mill.world.clock.defer(resolve));
  }
  return { atMs: untilMs, decision: "missed", reason, count, fromMs };
}
