// Runs a definition in memory: the same engine under the same rules, with no journal. Values pass by reference;
// nothing is left behind but what the author's code leaves.

import type { PipelineDefinition } from "../model/definition.ts";
import { MillraceError } from "../model/errors.ts";
import { BATCH_RUNS_MAX } from "../model/limits.ts";
import {
  ABORT_GRACE_MS_DEFAULT,
  BATCH_CONCURRENCY_DEFAULT,
  CONCURRENCY_DEFAULT,
  STUCK_SLOT_MS_DEFAULT,
} from "../model/defaults.ts";
import type { EventDraft, MillraceEvent } from "../model/event.ts";
import { decideEnd } from "../engine/finish.ts";
import type { EngineWorld, EventSink } from "../engine/ports.ts";
import { findMemoryLimits } from "./resources/memory-limits.ts";
import { RunCore } from "../engine/run-core.ts";
import { RunDriver } from "../engine/run-driver.ts";
import { Slots } from "../engine/slots.ts";
import { LazyThreads } from "../engine/threads.ts";
import { MemoryBlobs } from "../storage/blobs/memory-blobs.ts";
import { systemClock, type Clock } from "../std/clock.ts";
import { makeIdSource } from "../std/id.ts";
import { systemRandom, type Random } from "../std/random.ts";
import type { RunSettings } from "../model/run.ts";
import { DrivenResult } from "./outputs.ts";
import { toRunEvent } from "./run-event.ts";
import {
  checkConcurrency,
  checkInput,
  checkInputs,
  checkProvided,
  refuseInImport,
  refuseThreadsWithoutModule,
  toSettings,
  toThreadsMax,
  type RunChoices,
} from "./prepare-run.ts";
import type { RunResult } from "./run-result.ts";
import { systemMachine } from "../std/machine.ts";
import { makeFiles } from "./world.ts";

/** What may be chosen for a run in memory. */
export interface MemoryRunOptions extends RunChoices {
  /** Cancels the run: what runs is aborted, what has not started ends `cancelled`. */
  readonly signal?: AbortSignal;
  /** Values for `provided(...)` needs, by name. */
  readonly provide?: Readonly<Record<string, unknown>>;
  /** Hears everything as it happens; a listener that throws harms nobody. */
  readonly onEvent?: (event: MillraceEvent) => void;
  /** Worker threads for stages with `runIn: "thread"`, 1 to 256, started when one is needed and ended with the run.
   *  Default: one per processor. */
  readonly threads?: number;
  /** Where every wait, timeout and date of the run comes from; for tests. Default: the system's. */
  readonly clock?: Clock;
  /** Where the spread of waits comes from; for tests. Default: the system's. */
  readonly random?: Random;
}

/** The same, with the limits that only tests of the engine change. */
export interface MemoryChoices extends MemoryRunOptions {
  /** Time an aborted attempt has to stop, ms. Default 5 s. */
  readonly graceMs?: number;
  /** Time a stuck attempt keeps its slot, ms. Default 60 s. */
  readonly stuckMs?: number;
}

const nextId = makeIdSource(systemClock, systemRandom);

/** One run in memory. Rejects only for what is wrong before it starts. */
export async function runInMemory(
  definition: PipelineDefinition,
  input: unknown,
  choices: MemoryChoices,
): Promise<RunResult> {
  refuseInImport("runs it");
  refuseThreadsWithoutModule(definition);
  checkProvided(definition, choices.provide ?? {});
  const settings = toSettings(definition, choices);
  const checked = definition.input === null ? input : await checkInput(definition, input);
  const world = makeWorld(choices);
  try {
    return await startInMemory({ definition, settings, input: checked }, choices, world);
  } finally {
    await world.threads.close();
  }
}

/** What a run in memory is made of, checked. */
interface CheckedRun {
  readonly definition: PipelineDefinition;
  readonly settings: RunSettings;
  readonly input: unknown;
}

function startInMemory(
  checked: CheckedRun,
  choices: MemoryChoices,
  world: EngineWorld,
): Promise<RunResult> {
  const runId = nextId();
  const sink =
    choices.onEvent === undefined ? null : new MemorySink(runId, world.clock, choices.onEvent);
  const core = new RunCore({
    ...checked,
    runId,
    inputText: null,
    inputVersion: null,
    provide: choices.provide ?? {},
    world,
    journal: null,
    sink,
  });
  return driveInMemory(core, choices.signal);
}

