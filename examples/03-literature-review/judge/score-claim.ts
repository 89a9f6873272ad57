// How one judge scores one claim. There are three, and each reads more than the one before: the sentence alone,
// the sentence in its place, the sentence with its neighbours. All follow rules, so a claim has one score.
import type { Claim } from "../review/claim.ts";
import type { Requirement } from "../review/requirement.ts";
import { roundTo } from "./composite.ts";
import type { Scores } from "./composite.ts";
import { readFeatures } from "./features.ts";
import type { Features } from "./features.ts";

/** The three ways of reading, in the order in which judges are asked. */
export const VIEWS = ["sentence", "place", "context"] as const;

/** One way of reading. */
export type View = (typeof VIEWS)[number];

/** Evidence loses half its weight with every half-life; of unknown age it counts half. */
export function decayOf(ageYears: number | null, halfLifeYears: number): number {
  return ageYears === null ? 0.5 : 2 ** (-Math.max(0, ageYears) / halfLifeYears);
}

/** What a judge needs besides the claim. */
export interface Bench {
  readonly requirement: Requirement;
  readonly asOf: number;
  readonly halfLifeYears: number;
}

/** Scores a claim as the judge with this view does. */
export function scoreClaim(claim: Claim, bench: Bench, view: View): Scores {
  const features = readFeatures(toText(claim, view), bench.requirement);
  const age = claim.year === null ? null : bench.asOf - claim.year;
  return {
    strength: scoreStrength(features, claim, view),
    rigor: toHalves(
      1.5 + 0.5 * Math.min(4, features.methods) + 0.5 * Math.min(3, features.citations),
    ),
    relevance: toHalves(1 + 5 * features.overlap + 0.75 * Math.min(2, claim.terms.length)),
    directness: scoreDirectness(claim, features),
    recency: roundTo(decayOf(age, bench.halfLifeYears), 2),
    reproducibility: (claim.hasCode ? 0.5 : 0) + (features.namesFunction ? 0.5 : 0),
  };
}

function toText({ sentence, section, around }: Claim, view: View): string {
  if (view === "sentence") return sentence;
  return view === "place" ? `${section} ${sentence}` : [sentence, ...around].join(" ");
}

/** An announcement weighs less than the place where the thing is done. */
const ANNOUNCES = /\b(?:abstract|introduction|summary|outlook|discussion)\b/i;

function scoreStrength(features: Features, { section }: Claim, view: View): number {
  const { asserts, hedges, namesFunction, words } = features;
  const place = view === "place" ? (ANNOUNCES.test(section) ? -0.5 : 0.5) : 0;
  return toHalves(
    2.5 +
      0.75 * Math.min(2, asserts) +
      (namesFunction ? 0.5 : 0) -
      0.75 * Math.min(3, hedges) -
      (words > 45 && view === "sentence" ? 0.5 : 0) +
      place,
  );
}

function scoreDirectness({ sentence, terms }: Claim, { hedges }: Features): number {
  const first = Math.min(
    ...terms.map((term) => sentence.toLowerCase().indexOf(term.toLowerCase())),
  );
  if (first > sentence.length * 0.75) return 1;
  return first < sentence.length / 2 && hedges === 0 ? 3 : 2;
}

function toHalves(score: number): number {
  return Math.min(5, Math.max(1, Math.round(score * 2) / 2));
}
