// The queue: counts, what is claimed next, batches, and an import of lines.

import * as z from "zod";
import { schemaField, type Document } from "./document.ts";
import { flagText, nameText, pageFields, sinceText, wholeText, type PageQuery } from "./reading.ts";
import { run, runCounts, timeValue, wholeValue, type Run, type RunCounts } from "./run.ts";

/** The queue of one pipeline. */
export interface PipelineQueue {
  readonly pipeline: string;
  readonly counts: RunCounts;
  readonly oldestDueMs: number | null;
  readonly perMinute: number;
  readonly drainMs?: number;
}

/** What runs wait for. */
export interface Waiting {
  readonly kind: string;
  readonly name: string;
  readonly count: number;
}

const pipelineQueue: z.ZodType<PipelineQueue> = z
  .object({
    pipeline: z.string(),
    counts: runCounts,
    oldestDueMs: z.number().nullable().meta({ description: "Null: none is queued." }),
    perMinute: z.number().meta({ description: "Runs that ended in the last minute." }),
    drainMs: z.number().exactOptional(),
  })
  .meta({ id: "PipelineQueue" });

const waiting: z.ZodType<Waiting> = z
  .object({ kind: z.string(), name: z.string(), count: wholeValue })
  .meta({ id: "Waiting" });

/** Which queue, and which page of its runs. */
export interface QueueQuery extends PageQuery {
  readonly pipeline?: string;
}

/** Which queue. */
export const queueQuery: z.ZodType<QueueQuery> = z.strictObject({
  ...pageFields,
  pipeline: nameText.exactOptional(),
});

/** A run that is queued. */
export interface QueuedRun {
  readonly run: Run;
  /** Runs of its pipeline that are claimed before it. */
  readonly ahead: number;
  readonly dueAt: string;
}

/** The queue. */
export interface QueueAnswer extends Document<"queue"> {
  readonly counts: RunCounts;
  readonly pipelines: readonly PipelineQueue[];
  readonly waiting: readonly Waiting[];
  /** Queued runs in the order of claims, each with how many of its pipeline are claimed before it. */
  readonly queued: readonly QueuedRun[];
  readonly nextCursor?: string;
}

/** The queue. */
export const queueAnswer: z.ZodType<QueueAnswer> = z
  .object({
    ...schemaField("queue"),
    counts: runCounts,
    pipelines: z.array(pipelineQueue),
    waiting: z.array(waiting),
    queued: z
      .array(z.object({ run, ahead: wholeValue, dueAt: timeValue }))
      .meta({ description: "In the order of claims; `ahead` counts those of its pipeline." }),
    nextCursor: z.string().exactOptional(),
  })
  .meta({ id: "Queue" });

/** Over which time. */
export interface StatsQuery {
  /** Default: all that is kept. */
  readonly since?: string;
  readonly pipeline?: string;
}

/** Over which time: nothing counts all that is kept. */
export const statsQuery: z.ZodType<StatsQuery> = z.strictObject({
  since: sinceText.exactOptional(),
  pipeline: nameText.exactOptional(),
});

/** How many runs ended, and how. */
export interface StatsAnswer extends Document<"stats"> {
  readonly since?: string;
  readonly pipeline?: string;
  readonly counts: RunCounts;
  /** Runs that ended succeeded or failed. */
  readonly executed: number;
  readonly succeeded: number;
  readonly failed: number;
  /** Of what was executed; 0 when nothing was. */
  readonly successRate: number;
  /** False: there were more runs than are looked at, and older ones are not counted. */
  readonly complete: boolean;
  readonly pipelines: readonly PipelineQueue[];
  readonly waiting: readonly Waiting[];
}

/** How many runs ended, and how. */
export const statsAnswer: z.ZodType<StatsAnswer> = z
  .object({
    ...schemaField("stats"),
    since: timeValue.exactOptional(),
    pipeline: z.string().exactOptional(),
    counts: runCounts.meta({ description: "As they are now, whatever `since` says." }),
    executed: wholeValue.meta({ description: "Runs that ended succeeded or failed." }),
    succeeded: wholeValue,
    failed: wholeValue,
    successRate: z.number().min(0).max(1).meta({ description: "0 when nothing was executed." }),
    complete: z.boolean().meta({ description: "False: older runs were not counted." }),
    pipelines: z.array(pipelineQueue),
    waiting: z.array(waiting),
  })
  .meta({ id: "Stats" });

/** Which lines, and how they are read. */
export interface ImportQuery {
  readonly pipeline: string;
  readonly keyField?: string;
  readonly envelope?: boolean;
  readonly name?: string;
  readonly limit?: number;
}

/** Which lines, and how they are read. */
export const importQuery: z.ZodType<ImportQuery> = z.strictObject({
  pipeline: nameText,
  keyField: z.string().min(1).max(200).exactOptional(),
  envelope: flagText.exactOptional().meta({
    description: "Lines are { key, input, priority, delay, tags }.",
  }),
  name: z.string().min(1).max(200).exactOptional().meta({ description: "Of the batch." }),
  limit: wholeText(0, 10_000_000).exactOptional(),
});

/** What became of the lines. */
export interface ImportAnswer extends Document<"queue-import"> {
  readonly batch: string;
  readonly lines: number;
  readonly created: number;
  readonly duplicates: number;
  readonly badLines: number;
  /** The first 100. */
  readonly bad: readonly { readonly line: number; readonly message: string }[];
}

/** What became of the lines. */
export const importAnswer: z.ZodType<ImportAnswer> = z
  .object({
    ...schemaField("queue-import"),
    batch: z.string(),
    lines: wholeValue,
    created: wholeValue,
    duplicates: wholeValue,
    badLines: wholeValue,
    bad: z.array(z.object({ line: wholeValue, message: z.string() })),
  })
  .meta({ id: "Imported" });

/** A batch. */
export interface BatchAnswer extends Document<"batch"> {
  readonly batch: string;
  readonly pipeline: string;
  readonly source: string;
  readonly createdAt: string;
  readonly counts: RunCounts;
  readonly runs: readonly Run[];
  readonly nextCursor?: string;
}

/** A batch with a page of its runs, in the order they were queued. */
export const batchAnswer: z.ZodType<BatchAnswer> = z
  .object({
    ...schemaField("batch"),
    batch: z.string(),
    pipeline: z.string(),
    source: z.string(),
    createdAt: timeValue,
    counts: runCounts,
    runs: z.array(run),
    nextCursor: z.string().exactOptional(),
  })
  .meta({ id: "Batch" });

/** Which page. */
export const pageQuery: z.ZodType<PageQuery> = z.strictObject({ ...pageFields });
