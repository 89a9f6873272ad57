// Operations: one action over all runs that a filter finds. First its preview, then the same with the count that was
// shown; it goes on in the background, with its progress, and with what each run refused.

import * as z from "zod";
import { RUN_STATES, type RunState } from "../../model/run.ts";
import { schemaField, type Document } from "./document.ts";
import { idText, nameText, reasonText, sinceText } from "./reading.ts";
import { timeValue, wholeValue } from "./run.ts";

const ACTIONS = ["cancel", "resume", "requeue", "purge"] as const;
/** What is done to each run. */
export type OperationAction = (typeof ACTIONS)[number];

/** Which runs; absent fields leave nothing out. */
export interface OperationFilter {
  readonly state?: readonly RunState[];
  readonly pipeline?: string;
  readonly since?: string;
  readonly tag?: string;
  readonly parent?: string;
  readonly batch?: string;
  readonly fingerprint?: string;
}

const filter: z.ZodType<OperationFilter> = z
  .strictObject({
    state: z.array(z.enum(RUN_STATES)).min(1).max(7).exactOptional(),
    pipeline: nameText.exactOptional(),
    since: sinceText.exactOptional().meta({ description: "Queued then or later." }),
    tag: z
      .string()
      .regex(/^[^=]{1,256}=.{0,256}$/s)
      .exactOptional()
      .meta({ description: "key=value" }),
    parent: idText.exactOptional(),
    batch: idText.exactOptional(),
    fingerprint: z.string().min(1).max(200).exactOptional(),
  })
  .meta({ id: "OperationFilter" });

/** What is asked for. */
export interface OperationBody {
  readonly action: OperationAction;
  readonly filter: OperationFilter;
  readonly preview?: boolean;
  readonly matching?: number;
  readonly reason?: string;
}

/** What is asked for: a preview, or the operation itself with the count that its preview showed. */
export const operationBody: z.ZodType<OperationBody> = z
  .strictObject({
    action: z.enum(ACTIONS).meta({ description: "`resume` gives fresh attempts." }),
    filter,
    preview: z.boolean().exactOptional().meta({ description: "Changes nothing. Default false." }),
    matching: z.number().int().min(0).exactOptional().meta({
      description: "As the preview showed it: more than 10 % off is refused.",
    }),
    reason: reasonText.exactOptional(),
  })
  .refine((body) => body.preview === true || body.matching !== undefined, {
    path: ["matching"],
    message: "expected the count that the preview showed",
  });

/** What an operation would touch. */
export interface OperationPreview {
  readonly matching: number;
  /** Newest first, at most five. */
  readonly examples: readonly {
    readonly run: string;
    readonly pipeline: string;
    readonly state: RunState;
  }[];
  readonly leftOut: readonly { readonly reason: string; readonly count: number }[];
}

/** An operation. */
export interface Operation {
  readonly id: string;
  readonly action: OperationAction;
  readonly filter: OperationFilter;
  readonly state: "running" | "succeeded" | "failed" | "cancelled" | "interrupted";
  readonly actor: string;
  readonly reason?: string;
  readonly matching: number;
  readonly done: number;
  readonly changed: number;
  readonly refused: number;
  /** The first 100. */
  readonly refusals: readonly { readonly run: string; readonly reason: string }[];
  readonly startedAt: string;
  readonly endedAt?: string;
  readonly error?: string;
}

const operation: z.ZodType<Operation> = z
  .object({
    id: z.string(),
    action: z.enum(ACTIONS),
    filter,
    state: z.enum(["running", "succeeded", "failed", "cancelled", "interrupted"]).meta({
      description: "`interrupted`: its process is gone; ask for it again.",
    }),
    actor: z.string(),
    reason: z.string().exactOptional(),
    matching: wholeValue,
    done: wholeValue,
    changed: wholeValue,
    refused: wholeValue,
    refusals: z.array(z.object({ run: z.string(), reason: z.string() })),
    startedAt: timeValue,
    endedAt: timeValue.exactOptional(),
    error: z.string().exactOptional(),
  })
  .meta({ id: "Operation" });

/** A preview, or an operation that has begun. */
export interface OperationAnswer extends Document<"operation"> {
  readonly preview?: OperationPreview;
  readonly operation?: Operation;
}

/** A preview, or an operation that has begun. */
export const operationAnswer: z.ZodType<OperationAnswer> = z
  .object({
    ...schemaField("operation"),
    preview: z
      .object({
        matching: wholeValue,
        examples: z.array(
          z.object({ run: z.string(), pipeline: z.string(), state: z.enum(RUN_STATES) }),
        ),
        leftOut: z.array(z.object({ reason: z.string(), count: wholeValue })),
      })
      .exactOptional(),
    operation: operation.exactOptional(),
  })
  .meta({ id: "OperationAnswer" });

/** A page of operations, newest first. */
export interface OperationsAnswer extends Document<"operations"> {
  readonly operations: readonly Operation[];
  readonly nextCursor?: string;
}

/** A page of operations, newest first. */
export const operationsAnswer: z.ZodType<OperationsAnswer> = z
  .object({
    ...schemaField("operations"),
    operations: z.array(operation),
    nextCursor: z.string().exactOptional(),
  })
  .meta({ id: "Operations" });
