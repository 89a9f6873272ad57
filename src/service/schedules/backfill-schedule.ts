// Runs past ticks of a schedule: first the exact list of what would run, then, if that is what was meant, as many at
// once as was said. The scheduler does it, one by one, and goes on after a crash.

import { MillraceError } from "../../model/errors.ts";
import { BACKFILL_TICKS_MAX, CONCURRENCY_MAX } from "../../model/limits.ts";
import { describeTick, type DescribedTick } from "../../policy/schedule/describe-tick.ts";
import { listTicks } from "../../policy/schedule/next-tick.ts";
import { whileOpen } from "../commands/begin-run.ts";
import { getDefinition, type MillContext } from "../mill-context.ts";
import { getTicks } from "./declare-schedules.ts";
import { getSchedule, putSchedule, tickKey, type KnownSchedule } from "./known-schedule.ts";
import { findLiveTickRun } from "./live-runs.ts";
import { wakeSchedulers } from "./running-schedulers.ts";
import { parseTick } from "./schedule-record.ts";
import { checkOrder, type ScheduleOrderOptions } from "./set-schedule.ts";

/** Which ticks. */
export interface BackfillOptions extends ScheduleOrderOptions {
  /** First instant, UTC ms, itself included. */
  readonly fromMs: number;
  /** Last instant, UTC ms, itself included; not in the future. */
  readonly untilMs: number;
  /** Runs at once, 1 to 10,000. Default 1. */
  readonly limit?: number;
  /** Only says what would run. Default false. */
  readonly dryRun?: boolean;
}

/** A tick of the range. */
export interface BackfillTick extends DescribedTick {
  /** False: its run has not ended, or it waits to be run. */
  readonly runs: boolean;
  readonly reason?: string;
}

/** What would run, or will. */
export interface BackfillOutcome {
  readonly schedule: string;
  /** False after a dry run, and where there is nothing to run. */
  readonly started: boolean;
  /** Runs at once. */
  readonly limit: number;
  /** All of the range, the oldest first. */
  readonly ticks: readonly BackfillTick[];
}

/**
 * Runs the ticks of a range, or says which. One backfill at a time for each schedule: OPERATION_CHANGED while another is
 * under way. SCHEDULE_UNKNOWN, PIPELINE_UNKNOWN; OPTION_INVALID for a range that is in the future or holds more than 1,000 ticks.
 */
export async function backfillSchedule(
  mill: MillContext,
  name: string,
  options: BackfillOptions,
): Promise<BackfillOutcome> {
  checkOrder(options);
  const { limit = 1, dryRun = false, actor = "program" } = options;
  checkRange(mill.store.nowMs(), { ...options, limit });
  const first = await getSchedule(mill, name);
  getDefinition(mill, first.spec.pipeline);
  const ticks = await listRange(mill, first, options);
  const outcome = { schedule: name, limit, ticks };
  const pending = ticks.filter(({ runs }) => runs).map(({ at }) => Date.parse(at));
  if (dryRun || pending.length === 0) return { ...outcome, started: false };
  await whileOpen(mill, async () => {
    for (;;) {
      const known = await getSchedule(mill, name);
      if (known.state.backfill !== null) throw underWay(name);
      const atMs = mill.store.nowMs();
      const backfill = { actor, atMs, limit, total: pending.length, pending, runs: [] };
      const result = await mill.committer.write({
        kind: "put-records",
        puts: [putSchedule(known, { ...known.state, backfill })],
        events: [
          {
            type: "schedule.set",
            data: { schedule: name, fields: ["backfill"], actor, reason: options.reason ?? "" },
          },
        ],
      });
      if (result.kind === "recorded") return;
    }
  });
  wakeSchedulers(mill);
  return { ...outcome, started: true };
}

async function listRange(
  { store }: MillContext,
  { name, spec }: KnownSchedule,
  { fromMs, untilMs }: BackfillOptions,
): Promise<readonly BackfillTick[]> {
  const ticks = getTicks(name, spec, store.nowMs());
  const found = listTicks(ticks, { fromMs, untilMs }, BACKFILL_TICKS_MAX + 1);
  if (found.length > BACKFILL_TICKS_MAX) {
    throw new MillraceError(
      "OPTION_INVALID",
      `The range holds more than ${BACKFILL_TICKS_MAX} ticks of schedule "${name}".`,
      { hint: "take it in parts", details: { schedule: name, max: BACKFILL_TICKS_MAX } },
    );
  }
  return await Promise.all(
    found.map(async (atMs) => {
      const described = describeTick(spec.zone, atMs);
      const known = parseTick((await store.findRecord("ticks", tickKey(name, atMs)))?.value);
      if (known?.decision === "waiting")
        return { ...described, runs: false, reason: "it waits for a run to end" };
      const live = await findLiveTickRun(store, { name, pipeline: spec.pipeline, atMs, known });
      return live === undefined
        ? { ...described, runs: true }
        : { ...described, runs: false, reason: `its run is ${live.state}` };
    }),
  );
}

function checkRange(
  nowMs: number,
  { fromMs, untilMs, limit }: BackfillOptions & { readonly limit: number },
): void {
  const isRange = Number.isFinite(fromMs) && Number.isFinite(untilMs) && fromMs <= untilMs;
  if (!isRange || untilMs > nowMs) {
    throw new MillraceError(
      "OPTION_INVALID",
      "A backfill needs a range of past instants whose end is not before its beginning.",
      { hint: "from and until are instants, both included" },
    );
  }
  if (Number.isInteger(limit) && limit >= 1 && limit <= CONCURRENCY_MAX) return;
  throw new MillraceError(
    "OPTION_INVALID",
    `limit: expected a whole number from 1 to ${CONCURRENCY_MAX}; got ${limit}.`,
  );
}

function underWay(name: string): MillraceError {
  return new MillraceError(
    "OPERATION_CHANGED",
    `A backfill of schedule "${name}" is under way already.`,
    {
      hint: "wait until it has started its last run",
      retryable: true,
      details: { schedule: name },
    },
  );
}
