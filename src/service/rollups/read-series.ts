// Series out of the roll-ups: what ended and how high things stood, by minute or by day, one number per bucket. A
// bucket in which nothing was counted has 0; a level at which nobody looked is null, which is a gap and no 0.

import { MillraceError } from "../../model/errors.ts";
import type { Bucket, Level } from "../../policy/rollup/bucket.ts";
import {
  bucketIn,
  bucketMsOf,
  bucketsKeptMax,
  placeOf,
  ROLL_UP_UNITS,
  type RollUpUnit,
} from "../../policy/rollup/roll-up-block.ts";
import {
  ALL_PIPELINES,
  blockKey,
  ROLL_UP_COUNTS,
  type RollUpCount,
  type RollUpSubject,
} from "../../policy/rollup/roll-up-entry.ts";
import type { Store } from "../../storage/store.ts";
import { getResourceTerms, type ResourceSources } from "../resources/known-resources.ts";
import { toIso } from "../views/time-view.ts";
import { QUEUE_LEVELS, RESOURCE_LEVELS } from "./look-at-levels.ts";
import { readCursor } from "./roll-up-records.ts";

/** Which part of a series. */
export interface SeriesQuery {
  /** Default "minute". */
  readonly unit?: RollUpUnit;
  /** From the bucket of this UTC ms on. Default: the last 60 minutes, or 30 days. Nothing is older than 24 h, or 731
   *  days. */
  readonly sinceMs?: number;
}

/** Which runs a series is about. */
export interface RateQuery extends SeriesQuery {
  /** Default: all. */
  readonly pipeline?: string;
}

/** A level by bucket; null: nobody looked. */
export interface LevelSeries {
  readonly mean: readonly (number | null)[];
  readonly min: readonly (number | null)[];
  readonly max: readonly (number | null)[];
}

interface Series {
  readonly unit: RollUpUnit;
  /** Beginning of the first bucket; the last one is under way. Days are those of UTC. */
  readonly from: string;
  /** Length of a bucket, ms. */
  readonly stepMs: number;
  /** What was told until then is counted. Absent: nothing was counted yet. */
  readonly countedUntil?: string;
}

/** How many runs began and ended, and how their queue stood. */
export interface RateSeries extends Series {
  /** Absent: of all pipelines. */
  readonly pipeline?: string;
  /** Per bucket. A run that was resumed has ended as often as it did. */
  readonly counts: Readonly<Record<RollUpCount, readonly number[]>>;
  readonly levels: Readonly<Record<(typeof QUEUE_LEVELS)[number], LevelSeries>>;
}

/** How a resource stood, all its keys together. */
export interface ResourceSeries extends Series {
  readonly resource: string;
  /** `quotaLeft`: 1 is a full quota; of several, and of several keys, the emptiest. */
  readonly levels: Readonly<Record<(typeof RESOURCE_LEVELS)[number], LevelSeries>>;
}

type SeriesStore = Pick<Store, "findRecord" | "nowMs">;

/** Reads counts and queues. OPTION_INVALID for what is no unit or no time. */
export async function readRates(store: SeriesStore, query: RateQuery = {}): Promise<RateSeries> {
  const { pipeline } = query;
  const span = toSpan(store, query);
  const all = await readBuckets(store, span, ALL_PIPELINES);
  const own =
    pipeline === undefined
      ? all
      : await readBuckets(store, span, { kind: "pipeline", name: pipeline });
  const levelOf = (name: string): LevelSeries =>
    toLevels(own.map((bucket, index) => withEmptyQueue(bucket[name], all[index]?.[name])));
  return {
    ...(await describe(store, span)),
    ...(pipeline === undefined ? {} : { pipeline }),
    counts: toRecord(ROLL_UP_COUNTS, (name) => own.map((bucket) => toCount(bucket[name]))),
    levels: toRecord(QUEUE_LEVELS, levelOf),
  };
}

