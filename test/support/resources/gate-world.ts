// What tests of resources in memory share: a world whose gate must be empty when the test ends, a server that says how
// many call it at once, and failures as they come over the wire.

import { expect, onTestFinished } from "vitest";
import type { EventType, MemoryRunOptions, MillraceEvent, Pipeline, RunResult } from "millrace";
import { findMemoryLimits } from "../../../src/service/resources/memory-limits.ts";
import { makeSeededRandom } from "../../../src/std/random.ts";
import type { VirtualClock } from "../../../src/std/virtual-clock.ts";
import { makeMemoryWorld, type MemoryWorld } from "../memory-world.ts";

/** Nobody waits at the gate of the runs on this clock, and nobody holds a permit. */
export function expectGateEmpty(clock: VirtualClock): void {
  const { gate, table } = findMemoryLimits(clock, makeSeededRandom(1));
  expect({ waiting: gate.waiting, held: table.held }).toEqual({ waiting: 0, held: 0 });
  expect(gate.isUntimed).toBe(false);
}

/** A world whose parts may be taken out of it. */
export interface GateWorld extends Pick<MemoryWorld, "clock" | "events" | "options"> {
  readonly finish: <In, Out>(
    pipeline: Pipeline<In, Out>,
    input: In,
    options?: MemoryRunOptions,
  ) => Promise<RunResult<Out>>;
  readonly told: (type: EventType) => readonly MillraceEvent[];
}

/** A world of runs in memory; its gate is looked at when the test ends. */
export function makeGateWorld(): GateWorld {
  const world = makeMemoryWorld();
  onTestFinished(() => expectGateEmpty(world.clock));
  return {
    clock: world.clock,
    events: world.events,
    options: world.options,
    finish: (pipeline, input, options) => world.finish(pipeline, input, options),
    told: (type) => world.told(type),
  };
}

/** Somebody outside who is called. */
export interface Outside {
  /** Begin of each call, ms of the clock. */
  readonly calls: number[];
  readonly ends: number[];
  now: number;
  most: number;
  /** One call that takes so long, then gives `answer` or throws it where it is an error. */
  call(ms: number, answer?: unknown, signal?: AbortSignal): Promise<unknown>;
}

export function makeOutside(clock: VirtualClock): Outside {
  const outside: Outside = {
    calls: [],
    ends: [],
    now: 0,
    most: 0,
    call: async (ms, answer, signal) => {
      outside.calls.push(clock.monotonicMs());
      outside.now += 1;
      outside.most = Math.max(outside.most, outside.now);
      try {
        if (ms > 0) await clock.sleep(ms, signal);
      } finally {
        outside.now -= 1;
        outside.ends.push(clock.monotonicMs());
      }
      if (answer instanceof Error) throw answer;
      return answer;
    },
  };
  return outside;
}

/** An answer of a server that is no success. */
export function httpError(status: number, headers: Readonly<Record<string, string>> = {}): Error {
  return Object.assign(new Error(`answered ${status}`), { status, headers });
}
