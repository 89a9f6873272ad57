// Workers: which processes work on the store, and what they run; tokens: who may ask.

import * as z from "zod";
import { schemaField, type Document } from "./document.ts";
import { timeValue, wholeValue } from "./run.ts";

/** One process. */
export interface Worker {
  readonly id: string;
  readonly name: string;
  readonly kind: "worker" | "process";
  readonly host: string;
  readonly pid: number;
  readonly version: string;
  readonly alive: "yes" | "silent" | "gone";
  readonly startedAt: string | null;
  readonly lastBeatAt: string;
  readonly beatAgoMs: number;
  readonly idle: boolean;
  readonly draining: boolean;
  readonly heldBy: string | null;
  readonly slots: number;
  readonly slotsUsed: number;
  readonly pipelines: readonly { readonly name: string; readonly definition: string }[];
  readonly memory: { readonly usedBytes: number; readonly limitBytes: number | null } | null;
  readonly clockSkewMs: number;
  readonly running: readonly {
    readonly run: string;
    readonly stage: string;
    readonly item?: string;
    readonly attempt: number;
    readonly startedAt: string | null;
    readonly progress?: { readonly done: number; readonly total?: number; readonly note?: string };
  }[];
  readonly lost: {
    readonly at: string;
    readonly reason: string;
    readonly runs: readonly string[];
    readonly count: number;
  } | null;
}

const worker: z.ZodType<Worker> = z
  .object({
    id: z.string(),
    name: z.string(),
    kind: z.enum(["worker", "process"]),
    host: z.string(),
    pid: wholeValue,
    version: z.string(),
    alive: z.enum(["yes", "silent", "gone"]),
    startedAt: timeValue.nullable(),
    lastBeatAt: timeValue,
    beatAgoMs: z.number(),
    idle: z.boolean(),
    draining: z.boolean(),
    heldBy: z.string().nullable().meta({ description: "Why it claims nothing for now." }),
    slots: wholeValue,
    slotsUsed: wholeValue,
    pipelines: z.array(z.object({ name: z.string(), definition: z.string() })),
    memory: z.object({ usedBytes: z.number(), limitBytes: z.number().nullable() }).nullable(),
    clockSkewMs: z.number(),
    running: z.array(
      z.object({
        run: z.string(),
        stage: z.string(),
        item: z.string().exactOptional(),
        attempt: wholeValue,
        startedAt: timeValue.nullable(),
        progress: z
          .object({
            done: z.number(),
            total: z.number().exactOptional(),
            note: z.string().exactOptional(),
          })
          .exactOptional(),
      }),
    ),
    lost: z
      .object({
        at: timeValue,
        reason: z.string(),
        runs: z.array(z.string()),
        count: wholeValue,
      })
      .nullable()
      .meta({ description: "What was reclaimed from it." }),
  })
  .meta({ id: "Worker" });

/** The processes that work on the store. */
export interface WorkersAnswer extends Document<"workers"> {
  readonly workers: readonly Worker[];
}

/** The processes that work on the store. */
export const workersAnswer: z.ZodType<WorkersAnswer> = z
  .object({ ...schemaField("workers"), workers: z.array(worker) })
  .meta({ id: "Workers" });

/** One of them. */
export interface WorkerAnswer extends Document<"worker"> {
  readonly worker: Worker;
}

/** One of them. */
export const workerAnswer: z.ZodType<WorkerAnswer> = z
  .object({ ...schemaField("worker"), worker })
  .meta({ id: "OneWorker" });
