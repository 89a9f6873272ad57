// From lengths that were met to lengths that somebody chose: the grid unit and its multiples, corner radii,
// font sizes. Lengths that differ by what measuring loses are one; lengths met once or twice are accidents.
import { findGridUnit } from "../extract/grid-unit.ts";
import type { LengthToken, Source } from "./token.ts";
import { combineConfidence } from "./token.ts";
import { makeUnique } from "./name-color.ts";

/** A length in one picture and how often it was met there. */
export interface LengthSighting {
  readonly image: string;
  readonly px: number;
  readonly count: number;
}

/** Sightings of one length. */
export interface LengthGroup {
  readonly px: number;
  readonly count: number;
  readonly sightings: readonly LengthSighting[];
}

/**
 * Joins each length with the most frequent one at most `tolerance` (a share of it, but at least one pixel
 * for lengths below 12) away. Sorted by length.
 */
export function mergeLengths(
  sightings: readonly LengthSighting[],
  tolerance: number,
): LengthGroup[] {
  const groups: { px: number; sightings: LengthSighting[] }[] = [];
  for (const { px } of [...countByLength(sightings)].sort(
    (one, other) => other.count - one.count || one.px - other.px,
  )) {
    const own = sightings.filter((sighting) => sighting.px === px);
    const near = groups.find((group) => Math.abs(group.px - px) <= reachOf(group.px, tolerance));
    if (near === undefined) groups.push({ px, sightings: own });
    else near.sightings.push(...own);
  }
  return groups
    .map((group) => ({ ...group, count: sumCounts(group.sightings) }))
    .sort((one, other) => one.px - other.px);
}

function reachOf(px: number, tolerance: number): number {
  return tolerance === 0 ? 0 : Math.max(px < 12 ? 1 : 0, px * tolerance);
}

function countByLength(
  sightings: readonly LengthSighting[],
): { readonly px: number; readonly count: number }[] {
  const counts = new Map<number, number>();
  for (const { px, count } of sightings) counts.set(px, (counts.get(px) ?? 0) + count);
  return [...counts].map(([px, count]) => ({ px, count }));
}

function sumCounts(sightings: readonly LengthSighting[]): number {
  return sightings.reduce((sum, sighting) => sum + sighting.count, 0);
}

/** The grid unit and the multiples of it that occur. None when the distances follow no grid. */
export function toSpacingTokens(sightings: readonly LengthSighting[]): LengthToken[] {
  const unit = findGridUnit(countByLength(sightings));
  if (unit === undefined) return [];
  const onGrid = sightings.filter(({ px }) => px % unit.px === 0);
  const multiples = mergeLengths(onGrid, 0).filter(
    ({ px, count }) => count >= 3 && px <= unit.px * 16,
  );
  const sources = onGrid.map((sighting) => toSource(sighting, unit.fit));
  const unitToken: LengthToken = {
    kind: "spacing",
    name: "unit",
    value: unit.px,
    confidence: unit.fit,
    combined: combineConfidence(sources),
    sources: joinSources(sources),
  };
  return [
    unitToken,
    ...multiples.map((group) => toLengthToken("spacing", group, `${group.px / unit.px}`)),
  ];
}

const RADIUS_NAMES: readonly (readonly string[])[] = [
  [],
  ["md"],
  ["sm", "md"],
  ["sm", "md", "lg"],
  ["xs", "sm", "md", "lg"],
  ["xs", "sm", "md", "lg", "xl"],
  ["xs", "sm", "md", "lg", "xl", "2xl"],
];

/** Corner radii above zero that were met more than once in a while, at most six, from small to large. */
export function toRadiusTokens(sightings: readonly LengthSighting[]): LengthToken[] {
  const groups = mergeLengths(
    sightings.filter(({ px }) => px > 0),
    0.13,
  );
  const total = groups.reduce((sum, group) => sum + group.count, 0);
  const kept = groups.filter((group) => group.count >= Math.max(3, total * 0.02));
  const largest = [...kept].sort((one, other) => other.count - one.count).slice(0, 6);
  const names = RADIUS_NAMES[largest.length] ?? [];
  return largest
    .sort((one, other) => one.px - other.px)
    .map((group, index) => toLengthToken("radius", group, names[index] ?? ""));
}

/** Names of font sizes, each with the size it stands for. */
const TEXT_NAMES: readonly (readonly [name: string, px: number])[] = [
  ["xs", 12],
  ["sm", 14],
  ["base", 16],
  ["lg", 18],
  ["xl", 20],
  ["2xl", 24],
  ["3xl", 30],
  ["4xl", 36],
  ["5xl", 48],
  ["6xl", 60],
  ["7xl", 72],
  ["8xl", 96],
];

/** Fewer letters of a size are a slip of the ruler. */
const GLYPHS_MIN = 16;

/** Font sizes with enough letters to be meant, from small to large. */
export function toTextTokens(groups: readonly LengthGroup[]): LengthToken[] {
  const kept = groups.filter((group) => group.count >= GLYPHS_MIN);
  const names = makeUnique(kept.map((group) => nameText(group.px)));
  return kept.map((group, index) => toLengthToken("text", group, names[index] ?? ""));
}

function nameText(px: number): string {
  const [first = ["base", 16], ...rest] = TEXT_NAMES;
  return rest.reduce(
    (best, entry) => (Math.abs(entry[1] - px) < Math.abs(best[1] - px) ? entry : best),
    first,
  )[0];
}

function toLengthToken(kind: LengthToken["kind"], group: LengthGroup, name: string): LengthToken {
  const sources = group.sightings.map((sighting) =>
    toSource(sighting, countConfidence(sighting.count, kind === "text" ? 8 : 1)),
  );
  return {
    kind,
    name,
    value: group.px,
    confidence: countConfidence(group.count, kind === "text" ? 8 : 1),
    combined: combineConfidence(sources),
    sources,
  };
}

function toSource({ image, px, count }: LengthSighting, confidence: number): Source {
  return { image, value: `${px}px`, confidence, weight: count };
}

/** One line per picture: the unit rests on every distance, and nobody reads two hundred. */
function joinSources(sources: readonly Source[]): Source[] {
  const joined = new Map<string, Source>();
  for (const source of sources) {
    const known = joined.get(source.image);
    const value = known === undefined ? source.value : `${known.value} ${source.value}`;
    joined.set(source.image, { ...source, value, weight: source.weight + (known?.weight ?? 0) });
  }
  return [...joined.values()];
}

/** Half sure after one sighting of `portion`, 80 % after five, never entirely. */
function countConfidence(count: number, portion: number): number {
  return Math.min(0.98, 1 - 0.5 * 0.8 ** Math.max(0, count / portion - 1));
}