async function driveInMemory(core: RunCore, signal: AbortSignal | undefined): Promise<RunResult> {
  const driver = new RunDriver(core);
  core.tell({ type: "run.started", data: { epoch: 1 } });
  const cancel = (): void => driver.cancel(reasonOf(signal));
  // Before it begins: what starts at once may abort it.
  signal?.addEventListener("abort", cancel, { once: true });
  try {
    const driven = await driver.drive(signal?.aborted === true ? reasonOf(signal) : null);
    // Nobody parks a run in memory.
    const over =
      driven.kind === "over"
        ? driven
        : {
            kind: "over" as const,
            cancelled: true,
            deadlineHit: false,
            aborted: false,
            reason: "shutdown",
          };
    const end = decideEnd(core, over);
    if (core.sink !== null) core.tell(toRunEvent(end));
    return new DrivenResult(core, { name: core.runId, end });
  } finally {
    signal?.removeEventListener("abort", cancel);
  }
}

function reasonOf(signal: AbortSignal | undefined): string {
  const reason: unknown = signal?.reason;
  return reason instanceof Error ? reason.message : "cancelled by the caller";
}

/** Events of a run in memory: numbered by itself, told at once. */
class MemorySink implements EventSink {
  readonly #run: string;
  readonly #clock: Clock;
  readonly #listener: (event: MillraceEvent) => void;
  #count: number = 0;

  constructor(run: string, clock: Clock, listener: (event: MillraceEvent) => void) {
    this.#run = run;
    this.#clock = clock;
    this.#listener = listener;
  }

  tell(draft: EventDraft): void {
    this.#count += 1;
    try {
      const answer: unknown = this.#listener({
        ...draft,
        seq: 0,
        runSeq: this.#count,
        atMs: this.#clock.wallMs(),
        run: this.#run,
      });
      if (answer instanceof Promise) answer.catch(() => undefined);
    } catch {
      // A listener is a guest: whatever it throws is its own affair and changes nothing for the run.
    }
  }
}

function makeWorld(choices: MemoryChoices): EngineWorld & { readonly threads: LazyThreads } {
  const clock = choices.clock ?? systemClock;
  const random = choices.random ?? systemRandom;
  return {
    files: makeFiles("memory:"),
    environment: systemMachine.environment,
    clock,
    // Threads work in real time, whatever clock the run is on.
    threads: new LazyThreads({ clock: systemClock, threadsMax: toThreadsMax(choices.threads) }),
    random,
    limits: findMemoryLimits(clock, random),
    slots: new Slots(choices.concurrency ?? CONCURRENCY_DEFAULT),
    blobs: new MemoryBlobs(),
    graceMs: choices.graceMs ?? ABORT_GRACE_MS_DEFAULT,
    stuckMs: choices.stuckMs ?? STUCK_SLOT_MS_DEFAULT,
  };
}

/** Several runs in memory; results in input order. Nothing starts where one of the inputs does not fit. */
export async function runBatchInMemory(
  definition: PipelineDefinition,
  inputs: readonly unknown[],
  choices: MemoryChoices,
): Promise<readonly RunResult[]> {
  checkConcurrency(choices.concurrency);
  if (inputs.length > BATCH_RUNS_MAX) {
    throw new MillraceError(
      "OPTION_INVALID",
      `runBatch takes at most ${BATCH_RUNS_MAX} inputs, got ${inputs.length}.`,
      { hint: "make them the items of a map" },
    );
  }
  const { concurrency = BATCH_CONCURRENCY_DEFAULT, ...rest } = choices;
  refuseInImport("runs it");
  refuseThreadsWithoutModule(definition);
  checkProvided(definition, rest.provide ?? {});
  const settings = toSettings(definition, rest);
  const checked = definition.input === null ? inputs : await checkInputs(definition, inputs);
  // One world: the attempts of all runs together keep to the limit of the process.
  const world = makeWorld(rest);
  const results: RunResult[] = [];
  let next = 0;
  const work = async (): Promise<void> => {
    while (next < checked.length) {
      const index = next;
      next += 1;
      const run = { definition, settings, input: checked[index] };
      results[index] = await startInMemory(run, rest, world);
    }
  };
  try {
    await Promise.all(Array.from({ length: Math.min(concurrency, checked.length) }, work));
  } finally {
    await world.threads.close();
  }
  return results;
}
