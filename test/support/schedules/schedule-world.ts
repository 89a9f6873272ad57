// What tests of schedules share: a mill on time that stands still, its scheduler, and what became of its ticks.

import { pipeline, stage, openMillrace, type Millrace, type Pipeline } from "millrace";
import { seededRandom, virtualClock, type VirtualClock } from "millrace/testing";
import type { ScheduleSettings } from "../../../src/model/schedule/parse-schedule.ts";
import type { MillraceEvent } from "../../../src/model/event.ts";
import type { RunRecord } from "../../../src/model/run.ts";
import type { Scheduler } from "../../../src/engine/upkeep/scheduler.ts";
import { contextOf } from "../../../src/service/mill-context.ts";
import {
  startScheduler,
  type SchedulerOptions,
} from "../../../src/service/schedules/start-scheduler.ts";

/** A mill whose schedules fire on a clock that stands still. */
export interface ScheduleWorld extends AsyncDisposable {
  readonly mill: Millrace;
  readonly clock: VirtualClock;
  readonly warnings: readonly string[];
  scheduler: Scheduler;
  /** Ends the scheduler, and starts another one on the same store. */
  restart(options?: SchedulerOptions): Promise<void>;
  /** All runs, the oldest first. */
  runs(): Promise<readonly RunRecord[]>;
  /** Instants, reasons and the like of events of one type. */
  told(type: MillraceEvent["type"]): Promise<readonly NonNullable<MillraceEvent["data"]>[]>;
  /** Claims and works on what is queued, to its end. */
  work(): Promise<void>;
}

/** What a world begins with. */
export interface ScheduleWorldOptions extends SchedulerOptions {
  readonly schedules: ScheduleSettings;
  /** ISO time of the clock at first. */
  readonly at: string;
  readonly pipelines?: readonly Pipeline<never, unknown>[];
}

const tell = stage("tell", {}, (_needs, ctx) => ({
  for: ctx.scheduledFor?.toISOString() ?? null,
  from: ctx.intervalStart?.toISOString() ?? null,
  until: ctx.intervalEnd?.toISOString() ?? null,
}));

/** A pipeline that gives back for which tick it ran. */
export const ticked: Pipeline<never, unknown> = pipeline("ticked", { output: { tell } });

/** Opens the mill and starts its schedules. */
export async function makeScheduleWorld(options: ScheduleWorldOptions): Promise<ScheduleWorld> {
  const clock = virtualClock({ startAtMs: Date.parse(options.at) });
  const warnings: string[] = [];
  const mill = await openMillrace({
    store: "memory:",
    clock,
    random: seededRandom(1),
    pipelines: options.pipelines ?? [ticked],
    schedules: options.schedules,
    onWarning: (message) => void warnings.push(message),
  });
  const start = (more: SchedulerOptions): Scheduler => startScheduler(contextOf(mill), more);
  const world: ScheduleWorld = {
    mill,
    clock,
    warnings,
    scheduler: start(options),
    restart: async (more = options) => {
      await world.scheduler.stop();
      world.scheduler = start(more);
      await clock.advance(0);
    },
    runs: async () => (await mill.store.listRuns({ limit: 500 })).toReversed(),
    told: async (type) => {
      const events = await mill.store.listEvents({ after: 0, limit: 1_000 });
      return events.filter((event) => event.type === type).map(({ data }) => data ?? {});
    },
    work: async () => {
      const working = mill.work({ drain: true });
      let isOver = false;
      void working.finally(() => (isOver = true));
      for (let step = 0; step < 200 && !isOver; step++) await clock.advance(50);
      await working;
    },
    [Symbol.asyncDispose]: async () => {
      await world.scheduler.stop();
      await mill.close({ drainMs: 0 });
    },
  };
  await clock.advance(0);
  return world;
}
