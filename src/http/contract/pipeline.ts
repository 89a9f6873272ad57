// Pipelines: which there are, one with its stages and settings, its definitions, what a start is given, and what a
// plan answers.

import * as z from "zod";
import { schemaField, type Document } from "./document.ts";
import {
  durationValue,
  type DurationValue,
  idText,
  keyText,
  nameText,
  pageFields,
  tagsValue,
  type PageQuery,
} from "./reading.ts";
import {
  blocker,
  run,
  runCounts,
  wholeValue,
  type Blocker,
  type Run,
  type RunCounts,
} from "./run.ts";
import { durations, type Durations } from "./series/durations.ts";

/** A setting in force. */
export interface Setting {
  readonly value: unknown;
  /** `stage`, `pipeline`, `config`, `default`. */
  readonly origin: string;
}

const setting: z.ZodType<Setting> = z
  .object({ value: z.unknown(), origin: z.string() })
  .meta({ id: "Setting", description: "A setting in force, and where it came from." });

const settings = z.record(z.string(), setting);

/** A pipeline in a list. */
export interface PipelineLine {
  readonly pipeline: string;
  readonly definition: string;
  readonly description?: string;
  readonly stages: number;
  /** How many runs may be running at once. Absent: any number. */
  readonly maxActiveRuns?: number;
  readonly runs: RunCounts;
}

/** All pipelines that this server can start. */
export interface PipelinesAnswer extends Document<"pipelines"> {
  /** In order of name. */
  readonly pipelines: readonly PipelineLine[];
  readonly nextCursor?: string;
}

/** Which pipelines. */
export const pipelinesQuery: z.ZodType<PageQuery> = z.strictObject({ ...pageFields });

/** All pipelines that this server can start. */
export const pipelinesAnswer: z.ZodType<PipelinesAnswer> = z
  .object({
    ...schemaField("pipelines"),
    pipelines: z.array(
      z.object({
        pipeline: z.string(),
        definition: z.string().meta({ description: "Hash." }),
        description: z.string().exactOptional(),
        stages: wholeValue,
        maxActiveRuns: wholeValue.exactOptional(),
        runs: runCounts,
      }),
    ),
    nextCursor: z.string().exactOptional(),
  })
  .meta({ id: "Pipelines" });

/** A stage of a pipeline. */
export interface PipelineStage {
  readonly stage: string;
  readonly kind: "stage" | "map" | "command";
  readonly description?: string;
  /** From 1. */
  readonly wave: number;
  readonly needs: readonly string[];
  readonly critical: boolean;
  readonly trigger: string;
  readonly settings: Readonly<Record<string, Setting>>;
}

/** A resource as a pipeline uses it. */
export interface PipelineResource {
  readonly resource: string;
  readonly keyed: boolean;
  readonly users: readonly { readonly stage: string; readonly key?: string }[];
  readonly settings: Readonly<Record<string, Setting>>;
}

/** One pipeline. */
export interface PipelineAnswer extends Document<"show"> {
  readonly pipeline: string;
  readonly definition: string;
  readonly description?: string;
  readonly entries: readonly string[];
  readonly outputs: Readonly<Record<string, string>>;
  readonly settings: Readonly<Record<string, Setting>>;
  readonly stages: readonly PipelineStage[];
  readonly resources: readonly PipelineResource[];
  /** JSON Schema (2020-12) of the input; null: its schema gives none, or it has no schema. */
  readonly inputSchema: Readonly<Record<string, unknown>> | null;
  /** True where a run takes an input. */
  readonly hasInput: boolean;
  /** Of its runs and stages; also of stages that it had once. */
  readonly durations: Durations;
}

/** One pipeline. */
export const pipelineAnswer: z.ZodType<PipelineAnswer> = z
  .object({
    ...schemaField("show"),
    pipeline: z.string(),
    definition: z.string(),
    description: z.string().exactOptional(),
    entries: z.array(z.string()),
    outputs: z.record(z.string(), z.string()),
    settings,
    stages: z.array(
      z.object({
        stage: z.string(),
        kind: z.enum(["stage", "map", "command"]),
        description: z.string().exactOptional(),
        wave: wholeValue,
        needs: z.array(z.string()),
        critical: z.boolean(),
        trigger: z.string(),
        settings,
      }),
    ),
    resources: z.array(
      z.object({
        resource: z.string(),
        keyed: z.boolean(),
        users: z.array(z.object({ stage: z.string(), key: z.string().exactOptional() })),
        settings,
      }),
    ),
    inputSchema: z.record(z.string(), z.unknown()).nullable().meta({
      description: "JSON Schema (2020-12) of the input; null where its schema gives none.",
    }),
    hasInput: z.boolean(),
    durations,
  })
  .meta({ id: "PipelineDetail" });

