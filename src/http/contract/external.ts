// Runs that something outside started by itself, told so that they show here.

import * as z from "zod";
import { schemaField, type Document } from "./document.ts";

/** A report. */
export interface ExternalRunBody {
  readonly source: "external";
  readonly by: string;
  readonly pipeline: string;
  readonly run: string;
  readonly at?: string;
  readonly message?: string;
}

/** A report: of one `by`, `pipeline` and `run` once. */
export const externalRunBody: z.ZodType<ExternalRunBody> = z.strictObject({
  source: z.literal("external"),
  by: z.string().min(1).max(200).meta({ description: "Who reports: cron, airflow." }),
  pipeline: z.string().min(1).max(200),
  run: z.string().min(1).max(200).meta({ description: "The reporter's own id of the run." }),
  at: z.string().max(64).exactOptional().meta({ description: "ISO 8601; without zone: UTC." }),
  message: z.string().max(500).exactOptional(),
});

/** What became of it. */
export interface ExternalRunAnswer extends Document<"external-run"> {
  readonly created: boolean;
  readonly problem?: string;
}

/** What became of it; it never fails, so that who reports does not. */
export const externalRunAnswer: z.ZodType<ExternalRunAnswer> = z
  .object({
    ...schemaField("external-run"),
    created: z.boolean().meta({ description: "False: known before, or not taken." }),
    problem: z.string().exactOptional().meta({ description: "Why it was not taken." }),
  })
  .meta({ id: "ExternalRun" });
