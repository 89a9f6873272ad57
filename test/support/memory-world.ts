// What tests of runs in memory share: time that stands still, dice that repeat, everything the run told, and a
// run driven to its end on that time.

import { recordEvents, seededRandom, virtualClock, type VirtualClock } from "millrace/testing";
import type { EventType, MemoryRunOptions, MillraceEvent, Pipeline, RunResult } from "millrace";

/** Time, dice and ears of one run. */
export interface MemoryWorld {
  readonly clock: VirtualClock;
  readonly events: readonly MillraceEvent[];
  /** Pass it to `run`. */
  readonly options: MemoryRunOptions;
  /** Ms on the clock since it was made. */
  now(): number;
  /** Types told of one stage, or of all. */
  types(stage?: string): readonly EventType[];
  /** Events of one type. */
  told(type: EventType): readonly MillraceEvent[];
  /** Runs a pipeline, lets time pass as long as timers are set (at most a day), and answers the result. */
  finish<In, Out>(
    pipeline: Pipeline<In, Out>,
    input: In,
    options?: MemoryRunOptions,
  ): Promise<RunResult<Out>>;
}

const DAY_MS = 86_400_000;

/** A fresh world. */
export function makeMemoryWorld(): MemoryWorld {
  const clock = virtualClock();
  const recorder = recordEvents();
  const options: MemoryRunOptions = {
    clock,
    random: seededRandom(1),
    onEvent: recorder.onEvent,
  };
  return {
    clock,
    options,
    events: recorder.events,
    now: () => clock.monotonicMs(),
    types: (stage) => recorder.types(stage),
    told: (type) => recorder.events.filter((event) => event.type === type),
    finish: (pipeline, input, more) =>
      passTime(clock, pipeline.run(input, { ...options, ...more })),
  };
}

/** Advances from timer to timer until the promise is settled. */
export async function passTime<T>(clock: VirtualClock, running: Promise<T>): Promise<T> {
  let settled = false;
  const settle = (): void => void (settled = true);
  running.then(settle, settle);
  await clock.advance(0);
  while (!settled) {
    const next = clock.nextTimerMs;
    if (next === undefined || clock.monotonicMs() > DAY_MS) {
      throw new Error("Nothing is going on and no timer is set: the promise would never settle.");
    }
    await clock.advance(next);
  }
  return await running;
}
