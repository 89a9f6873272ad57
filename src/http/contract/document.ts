// What every document says of itself: its schema and version. Fields are only added within a version. And the one
// shape of every refusal.

import * as z from "zod";

/** Name and version of a document. */
export interface Document<Name extends string> {
  /** `millrace.runs/1`. */
  readonly schema: `millrace.${Name}/1`;
}

/** The field that a document of this name begins with. */
export function schemaField<const Name extends string>(
  name: Name,
): { readonly schema: z.ZodType<`millrace.${Name}/1`> } {
  const text: `millrace.${Name}/1` = `millrace.${name}/1`;
  return { schema: z.literal(text) };
}

/** A refusal. */
export interface ErrorAnswer {
  readonly error: {
    readonly code: string;
    readonly message: string;
    readonly hint?: string;
    readonly details?: Readonly<Record<string, unknown>>;
  };
}

/** A refusal. */
export const errorAnswer: z.ZodType<ErrorAnswer> = z
  .object({
    error: z.looseObject({
      code: z.string().meta({ description: "One of the codes of docs/reference/errors.md." }),
      message: z.string(),
      hint: z.string().exactOptional(),
      details: z.record(z.string(), z.unknown()).exactOptional(),
    }),
  })
  .meta({ id: "Error", description: "A refusal: what happened, and what to do now." });