/** A definition that runs were made under. */
export interface DefinitionAnswer extends Document<"definition"> {
  readonly definition: string;
  /** Names, needs, kinds, options, versions: what the hash covers. */
  readonly value: unknown;
}

/** A definition that runs were made under. */
export const definitionAnswer: z.ZodType<DefinitionAnswer> = z
  .object({ ...schemaField("definition"), definition: z.string(), value: z.unknown() })
  .meta({ id: "Definition" });

/** A hash in a path. */
export const hashParams: z.ZodType<{ readonly hash: string }> = z.strictObject({ hash: idText });

const stages = z.array(nameText).min(1).max(500);

/** What may be chosen for a start and for its plan. */
export interface ChoiceBody {
  readonly input?: unknown;
  readonly skip?: readonly string[];
  readonly only?: readonly string[];
  readonly until?: string;
  readonly from?: string;
  readonly deadline?: DurationValue;
}

const choiceFields = {
  input: z.unknown().optional(),
  skip: stages.exactOptional().meta({ description: "Stages that end `skipped`." }),
  only: stages.exactOptional().meta({ description: "Just these; their needs must be there." }),
  until: nameText.exactOptional().meta({ description: "This stage and all it needs." }),
  from: nameText.exactOptional().meta({ description: "This stage and all after it." }),
  deadline: durationValue.exactOptional(),
};

/** What a plan is asked for. */
export const planBody: z.ZodType<ChoiceBody> = z.strictObject(choiceFields);

/** What a start is given. */
export interface StartBody extends ChoiceBody {
  readonly key?: string;
  readonly tags?: Readonly<Record<string, string>>;
  readonly priority?: number;
  readonly delay?: DurationValue;
  readonly concurrency?: number;
  readonly noRetry?: boolean;
  readonly failFast?: boolean;
  readonly force?: boolean | readonly string[];
  readonly override?: boolean;
}

/** What a start is given. */
export const startBody: z.ZodType<StartBody> = z.strictObject({
  ...choiceFields,
  key: keyText.exactOptional().meta({ description: "Once per pipeline; a second is answered." }),
  tags: tagsValue.exactOptional(),
  priority: z.number().int().min(-1_000).max(1_000).exactOptional(),
  delay: durationValue.exactOptional(),
  concurrency: z.number().int().min(1).max(10_000).exactOptional(),
  noRetry: z.boolean().exactOptional(),
  failFast: z.boolean().exactOptional(),
  force: z
    .union([z.boolean(), stages])
    .exactOptional()
    .meta({ description: "Without the cache: true, or of these stages." }),
  override: z.boolean().exactOptional().meta({ description: "Although health is degraded." }),
});

/** A run that was queued, or the one that has its key. */
export interface StartAnswer extends Document<"queue-enqueue"> {
  readonly run: Run;
  /** False: the key was known, and this is its run. */
  readonly created: boolean;
}

/** A run that was queued, or the one that has its key. */
export const startAnswer: z.ZodType<StartAnswer> = z
  .object({ ...schemaField("queue-enqueue"), run, created: z.boolean() })
  .meta({ id: "Started" });

type Range = readonly [low: number, high: number];
type Confidence = "low" | "medium" | "high";

/** What a run would do. */
export interface PlanAnswer extends Document<"plan"> {
  readonly pipeline: string;
  readonly definition: string;
  readonly waves: readonly (readonly string[])[];
  readonly stages: readonly {
    readonly stage: string;
    readonly will: "run" | "cache" | "checkpoint" | "skip" | "depends";
    readonly reason: string;
    readonly items?: number;
    readonly predictedMs?: Range;
    readonly confidence?: Confidence;
  }[];
  readonly predictedMs?: Range;
  readonly confidence?: Confidence;
  readonly basis: string;
  readonly refusal?: Blocker;
  readonly work: boolean;
  readonly warnings: readonly string[];
  readonly notes: readonly string[];
}

const prediction = {
  predictedMs: z.tuple([z.number(), z.number()]).exactOptional().meta({
    description: "Low and high; absent without history.",
  }),
  confidence: z.enum(["low", "medium", "high"]).exactOptional(),
};

/** What a run would do. */
export const planAnswer: z.ZodType<PlanAnswer> = z
  .object({
    ...schemaField("plan"),
    pipeline: z.string(),
    definition: z.string(),
    waves: z.array(z.array(z.string())),
    stages: z.array(
      z.object({
        stage: z.string(),
        will: z.enum(["run", "cache", "checkpoint", "skip", "depends"]),
        reason: z.string(),
        items: wholeValue.exactOptional(),
        ...prediction,
      }),
    ),
    ...prediction,
    basis: z.string(),
    refusal: blocker.exactOptional().meta({ description: "Why it would not start now." }),
    work: z.boolean(),
    warnings: z.array(z.string()),
    notes: z.array(z.string()),
  })
  .meta({ id: "Plan" });
