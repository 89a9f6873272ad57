// How long the runs and stages of a pipeline take.

import * as z from "zod";
import { wholeValue } from "../run.ts";

/** How long something took. */
export interface Duration {
  readonly count: number;
  readonly total: number;
  readonly medianMs: number;
  readonly p95Ms: number;
  readonly maxMs: number;
}

const duration: z.ZodType<Duration> = z
  .object({
    count: wholeValue.meta({ description: "The figures are exactly those of the last so many." }),
    total: wholeValue.meta({ description: "Successes since durations are kept." }),
    medianMs: z.number(),
    p95Ms: z.number(),
    maxMs: z.number(),
  })
  .meta({ id: "Duration", description: "Of what succeeded, and was not reused." });

/** How long a pipeline takes. */
export interface Durations {
  readonly run?: Duration;
  readonly stages: Readonly<Record<string, Duration>>;
}

/** How long a pipeline takes. */
export const durations: z.ZodType<Durations> = z
  .object({
    run: duration.exactOptional(),
    stages: z.record(z.string(), duration),
  })
  .meta({ id: "Durations" });
