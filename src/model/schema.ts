// Standard Schema, types only: authors bring zod, valibot, arktype or their own.

import type { StandardSchemaV1 } from "@standard-schema/spec";

/** A schema of any library that follows Standard Schema, giving `Out`. */
export type Schema<Out = unknown> = StandardSchemaV1<unknown, Out>;
