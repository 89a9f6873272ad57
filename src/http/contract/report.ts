// A report of a run: what it did and where its time went, and the form it is wanted in.

import * as z from "zod";
import { schemaField, type Document } from "./document.ts";
import { failure, numbersValue, run, wholeValue, type Failure, type Run } from "./run.ts";
import { stage, type Stage } from "./stage.ts";

const FORMATS = ["json", "html", "md", "csv"] as const;
type Format = (typeof FORMATS)[number];

/** In which form. */
export interface ReportQuery {
  readonly format?: Format;
}

/** In which form. */
export const reportQuery: z.ZodType<ReportQuery> = z.strictObject({
  format: z.enum(FORMATS).exactOptional().meta({
    description: "Default json. Any other comes as a file to save: a page, Markdown, or a table.",
  }),
});

/** How long the items of a map stage took, ms. */
export interface ItemTimes {
  readonly stage: string;
  readonly count: number;
  readonly p50Ms: number;
  readonly p95Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

/** A report of a run. */
export interface ReportAnswer extends Document<"report"> {
  readonly run: Run;
  readonly stages: readonly Stage[];
  readonly percentiles: readonly ItemTimes[];
  readonly waitedMs: Readonly<Record<string, number>>;
  readonly failures: readonly Failure[];
  readonly otherFailures: number;
}

/** A report of a run. */
export const reportAnswer: z.ZodType<ReportAnswer> = z
  .object({
    ...schemaField("report"),
    run,
    stages: z.array(stage),
    percentiles: z.array(
      z.object({
        stage: z.string(),
        count: wholeValue,
        p50Ms: z.number(),
        p95Ms: z.number(),
        p99Ms: z.number(),
        maxMs: z.number(),
      }),
    ),
    waitedMs: numbersValue,
    failures: z.array(failure),
    otherFailures: wholeValue,
  })
  .meta({ id: "Report" });
