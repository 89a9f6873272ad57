// Joins colours that no eye tells apart. The surest colour opens the first group; each next one joins the
// first group whose first member is at most 2.0 away in CIEDE2000, else it opens another. Comparing with
// the first member alone keeps a row of ever slightly different shades from becoming one colour.
import { differenceCiede2000, lab65 } from "culori";
import type { Lab65 } from "culori";
import type { Source } from "./token.ts";

/** CIEDE2000 distance up to which two colours are one token. */
export const MERGE_DISTANCE_MAX = 2.0;

/** One colour of one picture. */
export interface ColorSighting extends Source {
  /** "#rrggbb". */
  readonly value: string;
}

/** Colours that are one: the first member gives the group its value. */
export interface ColorGroup {
  readonly value: string;
  readonly sources: readonly ColorSighting[];
}

const measure = differenceCiede2000();

/** CIEDE2000 distance of two "#rrggbb" colours under D65: 1 is barely visible side by side. */
export function colorDistance(one: string, other: string): number {
  return measure(toLab(one), toLab(other));
}

function toLab(hex: string): Lab65 {
  const lab = lab65(hex);
  if (lab === undefined) throw new TypeError(`"${hex}" is not a colour, expected "#rrggbb"`);
  return lab;
}

/** Groups, surest first; inside a group the surest sighting first. The order of the input does not matter. */
export function mergeColors(sightings: readonly ColorSighting[]): ColorGroup[] {
  const sorted = [...sightings].sort(compareSightings);
  const groups: { readonly lab: Lab65; readonly sources: ColorSighting[] }[] = [];
  const known = new Map<string, ColorSighting[]>();
  for (const sighting of sorted) {
    const lab = toLab(sighting.value);
    const sources =
      known.get(sighting.value) ??
      groups.find((group) => measure(group.lab, lab) <= MERGE_DISTANCE_MAX)?.sources ??
      [];
    if (sources.length === 0) groups.push({ lab, sources });
    sources.push(sighting);
    known.set(sighting.value, sources);
  }
  return groups.map(({ sources }) => ({ value: sources[0]?.value ?? "", sources }));
}

function compareSightings(one: ColorSighting, other: ColorSighting): number {
  return (
    other.confidence - one.confidence ||
    other.weight - one.weight ||
    compareText(one.value, other.value) ||
    compareText(one.image, other.image)
  );
}

function compareText(one: string, other: string): number {
  return one < other ? -1 : Number(one > other);
}
