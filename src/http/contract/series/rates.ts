// How many runs began and ended, and how their queues stood, one number per bucket.

import * as z from "zod";
import { schemaField, type Document } from "../document.ts";
import { nameText } from "../reading.ts";
import { wholeValue } from "../run.ts";
import {
  frameFields,
  levelSeries,
  seriesFields,
  type LevelSeries,
  type SeriesFrame,
  type SeriesQuery,
} from "./series-frame.ts";

/** Which runs a series is about. */
export interface RatesQuery extends SeriesQuery {
  readonly pipeline?: string;
}

/** Which runs a series is about. */
export const ratesQuery: z.ZodType<RatesQuery> = z.strictObject({
  ...seriesFields,
  pipeline: nameText.exactOptional().meta({ description: "Default: all." }),
});

/** How many runs began and ended, and how their queue stood. */
export interface RatesAnswer extends Document<"rates">, SeriesFrame {
  readonly pipeline?: string;
  readonly counts: {
    readonly created: readonly number[];
    readonly started: readonly number[];
    readonly succeeded: readonly number[];
    readonly failed: readonly number[];
    readonly skipped: readonly number[];
    readonly cancelled: readonly number[];
  };
  readonly levels: { readonly queued: LevelSeries; readonly oldestDueMs: LevelSeries };
}

const count = z.array(wholeValue);

/** How many runs began and ended, and how their queue stood. */
export const ratesAnswer: z.ZodType<RatesAnswer> = z
  .object({
    ...schemaField("rates"),
    ...frameFields,
    pipeline: z.string().exactOptional().meta({ description: "Absent: of all." }),
    counts: z
      .object({
        created: count,
        started: count,
        succeeded: count,
        failed: count,
        skipped: count,
        cancelled: count,
      })
      .meta({ description: "Per bucket; a run that was resumed has ended more than once." }),
    levels: z.object({ queued: levelSeries, oldestDueMs: levelSeries }),
  })
  .meta({ id: "Rates" });
