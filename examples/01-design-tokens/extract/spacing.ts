// Distances between things, by projection gaps: a region is cut at its empty rows, each band at its empty
// columns, and so on; a piece with a ground of its own is entered and cut again. What is measured are
// paddings and gaps between straight edges; ragged ones are text, whose letters keep no grid.
import type { Picture } from "../image/picture.ts";
import type { Reading } from "./reading.ts";
import { countLengths } from "./reading.ts";

type SpacingReading = Extract<Reading, { kind: "spacing" }>;

/** Shorter gaps lie between letters and words. */
const GAP_MIN = 6;
/** Longer ones are what the window had left over. */
const GAP_MAX = 160;
/** A band lower than this is a line of text: its columns are letters. */
const BAND_MIN = 20;
const DEPTH_MAX = 16;
/** An edge is straight when most of it lies in pieces of one colour at least this long. */
const STRAIGHT_RUN_MIN = 16;
const STRAIGHT_SHARE_MIN = 0.6;

/** All gaps of one picture between 6 and 160 pixels, counted by length. */
export function extractSpacing(picture: Picture): SpacingReading {
  const gaps: number[] = [];
  const whole = { left: 0, top: 0, right: picture.width, bottom: picture.height };
  enterRegion({ ...picture, gaps }, whole, 0);
  return { kind: "spacing", gaps: countLengths(gaps) };
}

interface Survey extends Picture {
  /** Where every gap is noted. */
  readonly gaps: number[];
}

