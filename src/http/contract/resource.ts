// Resources: how limits, quotas and breakers stand, and the orders that people give them.

import * as z from "zod";
import { schemaField, type Document } from "./document.ts";
import {
  durationValue,
  type DurationValue,
  keyText,
  pageFields,
  reasonText,
  resourceText,
  type PageQuery,
} from "./reading.ts";
import { timeValue, wholeValue } from "./run.ts";

/** A quota as it holds now. */
export interface Quota {
  readonly rate: number;
  readonly perMs: number;
  readonly burst: number;
  readonly available: number;
}

const quotaFields = { rate: z.number(), perMs: z.number(), burst: z.number() };

/** How a breaker stands. */
export interface Breaker {
  readonly state: "closed" | "open" | "half_open";
  readonly threshold: number;
  readonly recoveryMs: number;
  readonly failures: number;
  readonly openings: number;
  readonly since?: string;
  readonly sinceMs?: number;
  readonly openUntil?: string;
  readonly forced?: { readonly until: string; readonly actor: string; readonly reason: string };
}

/** One key of a resource, or a resource without keys. */
export interface Resource {
  readonly name: string;
  readonly key?: string;
  readonly limit?: number;
  readonly declaredLimit?: number;
  readonly held: number;
  readonly waiting: number;
  readonly quotas: readonly Quota[];
  readonly breaker?: Breaker;
  readonly pausedUntil?: string;
  readonly override?: {
    readonly limit?: number;
    readonly quotas?: readonly Omit<Quota, "available">[];
    readonly until?: string;
    readonly actor: string;
    readonly reason: string;
  };
  readonly totals: {
    readonly granted: number;
    readonly succeeded: number;
    readonly failed: number;
    readonly throttled: number;
    readonly consumed: number;
  };
  readonly lastFailureAt?: string;
  readonly usedAt?: string;
  readonly holders: readonly {
    readonly run: string;
    readonly name: string;
    readonly stage: string;
    readonly item?: string;
    readonly since: string;
    readonly probe: boolean;
  }[];
}

const breaker: z.ZodType<Breaker> = z
  .object({
    state: z.enum(["closed", "open", "half_open"]),
    threshold: z.number(),
    recoveryMs: z.number(),
    failures: wholeValue,
    openings: wholeValue,
    since: timeValue.exactOptional(),
    sinceMs: z.number().exactOptional(),
    openUntil: timeValue.exactOptional(),
    forced: z
      .object({ until: timeValue, actor: z.string(), reason: z.string() })
      .exactOptional()
      .meta({ description: "Held open, or closed, by hand." }),
  })
  .meta({ id: "Breaker" });

const resource: z.ZodType<Resource> = z
  .object({
    name: z.string(),
    key: z.string().exactOptional(),
    limit: z.number().exactOptional().meta({ description: "In force; absent: any number." }),
    declaredLimit: z.number().exactOptional(),
    held: wholeValue,
    waiting: wholeValue,
    quotas: z.array(z.object({ ...quotaFields, available: z.number() })),
    breaker: breaker.exactOptional(),
    pausedUntil: timeValue.exactOptional(),
    override: z
      .object({
        limit: z.number().exactOptional(),
        quotas: z.array(z.object(quotaFields)).exactOptional(),
        until: timeValue.exactOptional(),
        actor: z.string(),
        reason: z.string(),
      })
      .exactOptional()
      .meta({ description: "Set by hand and in force." }),
    totals: z.object({
      granted: wholeValue,
      succeeded: wholeValue,
      failed: wholeValue,
      throttled: wholeValue,
      consumed: wholeValue,
    }),
    lastFailureAt: timeValue.exactOptional(),
    usedAt: timeValue.exactOptional(),
    holders: z.array(
      z.object({
        run: z.string(),
        name: z.string(),
        stage: z.string(),
        item: z.string().exactOptional(),
        since: timeValue,
        probe: z.boolean(),
      }),
    ),
  })
  .meta({ id: "Resource", description: "One key of a resource, or a resource without keys." });

/** A page of resources. */
export interface ResourcesAnswer extends Document<"resources"> {
  readonly resources: readonly Resource[];
  readonly nextCursor?: string;
}

/** A page of resources. */
export const resourcesAnswer: z.ZodType<ResourcesAnswer> = z
  .object({
    ...schemaField("resources"),
    resources: z.array(resource),
    nextCursor: z.string().exactOptional(),
  })
  .meta({ id: "Resources" });

/** Which of all resources. */
export interface ResourcesQuery extends PageQuery {
  readonly resource?: string;
}

/** Which of all resources. */
export const resourcesQuery: z.ZodType<ResourcesQuery> = z.strictObject({
  ...pageFields,
  resource: resourceText.exactOptional(),
});

/** Which keys of one resource. */
export interface ResourceQuery extends PageQuery {
  readonly key?: string;
}

/** Which keys of one resource. */
export const resourceQuery: z.ZodType<ResourceQuery> = z.strictObject({
  ...pageFields,
  key: keyText.exactOptional(),
});

const orderFields = {
  key: keyText.exactOptional().meta({ description: "Only this key. Default: the whole of it." }),
  reason: reasonText.exactOptional(),
};

/** To which key, and why. */
export interface ResetBody {
  readonly key?: string;
  readonly reason?: string;
}

/** To which key, and why. */
export const resetBody: z.ZodType<ResetBody> = z.strictObject(orderFields);

/** How long a breaker is held open. */
export interface TripBody extends ResetBody {
  readonly for?: DurationValue;
}

/** How long a breaker is held open. */
export const tripBody: z.ZodType<TripBody> = z.strictObject({
  ...orderFields,
  for: durationValue.exactOptional().meta({ description: "Until a probe may go. Default 1h." }),
});

/** What is set. */
export interface OverrideBody extends TripBody {
  readonly limit?: number;
  readonly quota?: readonly {
    readonly rate: number;
    readonly per: DurationValue;
    readonly burst?: number;
  }[];
}

/** What is set; what is not named stays. */
export const overrideBody: z.ZodType<OverrideBody> = z.strictObject({
  ...orderFields,
  for: durationValue.exactOptional().meta({ description: "Default: until it is reset." }),
  limit: z.number().int().min(1).max(10_000).exactOptional(),
  quota: z
    .array(
      z.strictObject({
        rate: z.number().positive(),
        per: durationValue,
        burst: z.number().positive().exactOptional(),
      }),
    )
    .min(1)
    .max(8)
    .exactOptional(),
});