/** Reads how a resource stood. RESOURCE_UNKNOWN; OPTION_INVALID as `readRates`. */
export async function readResourceSeries(
  sources: ResourceSources,
  resource: string,
  query: SeriesQuery = {},
): Promise<ResourceSeries> {
  const { store } = sources;
  await getResourceTerms(sources, resource);
  const span = toSpan(store, query);
  const buckets = await readBuckets(store, span, { kind: "resource", name: resource });
  const levelOf = (name: string): LevelSeries => {
    const series = toLevels(buckets.map((bucket) => toLevel(bucket[name])));
    return name === "quotaLeft" ? toShares(series) : series;
  };
  return {
    ...(await describe(store, span)),
    resource,
    levels: toRecord(RESOURCE_LEVELS, levelOf),
  };
}

interface Span {
  readonly unit: RollUpUnit;
  readonly fromMs: number;
  readonly buckets: number;
}

const BUCKETS_DEFAULT: Readonly<Record<RollUpUnit, number>> = { minute: 60, day: 30 };

function toSpan(store: SeriesStore, { unit = "minute", sinceMs }: SeriesQuery): Span {
  if (!ROLL_UP_UNITS.includes(unit)) {
    const message = `"unit" is ${ROLL_UP_UNITS.join(" or ")}; got "${String(unit).slice(0, 100)}".`;
    throw new MillraceError("OPTION_INVALID", message);
  }
  if (sinceMs !== undefined && !Number.isFinite(sinceMs))
    throw new MillraceError("OPTION_INVALID", `"sinceMs" is a time in ms; got ${sinceMs}.`);
  const stepMs = bucketMsOf(unit);
  const last = Math.floor(store.nowMs() / stepMs);
  const asked =
    sinceMs === undefined ? BUCKETS_DEFAULT[unit] : last - Math.floor(sinceMs / stepMs) + 1;
  const buckets = Math.max(1, Math.min(bucketsKeptMax(unit), asked));
  return { unit, fromMs: (last - buckets + 1) * stepMs, buckets };
}

async function describe(store: SeriesStore, { unit, fromMs }: Span): Promise<Series> {
  const { untilMs } = await readCursor(store);
  return {
    unit,
    from: toIso(fromMs),
    stepMs: bucketMsOf(unit),
    ...(untilMs === 0 ? {} : { countedUntil: toIso(untilMs) }),
  };
}

async function readBuckets(
  store: SeriesStore,
  { unit, fromMs, buckets }: Span,
  subject: RollUpSubject,
): Promise<readonly Bucket[]> {
  const found: Bucket[] = [];
  let block: { readonly number: number; readonly value: unknown } | undefined;
  for (let index = 0; index < buckets; index += 1) {
    const place = placeOf(unit, fromMs + index * bucketMsOf(unit));
    if (block?.number !== place.block) {
      const record = await store.findRecord("rollups", blockKey(unit, place.block, subject));
      block = { number: place.block, value: record?.value };
    }
    found.push(bucketIn(block.value, place.bucket));
  }
  return found;
}

function toRecord<Name extends string, Value>(
  names: readonly Name[],
  make: (name: Name) => Value,
): Readonly<Record<Name, Value>> {
  // The compiler does not follow keys through a list of pairs.
  return Object.fromEntries(names.map((name) => [name, make(name)])) as Record<Name, Value>;
}

function toCount(value: number | Level | undefined): number {
  return typeof value === "number" ? value : 0;
}

function toLevel(value: number | Level | undefined): Level | null {
  return value === undefined || typeof value === "number" ? null : value;
}

/** A queue in which nothing was is not written down: where all were looked at, it was 0. */
function withEmptyQueue(
  own: number | Level | undefined,
  all: number | Level | undefined,
): Level | null {
  const looked = toLevel(all);
  if (looked === null) return toLevel(own);
  const [looks, sum, min, max] = toLevel(own) ?? [0, 0, 0, 0];
  return looks >= looked[0] ? [looks, sum, min, max] : [looked[0], sum, 0, max];
}

function toLevels(levels: readonly (Level | null)[]): LevelSeries {
  return {
    mean: levels.map((level) => (level === null ? null : round(level[1] / level[0]))),
    min: levels.map((level) => level?.[2] ?? null),
    max: levels.map((level) => level?.[3] ?? null),
  };
}

function toShares({ mean, min, max }: LevelSeries): LevelSeries {
  const share = (value: number | null): number | null =>
    value === null ? null : round(value / 1_000);
  return { mean: mean.map(share), min: min.map(share), max: max.map(share) };
}

function round(value: number): number {
  return Math.round(value * 1_000) / 1_000;
}
