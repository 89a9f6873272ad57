// A run, and the parts that documents about runs share: counts, failures, blockers. The same shapes that the command
// prints with `--json`.

import * as z from "zod";
import { BLOCKER_KINDS, type BlockerKind } from "../../model/blocker.ts";
import {
  ERROR_CLASSES,
  STAGE_STATES,
  type ErrorClass,
  type StageState,
} from "../../model/outcome.ts";
import { RUN_STATES, type RunSettings, type RunState } from "../../model/run.ts";

/** ISO 8601 with milliseconds and `Z`. */
export const timeValue: z.ZodType<string> = z.string().meta({ format: "date-time" });

/** Milliseconds, counts. */
export const wholeValue: z.ZodType<number> = z.number().int().min(0);

/** Numbers by name, such as waits in ms by cause. */
export const numbersValue: z.ZodType<Readonly<Record<string, number>>> = z.record(
  z.string(),
  z.number(),
);

/** How many items are in each state; `total` is their sum. */
export type Counts = { readonly total: number } & Readonly<Record<StageState, number>>;

/** How many runs are in each state. */
export type RunCounts = { readonly total: number } & Readonly<Record<RunState, number>>;

/** Counts of items. */
export const counts: z.ZodType<Counts> = z
  .object({ total: wholeValue, ...countFields(STAGE_STATES) })
  .meta({ id: "Counts", description: "Items by state; `total` is their sum." });

/** Counts of runs. */
export const runCounts: z.ZodType<RunCounts> = z
  .object({ total: wholeValue, ...countFields(RUN_STATES) })
  .meta({ id: "RunCounts", description: "Runs by state; `total` is their sum." });

function countFields<T extends string>(states: readonly T[]): Record<T, z.ZodType<number>> {
  // Its keys are exactly the words of the tuple.
  return Object.fromEntries(states.map((state) => [state, wholeValue])) as Record<
    T,
    z.ZodType<number>
  >;
}

/** One reason why something is not running. */
export interface Blocker {
  readonly kind: BlockerKind;
  readonly name: string;
  readonly key?: string;
  readonly since?: string;
  readonly ahead?: number;
  readonly holders?: readonly string[];
  readonly expectedAt?: string;
  readonly basis: "exact" | "estimate" | "unknown";
  readonly text: string;
}

/** One reason why something is not running. */
export const blocker: z.ZodType<Blocker> = z
  .object({
    kind: z.enum(BLOCKER_KINDS),
    name: z.string().meta({ description: "Who stands in the way: a stage, resource, process." }),
    key: z.string().exactOptional(),
    since: timeValue.exactOptional(),
    ahead: wholeValue.exactOptional(),
    holders: z.array(z.string()).exactOptional(),
    expectedAt: timeValue.exactOptional(),
    basis: z.enum(["exact", "estimate", "unknown"]),
    text: z.string().meta({ description: "The whole reason in one sentence." }),
  })
  .meta({ id: "Blocker", description: "One reason why something is not running." });

/** One kind of failure, or a single one with `count` 1. */
export interface Failure {
  readonly code?: string;
  readonly class: ErrorClass;
  readonly message: string;
  readonly fingerprint: string;
  readonly stage?: string;
  readonly item?: string;
  readonly attempts: number;
  readonly count: number;
}

/** One kind of failure. */
export const failure: z.ZodType<Failure> = z
  .object({
    code: z.string().exactOptional(),
    class: z.enum(ERROR_CLASSES),
    message: z.string(),
    fingerprint: z.string(),
    stage: z.string().exactOptional(),
    item: z.string().exactOptional().meta({ description: "The first item that failed so." }),
    attempts: wholeValue,
    count: wholeValue,
  })
  .meta({ id: "Failure", description: "One kind of failure, or a single one with `count` 1." });

const settings: z.ZodType<RunSettings> = z
  .object({
    skip: z.array(z.string()).exactOptional(),
    only: z.array(z.string()).exactOptional(),
    concurrency: wholeValue.exactOptional(),
    failFast: z.boolean().exactOptional(),
    noRetry: z.boolean().exactOptional(),
    force: z.union([z.literal(true), z.array(z.string())]).exactOptional(),
    deadlineMs: wholeValue.exactOptional(),
    from: z.string().exactOptional(),
  })
  .catchall(z.unknown());

/** One run. */
export interface Run {
  readonly id: string;
  readonly name: string;
  readonly key?: string;
  readonly pipeline: string;
  readonly definition: string;
  readonly state: RunState;
  readonly reason?: string;
  readonly warnings: number;
  readonly resumes: number;
  readonly retries: number;
  readonly crashes: number;
  readonly parent?: string;
  readonly batch?: string;
  readonly priority?: number;
  readonly source: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly settings: RunSettings;
  readonly queuedAt: string;
  readonly startedAt?: string;
  readonly updatedAt: string;
  readonly endedAt?: string;
  readonly durationMs?: number;
  readonly waitedMs: Readonly<Record<string, number>>;
  readonly items: Counts;
  readonly running: readonly string[];
  readonly blocker?: Blocker;
  readonly error?: Failure;
  readonly metrics: Readonly<Record<string, number>>;
}

/** One run. */
export const run: z.ZodType<Run> = z
  .object({
    id: z.string(),
    name: z.string().meta({ description: "Short name." }),
    key: z.string().exactOptional(),
    pipeline: z.string(),
    definition: z.string().meta({ description: "Hash." }),
    state: z.enum(RUN_STATES),
    reason: z.string().exactOptional(),
    warnings: wholeValue,
    resumes: wholeValue,
    retries: wholeValue.meta({ description: "Attempts that ended in a retry." }),
    crashes: wholeValue,
    parent: z.string().exactOptional().meta({ description: "Id of the run it was made from." }),
    batch: z.string().exactOptional(),
    priority: z.number().int().exactOptional(),
    source: z.string(),
    tags: z.record(z.string(), z.string()),
    settings,
    queuedAt: timeValue,
    startedAt: timeValue.exactOptional(),
    updatedAt: timeValue,
    endedAt: timeValue.exactOptional(),
    durationMs: wholeValue.exactOptional().meta({ description: "Active time." }),
    waitedMs: numbersValue.meta({ description: "Over all stages, by cause." }),
    items: counts.meta({ description: "Of all map stages." }),
    running: z.array(z.string()).meta({ description: "Stages that run now." }),
    blocker: blocker.exactOptional(),
    error: failure.exactOptional(),
    metrics: numbersValue,
  })
  .meta({ id: "Run", description: "One run." });

/** A run by its two names. */
export interface RunName {
  readonly id: string;
  readonly name: string;
}

/** A run by its two names. */
export const namedRun: z.ZodType<RunName> = z.object({ id: z.string(), name: z.string() });
