// Which colours a picture is made of. Colours that fill areas exactly (what designers pick) become pinned
// centres; k-means in OKLab then finds the middle of whatever is left (photographs, gradients). Blended
// edges of letters and curves form no areas and are dropped.
import type { Picture } from "../image/picture.ts";
import { toHex, UNSEEN } from "../image/picture.ts";
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
  const tally = countColors(picture);
  const seen = tally.reduce((sum, entry) => sum + entry.count, 0);
  if (seen === 0) return [];
  const flats = chooseFlats(tally, seen);
  const found = [
    ...flats.map((entry) => toFlatFinding(entry, seen)),
    ...findBlends(tally, flats, { ...picture, seen }),
  ];
  return found.sort(
    (one, other) => other.coverage - one.coverage || (one.hex < other.hex ? -1 : 1),
  );
}

interface Tally {
  readonly color: number;
  count: number;
  /** Neighbours of the same colour to the right and below, at most `count` each. */
  right: number;
  below: number;
}

function countColors({ colors, width }: Picture): Tally[] {
  const tally = new Map<number, Tally>();
  let entry: Tally = { color: UNSEEN, count: 0, right: 0, below: 0 };
  for (let at = 0; at < colors.length; at++) {
    const color = colors[at] ?? UNSEEN;
    if (color === UNSEEN) continue;
    if (color !== entry.color) entry = getEntry(tally, color);
    entry.count++;
    if ((at + 1) % width !== 0 && colors[at + 1] === color) entry.right++;
    if (colors[at + width] === color) entry.below++;
  }
  return [...tally.values()].sort(
    (one, other) => other.count - one.count || one.color - other.color,
  );
}

function getEntry(tally: Map<number, Tally>, color: number): Tally {
  const known = tally.get(color);
  if (known !== undefined) return known;
  const entry: Tally = { color, count: 0, right: 0, below: 0 };
  tally.set(color, entry);
  return entry;
}

function chooseFlats(tally: readonly Tally[], seen: number): Tally[] {
  const flats: Tally[] = [];
  for (const entry of tally) {
    const share = entry.count / seen;
    if (share < FLAT_SHARE_MIN || flats.length === FLAT_COLORS_MAX) break;
    const isNoise = share < MAJOR_SHARE && flats.some((flat) => isNear(flat.color, entry.color));
    if (isSolid(entry) && !isNoise) flats.push(entry);
  }
  return flats;
}

/** Edges of letters run one way only: a colour needs neighbours in both, or one unbroken line. */
function isSolid({ count, right, below }: Tally): boolean {
  const [across, down] = [right / count, below / count];
  if (Math.max(across, down) > 0.97) return true;
  return across >= ACROSS_MIN && down >= DOWN_MIN;
}

function isNear(one: number, other: number): boolean {
  const lab = toOklab([one, other]);
  const distances = [0, 1, 2].map((axis) => (lab[axis] ?? 0) - (lab[axis + 3] ?? 0));
  return Math.hypot(...distances) < NOISE_DISTANCE;
}

function toFlatFinding(entry: Tally, seen: number): ColorFinding {
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
  tally: readonly Tally[],
  flats: readonly Tally[],
  picture: SeenPicture,
): ColorFinding[] {
  const pinned = new Set(flats.map((entry) => entry.color));
  const rest = tally.filter((entry) => !pinned.has(entry.color));
  const bins = binColors(rest);
  const { centers, labels } = groupPoints({
    points: toOklab(bins.map((bin) => bin.color)),
    weights: Float64Array.from(bins, (bin) => bin.count),
    pinned: toOklab(flats.map((entry) => entry.color)),
    free: BLEND_COLORS_MAX,
    seed: SEED,
  });
  const groupOf = new Map(bins.map((bin, index) => [binKey(bin.color), labels[index] ?? 0]));
  const groups = measureGroups(picture, (color) =>
    pinned.has(color) ? undefined : groupOf.get(binKey(color)),
  );
  return [...groups]
    .filter(([group]) => group >= flats.length)
    .filter(([, { count, solid }]) => {
      return count / picture.seen >= BLEND_SHARE_MIN && solid / count >= BLEND_SOLIDITY_MIN;
    })
    .map(([group, { count, solid }]) => {
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
function binKey(color: number): number {
  return color & 0xf8f8f8;
}

/** One point per bin, at its most frequent colour. */
function binColors(tally: readonly Tally[]): { color: number; count: number }[] {
  const bins = new Map<number, { color: number; count: number }>();
  for (const { color, count } of tally) {
    const bin = bins.get(binKey(color));
    if (bin === undefined) bins.set(binKey(color), { color, count });
    else bin.count += count;
  }
  return [...bins.values()];
}

/** Pixels per group, and how many of them have a right neighbour in the same group. */
function measureGroups(
  picture: Picture,
  findGroup: (color: number) => number | undefined,
): Map<number, { count: number; solid: number }> {
  const groups = new Map<number, { count: number; solid: number }>();
  let before: number | undefined;
  let [group, last]: [number | undefined, number] = [undefined, UNSEEN];
  for (let at = 0; at < picture.colors.length; at++) {
    const color = picture.colors[at] ?? UNSEEN;
    if (color !== last) group = color === UNSEEN ? undefined : findGroup(color);
    last = color;
    if (at % picture.width === 0) before = undefined;
    if (group !== undefined) {
      const entry = groups.get(group) ?? { count: 0, solid: 0 };
      entry.count++;
      if (group === before) entry.solid++;
      groups.set(group, entry);
    }
    before = group;
  }
  return groups;
}
