// The states of a map's items, packed to one byte each.

import * as z from "zod";
import { schemaField, type Document } from "./document.ts";
import { flagText, nameText, wholeText } from "./reading.ts";
import { wholeValue } from "./run.ts";
import { ITEM_STATES_MAX } from "../../model/limits.ts";

/** Which window of which stage. */
export interface ItemStatesQuery {
  readonly stage?: string;
  readonly from?: number;
  readonly count?: number;
  readonly keys?: boolean;
}

/** Which window of which stage. */
export const itemStatesQuery: z.ZodType<ItemStatesQuery> = z.strictObject({
  stage: nameText.exactOptional().meta({ description: "Default: all map stages." }),
  from: wholeText(0, 10_000_000).exactOptional().meta({ description: "Place, from 0." }),
  count: wholeText(1, ITEM_STATES_MAX).exactOptional().meta({ description: "Default 20,000." }),
  keys: flagText.exactOptional().meta({ description: "Also the keys. Default false." }),
});

/** The states of one map stage. */
export interface PackedStage {
  readonly stage: string;
  readonly total: number | null;
  readonly from: number;
  readonly count: number;
  readonly states: string;
  readonly keys?: readonly (string | null)[];
}

/** The packed states of a run. */
export interface ItemStatesAnswer extends Document<"item-states"> {
  readonly run: string;
  readonly seq: number;
  readonly stages: readonly PackedStage[];
}

/** The packed states of a run. */
export const itemStatesAnswer: z.ZodType<ItemStatesAnswer> = z
  .object({
    ...schemaField("item-states"),
    run: z.string(),
    seq: wholeValue.meta({ description: "Of the newest event: the states are at least so new." }),
    stages: z.array(
      z.object({
        stage: z.string(),
        total: wholeValue.nullable().meta({ description: "Null: not known yet." }),
        from: wholeValue,
        count: wholeValue,
        states: z.string().meta({
          description:
            "`count` bytes, raw deflate, then base64. Low four bits: 0 pending, 1 waiting, 2 retry, 3 running, " +
            "4 succeeded, 5 skipped, 6 failed, 7 upstream failed, 8 cancelled; high four: attempts, at most 15.",
        }),
        keys: z.array(z.string().nullable()).exactOptional(),
      }),
    ),
  })
  .meta({ id: "ItemStates" });
