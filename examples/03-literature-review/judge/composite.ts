// From six scores to one number, and from that to a verdict. Nothing here reads text.

/** How well a claim supports a requirement, seen from six sides. */
export interface Scores {
  /** 1 to 5: how firmly it is said. */
  readonly strength: number;
  /** 1 to 5: how much method stands behind it. */
  readonly rigor: number;
  /** 1 to 5: how much of the requirement it speaks to. */
  readonly relevance: number;
  /** 1 to 3: said in passing, said, or what the sentence is about. */
  readonly directness: number;
  /** 0 to 1: 1 is this year's work, 0.5 is one half-life old. */
  readonly recency: number;
  /** 0 to 1: 1 when a reader can repeat it. */
  readonly reproducibility: number;
}

/** Names of the scores, in the order in which they are shown. */
export const SCORE_NAMES = [
  "strength",
  "rigor",
  "relevance",
  "directness",
  "recency",
  "reproducibility",
] as const satisfies readonly (keyof Scores)[];

/** What a claim with the best of all scores reaches. */
export const COMPOSITE_MAX = 4.2;
/** Composite, strength and relevance that a claim needs. */
const APPROVED_MIN = 3;
/** Between these a single judge is not enough. */
const PANEL_RANGE = { min: 2.5, max: 3.5 };

/** One number for six scores, with three decimals. */
export function compositeOf(scores: Scores): number {
  const sum =
    0.3 * scores.strength +
    0.25 * scores.rigor +
    0.25 * scores.relevance +
    0.1 * (scores.directness / 3) +
    0.05 * scores.recency +
    0.05 * scores.reproducibility;
  return roundTo(sum, 3);
}

/** True when a claim counts as evidence. */
export function isApproved(scores: Scores): boolean {
  const { strength, relevance } = scores;
  return Math.min(compositeOf(scores), strength, relevance) >= APPROVED_MIN;
}

/** True when it is close enough for more judges to be asked. */
export function needsPanel(scores: Scores): boolean {
  const composite = compositeOf(scores);
  return composite >= PANEL_RANGE.min && composite <= PANEL_RANGE.max;
}

/** The mean of what several judges gave, with two decimals. */
export function meanScores(all: readonly Scores[]): Scores {
  const mean = (name: keyof Scores): number =>
    roundTo(all.reduce((sum, scores) => sum + scores[name], 0) / all.length, 2);
  return {
    strength: mean("strength"),
    rigor: mean("rigor"),
    relevance: mean("relevance"),
    directness: mean("directness"),
    recency: mean("recency"),
    reproducibility: mean("reproducibility"),
  };
}

/** A number with so many decimals, for files that are compared byte by byte. */
export function roundTo(value: number, decimals: number): number {
  return Number(value.toFixed(decimals));
}
