// One schedule of an open mill, by name. Each method loads what it does when it is called.

import type { ScheduleField } from "../../model/schedule/schedule.ts";
import type { RunRecord } from "../../model/run.ts";
import type { MillContext } from "../mill-context.ts";
import type { ScheduleView } from "../views/schedule-view.ts";
import type { BackfillOptions, BackfillOutcome } from "./backfill-schedule.ts";
import type { NextQuery, NextTicks, ScheduleListQuery, TickPage } from "./list-schedules.ts";
import type { ScheduleChange, ScheduleOrderOptions } from "./set-schedule.ts";
import type { TriggerOptions } from "./trigger-schedule.ts";

/** Asks and changes one schedule. Every method throws SCHEDULE_UNKNOWN where there is none of that name. */
export class ScheduleHandle {
  readonly name: string;
  readonly #mill: MillContext;

  /** Use `mill.schedule(name)`. */
  constructor(mill: MillContext, name: string) {
    this.#mill = mill;
    this.name = name;
  }

  /** What is in force, who changed it, and its last and next tick. */
  async get(): Promise<ScheduleView> {
    const { viewSchedule } = await import("./list-schedules.ts");
    return await viewSchedule(this.#mill, this.name);
  }

  /** Its next ticks, by default 5, in its zone and UTC. */
  async next(query: NextQuery = {}): Promise<NextTicks> {
    const { listNextTicks } = await import("./list-schedules.ts");
    return await listNextTicks(this.#mill, this.name, query);
  }

  /** A page of its past ticks, the newest first, each with what became of it and why. */
  async ticks(query: ScheduleListQuery = {}): Promise<TickPage> {
    const { listPastTicks } = await import("./list-schedules.ts");
    return await listPastTicks(this.#mill, this.name, query);
  }

  /** Sets some fields; the others stay. Takes effect without a restart. SCHEDULE_INVALID. */
  async set(change: ScheduleChange, options: ScheduleOrderOptions = {}): Promise<ScheduleView> {
    const { setSchedule } = await import("./set-schedule.ts");
    return await setSchedule(this.#mill, this.name, { ...options, change });
  }

  /** Takes back what was set, of some fields or of all: what is declared holds again. */
  async reset(
    options: ScheduleOrderOptions & { readonly fields?: readonly ScheduleField[] } = {},
  ): Promise<ScheduleView> {
    const { resetSchedule } = await import("./set-schedule.ts");
    return await resetSchedule(this.#mill, this.name, options);
  }

  /** Switches it on, until somebody says otherwise. */
  async enable(options: ScheduleOrderOptions = {}): Promise<ScheduleView> {
    const { switchSchedule } = await import("./set-schedule.ts");
    return await switchSchedule(this.#mill, this.name, { ...options, enabled: true });
  }

  /** Switches it off, until somebody says otherwise: also over restarts. */
  async disable(options: ScheduleOrderOptions = {}): Promise<ScheduleView> {
    const { switchSchedule } = await import("./set-schedule.ts");
    return await switchSchedule(this.#mill, this.name, { ...options, enabled: false });
  }

  /** Queues a run of it now. RUN_BUSY, HEALTH_REFUSED, QUEUE_FULL. */
  async trigger(options: TriggerOptions = {}): Promise<RunRecord> {
    const { triggerSchedule } = await import("./trigger-schedule.ts");
    return await triggerSchedule(this.#mill, this.name, options);
  }

  /** Runs past ticks, or says which; a scheduler does it, one by one. OPTION_INVALID, OPERATION_CHANGED. */
  async backfill(options: BackfillOptions): Promise<BackfillOutcome> {
    const { backfillSchedule } = await import("./backfill-schedule.ts");
    return await backfillSchedule(this.#mill, this.name, options);
  }
}
