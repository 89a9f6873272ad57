// What every series says of itself: its unit, where its buckets lie, and how far it is counted; and its levels.

import * as z from "zod";
import { sinceText } from "../reading.ts";
import { timeValue, wholeValue } from "../run.ts";

const UNITS = ["minute", "day"] as const;
type Unit = (typeof UNITS)[number];

/** Which part of a series. */
export interface SeriesQuery {
  readonly unit?: Unit;
  readonly since?: string;
}

/** Fields of every series' query. */
export const seriesFields: {
  readonly unit: z.ZodExactOptional<z.ZodType<Unit>>;
  readonly since: z.ZodExactOptional<z.ZodType<string>>;
} = {
  unit: z.enum(UNITS).meta({ description: "Default minute. Days are of UTC." }).exactOptional(),
  since: sinceText
    .meta({
      description:
        "ISO 8601, or a duration back from now. Default 60m, or 30d of days. Minutes are kept for 24 h, days for two years; nothing older is told.",
    })
    .exactOptional(),
};

/** Which part of a series. */
export const seriesQuery: z.ZodType<SeriesQuery> = z.strictObject(seriesFields);

/** Where the buckets of a series lie. */
export interface SeriesFrame {
  readonly unit: Unit;
  readonly from: string;
  readonly stepMs: number;
  readonly countedUntil?: string;
}

/** Fields of every series. */
export const frameFields: {
  readonly unit: z.ZodType<Unit>;
  readonly from: z.ZodType<string>;
  readonly stepMs: z.ZodType<number>;
  readonly countedUntil: z.ZodExactOptional<z.ZodType<string>>;
} = {
  unit: z.enum(UNITS),
  from: timeValue.meta({ description: "Beginning of the first bucket; the last is under way." }),
  stepMs: wholeValue.meta({ description: "Length of a bucket." }),
  countedUntil: timeValue
    .meta({ description: "What was told until then is counted; absent: nothing yet." })
    .exactOptional(),
};

/** A level by bucket; null: nobody looked. */
export interface LevelSeries {
  readonly mean: readonly (number | null)[];
  readonly min: readonly (number | null)[];
  readonly max: readonly (number | null)[];
}

const numbers = z.array(z.number().nullable());

/** A level by bucket. */
export const levelSeries: z.ZodType<LevelSeries> = z
  .object({ mean: numbers, min: numbers, max: numbers })
  .meta({ id: "LevelSeries", description: "One look a minute; null: nobody looked." });
