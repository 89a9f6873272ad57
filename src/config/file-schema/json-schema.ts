// The few forms of JSON Schema (2020-12) that a configuration needs, as functions that leave no bound unsaid. What they
// make is plain data.

import type { Json } from "../../std/json.ts";

/** A schema, or a part of one. */
export interface JsonSchema {
  readonly $ref?: string;
  readonly type?: "object" | "array" | "string" | "integer" | "number" | "boolean";
  readonly description?: string;
  readonly default?: Json;
  readonly enum?: readonly Json[];
  readonly const?: Json;
  readonly minimum?: number;
  readonly exclusiveMinimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly pattern?: string;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly items?: JsonSchema;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly patternProperties?: Readonly<Record<string, JsonSchema>>;
  readonly additionalProperties?: boolean | JsonSchema;
  readonly required?: readonly string[];
  readonly maxProperties?: number;
  readonly anyOf?: readonly JsonSchema[];
  readonly oneOf?: readonly JsonSchema[];
}

/** The type of options, key by key: one that is forgotten does not compile. */
export type Properties<Options> = Readonly<Record<keyof Options & string, JsonSchema>>;

/** A record with these keys and free ones that begin with `x-`. */
export function record<Options>(
  description: string,
  properties: Properties<Options>,
  required: readonly (keyof Options & string)[] = [],
): JsonSchema {
  return {
    type: "object",
    description,
    properties,
    patternProperties: { "^x-": {} },
    additionalProperties: false,
    ...(required.length === 0 ? {} : { required }),
  };
}

/** A record whose keys are names. */
export function byName(description: string, value: JsonSchema): JsonSchema {
  return { type: "object", description, additionalProperties: value };
}

/** A whole number within its bounds. */
export function whole(description: string, minimum: number, maximum: number): JsonSchema {
  return { type: "integer", description, minimum, maximum };
}

/** A number within its bounds. */
export function fraction(description: string, minimum: number, maximum: number): JsonSchema {
  return { type: "number", description, minimum, maximum };
}

/** Text that is not empty. */
export function text(description: string, maxLength: number): JsonSchema {
  return { type: "string", description, minLength: 1, maxLength };
}

/** One of some words. */
export function oneOfWords(description: string, words: readonly string[]): JsonSchema {
  return { enum: words, description };
}

/** True or false. */
export function flag(description: string): JsonSchema {
  return { type: "boolean", description };
}

/** A list of texts. */
export function texts(description: string, maxItems: number): JsonSchema {
  return { type: "array", description, items: { type: "string" }, maxItems };
}

/** Whole milliseconds, or a number with a unit. */
export function duration(description: string): JsonSchema {
  return { $ref: "#/$defs/duration", description };
}
