// Where a moment is kept: in the bucket of its minute and in that of its day, UTC. Buckets lie together in blocks, an
// hour of minutes or 32 days, each of which is one record that goes as a whole once its last bucket is old enough.

import type { Json } from "../../std/json.ts";
import { isRecord } from "../../std/record.ts";
import { addToBucket, parseBucket, type Bucket, type Level } from "./bucket.ts";
import { DAY_ROLL_UPS_KEPT_MS, MINUTE_ROLL_UPS_KEPT_MS } from "../../model/limits.ts";

/** Lengths of time that are rolled up. */
export const ROLL_UP_UNITS = ["minute", "day"] as const;

/** Length of time that is rolled up. */
export type RollUpUnit = (typeof ROLL_UP_UNITS)[number];

interface UnitTerms {
  readonly bucketMs: number;
  /** Buckets of one block. */
  readonly buckets: number;
  /** How long a bucket is kept after its end, ms. */
  readonly keptMs: number;
}

const TERMS: Readonly<Record<RollUpUnit, UnitTerms>> = {
  minute: { bucketMs: 60_000, buckets: 60, keptMs: MINUTE_ROLL_UPS_KEPT_MS },
  day: { bucketMs: 86_400_000, buckets: 32, keptMs: DAY_ROLL_UPS_KEPT_MS },
};

/** Length of a bucket, ms. */
export function bucketMsOf(unit: RollUpUnit): number {
  return TERMS[unit].bucketMs;
}

/** Most buckets of a unit that are kept at once. */
export function bucketsKeptMax(unit: RollUpUnit): number {
  return Math.floor(TERMS[unit].keptMs / TERMS[unit].bucketMs);
}

/** Where a moment is kept. */
export interface BlockPlace {
  /** Number of the block since 1970. */
  readonly block: number;
  /** Bucket in it, from 0. */
  readonly bucket: number;
  /** When the block has no bucket any more that is kept, UTC ms. */
  readonly dueAtMs: number;
}

/** Where a moment is kept, whatever its age. */
export function placeOf(unit: RollUpUnit, atMs: number): BlockPlace {
  const { bucketMs, buckets, keptMs } = TERMS[unit];
  const bucket = Math.floor(atMs / bucketMs);
  const block = Math.floor(bucket / buckets);
  return {
    block,
    bucket: bucket - block * buckets,
    dueAtMs: (block + 1) * buckets * bucketMs + keptMs,
  };
}

/** One number for one bucket of a block. */
export interface BucketChange {
  readonly kind: "bucket";
  readonly bucket: number;
  readonly name: string;
  readonly by: number | Level;
}

/** A block as it is stored, with these numbers added; undefined: there was none. */
export function foldBlock(value: unknown, changes: readonly BucketChange[]): Json {
  const buckets: Record<string, Bucket> = {};
  for (const [index, bucket] of Object.entries(isRecord(value) ? value : {}))
    buckets[index] = parseBucket(bucket);
  for (const { bucket, name, by } of changes)
    buckets[bucket] = addToBucket(buckets[bucket] ?? {}, name, by);
  return buckets;
}

/** One bucket of a block as it is stored. */
export function bucketIn(value: unknown, bucket: number): Bucket {
  return isRecord(value) ? parseBucket(value[String(bucket)]) : {};
}
