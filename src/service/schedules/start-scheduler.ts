// Starts the schedules of a mill: seeds them, then fires them until it is stopped. What it starts is queued, for
// whoever works; any number of processes may do this on one store.

import { Scheduler } from "../../engine/upkeep/scheduler.ts";
import { mayStart } from "../health/may-start.ts";
import type { MillContext } from "../mill-context.ts";
import type { MayStart } from "./due-schedule.ts";
import { fireSchedule } from "./fire-schedule.ts";
import { listDeclared } from "./known-schedule.ts";
import { schedulersOf } from "./running-schedulers.ts";
import { seedSchedules } from "./seed-schedules.ts";

/** How schedules are started. */
export interface SchedulerOptions {
  /** Whether a run of a pipeline may start now. Default: as its gate says. */
  readonly mayStart?: MayStart;
  /** Told what is odd. Default: that of the mill. */
  readonly warn?: (message: string) => void;
}

/**
 * Starts them. DEFINITION_INVALID and SCHEDULE_INVALID are thrown at once; a store that does not answer is asked again
 * until it does. Stop it before the mill is closed; a mill that closes stops it as well.
 */
export function startScheduler(mill: MillContext, options: SchedulerOptions = {}): Scheduler {
  // What cannot be read is refused before anything is started.
  listDeclared(mill);
  const ask = options.mayStart ?? askGate(mill);
  let isSeeded = false;
  const scheduler = new Scheduler({
    store: mill.store,
    clock: mill.world.clock,
    prepare: async () => {
      if (!isSeeded) await seedSchedules(mill);
      isSeeded = true;
    },
    fire: (record) => fireSchedule(mill, record, ask),
    warn: options.warn ?? mill.warn,
  });
  schedulersOf(mill).add(scheduler);
  // What is due is found on the store's clock, what is waited for on another one: after a jump they differ.
  const unjump = mill.standing.jumped.on(() => scheduler.wake());
  // Told when a run has ended here, and when the mill closes.
  const forget = mill.places.on(() => {
    if (!mill.closing) {
      scheduler.wakeHeld();
      return;
    }
    forget();
    unjump();
    schedulersOf(mill).delete(scheduler);
    mill.starting.add(scheduler.stop());
  });
  scheduler.start();
  return scheduler;
}

function askGate(mill: MillContext): MayStart {
  return async (pipeline, question) => {
    const answer = await mayStart(mill, pipeline, question);
    if (answer.kind === "start") return { kind: "yes" };
    const { verdict, reasons } = answer.health;
    const why = reasons.map(({ text }) => text).join("; ");
    return { kind: "no", reason: `${verdict}: ${why}`, event: answer.event };
  };
}
