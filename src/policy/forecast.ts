// How long stages and runs take, judged by earlier runs. An estimate is the middle four fifths of what was seen,
// with its median; a run is estimated by working its graph through in a given number of places. Pure: time that
// went by is an argument.

/** One time that a stage was worked on. */
export interface DurationSample {
  readonly durationMs: number;
  /** Of a map stage: how many items its list had; null: it is none, or it was not known. */
  readonly items: number | null;
}

/** How long something takes, ms. */
export interface Estimate {
  readonly lowMs: number;
  /** The median. */
  readonly midMs: number;
  readonly highMs: number;
  /** How many earlier times it rests on; Infinity where nothing is left to guess. */
  readonly samples: number;
}

/** How far an estimate may be trusted. */
export type Confidence = "low" | "medium" | "high";

/** What is known of the work to come. */
export interface WorkAhead {
  /** Of a map stage: how many items there are; earlier times are scaled to as many. Default: not known. */
  readonly items?: number;
  /** How long it has been worked on already, ms. Default 0. */
  readonly elapsedMs?: number;
}

/** What is over, or takes no time. */
export const NO_TIME: Estimate = { lowMs: 0, midMs: 0, highMs: 0, samples: Infinity };

/**
 * What is left of a stage. Of a stage under way only the earlier times count that were longer than it has taken by
 * now. Undefined: there is no such time, so nothing can be said.
 */
export function estimateStage(
  samples: readonly DurationSample[],
  { items, elapsedMs = 0 }: WorkAhead = {},
): Estimate | undefined {
  const left = samples
    .map((sample) => scaleTo(sample, items) - elapsedMs)
    .filter((ms) => elapsedMs === 0 || ms > 0)
    .toSorted((one, other) => one - other);
  if (left.length === 0) return undefined;
  return {
    lowMs: quantile(left, 0.1),
    midMs: quantile(left, 0.5),
    highMs: quantile(left, 0.9),
    samples: left.length,
  };
}

function scaleTo({ durationMs, items: before }: DurationSample, items: number | undefined): number {
  if (items === undefined || before === null || before === 0) return durationMs;
  return (durationMs * items) / before;
}

function quantile(sorted: readonly number[], share: number): number {
  return Math.round(sorted[Math.round((sorted.length - 1) * share)] ?? 0);
}

/** A stage of a run to be estimated. */
export interface StageAhead {
  /** Positions of the stages that must be over first. */
  readonly needs: readonly number[];
  readonly estimate: Estimate;
}

/**
 * How long stages take together: each starts when its needs are over and one of `slots` places is free, the first in
 * the list first. The graph must be free of cycles, and `slots` at least 1. Its samples are the fewest of any stage.
 */
export function estimateRun(stages: readonly StageAhead[], slots: number): Estimate {
  const [low = 0, mid = 0, high = 0] = (["lowMs", "midMs", "highMs"] as const)
    .map((bound) => workThrough(stages, slots, (estimate) => estimate[bound]))
    // With few places, shorter stages may by bad luck take longer together.
    .toSorted((one, other) => one - other);
  const samples = Math.min(...stages.map(({ estimate }) => estimate.samples), Infinity);
  return { lowMs: low, midMs: mid, highMs: high, samples };
}

/** When the last stage ends, ms from now. */
function workThrough(
  stages: readonly StageAhead[],
  slots: number,
  lengthOf: (estimate: Estimate) => number,
): number {
  const endsMs = new Map<number, number>();
  let waiting = [...stages.keys()];
  let nowMs = 0;
  while (waiting.length > 0) {
    let free = slots - countOpen(endsMs, nowMs);
    const kept: number[] = [];
    for (const position of waiting) {
      const needs = stages[position]?.needs ?? [];
      const isReady = free > 0 && needs.every((need) => (endsMs.get(need) ?? Infinity) <= nowMs);
      if (!isReady) {
        kept.push(position);
        continue;
      }
      const ms = lengthOf(stages[position]?.estimate ?? NO_TIME);
      endsMs.set(position, nowMs + ms);
      if (ms > 0) free -= 1;
    }
    // What takes no time may make others ready at this very moment.
    if (kept.length === waiting.length) {
      const next = Math.min(...[...endsMs.values()].filter((endMs) => endMs > nowMs));
      if (next === Infinity) break;
      nowMs = next;
    }
    waiting = kept;
  }
  return Math.max(0, ...endsMs.values());
}

function countOpen(endsMs: ReadonlyMap<number, number>, nowMs: number): number {
  let open = 0;
  for (const endMs of endsMs.values()) if (endMs > nowMs) open += 1;
  return open;
}

/** Earlier times that high confidence takes. */
const HIGH_SAMPLES_MIN = 5;
/** Earlier times that medium confidence takes. */
const MEDIUM_SAMPLES_MIN = 2;
/** Spread that never matters, ms: nobody plans with parts of a second. */
const SPREAD_MS_MIN = 1_000;

/** High: five earlier times that lie within half of their median; medium: two within its double; else low. */
export function judgeConfidence({ lowMs, midMs, highMs, samples }: Estimate): Confidence {
  const spreadMs = highMs - lowMs;
  const isWithin = (share: number): boolean => spreadMs <= Math.max(SPREAD_MS_MIN, midMs * share);
  if (samples >= HIGH_SAMPLES_MIN && isWithin(0.5)) return "high";
  return samples >= MEDIUM_SAMPLES_MIN && isWithin(2) ? "medium" : "low";
}
