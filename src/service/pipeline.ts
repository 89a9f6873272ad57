// pipeline and definePipeline: the frozen definition with its methods. Both throw DEFINITION_INVALID with every
// fault at once; what they return can be walked, drawn, hashed, planned and run in memory.

import { isAddressedImport } from "../model/addressed-import.ts";
import { compileOrThrow } from "../model/compile/compile.ts";
import type { DefinitionFault, PipelineDefinition } from "../model/definition.ts";
import { toDot, toMermaid } from "../model/drawing/drawing.ts";
import type { Input, Need, OutputOf, StageValue } from "../model/stage/need.ts";
import type { Schema } from "../model/schema.ts";
import type { RetryOptions } from "../model/retry.ts";
import type { UseList } from "../model/resource/resource.ts";
import type { Duration } from "../std/duration.ts";
import type { Json } from "../std/json.ts";
import { runBatchInMemory, runInMemory, type MemoryRunOptions } from "./memory-run.ts";
import { planPipeline, type Plan } from "./plan/plan.ts";
import type { RunResult } from "./run-result.ts";

/** Options of a pipeline that both forms share. */
export interface PipelineSettings {
  readonly description?: string;
  /** Part of the definition's hash. */
  readonly version?: string;
  /** False: after a critical failure everything that does not depend on it goes on. Default true. */
  readonly failFast?: boolean;
  /** Longest active time of a run. Default none. */
  readonly deadline?: Duration;
  /** Claims of a run lost to crashes before it fails. Default 3. */
  readonly attempts?: number;
  /** `import.meta.url` of the module that exports the pipeline; the command fills it in. Stages with
   *  `runIn: "thread"` need it, and the module must do nothing else when it is imported. */
  readonly module?: string;
  /** Durable runs that may be running at once, over all processes of a store, 1 to 100,000. Default: any number. */
  readonly maxActiveRuns?: number;
  /** Durable runs that may be queued or waiting, over all processes of a store, 1 to 1,000,000,000: beyond it new ones
   *  are refused with QUEUE_FULL, whoever enqueues them. Starts in the foreground are not counted against it. Default:
   *  any number. */
  readonly maxQueued?: number;
  /** What becomes of a start when so many are running: RUN_BUSY, or it waits in its process. `enqueue` always
   *  queues. Default "refuse". */
  readonly onBusy?: "refuse" | "queue";
  /** "health": scheduled runs start only while the pipeline is healthy, manual ones need `override` while it is degraded
   *  or unstable, and none starts while it is blocked. Default "off". */
  readonly gate?: "off" | "health";
  /** For stages that say nothing themselves. */
  readonly defaults?: {
    readonly retry?: RetryOptions | number;
    readonly timeout?: Duration;
    /** Resources of stages that name none of their own. Default none. */
    readonly uses?: UseList;
  };
}

/** Options of `pipeline`. */
export interface PipelineOptions<In, Out> extends PipelineSettings {
  /** The same value that stages need as their input. */
  readonly input?: Input<In>;
  /** What a run gives: stages by the name of their output. */
  readonly output?: Out;
  /** Sinks that no output needs. */
  readonly stages?: readonly StageValue[];
}

/** A stage of the untyped form. */
export interface StageById {
  readonly id: string;
  /** None: receives the run's input. One: its output. Several: a record from id to output. */
  readonly needs?: readonly string[];
  /** A function, or an object with a `run` function. Not for commands. */
  readonly run?: unknown;
  /** Makes it a map: the id of a list stage, "input", a list, or a function. */
  readonly over?: unknown;
  /** Makes it a command. */
  readonly argv?: unknown;
  readonly [option: string]: unknown;
}

/** Options of `definePipeline`. */
export interface PipelineByIdOptions extends PipelineSettings {
  readonly name: string;
  readonly stages: readonly StageById[];
  readonly input?: Schema;
  /** What a run gives: ids by the name of their output. Default: every stage that nobody reads. */
  readonly output?: Readonly<Record<string, string>>;
}

/** Options of `runBatch`. */
export interface MemoryBatchOptions extends MemoryRunOptions {
  /** Runs at once. Default 5. */
  readonly concurrency?: number;
}

/** The types of a pipeline's outputs. */
export type OutputsOf<Out> = { readonly [K in keyof Out]: OutputOf<Out[K]> };

/** A pipeline: frozen, checked, ready to run. */
export interface Pipeline<In = unknown, Outputs = Record<string, unknown>> {
  readonly name: string;
  /** Names, needs, kinds, options and versions; not code. */
  readonly hash: string;
  readonly definition: PipelineDefinition;
  /** Things that are allowed and rarely meant, such as a deadline below a stage's timeout. */
  validate(): readonly DefinitionFault[];
  /** What a run would do, and why; nothing is called and nothing is written. */
  plan(input?: In): Plan;
  toJSON(): Json;
  toMermaid(): string;
  toDot(): string;
  /** Names of the stages that need no other stage. */
  entries(): readonly string[];
  /** Runs in memory: values pass by reference, nothing is stored. Never throws for a failing stage. */
  run(input: In, options?: MemoryRunOptions): Promise<RunResult<Outputs>>;
  /** Runs several inputs; one result per input, in input order; a failed run does not stop the others. */
  runBatch(
    inputs: readonly In[],
    options?: MemoryBatchOptions,
  ): Promise<readonly RunResult<Outputs>[]>;
}

const MARK = Symbol.for("millrace.pipeline");

/** A pipeline over stages as values. DEFINITION_INVALID with all faults. */
export function pipeline<
  In = undefined,
  const Out extends Readonly<Record<string, Need>> = Record<never, never>,
>(name: string, options: PipelineOptions<In, Out>): Pipeline<In, OutputsOf<Out>> {
  const isAddressed = isAddressedImport();
  const definition = compileOrThrow({ name, options: { ...options }, byId: false, isAddressed });
  // The compiler has derived the outputs from the same record that the definition holds.
  return makePipeline(definition) as Pipeline<In, OutputsOf<Out>>;
}

/** A pipeline from a list of stages by id, for graphs built at run time. DEFINITION_INVALID with all faults. */
export function definePipeline(options: PipelineByIdOptions): Pipeline {
  const { name } = options;
  const isAddressed = isAddressedImport();
  return makePipeline(compileOrThrow({ name, options: { ...options }, byId: true, isAddressed }));
}

/** True for a pipeline of this or another copy of the package. */
export function isPipeline(value: unknown): value is Pipeline {
  return typeof value === "object" && value !== null && MARK in value;
}

/** The value of a definition that was compiled already. */
export function makePipeline(definition: PipelineDefinition): Pipeline {
  const made: Pipeline & { readonly [MARK]: true } = {
    [MARK]: true,
    name: definition.name,
    hash: definition.hash,
    definition,
    validate: () =>
      planPipeline(definition, {}).warnings.map((message) => ({ path: "pipeline", message })),
    plan: (input) => planPipeline(definition, { input }),
    // What was hashed is JSON by construction.
    toJSON: () => JSON.parse(definition.json) as Json,
    toMermaid: () => toMermaid(definition),
    toDot: () => toDot(definition),
    entries: () => listEntries(definition),
    run: (input, options) => runInMemory(definition, input, options ?? {}),
    runBatch: (inputs, options) => runBatchInMemory(definition, inputs, options ?? {}),
  };
  return Object.freeze(made);
}

function listEntries(definition: PipelineDefinition): readonly string[] {
  return definition.stages.flatMap((stage, index) =>
    (definition.graph.needs[index]?.length ?? 0) === 0 ? [stage.name] : [],
  );
}