/** `right` and `bottom` are the first column and row outside. */
interface Region {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

interface Cut {
  readonly region: Region;
  readonly ground: number;
  /** Pixels at both ends of every row and column that rounded corners may take. */
  readonly corner: number;
  readonly along: "rows" | "columns";
  /** Whether the cut before this one, the other way, found nothing. */
  readonly isLast: boolean;
  readonly depth: number;
}

/** Cuts a piece by its own ground. A piece without one, such as a photograph, is left alone. */
function enterRegion(picture: Survey, region: Region, depth: number): void {
  const ground = findGround(picture, region);
  if (ground === undefined) return;
  const corner = measureCorner(picture, region, ground);
  cutRegion(picture, { region, ground, corner, along: "rows", isLast: false, depth });
}

function cutRegion(picture: Survey, cut: Cut): void {
  const { region, along } = cut;
  const [start, end] = spanOf(region, along);
  const bands = findBands(picture, cut);
  const isWhole = bands.length === 1 && bands[0]?.from === start && bands[0].to === end;
  if (isWhole && cut.isLast) return enterPiece(picture, cut);
  picture.gaps.push(...measureGaps(picture, cut, bands));
  if (cut.depth >= DEPTH_MAX) return;
  for (const { from, to } of bands) {
    const isRow = along === "rows";
    const piece = isRow
      ? { ...region, top: from, bottom: to }
      : { ...region, left: from, right: to };
    if (piece.bottom - piece.top < BAND_MIN) continue;
    cutRegion(picture, {
      ...cut,
      region: piece,
      // Only the piece that was entered has rounded corners; what is cut out of it lies inside of them.
      corner: isWhole ? cut.corner : 0,
      along: isRow ? "columns" : "rows",
      isLast: isWhole,
      depth: cut.depth + 1,
    });
  }
}

/** What cannot be cut may be a card: another ground, with things of its own on it. */
function enterPiece(picture: Survey, { region, ground, depth }: Cut): void {
  if (region.right - region.left < BAND_MIN || depth >= DEPTH_MAX) return;
  if (findGround(picture, region) !== ground) enterRegion(picture, region, depth + 1);
}

function spanOf(region: Region, along: Cut["along"]): readonly [number, number] {
  return along === "rows" ? [region.top, region.bottom] : [region.left, region.right];
}

interface Band {
  readonly from: number;
  readonly to: number;
}

/** The distances before, between and after the bands, as far as both ends are straight. */
function measureGaps(picture: Picture, cut: Cut, bands: readonly Band[]): number[] {
  if (bands.length === 0) return [];
  const [start, end] = spanOf(cut.region, cut.along);
  const before = [
    start,
    ...bands.map((band) => (isStraight(picture, cut, band.to - 1) ? band.to : NaN)),
  ];
  const after = [
    ...bands.map((band) => (isStraight(picture, cut, band.from) ? band.from : NaN)),
    end,
  ];
  return after
    .map((at, index) => at - (before[index] ?? NaN))
    .filter((gap) => gap >= GAP_MIN && gap <= GAP_MAX);
}

/** The runs of rows (or columns) that show something besides the ground. */
function findBands(picture: Picture, cut: Cut): Band[] {
  const [start, end] = spanOf(cut.region, cut.along);
  const bands: Band[] = [];
  let from: number | undefined;
  for (let at = start; at < end; at++) {
    if (!isEmpty(picture, cut, at)) {
      from ??= at;
    } else if (from !== undefined) {
      bands.push({ from, to: at });
      from = undefined;
    }
  }
  return from === undefined ? bands : [...bands, { from, to: end }];
}

/** The pixels of one row (or column) of a cut: index of the first, distance of the next, and how many. */
function lineOf({ width }: Picture, cut: Cut, at: number): readonly [number, number, number] {
  const isRow = cut.along === "rows";
  const [start, end] = spanOf(cut.region, isRow ? "columns" : "rows");
  const stride = isRow ? 1 : width;
  const first = (isRow ? at * width : at) + (start + cut.corner) * stride;
  return [first, stride, end - start - 2 * cut.corner];
}

function isEmpty(picture: Picture, cut: Cut, at: number): boolean {
  const [first, stride, length] = lineOf(picture, cut, at);
  for (let step = 0; step < length; step++) {
    if (picture.colors[first + step * stride] !== cut.ground) return false;
  }
  return true;
}

function isStraight(picture: Picture, cut: Cut, at: number): boolean {
  const [first, stride, length] = lineOf(picture, cut, at);
  let [shown, straight, run] = [0, 0, 0];
  for (let step = 0; step < length; step++) {
    const color = picture.colors[first + step * stride];
    const isSame = step > 0 && color === picture.colors[first + (step - 1) * stride];
    run = isSame ? run + 1 : 1;
    if (color === cut.ground) continue;
    shown++;
    if (run === STRAIGHT_RUN_MIN) straight += run;
    else if (run > STRAIGHT_RUN_MIN) straight++;
  }
  return straight >= shown * STRAIGHT_SHARE_MIN;
}

/** The most frequent colour along the four edges, when it holds at least half of them. */
function findGround({ colors, width }: Picture, region: Region): number | undefined {
  const { left, top, right, bottom } = region;
  const edge: number[] = [];
  for (let x = left; x < right; x++) edge.push(top * width + x, (bottom - 1) * width + x);
  for (let y = top; y < bottom; y++) edge.push(y * width + left, y * width + right - 1);
  const counts = new Map<number, number>();
  for (const at of edge) {
    const color = colors[at] ?? 0;
    counts.set(color, (counts.get(color) ?? 0) + 1);
  }
  const [color, count] = [...counts].reduce((one, other) => (other[1] > one[1] ? other : one));
  return count >= edge.length / 2 ? color : undefined;
}

/** How far rounded corners reach along the first row and the last; 0 when something stands there. */
function measureCorner({ colors, width }: Picture, region: Region, ground: number): number {
  const half = Math.min(region.right - region.left, region.bottom - region.top) / 2;
  const reaches = [region.top, region.bottom - 1].map((y) => {
    let across = 0;
    while (across < half && colors[y * width + region.left + across] !== ground) across++;
    return across;
  });
  const reach = Math.max(...reaches);
  return reach < half ? reach : 0;
}
