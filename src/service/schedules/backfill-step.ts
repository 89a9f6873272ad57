// The next run of a backfill: as many at once as it may have, the oldest tick first, refilled one by one. A tick whose
// run has not ended is passed over.

import { boundedText } from "../../std/json.ts";
import { REASON_CHARS_MAX } from "../../model/limits.ts";
import type { EventDraft } from "../../model/event.ts";
import { toJson, type Backfill, type TickRecord } from "../../model/schedule/schedule-state.ts";
import { findPrevious } from "../../policy/schedule/next-tick.ts";
import type { StoreRecord } from "../../storage/records/record-write.ts";
import type { CreateRunWrite } from "../../storage/write.ts";
import type { MillContext } from "../mill-context.ts";
import { sayFault, type DueSchedule, type FireOutcome } from "./due-schedule.ts";
import { putSchedule, tickKey } from "./known-schedule.ts";
import { findLiveTickRun, listLiveRuns } from "./live-runs.ts";
import { parseTick } from "./schedule-record.ts";
import { prepareTickRun } from "./tick-run.ts";

/** Starts one more, or ends a backfill that is done. Null: as many are running as may be. */
export async function stepBackfill(
  mill: MillContext,
  due: DueSchedule,
  backfill: Backfill,
): Promise<FireOutcome | null> {
  const live = await listLiveRuns(mill.store, backfill.runs);
  const runs = live.map(({ id }) => id);
  const [atMs, ...pending] = backfill.pending;
  if (atMs === undefined) {
    // What still runs needs nobody who waits for it.
    return await write(mill, due, { backfill: null, tick: null, before: undefined });
  }
  if (runs.length >= backfill.limit) return null;
  const before = await mill.store.findRecord("ticks", tickKey(due.name, atMs));
  const tick = await prepare(mill, due, { atMs, before });
  const started = tick?.run === undefined || tick.run === null ? [] : [tick.run.run.id];
  const next = { ...backfill, pending, runs: [...runs, ...started] };
  return await write(mill, due, { backfill: next, tick, before });
}

interface FilledTick {
  /** Besides that of the tick. */
  readonly event?: EventDraft | undefined;
  readonly record: TickRecord;
  readonly run: CreateRunWrite | null;
}

interface Filling {
  readonly atMs: number;
  readonly before: StoreRecord | undefined;
}

/** Null: the tick's run has not ended, so that nothing is done about it. */
async function prepare(
  mill: MillContext,
  due: DueSchedule,
  { atMs, before }: Filling,
): Promise<FilledTick | null> {
  const known = parseTick(before?.value);
  if (known?.decision === "waiting") return null;
  const { name, spec, definition, ticks } = due;
  const asked = { name, pipeline: spec.pipeline, atMs, known };
  if ((await findLiveTickRun(mill.store, asked)) !== undefined) return null;
  try {
    const source = `backfill of schedule ${name}`;
    const verdict = await due.mayStart(spec.pipeline, { kind: "manual", source });
    if (verdict.kind === "no") return { ...skipped(atMs, verdict.reason), event: verdict.event };
    const scheduled = { schedule: name, atMs, fromMs: findPrevious(ticks, atMs) ?? atMs };
    // Not that of the tick: its record may be forgotten while a run of it is kept, whose key is taken then.
    const turn = due.record.revision;
    const run = await prepareTickRun(mill, { definition, spec, scheduled, turn });
    return { record: { atMs, decision: "fired", reason: "backfill", run: run.run.id }, run };
  } catch (error) {
    return skipped(atMs, sayFault(error));
  }
}

function skipped(atMs: number, reason: string): FilledTick {
  const text = boundedText(`backfill: ${reason}`, REASON_CHARS_MAX);
  return { record: { atMs, decision: "skipped", reason: text }, run: null };
}

interface Step {
  readonly backfill: Backfill | null;
  readonly tick: FilledTick | null;
  readonly before: StoreRecord | undefined;
}

async function write(
  mill: MillContext,
  due: DueSchedule,
  { backfill, tick, before }: Step,
): Promise<FireOutcome> {
  const schedule = putSchedule(due, { ...due.state, backfill });
  const puts =
    tick === null
      ? [schedule]
      : [
          schedule,
          {
            collection: "ticks" as const,
            key: tickKey(due.name, tick.record.atMs),
            expected: before?.revision ?? 0,
            value: toJson(tick.record),
          },
        ];
  const run = tick?.run ?? null;
  const result = await mill.committer.write({
    kind: "put-records",
    puts,
    ...(run === null ? {} : { run }),
    events:
      tick === null
        ? []
        : [toEvent(due, tick.record), ...(tick.event === undefined ? [] : [tick.event])],
  });
  if (result.kind === "recorded") {
    if (result.run !== undefined) mill.wake.emit(result.run.pipeline);
    return { kind: "moved", lateMs: null };
  }
  // A full queue: it is tried again, as a run of it may end.
  return result.kind === "record-conflict" ? { kind: "lost" } : { kind: "held" };
}

function toEvent({ name, spec }: DueSchedule, tick: TickRecord): EventDraft {
  const at = new Date(tick.atMs).toISOString();
  const { run = "", reason = "" } = tick;
  return tick.decision === "fired"
    ? { type: "schedule.fired", data: { schedule: name, at, run, source: "backfill" } }
    : { type: "schedule.skipped", data: { schedule: name, at, reason, pipeline: spec.pipeline } };
}
