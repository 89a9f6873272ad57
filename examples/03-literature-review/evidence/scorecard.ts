// One number from 0 to 100 per pillar, and a tier: how complete the evidence is, how good, and how much of it
// stands on more than one paper.
import { COMPOSITE_MAX, roundTo } from "../judge/composite.ts";
import { mean } from "./gaps.ts";
import type { PillarGap } from "./gaps.ts";

/** From 80, from 60, from 40, and below. */
export type Tier = "strong" | "sound" | "thin" | "weak";

/** The tier of a score from 0 to 100. */
export function tierOf(score: number): Tier {
  if (score >= 80) return "strong";
  if (score >= 60) return "sound";
  return score >= 40 ? "thin" : "weak";
}

/** One row of the scorecard. All parts are 0 to 1. */
export interface PillarScore {
  readonly id: string;
  readonly title: string;
  /** 0 to 100, with one decimal: 60 completeness, 25 quality, 15 breadth. */
  readonly score: number;
  readonly tier: Tier;
  readonly completeness: number;
  /** Mean composite of approved claims, as a share of the best. */
  readonly quality: number;
  /** Share of requirements that at least two papers support. */
  readonly breadth: number;
}

/** The whole card. */
export interface Scorecard {
  /** Mean of the pillars, each by the number of its requirements. */
  readonly score: number;
  readonly tier: Tier;
  readonly pillars: readonly PillarScore[];
}

/** Scores every pillar and all together. */
export function scorePillars(gaps: readonly PillarGap[]): Scorecard {
  const pillars = gaps.map(scorePillar);
  const weights = gaps.map(({ requirements }) => requirements.length);
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const sum = pillars.reduce((all, { score }, at) => all + score * (weights[at] ?? 0), 0);
  const score = roundTo(sum / total, 1);
  return { score, tier: tierOf(score), pillars };
}

function scorePillar({ id, title, completeness, requirements }: PillarGap): PillarScore {
  const qualities = requirements.flatMap((gap) => (gap.quality === null ? [] : gap.quality));
  const quality = roundTo(mean(qualities) / COMPOSITE_MAX, 3);
  const broad = requirements.filter(
    ({ support }) => support.filter(({ approved }) => approved > 0).length >= 2,
  );
  const breadth = roundTo(broad.length / requirements.length, 3);
  const score = roundTo(60 * completeness + 25 * quality + 15 * breadth, 1);
  return { id, title, score, tier: tierOf(score), completeness, quality, breadth };
}
