// How parts of an address are read: names and ids by their grammar, before anything is done with them; lists, numbers,
// times and pages of a query from their text. What does not fit is refused with its name, and so is what is not known.

import * as z from "zod";
import { HTTP_FILTERS_MAX, PAGE_ROWS_MAX } from "../../model/limits.ts";

/** A run by short name, id or `last`; ids of batches, schedules, operations, tokens. */
export const idText: z.ZodType<string> = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/, "expected 1 to 128 letters, digits, '.', '_' or '-'")
  .meta({ description: "Begins with a letter or digit; then letters, digits, '.', '_', '-'." });

/** Name of a pipeline or stage. */
export const nameText: z.ZodType<string> = z
  .string()
  .regex(/^[A-Za-z0-9_][\w.:-]{0,199}$/, "expected a name: letters, digits, '_', '.', ':' or '-'");

/** Name of a resource: no slash, no control character. */
export const resourceText: z.ZodType<string> = z
  .string()
  // oxlint-disable-next-line no-control-regex
  .regex(/^(?!\.{1,2}$)[^/\\\u0000-\u001f\u007f]{1,200}$/, "expected a name without a slash");

/** Key of an item, a resource or a run: free text, which never becomes a path. */
export const keyText: z.ZodType<string> = z.string().min(1).max(1_024);

/** Text that people wrote, such as a reason. */
export const reasonText: z.ZodType<string> = z.string().min(1).max(500);

/** An opaque cursor. */
const cursorText: z.ZodType<string> = z
  .string()
  .min(1)
  .max(2_048)
  .meta({ description: "A cursor that a page of this list gave, unchanged." });

/** Which page of a list. */
export interface PageQuery {
  readonly limit?: number;
  readonly cursor?: string;
}

/** Fields of every list's query. */
export const pageFields: {
  readonly limit: z.ZodExactOptional<z.ZodType<number>>;
  readonly cursor: z.ZodExactOptional<z.ZodType<string>>;
} = {
  limit: wholeText(1, PAGE_ROWS_MAX)
    .meta({ description: "Rows, 1 to 500. Default 20." })
    .exactOptional(),
  cursor: cursorText.exactOptional(),
};

/** Which page of a list that goes on both ways: by a cursor, or around one of its rows. */
export interface PlaceQuery extends PageQuery {
  readonly around?: string;
}

/** Where a list goes on: nothing in that direction where it is absent. */
export interface PageAnswer {
  readonly nextCursor?: string;
  readonly previousCursor?: string;
}

/** Fields of the answer of a list that goes on both ways. */
export const cursorFields: {
  readonly nextCursor: z.ZodExactOptional<z.ZodType<string>>;
  readonly previousCursor: z.ZodExactOptional<z.ZodType<string>>;
} = {
  nextCursor: z.string().exactOptional().meta({ description: "Absent on the last page." }),
  previousCursor: z.string().exactOptional().meta({ description: "Absent on the first page." }),
};

/** A whole number as text. */
export function wholeText(min: number, max: number): z.ZodType<number> {
  return z
    .string()
    .regex(/^-?\d{1,16}$/, "expected a whole number")
    .transform(Number)
    .pipe(z.number().int().min(min).max(max))
    .meta({ minimum: min, maximum: max });
}

/** `true` or `false`. */
export const flagText: z.ZodType<boolean> = z
  .enum(["true", "false"])
  .transform((text) => text === "true");

/** Words of a closed set, separated by commas. */
export function listText<const T extends string>(known: readonly T[]): z.ZodType<readonly T[]> {
  return z
    .string()
    .transform((text) => text.split(","))
    .pipe(z.array(z.enum(known)).min(1).max(HTTP_FILTERS_MAX))
    .meta({ description: `Separated by commas: ${known.join(", ")}.` });
}

/** Free words, separated by commas. */
export const wordsText: z.ZodType<readonly string[]> = z
  .string()
  .max(8_192)
  .transform((text) => text.split(","))
  .pipe(z.array(z.string().min(1).max(200)).min(1).max(HTTP_FILTERS_MAX));

/** A moment: ISO 8601, or a duration back from now, such as `2h`. */
export const sinceText: z.ZodType<string> = z
  .string()
  .regex(/^(\d{4}-\d{2}-\d{2}\S{0,40}|\d{1,12}(\.\d{1,6})?(ms|s|m|h|d))$/, "expected 2h or a time")
  .meta({ description: "ISO 8601, or a duration back from now such as 2h." });

/** `key=value`. */
export const tagText: z.ZodType<readonly [key: string, value: string]> = z
  .string()
  .regex(/^[^=]{1,256}=.{0,256}$/s, "expected key=value")
  .transform((text): readonly [string, string] => {
    const cut = text.indexOf("=");
    return [text.slice(0, cut), text.slice(cut + 1)];
  });

/** A duration in a body: text with its unit, or whole milliseconds. */
export type DurationValue = number | `${number}${"ms" | "s" | "m" | "h" | "d"}`;

/** A duration in a body. */
export const durationValue: z.ZodType<DurationValue> = z.union(
  [z.templateLiteral([z.number(), z.enum(["ms", "s", "m", "h", "d"])]), z.number().int().min(0)],
  "expected a duration such as 5m, or whole milliseconds",
);

/** Tags of a run in a body. */
export const tagsValue: z.ZodType<Readonly<Record<string, string>>> = z
  .record(z.string().min(1).max(256), z.string().max(256))
  .refine((tags) => Object.keys(tags).length <= 64, "expected at most 64 tags");

/** One run in a path. */
export interface RunParams {
  readonly run: string;
}

/** One run in a path. */
export const runParams: z.ZodType<RunParams> = z.strictObject({ run: idText });

/** A pipeline in a path. */
export interface NameParams {
  readonly name: string;
}

/** A pipeline in a path. */
export const pipelineParams: z.ZodType<NameParams> = z.strictObject({ name: nameText });

/** A resource in a path. */
export const resourceParams: z.ZodType<NameParams> = z.strictObject({ name: resourceText });

/** A stage of a run in a path. */
export interface StageParams extends RunParams {
  readonly stage: string;
}

/** A stage of a run in a path. */
export const stageParams: z.ZodType<StageParams> = z.strictObject({ run: idText, stage: nameText });

/** An item in a path. */
export interface ItemParams extends StageParams {
  readonly key: string;
}

/** An item in a path. */
export const itemParams: z.ZodType<ItemParams> = z.strictObject({
  run: idText,
  stage: nameText,
  key: keyText,
});

/** Anything else with an id in a path. */
export interface IdParams {
  readonly id: string;
}

/** Anything else with an id in a path. */
export const idParams: z.ZodType<IdParams> = z.strictObject({ id: idText });
