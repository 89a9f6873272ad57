// How a resource stood, one number per bucket.

import * as z from "zod";
import { schemaField, type Document } from "../document.ts";
import { frameFields, levelSeries, type LevelSeries, type SeriesFrame } from "./series-frame.ts";

/** How a resource stood, all its keys together. */
export interface ResourceHistoryAnswer extends Document<"resource-history">, SeriesFrame {
  readonly resource: string;
  readonly levels: {
    readonly held: LevelSeries;
    readonly waiting: LevelSeries;
    readonly quotaLeft: LevelSeries;
    readonly breakersOpen: LevelSeries;
    readonly breakersHalfOpen: LevelSeries;
  };
}

/** How a resource stood, all its keys together. */
export const resourceHistoryAnswer: z.ZodType<ResourceHistoryAnswer> = z
  .object({
    ...schemaField("resource-history"),
    ...frameFields,
    resource: z.string(),
    levels: z
      .object({
        held: levelSeries,
        waiting: levelSeries,
        quotaLeft: levelSeries,
        breakersOpen: levelSeries,
        breakersHalfOpen: levelSeries,
      })
      .meta({
        description:
          "Of its first 500 keys. `quotaLeft`: 1 is full; of several quotas and keys the emptiest.",
      }),
  })
  .meta({ id: "ResourceHistory" });
