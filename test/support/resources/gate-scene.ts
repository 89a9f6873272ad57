// One place where runs meet resources, the same to a test whether they run in memory or on a store: time that stands
// still, and a gate that must be empty at the end of the test.

import { expect, onTestFinished } from "vitest";
import type {
  MemoryRunOptions,
  MillraceEvent,
  Millrace,
  OpenOptions,
  Pipeline,
  RunResult,
} from "millrace";
import { seededRandom } from "millrace/testing";
import type { EventType } from "millrace";
import { systemMachine, type Machine } from "../../../src/std/machine.ts";
import type { VirtualClock } from "../../../src/std/virtual-clock.ts";
import { makeVirtualClock } from "../../../src/std/virtual-clock.ts";
import { makeDurableWorld, type SomePipeline } from "../durable/durable-world.ts";
import { expectGateEmpty } from "./gate-world.ts";
import { passTime } from "../memory-world.ts";

export type Place = "in memory" | "on the memory store" | "on SQLite";

/** All places, for `describe.each`. */
export const PLACES: readonly Place[] = ["in memory", "on the memory store", "on SQLite"];

type Choices = Pick<MemoryRunOptions, "concurrency" | "failFast" | "deadline">;

export interface Scene {
  readonly clock: VirtualClock;
  readonly events: readonly MillraceEvent[];
  /** Pipelines of a store are known when it is opened; with one alone this may be left out. */
  readonly open: (
    pipelines: readonly SomePipeline[],
    options?: Partial<OpenOptions>,
  ) => Promise<Millrace | null>;
  /** Starts a run; it goes on as time passes. */
  readonly start: <Out>(made: Pipeline<undefined, Out>, choices?: Choices) => Promise<Started<Out>>;
  /** Runs it and lets time pass until its end. */
  readonly finish: <Out>(
    made: Pipeline<undefined, Out>,
    choices?: Choices,
  ) => Promise<RunResult<Out>>;
  readonly told: (type: EventType) => readonly MillraceEvent[];
  /** Nobody waits for a resource, and nobody holds one. Looked at in any case when the test ends. */
  readonly expectEmpty: () => Promise<void>;
}

export interface Started<Out> {
  readonly result: Promise<RunResult<Out>>;
  readonly cancel: () => void;
}

export function makeScene(place: Place): Scene {
  return place === "in memory"
    ? makeMemoryScene()
    : makeStoreScene(place === "on SQLite" ? "sqlite" : "memory");
}

function makeMemoryScene(): Scene {
  const clock = makeVirtualClock();
  const events: MillraceEvent[] = [];
  onTestFinished(() => expectGateEmpty(clock));
  const begin = <Out>(made: Pipeline<undefined, Out>, choices: Choices = {}): Started<Out> => {
    const abort = new AbortController();
    const options = { clock, random: seededRandom(1), signal: abort.signal, ...choices };
    const result = made.run(undefined, { ...options, onEvent: (event) => events.push(event) });
    result.catch(() => undefined);
    return { result, cancel: () => abort.abort(new Error("called off")) };
  };
  return {
    clock,
    events,
    open: () => Promise.resolve(null),
    start: async (made, choices) => {
      const started = begin(made, choices);
      await clock.advance(0);
      return started;
    },
    finish: (made, choices) => passTime(clock, begin(made, choices).result),
    told: (type) => events.filter((event) => event.type === type),
    expectEmpty: async () => {
      await clock.advance(0);
      expectGateEmpty(clock);
    },
  };
}

function makeStoreScene(kind: "memory" | "sqlite"): Scene {
  const clock = makeVirtualClock();
  const events: MillraceEvent[] = [];
  const world = makeDurableWorld(kind);
  let opened: Millrace | null = null;
  const open = async (
    pipelines: readonly SomePipeline[],
    options?: Partial<OpenOptions>,
  ): Promise<Millrace> => {
    const mill = await world.open(pipelines, {
      clock,
      machine: makeStandingMachine(clock),
      random: seededRandom(1),
      ...options,
    });
    onTestFinished(() => expectStoreEmpty(mill, clock));
    opened = mill;
    return mill;
  };
  const begin = async <Out>(
    mill: Millrace,
    made: Pipeline<undefined, Out>,
    choices: Choices,
  ): Promise<Started<Out>> => {
    const onEvent = (event: MillraceEvent): void => void events.push(event);
    const handle = await mill.start(made, undefined, { ...choices, onEvent });
    const result = handle.result();
    result.catch(() => undefined);
    return {
      result,
      cancel: () => void handle.cancel("called off"),
    };
  };
  return {
    clock,
    events,
    open,
    start: async (made, choices = {}) => {
      const mill = opened ?? (await open([made]));
      const started = await passTime(clock, begin(mill, made, choices));
      await clock.advance(0);
      return started;
    },
    finish: async (made, choices = {}) => {
      const mill = opened ?? (await open([made]));
      const ended = begin(mill, made, choices).then(({ result }) => result);
      return await passTime(clock, ended);
    },
    told: (type) => events.filter((event) => event.type === type),
    expectEmpty: async () => {
      if (opened !== null) await expectStoreEmpty(opened, clock);
    },
  };
}

/** This machine, on whose shared clock no time passes but ours. */
function makeStandingMachine(clock: VirtualClock): Machine {
  return {
    host: systemMachine.host,
    pid: systemMachine.pid,
    bootId: systemMachine.bootId,
    processStart: systemMachine.processStart,
    environment: systemMachine.environment,
    sharedMonotonicMs: () => clock.monotonicMs(),
    isGone: (other) => systemMachine.isGone(other),
  };
}

/** Longer than a process may be silent before its waiters count no more: one that still asks would be seen. */
const SILENT_MS = 4_000;

async function expectStoreEmpty(mill: Millrace, clock: VirtualClock): Promise<void> {
  await clock.advance(SILENT_MS);
  const { resources } = await mill.resources();
  const busy = resources.filter(({ held, waiting }) => held > 0 || waiting > 0);
  expect(busy).toEqual([]);
}
