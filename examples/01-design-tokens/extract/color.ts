// Which colours a picture is made of. Colours that fill areas exactly (what designers pick) become pinned
// centres; k-means in OKLab then finds the middle of whatever is left (photographs, gradients). Blended
// edges of letters and curves form no areas and are dropped.
import type { Picture } from "../image/picture.ts";
import { toHex, UNSEEN } from "../image/picture.ts";
import { countColors, measureSpread } from "./color-tally.ts";
import type { ColorCount, SpreadCount } from "./color-tally.ts";
import { groupPoints } from "./k-means.ts";
import { fromOklab, toOklab } from "./oklab.ts";
import type { ColorFinding } from "./reading.ts";

/** A colour fills areas when at least these shares of its neighbours have the same colour. */
const ACROSS_MIN = 0.1;
const DOWN_MIN = 0.3;
/** The same for the middle of a cloud, whose pixels only need to lie side by side. */
const BLEND_SOLIDITY_MIN = 0.3;
/** Smaller shares of the picture are no finding: 0.03 % for exact colours, 1 % for the middle of a cloud. */
const FLAT_SHARE_MIN = 0.0003;
const BLEND_SHARE_MIN = 0.01;
const FLAT_COLORS_MAX = 24;
const BLEND_COLORS_MAX = 6;
/** OKLab distance under which a minor exact colour counts as noise of a major one. */
const NOISE_DISTANCE = 0.025;
/** From this share on an exact colour is never noise, however near its neighbour: `aggregate` decides. */
const MAJOR_SHARE = 0.01;
const SEED = 0x5eed;

/** The colours of one picture, largest first. A picture that nobody can see has none. */
export function extractColors(picture: Picture): ColorFinding[] {
  const counts = countColors(picture);
  const seen = counts.reduce((sum, entry) => sum + entry.count, 0);
  if (seen === 0) return [];
  const frequent = counts.filter((entry) => entry.count / seen >= FLAT_SHARE_MIN);
  const flats = chooseFlats(measureSpread(picture, frequent), seen);
  const found = [
    ...flats.map((entry) => toFlatFinding(entry, seen)),
    ...findBlends({ ...picture, seen }, counts, flats),
  ];
  return found.sort(
    (one, other) => other.coverage - one.coverage || (one.hex < other.hex ? -1 : 1),
  );
}

function chooseFlats(frequent: readonly SpreadCount[], seen: number): ColorCount[] {
  const flats: ColorCount[] = [];
  for (const entry of frequent) {
    if (flats.length === FLAT_COLORS_MAX) break;
    const isMinor = entry.count / seen < MAJOR_SHARE;
    const isNoise = isMinor && flats.some((flat) => isNear(flat.color, entry.color));
    if (isSolid(entry) && !isNoise) flats.push(entry);
  }
  return flats;
}

/** Edges of letters run one way only: a colour needs neighbours in both, or one unbroken line. */
function isSolid({ across, down }: SpreadCount): boolean {
  return Math.max(across, down) > 0.97 || (across >= ACROSS_MIN && down >= DOWN_MIN);
}

function isNear(one: number, other: number): boolean {
  const lab = toOklab([one, other]);
  const distances = [0, 1, 2].map((axis) => (lab[axis] ?? 0) - (lab[axis + 3] ?? 0));
  return Math.hypot(...distances) < NOISE_DISTANCE;
}

function toFlatFinding(entry: ColorCount, seen: number): ColorFinding {
  const coverage = entry.count / seen;
  const confidence = 0.55 + 0.43 * Math.min(1, Math.sqrt(coverage / 0.05));
  return { hex: toHex(entry.color), coverage, confidence, origin: "flat" };
}

interface SeenPicture extends Picture {
  /** Pixels that can be seen. */
  readonly seen: number;
}

/** Groups what the exact colours leave over; a group counts when its pixels lie together. */
function findBlends(
  picture: SeenPicture,
  counts: readonly ColorCount[],
  flats: readonly ColorCount[],
): ColorFinding[] {
  const pinned = new Set(flats.map((entry) => entry.color));
  const bins = binColors(counts.filter((entry) => !pinned.has(entry.color)));
  const { centers, labels } = groupPoints({
    points: toOklab(bins.map((bin) => bin.color)),
    weights: Float64Array.from(bins, (bin) => bin.count),
    pinned: toOklab(flats.map((entry) => entry.color)),
    free: BLEND_COLORS_MAX,
    seed: SEED,
  });
  const groupOf = new Int16Array(BINS).fill(-1);
  for (const [index, bin] of bins.entries()) groupOf[toBin(bin.color)] = labels[index] ?? -1;
  return measureGroups(picture, pinned, groupOf)
    .filter(({ group }) => group >= flats.length)
    .filter(({ count, solid }) => {
      return count / picture.seen >= BLEND_SHARE_MIN && solid / count >= BLEND_SOLIDITY_MIN;
    })
    .map(({ group, count, solid }) => {
      const coverage = count / picture.seen;
      const confidence = 0.25 + 0.35 * (solid / count) * Math.min(1, Math.sqrt(coverage / 0.1));
      const hex = toHex(fromOklab(...readCenter(centers, group)));
      return { hex, coverage, confidence, origin: "blend" };
    });
}

function readCenter(centers: Float64Array, index: number): [number, number, number] {
  const [lightness = 0, a = 0, b = 0] = centers.subarray(index * 3, index * 3 + 3);
  return [lightness, a, b];
}

/** 32 levels per channel: few enough points for k-means whatever the picture. */
const BINS = 32 ** 3;

function toBin(color: number): number {
  return ((color >> 9) & 0x7c00) | ((color >> 6) & 0x3e0) | ((color >> 3) & 0x1f);
}

/** One point per bin, at its most frequent colour. Counts come most frequent first. */
function binColors(counts: readonly ColorCount[]): ColorCount[] {
  const bins = new Map<number, { readonly color: number; count: number }>();
  for (const { color, count } of counts) {
    const bin = bins.get(toBin(color));
    if (bin === undefined) bins.set(toBin(color), { color, count });
    else bin.count += count;
  }
  return [...bins.values()];
}

interface Group {
  readonly group: number;
  count: number;
  /** Pixels whose left neighbour is in the same group. */
  solid: number;
}

/** Pixels per group; exact colours belong to none. */
function measureGroups(
  { colors, width }: Picture,
  pinned: ReadonlySet<number>,
  groupOf: Int16Array,
): Group[] {
  const groups: Group[] = [];
  let [group, color, before] = [-1, UNSEEN, -1];
  for (let at = 0; at < colors.length; at++) {
    const own = colors[at] ?? UNSEEN;
    if (own !== color) group = own === UNSEEN || pinned.has(own) ? -1 : (groupOf[toBin(own)] ?? -1);
    color = own;
    if (at % width === 0) before = -1;
    if (group >= 0) {
      const entry = (groups[group] ??= { group, count: 0, solid: 0 });
      entry.count++;
      if (group === before) entry.solid++;
    }
    before = group;
  }
  return groups.filter((entry) => entry !== undefined);
}
